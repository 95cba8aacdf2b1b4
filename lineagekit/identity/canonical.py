# SPDX-License-Identifier: Apache-2.0
r"""Canonical JSON: one spelling for one value, and reading that never guesses.

Sorted keys, compact separators, ASCII escapes: what `json.dumps` of the standard library writes. orjson, where it is
installed, does the same several times faster, and only those of its answers are used that must be equal.

    >>> to_canonical({"b": 1.0, "a": "é"})
    '{"a":"\\u00e9","b":1.0}'
    >>> encode_block([{"id": 2}, {"id": 1}])
    b'{"id":2}\n{"id":1}\n'
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable
from typing import Any

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

# Small on purpose: with many results alive the allocator, not the encoder, sets the pace.
BLOCK = 16

# Spellings that changed between releases of orjson (1e16, 1e+16), or might: one that differs is left unused.
_PROBE = (
    rb"[1e+16,1.5e+300,9007199254740992.0,0.1,0.0001,-0.0,18446744073709551615,-9223372036854775808,"
    rb'"\u0000\u001f\b\t\n\f\r\"\\/",{"a":[true,false,null]}]'
)
_FAST = orjson is not None and orjson.dumps(orjson.loads(_PROBE)) == _PROBE
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE if _FAST else 0
_NOT_PARSED = object()

# 1.2e-5 and 0.000012 are 1.2e-05 to json. Behind a number comes one of these, or its line ends; names and times go on.
_TINY = (re.compile(rb"e-\d+[,\]}\n]"), re.compile(rb"0\.0000[\de+-]*[,\]}\n]"))

to_canonical: Callable[[object], str] = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def encode_block(records: list[Any]) -> bytes:
    """Write each record's canonical JSON and a newline; TypeError, ValueError or RecursionError where one has none."""
    lines = _encode_fast(records) if _FAST else None
    if lines is None:
        return b"".join(map(_encode_line, records))
    text = b"".join(lines)
    if _is_canonical(text, lines, records):
        return text
    return b"".join(
        line if _is_canonical(line, [line], [record]) else _encode_line(record)
        for line, record in zip(lines, records, strict=True)
    )


def parse_json(text: bytes) -> object:
    """Read one JSON value; ValueError or RecursionError where it is none, or where an object repeats a key."""
    value = _parse_fast(text) if _FAST else _NOT_PARSED
    if value is _NOT_PARSED:
        return json.loads(text.decode(), object_pairs_hook=_refuse_repeated)
    return value


def _refuse_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} occurs twice in one object")
    return row


def _encode_line(record: object) -> bytes:
    return to_canonical(record).encode() + b"\n"


def _encode_fast(records: list[Any]) -> list[bytes] | None:
    try:
        # orjson takes UUIDs and enumerations that json refuses; marshal takes exact built-in types and nothing else.
        marshal.dumps(records)
        return [orjson.dumps(record, None, _OPTIONS) for record in records]
    except (TypeError, ValueError):
        return None


def _is_canonical(text: bytes, lines: list[bytes], records: list[Any]) -> bool:
    """Say whether json would spell the records as orjson did, in `text`, the `lines` in a row."""
    return (
        text.isascii()  # json escapes the rest, and DEL
        and b"\x7f" not in text
        and not any(tiny.search(text) for tiny in _TINY)  # in a text it may look the same: then json is asked in vain
        # NaN and the infinities are null to orjson: a null that was one reads back as equal, those do not.
        and (b"null" not in text or orjson.loads(b"[%b]" % b",".join(lines)) == records)
    )


def _parse_fast(text: bytes) -> object:
    try:
        value = orjson.loads(text)
        again = orjson.dumps(value)
    except (TypeError, ValueError):
        return _NOT_PARSED
    # A dropped duplicate takes its quotes along (only \u0022 could make up for them);
    # an integer beyond 64 bits comes back as a float, printed with e+.
    same = again.count(b'"') == text.count(b'"') and b"\\u" not in text and b"e+" not in again
    return value if same else _NOT_PARSED
