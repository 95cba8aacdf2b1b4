# SPDX-License-Identifier: Apache-2.0
"""JSON lines: a table by a typing rule of our own, that no release of a library can move.

    >>> source = open_jsonl("orders.jsonl")  # doctest: +SKIP
    >>> source.schema, source.parameters  # doctest: +SKIP
    (id: int64, tags: string, {'json': ('tags',)})

Each line is one object and one row; blank lines are skipped. Columns stand in the order of first appearance; a key that
a row lacks is null there. What a column's values are, nulls aside, decides its type:

* none at all: null                                 * only booleans: bool
* only integers of 64 bits: int64                   * only strings: utf8
* numbers, at least one with a fraction or an exponent, and each integer among them at most 2**53: float64
* anything else (mixed kinds, arrays, objects, greater integers): a *json column*. Its cells are utf8, the canonical
  JSON text of each value, and its name is listed in the digest's name: the string "[1]" is not the list [1].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lineagekit.errors import BadDataError, ChangedWhileReadError
from lineagekit.identity.access import show
from lineagekit.identity.canonical import BLOCK, encode_block
from lineagekit.identity.records import read_json_lines
from lineagekit.identity.streams import Source, name_of
from lineagekit.identity.tables.border import rows_only
from lineagekit.identity.tables.source import Part, TableSource

_BATCH_ROWS = 8_192
_BATCH_BYTES = 16 << 20

# What was seen in a column: one bit a kind.
_BOOL, _INT, _WIDE, _FLOAT, _TEXT, _OTHER = (1 << i for i in range(6))

_TYPES = {
    0: pa.null(),
    _BOOL: pa.bool_(),
    _INT: pa.int64(),
    _WIDE: pa.int64(),
    _INT | _WIDE: pa.int64(),
    _FLOAT: pa.float64(),
    _INT | _FLOAT: pa.float64(),
    _TEXT: pa.string(),
}
_KINDS = {type(None): 0, bool: _BOOL, float: _FLOAT}

Row = dict[str, Any]


def open_jsonl(source: Source) -> TableSource:
    """Read the file for its types, and once more for each read; BadDataError names a line that is not an object."""
    kinds: dict[str, int] = {}
    count = 0
    for rows in _read_rows(source):
        count += len(rows)
        for row in rows:
            for column, value in row.items():
                kinds[column] = kinds.get(column, 0) | _kind(value)
    _require_utf8(kinds, show(name_of(source)))
    as_json = tuple(sorted(column for column, kind in kinds.items() if kind not in _TYPES))
    schema = pa.schema([(column, _TYPES.get(kind, pa.string())) for column, kind in kinds.items()])
    parameters = {"json": as_json} if as_json else {}
    return TableSource(schema, (Part(0, _ReadJson(source, schema, frozenset(as_json))),), count, parameters)


@dataclass(frozen=True, slots=True)
class _ReadJson:
    """Read the file again, by the types that were found."""

    source: Source
    schema: pa.Schema
    as_json: frozenset[str]

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        for rows in _read_rows(self.source):
            arrays = [self._array(rows, column) for column in columns]
            yield pa.RecordBatch.from_arrays(arrays, list(columns)) if arrays else rows_only(len(rows))

    def _array(self, rows: list[Row], column: str) -> pa.Array:
        values = [row.get(column) for row in rows]
        if column in self.as_json:
            values = _to_json(values)
        type_ = self.schema.field(column).type
        try:
            return pa.array(values, type_)
        except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
            raise ChangedWhileReadError(
                f"{show(name_of(self.source))} changed between two reads: column {column!r} was {type_} at first"
            ) from error


def _read_rows(source: Source) -> Iterator[list[Row]]:
    """Some thousand rows at a time, fewer of long ones."""
    rows: list[Row] = []
    size = 0
    for number, length, value in read_json_lines(source):
        if not isinstance(value, dict):
            raise BadDataError(
                f"{show(name_of(source))}, line {number}: got {type(value).__name__}, expected a JSON object"
            )
        rows.append(value)
        size += length
        if len(rows) == _BATCH_ROWS or size >= _BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _kind(value: object) -> int:
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if isinstance(value, int):
        return _INT if abs(value) <= 2**53 else _WIDE if -(2**63) <= value < 2**63 else _OTHER
    return _TEXT if isinstance(value, str) and _is_utf8(value) else _OTHER


def _is_utf8(text: str) -> bool:
    """Half of a surrogate pair can be written in JSON, and is no text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_utf8(columns: Iterable[str], owner: str) -> None:
    for column in columns:
        if not _is_utf8(column):
            raise BadDataError(f"{owner}: key {column!r} is no Unicode text, expected a column name")


def _to_json(values: list[Any]) -> list[str | None]:
    some = [value for value in values if value is not None]
    blocks = (encode_block(some[at : at + BLOCK]) for at in range(0, len(some), BLOCK))
    texts = iter(b"".join(blocks).decode().split("\n"))
    return [None if value is None else next(texts) for value in values]
