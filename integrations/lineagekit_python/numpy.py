# SPDX-License-Identifier: Apache-2.0
"""numpy: a mapped array, which is written without any call. All else goes through Python's own `open`.

>>> arrays(sys.modules["numpy"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def arrays(module: ModuleType) -> None:
    """`numpy`: the class `memmap`."""
    patch(module, "memmap.__new__", before=_before)


def _before(args: Any, kwargs: Any) -> None:
    if argument(args, kwargs, 3, "mode", "r+") in ("r+", "w+", "readwrite", "write"):
        note.doubts(argument(args, kwargs, 1, "filename"))
