# SPDX-License-Identifier: Apache-2.0
r"""The digest of a query's answer: its cells, column by column, in order, however many chunks they came in.

    >>> answer = Answer(["id", "name"])
    >>> answer.add_rows([(1, "ann"), (2, None)])
    >>> answer.rows, answer.digest()[:23]
    (2, 'sha256:c77806e136c1225f')

The encoding, version 1. Every cell has a *kind*, and what kind it is does not depend on the library that fetched it:

    null       nothing                    bool                  one byte, 0 or 1
    int8 .. int64, uint8 .. uint64, float16 .. float64          little-endian; a NaN is the quiet one without a sign
    date       days since 1970, int32     timestamp[UNIT], timestamp[UNIT, ZONE], duration[UNIT]     int64
    utf8       UTF-8                      binary                bytes
    text:TYPE  what Python writes of a value of TYPE: Decimal, datetime, UUID, int beyond 64 bits...
    json:TYPE  JSON of a list, dict or tuple

A cell of Python is int64 if it fits, float64, bool, utf8, binary, date, else text or json. Numbers are unsigned 64-bit
little-endian where nothing else is said. With | for concatenation and S(x) for what stands for x, its length as one
byte and x itself if that is below 64 bytes, else the byte 255 and its SHA-256:

    answer  = "lineagekit answer 1\n" | rows | columns | S(column) | S(column) ...
    column  = len(name) | name | kinds | kind | kind ... | S(changes)
    kind    = len(its name) | its name | S(the values of all its cells, joined) | S(the length of each, uint32)
    changes = (row | the kind's number, one byte) for each row whose kind is not that of the row before

The digest is the SHA-256 of the answer. Kinds are numbered in the order in which they first occur; those of fixed
width have no lengths.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from itertools import groupby
from struct import Struct

from lineagekit_python.cells import UNFIT, Unfit, encode_cells

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MOST_BYTES = 1 << 30
"""Bytes of values that are hashed of one answer: about a second; a larger one has no digest."""

MOST_OBJECTS = 2_000_000
"""Cells that are objects of Python's in a data frame: their bytes must be gathered first, in 0.1 to 0.2 us each."""

MOST_IN_ROWS = 20_000
"""Cells of rows, which are gathered into columns before that: a few milliseconds, and more than rows are worth."""

NULL = "null"
_NUMBER, _CHANGE = Struct("<Q"), Struct("<QB")
_SHORT, _SMALL = 64, 1 << 12
_MOST_KINDS = 64


class Stream:
    """Bytes that are added piece by piece, and stood for by themselves while they are few."""

    __slots__ = ("_buffer", "_hasher")

    def __init__(self) -> None:
        """Nothing yet; a hasher costs a microsecond, and most answers are short."""
        self._buffer = b""
        self._hasher: Any = None

    def update(self, data: Any) -> None:
        """Add bytes, or anything that lays its bytes open."""
        if self._hasher is not None:
            self._hasher.update(data)
        elif len(self._buffer) + len(data) < _SMALL:
            self._buffer += bytes(data)
        else:
            self._hasher = sha256(self._buffer)
            self._hasher.update(data)

    def stand_in(self) -> bytes:
        """What stands for it in whatever it is a part of."""
        return stand_in(self._buffer) if self._hasher is None else b"\xff" + bytes(self._hasher.digest())


def stand_in(data: bytes) -> bytes:
    """What stands for some bytes: themselves, or their digest."""
    return bytes((len(data),)) + data if len(data) < _SHORT else b"\xff" + sha256(data).digest()


def _find_changes(flags: bytes) -> Any:
    """Where another flag begins than before, the start included."""
    numpy = sys.modules.get("numpy") if len(flags) > _SMALL else None
    if numpy is not None:
        raw = numpy.frombuffer(flags, "u1")
        return numpy.concatenate(([0], numpy.flatnonzero(raw[1:] != raw[:-1]) + 1))
    found, at, size = [], 0, len(flags)
    while at < size:
        found.append(at)
        at = flags.find(0 if flags[at] else 1, at)
        at = size if at < 0 else at
    return found


def _pack_changes(changes: Any, codes: list[int], first: int, rows: int) -> bytes:
    """Records of all changes from the first on; two codes take turns."""
    if isinstance(changes, list):
        return b"".join([_CHANGE.pack(rows + at, codes[n % 2]) for n, at in enumerate(changes) if n >= first])
    records = sys.modules["numpy"].empty(len(changes), dtype=[("row", "<u8"), ("code", "u1")])
    records["row"] = changes + rows
    for turn, code in enumerate(codes):
        records["code"][turn::2] = code
    return bytes(records[first:].tobytes())


