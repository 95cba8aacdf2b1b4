# SPDX-License-Identifier: Apache-2.0
"""lxml: `parse` of a file by name, which libxml2 opens itself.

>>> etree(sys.modules["lxml.etree"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit_python.entry import reader

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType


def etree(module: ModuleType) -> None:
    """`lxml.etree`."""
    reader(module, "parse", (0, "source"), door="lxml.parse", format="xml")
