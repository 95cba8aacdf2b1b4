# SPDX-License-Identifier: Apache-2.0
"""Small readers for the values of a fact: the right type, or BadDataError, because any program may write a journal.

>>> text({"path": "/data/a.csv"}, "path")
'/data/a.csv'
>>> text({"path": 5}, "path")
Traceback (most recent call last):
lineagekit.errors.BadDataError: a fact is odd: got int for 'path', expected str
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import BadDataError

Fact = Mapping[str, object]

LARGEST = (1 << 63) - 1
"""More fits neither a file system nor a database."""


class Listing(NamedTuple):
    """The evidence of a folder."""

    files: int
    bytes: int
    seal: str


def text(fact: Fact, key: str, default: str = "") -> str:
    """A string; null counts as not said."""
    value = fact.get(key)
    if value is None:
        return default
    return value if isinstance(value, str) else _refuse(value, key, "str")


def path(fact: Fact, key: str = "path") -> str:
    """An absolute path."""
    value = fact.get(key)
    if not isinstance(value, str) or not value.startswith("/"):
        raise BadDataError(f"a fact is odd: got {value!r:.80} for {key!r}, expected an absolute path")
    return value


def whole(fact: Fact, key: str) -> int | None:
    """A whole number from nought up, or None where it is not said."""
    value = fact.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= LARGEST:
        _refuse(value, key, "a whole number")
    return value


def number(fact: Fact, key: str) -> float | None:
    """Any number; None where it is not said."""
    value = fact.get(key)
    if value is None or type(value) in (int, float):
        return value  # type: ignore[return-value]
    return _refuse(value, key, "a number")


def integer(fact: Fact, key: str) -> int | None:
    """A whole number of either sign, also spelled as a float; None where it is not said."""
    value = fact.get(key)
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > LARGEST:
        _refuse(value, key, "a whole number")
    return value


def flag(fact: Fact, key: str) -> bool | None:
    """True, False or not said."""
    value = fact.get(key)
    return value if value is None or isinstance(value, bool) else _refuse(value, key, "bool")


def mapping(fact: Fact, key: str) -> Fact:
    """An object; an empty one where it is not said."""
    value = fact.get(key)
    if value is None:
        return {}
    return value if isinstance(value, dict) else _refuse(value, key, "an object")


def items(fact: Fact, key: str) -> list[object]:
    """A list; an empty one where it is not said."""
    value = fact.get(key)
    if value is None:
        return []
    return value if isinstance(value, list) else _refuse(value, key, "a list")


def texts(fact: Fact, key: str) -> tuple[str, ...]:
    """A list of strings."""
    found = items(fact, key)
    if not all(isinstance(one, str) for one in found):
        _refuse(found, key, "strings")
    return tuple(found)  # type: ignore[arg-type]


def objects(fact: Fact, key: str) -> tuple[Fact, ...]:
    """A list of objects."""
    found = items(fact, key)
    if not all(isinstance(one, dict) for one in found):
        _refuse(found, key, "objects")
    return tuple(found)  # type: ignore[arg-type]


def columns(fact: Fact) -> tuple[tuple[str, str], ...]:
    """Names and types of columns."""
    found = []
    for pair in items(fact, "columns"):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)):
            _refuse(pair, "columns", "pairs of name and type")
        found.append((pair[0], pair[1]))
    return tuple(found)


def evidence(fact: Fact, key: str = "evidence") -> Evidence | None:
    """Five numbers, or None."""
    value = fact.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 5 or not all(type(one) is int for one in value):
        _refuse(value, key, "five numbers")
    size, mtime, ctime, inode, device = value
    if not (0 <= size <= LARGEST and 0 <= inode <= 2 * LARGEST + 1 and 0 <= device <= LARGEST):
        _refuse(value, key, "size, inode and device from nought up")
    if max(abs(mtime), abs(ctime)) > LARGEST:
        _refuse(value, key, "times of 64 bits")
    return Evidence(*value)


def listing(fact: Fact) -> Listing | None:
    """The evidence of a folder, or None."""
    value = mapping(fact, "listing")
    if not value:
        return None
    files, size, seal = whole(value, "files"), whole(value, "bytes"), text(value, "seal")
    return None if files is None or size is None else Listing(files, size, seal)


EMITTED = "events of "
"""With the id of a journal: under this the events are filed that a process made itself. They are of no run of ours."""


def runs_of(fact: Fact, journal: str) -> tuple[str, ...]:
    """The runs that a fact of a journal is about: one, or those among which it is ambiguous."""
    run = fact.get("run")
    if isinstance(run, str) and run:
        return (run,)
    if fact.get("fact") == "event":
        return (EMITTED + journal,)
    among = fact.get("among")
    return tuple(one for one in among if isinstance(one, str) and one) if isinstance(among, list) else ()


def _refuse(value: object, key: str, expected: str) -> NoReturn:
    raise BadDataError(f"a fact is odd: got {type(value).__name__} for {key!r}, expected {expected}")