class Column:
    """One column, fed with its cells from first to last."""

    __slots__ = ("_changes", "_kinds", "_last", "bytes", "cells", "rows")

    def __init__(self) -> None:
        """Empty."""
        self._changes = Stream()
        self._kinds: dict[str, tuple[int, Stream, Stream]] = {}
        self._last = -1
        self.rows = self.bytes = self.cells = 0

    def add(self, kind: str, count: int, values: Any = b"", lengths: Any = b"") -> None:
        """So many cells of one kind: their values joined and, where those differ in width, the length of each."""
        if count:
            code = self._number(kind)
            if code != self._last:
                self._changes.update(_CHANGE.pack(self.rows, code))
                self._last = code
            self._take(kind, values, lengths)
            self.rows += count

    def add_gapped(self, kind: str, flags: bytes, values: Any, lengths: Any = b"") -> None:
        """The same where some are null: `flags` has a byte for each row, 1 where it is one."""
        changes = _find_changes(flags)
        codes = [self._number(NULL if flags[at] else kind) for at in changes[:2]]
        first = int(codes[:1] == [self._last])  # goes on as the rows before
        if len(changes) > first:
            self._changes.update(_pack_changes(changes, codes, first, self.rows))
            self._last = codes[(len(changes) - 1) % 2]
        if 0 in flags:
            self._take(kind, values, lengths)
        self.rows += len(flags)

    def add_cells(self, cells: Sequence[Any]) -> None:
        """Values of Python, of whatever types. Raises Unfit for one that has no encoding."""
        self.cells += len(cells)
        kinds = set(map(type, cells))
        if len(kinds) == 1:
            self._add_uniform(kinds.pop(), cells)
        elif len(kinds) == 2 and type(None) in kinds:
            kinds.discard(type(None))
            self._add_nullable(kinds.pop(), cells)
        else:
            for kind, run in groupby(cells, type):
                self._add_uniform(kind, list(run))

    @property
    def kind(self) -> str:
        """What its cells are; of several kinds the first, and null only where there is no other."""
        return next((kind for kind in self._kinds if kind != NULL), NULL if self._kinds else "")

    def encode(self, name: bytes) -> bytes:
        """All that was added until now."""
        parts = [_NUMBER.pack(len(name)), name, _NUMBER.pack(len(self._kinds))]
        for kind, (_, values, lengths) in self._kinds.items():
            raw = kind.encode()
            parts += (_NUMBER.pack(len(raw)), raw, values.stand_in(), lengths.stand_in())
        parts.append(self._changes.stand_in())
        return b"".join(parts)

    def _add_uniform(self, kind: type, cells: Sequence[Any]) -> None:
        if kind is type(None):
            self.add(NULL, len(cells))
            return
        for name, count, values, lengths in encode_cells(kind, cells):
            self.add(name, count, values, lengths)

    def _add_nullable(self, kind: type, cells: Sequence[Any]) -> None:
        encoded = encode_cells(kind, [cell for cell in cells if cell is not None])
        if len(encoded) == 1:
            flags = bytes([cell is None for cell in cells])
            self.add_gapped(encoded[0][0], flags, encoded[0][2], encoded[0][3])
        else:
            for one, run in groupby(cells, type):
                self._add_uniform(one, list(run))

    def _number(self, kind: str) -> int:
        known = self._kinds.get(kind)
        if known is None:
            if len(self._kinds) == _MOST_KINDS:
                raise Unfit(f"a column of more than {_MOST_KINDS} types")
            known = self._kinds[kind] = (len(self._kinds), Stream(), Stream())
        return known[0]

    def _take(self, kind: str, values: Any, lengths: Any) -> None:
        _, value_stream, length_stream = self._kinds[kind]
        self.bytes += len(values)
        value_stream.update(values)
        length_stream.update(lengths)


class Answer:
    """What a query answers, as far as it was fetched."""

    __slots__ = ("columns", "names", "reason", "rows")

    def __init__(self, names: Iterable[Any]) -> None:
        """Know the columns by name; two may have the same."""
        self.names = [str(name) for name in names]
        self.columns = [Column() for _ in self.names]
        self.rows = 0
        self.reason = ""
        """Why there is no digest."""

    def add_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows as a cursor gives them: each a sequence of cells."""
        self.rows += len(rows)
        if rows and self.has_room(len(rows) * len(self.columns), MOST_IN_ROWS):
            try:
                for column, cells in zip(self.columns, zip(*rows)):
                    column.add_cells(cells)
            except UNFIT as error:  # rows that are no sequences, cells that cannot be spelled
                self.reason = str(error)[:200] or type(error).__name__

    def shape(self) -> list[list[str]]:
        """Name and kind of each column, as far as its cells tell."""
        return [[name, column.kind] for name, column in zip(self.names, self.columns)]

    def has_room(self, more: int, most: int) -> bool:
        """Whether so many more cells that are objects may be added."""
        if not self.reason and sum(column.cells for column in self.columns) + more > most:
            self.reason = f"more than {most:,} cells that are objects"
        return not self.reason

    def grows_too_large(self) -> bool:
        """Whether the cap is passed; nothing more needs to be added then."""
        if not self.reason and sum(column.bytes for column in self.columns) > MOST_BYTES:
            self.reason = f"more than {MOST_BYTES >> 20:,} MiB"
        return bool(self.reason)

    def digest(self) -> str:
        """Of all rows until now; '' where there is a reason for none."""
        if self.grows_too_large():
            return ""
        parts = [b"lineagekit answer 1\n", _NUMBER.pack(self.rows), _NUMBER.pack(len(self.columns))]
        for name, column in zip(self.names, self.columns):
            parts.append(stand_in(column.encode(name.encode("utf-8", "surrogatepass"))))
        return f"sha256:{sha256(b''.join(parts)).hexdigest()}"
