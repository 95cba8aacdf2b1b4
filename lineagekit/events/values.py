# SPDX-License-Identifier: Apache-2.0
r"""Values that every reader of an event can hold: valid UTF-8 without NUL, finite numbers, no nulls, known widths.

>>> plain({"a": None, "b": [1, float("nan"), "x\0"], 3: True})
{'b': [1, 'NaN', 'x\\u0000'], '3': True}
>>> moment(1_790_000_000_123_456_789)
'2026-09-21T14:13:20.123456Z'
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

TEXT_LIMIT = 10_000
"""Characters of any one text that is not a name."""
KEY_LIMIT = 200
"""Characters of a key: Marquez takes 255 for the name of a facet or a column."""

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"]

_DEEPEST = 64
_WIDEST_INTEGER = 1 << 63
_LAST_SECOND = 253_402_300_799  # of the year 9999


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    r"""A text as valid UTF-8 without NUL, cut where it is longer; what does not fit in UTF-8 is shown as `\udc80`."""
    if len(value) > limit:
        value = _cut(value, limit)
    if value.isascii() and "\0" not in value:
        return value
    shown = value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")
    return _cut(shown, limit) if len(shown) > limit else shown


def plain(value: object, limit: int = TEXT_LIMIT, depth: int = 0) -> Plain | None:
    """A value without what JSON, PostgreSQL or a double cannot hold; None where nothing is left of it.

    Nulls are left out, of lists too. Numbers that are none become their names, integers beyond 64 bits texts.
    """
    if isinstance(value, str):
        return text(value, limit)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -_WIDEST_INTEGER <= value < _WIDEST_INTEGER else integer_text(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else float_name(value)
    if depth == _DEEPEST:
        return "(nested deeper)"
    if isinstance(value, Mapping):
        return plain_mapping(value, limit, depth)
    if isinstance(value, list | tuple):
        return [kept for one in value if (kept := plain(one, limit, depth + 1)) is not None]
    return text(str(value), limit)


def plain_mapping(
    values: Mapping[object, object] | Mapping[str, object], limit: int = TEXT_LIMIT, depth: int = 0
) -> dict[str, Plain]:
    """A mapping, likewise: its keys become texts, and what is null is not there."""
    told: dict[str, Plain] = {}
    for key, value in values.items():
        kept = text(value, limit) if type(value) is str else plain(value, limit, depth + 1)
        if kept is not None:
            told[text(str(key), KEY_LIMIT)] = kept
    return told


def count(number: int | None) -> int | None:
    """A number of things: None where it cannot be one."""
    return number if number is not None and 0 <= number < _WIDEST_INTEGER else None


def float_name(value: float) -> str:
    """What JSON libraries call a number that is none: `NaN`, `Infinity`, `-Infinity`."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def integer_text(value: int) -> str:
    """In decimal; in hex where that would be refused as too long to be meant."""
    return str(value) if value.bit_length() < 14_000 else hex(value)[:TEXT_LIMIT]


def moment(nanoseconds: int) -> str:
    """A time of an event: UTC with exactly six digits."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 1000:06}Z"


def exact_moment(nanoseconds: int) -> str:
    """A time of ours: UTC with all nine digits, so that texts sort as times do."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest:09}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(min(max(seconds, 0), _LAST_SECOND)))


def _cut(value: str, limit: int) -> str:
    note = f"... ({len(value)} characters)"
    return value[: limit - len(note)] + note
