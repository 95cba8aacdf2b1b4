# SPDX-License-Identifier: Apache-2.0
"""HDF5 through h5py: the C library opens the file by name, and writes until it is closed.

>>> files(sys.modules["h5py._hl.files"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit.agent.targets import text_of

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_DOOR = "h5py.File"
_MODES = {"w": "w", "w-": "x", "x": "x", "a": "r+", "r+": "r+"}


def files(module: ModuleType) -> None:
    """`h5py._hl.files`: the class `File`."""
    patch(module, "File.__init__", before=_opens, failed=note.failed)
    patch(module, "File.close", before=_closes, after=_closed)


def _opens(args: Any, kwargs: Any) -> Any:
    if book() is None or kwargs.get("driver") in ("core", "fileobj"):
        return None
    name, mode = text_of(argument(args, kwargs, 1, "name")), argument(args, kwargs, 2, "mode", "r") or "r"
    if mode == "r":
        note.reads(name, door=_DOOR, format="hdf5")
    elif name:
        note.writes(name, door=_DOOR, mode=_MODES.get(mode, "r+"))
        note.doubts(name)
    return name


def _closes(args: Any, kwargs: Any) -> Any:
    """What it was, which can be asked only while it is open."""
    file = args[0]
    if book() is None or not file or file.mode == "r":
        return None
    return text_of(file.filename)


def _closed(name: Any, result: Any, args: Any, kwargs: Any) -> None:
    if name:
        note.wrote(name, door=_DOOR, format="hdf5")
