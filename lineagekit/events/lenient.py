# SPDX-License-Identifier: Apache-2.0
"""Reading what strangers sent: a part that is not of the kind it should be is as good as not there.

>>> facet({"version": {"datasetVersion": 12.0, "_deleted": False}}, "version")["datasetVersion"]
12.0
>>> text(12.0), text(None), objects([{"a": 1}, 7])
('12', '', [{'a': 1}])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

Facets = Mapping[str, Any]

_NOTHING: Facets = {}


def parse(body: bytes) -> Facets:
    """An event from the log, to be read and not to be kept: orjson makes doubles of numbers that are too long."""
    if orjson is not None:
        try:
            return mapping(orjson.loads(body))
        except ValueError:  # it takes no halves of surrogate pairs
            pass
    return mapping(json.loads(body) if body else None)


def mapping(value: object) -> Facets:
    """A part of somebody's event, or nothing where it is of another kind."""
    return value if isinstance(value, dict) else _NOTHING


def facet(facets: object, key: str) -> Facets:
    """A facet, unless it was deleted."""
    found = facets.get(key) if isinstance(facets, dict) else None
    return found if isinstance(found, dict) and found.get("_deleted") is not True else _NOTHING


def objects(value: object) -> Sequence[Facets]:
    """The objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else ()


def texts(value: object) -> list[str]:
    """The strings in a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def text(value: object) -> str:
    """A text; of a number its digits, however it was relayed."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def count(value: object) -> int | None:
    """A number of things."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 62:
        return int(value)
    return None


def microseconds(moment: str) -> int | None:
    """A moment as microseconds since 1970; None if it is none."""
    whole, dot, rest = moment.partition(".")
    digits = rest[:-1]
    if dot and rest[-1:] == "Z" and digits.isdecimal():
        seconds = _second(whole)
        return None if seconds is None else seconds * 1_000_000 + int(digits[:6].ljust(6, "0"))
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int((found - _EPOCH).total_seconds()) * 1_000_000 + found.microsecond


@lru_cache(maxsize=4096)
def _second(whole: str) -> int | None:
    """Remembered: what a run did, it did within a few seconds."""
    try:
        return int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
