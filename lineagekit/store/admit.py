# SPDX-License-Identifier: Apache-2.0
"""The border: whatever comes in from outside becomes an entry of the log here, or is refused with its reason.

    >>> entry = admit({"eventTime": "2026-11-01T00:00:00Z", "job": {"namespace": "n", "name": "j"}})
    >>> entry.kind, entry.body[:32]
    ('job', b'{"eventTime":"2026-11-01T00:00:0')

What came is kept byte for byte, unless it says what not every reader of JSON can hold: NaN and the infinities are then
their names, halves of surrogate pairs are written out. Of a key that an object repeats the last one counts, as for
every reader that we know of.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, cast

from lineagekit.errors import BadDataError
from lineagekit.events.values import float_name
from lineagekit.events.wire import read_event
from lineagekit.store.log import Entry, entry_of

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

DEEPEST = 200
"""Levels of nesting: far below what makes any reader stumble, however deep in its own calls it is."""


def admit(event: object, raw: bytes | None = None) -> Entry:
    """Check an event and make it an entry; BadDataError with the place and the reason if it cannot be lineage.

    `raw` are the bytes it was read from by `parse`; without them they are made of it.
    """
    if raw is None:
        event, raw = _keepable(event)
    _refuse_deep(event, raw)
    try:
        read_event(event)
    except OverflowError as error:
        raise _refusal("eventTime: expected a time between the years 1 and 9999, in UTC") from error
    return entry_of(cast(dict[str, Any], event), raw)  # or it would not have been read


def parse(raw: bytes) -> tuple[object, bytes]:
    """One JSON value and the bytes to keep for it. Raises BadDataError where it is none."""
    if orjson is not None:
        try:
            return orjson.loads(raw), raw
        except ValueError:
            pass  # the standard library takes more, and what is wrong it says in the words of the other messages
    try:
        text = raw.decode()
        value = json.loads(text)
    except UnicodeDecodeError as error:
        raise BadDataError(f"not UTF-8: byte {raw[error.start]:#04x} at place {error.start + 1}") from error
    except RecursionError as error:
        raise _refusal("it is nested too deep") from error
    except ValueError as error:
        raise BadDataError(f"no JSON: {error}") from error
    safe, made = _keepable(value)
    return (value, raw) if safe is value else (safe, made)


def _keepable(value: object) -> tuple[object, bytes]:
    """The value as every reader can hold it, itself if it is that already, and its JSON."""
    try:
        return value, _to_json(value)
    except RecursionError as error:
        raise _refusal("it is nested too deep") from error
    except (TypeError, ValueError):
        pass
    try:
        safe = _made_safe(value)
        return safe, _to_json(safe)
    except RecursionError as error:
        raise _refusal("it is nested too deep") from error
    except (TypeError, ValueError) as error:
        raise _refusal(str(error)) from error


def _to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _made_safe(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float) and not isfinite(value):
        return float_name(value)
    if isinstance(value, dict):
        return {_made_safe(key): _made_safe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_made_safe(one) for one in value]
    return value


def _refuse_deep(value: object, raw: bytes) -> None:
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise _refusal(f"it is nested deeper than {DEEPEST} levels")


def _inside(value: object) -> list[object]:
    """Objects and lists directly in this one."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [one for one in values if isinstance(one, dict | list | tuple)]


def _refusal(why: str) -> BadDataError:
    return BadDataError(f"not an OpenLineage event: {why}", advice="See https://openlineage.io/docs/spec.")
