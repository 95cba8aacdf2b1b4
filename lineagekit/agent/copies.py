# SPDX-License-Identifier: Apache-2.0
"""Copies: names that modules have taken of a function before it was replaced, as in `from os import replace`.

    >>> replace_copies([(original, door)])  # doctest: +SKIP

Asked by name, so that a thousand loaded modules cost a millisecond; modules that are loaded lazily stay unloaded.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_OWNERS = frozenset({"builtins", "io", "_io", "os", "posix"})
_OTHER_NAMES = (
    "_builtin_open",
    "bltn_open",
    "_open",
    "io_open",
)  # of bz2, tarfile and IPython, whose cells have no other


def replace_copies(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Put the second of each pair in the place of the first, wherever a module has it under its name."""
    new = {id(original): (original, replacement) for original, replacement in pairs}
    names = [*{original.__name__ for original, _ in new.values()}, *_OTHER_NAMES]
    for holder in _holders():
        try:
            held = object.__getattribute__(holder, "__dict__")
        except AttributeError:
            continue
        for name in names:
            value = held.get(name)
            function = value.__func__ if isinstance(value, staticmethod) else value
            if id(function) in new:
                setattr(holder, name, new[id(function)][1])


def _holders() -> list[Any]:
    """All modules but those that the functions are of and our own, and where older pathlibs keep theirs."""
    found = [
        module
        for name, module in list(sys.modules.items())
        if module is not None and name not in _OWNERS and not name.startswith("lineagekit")
    ]
    accessor = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
    return found if accessor is None else [*found, accessor]
