# SPDX-License-Identifier: Apache-2.0
"""Profile: what a table looked like, in at most 16 KiB, when its bytes are long gone. Diagnostics, never identity.

Taken in the same pass as the table digest; profiles of parts add up, whatever the parts, their order or the engine.

    column   sum of mixed cell hashes (which columns differ), nulls, NaNs, smallest and largest value,
             *bins* (quantiles of numbers, shares of categories), *samples* (distinct values, repeats, overlaps)
    table    a count sketch of the rows (how many differ), samples of the rows (duplicates), and of narrow tables
             *moments* (how columns move together)

Bins are one idea for numbers and categories: counts by the top bits of a 32-bit key that keeps the order of numbers
(or is the cell's hash), with as many low bits dropped as it takes to have few bins. Few distinct values stay exact.

    >>> (profile_of(january) + profile_of(february)) == profile_of(both)  # doctest: +SKIP
    True
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from lineagekit.errors import BadDataError, IncomparableError

if TYPE_CHECKING:  # pyarrow costs a question 100 ms, and what was kept is read without it
    from lineagekit.identity.tables.layout import Layout, Node

SKETCH_COUNTERS = 1024
ROW_SAMPLES = 64
KEY_BITS = 32
MAX_BYTES = 16_384
_VERSION = 1

Counts = tuple[tuple[int, int], ...]  # (key or hash, how often), keys ascending


class Detail(NamedTuple):
    """How much is kept of each column: less for wide tables, by their width alone, so that parts always add up."""

    up_to_columns: int
    bins: int
    samples: int
    has_range: bool  # NaNs, smallest, largest
    has_counts: bool  # nulls
    has_moments: bool


_DETAILS = (
    Detail(12, 64, 20, True, True, True),
    Detail(32, 16, 8, True, True, False),
    Detail(90, 6, 0, True, True, False),
    Detail(250, 0, 0, True, True, False),
    Detail(700, 0, 0, False, True, False),
    Detail(1_200, 0, 0, False, False, False),
)
_ROWS_ONLY = Detail(1 << 62, 0, 0, False, False, False)


def detail_of(columns: int) -> Detail:
    """The detail for a table of so many columns."""
    return next((d for d in _DETAILS if columns <= d.up_to_columns), _ROWS_ONLY)


def count_moments(columns: int) -> int:
    """Sums of each column, then of the products of each pair (0, 0), (0, 1) ... (1, 1), (1, 2) ..."""
    return columns + columns * (columns + 1) // 2 if detail_of(columns).has_moments else 0


class ColumnPlan(NamedTuple):
    """Where a column's null bits and words lie in a row, and how its values are ordered."""

    first_bit: int
    bits: int
    first_word: int
    words: int
    order: int  # one of the constants below


BY_HASH, SIGNED, UNSIGNED, FLOAT, DECIMAL = range(5)
_ORDERS = {"u": UNSIGNED, "b": UNSIGNED, "f": FLOAT}


def plan_columns(layout: Layout) -> tuple[ColumnPlan, ...]:
    """Plan the columns of a layout; beyond the widest detail none is kept."""
    if detail_of(len(layout.nodes)) is _ROWS_ONLY:
        return ()
    base = layout.bitmap_words
    return tuple(
        ColumnPlan(node.bit, node.bits, base + node.first, node.words, _order(node, logical))
        for node, (_, logical) in zip(layout.nodes, layout.columns, strict=True)
    )


def _order(node: Node, logical: str) -> int:
    if node.kind == "decimal" and node.words == 2:
        return DECIMAL
    return _ORDERS.get(logical[0], SIGNED) if node.kind == "word" else BY_HASH


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. `low` and `high` are order keys (see `profile_summary.value_of`); empty columns have low > high."""

    total: int
    nulls: int = 0
    nans: int = 0
    low: int = (1 << 64) - 1
    high: int = 0
    level: int = 0
    bins: Counts = ()
    samples: Counts = ()

    def plus(self, other: ColumnProfile, detail: Detail) -> ColumnProfile:
        """The profile of both parts."""
        level, bins = collapse(max(self.level, other.level), [*self._at(other), *other._at(self)], detail.bins)
        return ColumnProfile(
            total=(self.total + other.total) % (1 << 64),
            nulls=self.nulls + other.nulls,
            nans=self.nans + other.nans,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            level=level,
            bins=bins,
            samples=add_counts([*self.samples, *other.samples])[: detail.samples],
        )

    def _at(self, other: ColumnProfile) -> Iterator[tuple[int, int]]:
        drop = max(0, other.level - self.level)
        return ((key >> drop, count) for key, count in self.bins)


@dataclass(frozen=True, slots=True)
class Profile:
    """A table's profile; `+` joins the profiles of parts of one schema."""

    schema_hash: bytes
    rows: int
    columns: tuple[ColumnProfile, ...]
    sketch: tuple[int, ...]
    row_samples: Counts
    moments: tuple[int, ...] = ()

    def __add__(self, other: Profile) -> Profile:
        """Join two parts; other columns cannot be joined."""
        if self.schema_hash != other.schema_hash:
            raise IncomparableError("cannot add profiles of tables with different columns or types")
        detail = detail_of(len(self.columns))
        return replace(
            self,
            rows=self.rows + other.rows,
            columns=tuple(a.plus(b, detail) for a, b in zip(self.columns, other.columns, strict=True)),
            sketch=tuple(a + b for a, b in zip(self.sketch, other.sketch, strict=True)),
            row_samples=add_counts([*self.row_samples, *other.row_samples])[:ROW_SAMPLES],
            moments=tuple(a + b for a, b in zip(self.moments, other.moments, strict=True)),
        )

    def to_bytes(self) -> bytes:
        """Canonical bytes, at most 16 KiB: what is stored, and what golden vectors freeze."""
        detail = detail_of(len(self.columns))
        out = [bytes([_VERSION]), self.schema_hash, _varint(self.rows), _varint(len(self.columns))]
        out += [part for column in self.columns for part in _column_parts(column, detail)]
        out += [_varint(_zigzag(counter)) for counter in self.sketch]
        out += _count_parts(self.row_samples)
        out += [_varint(_zigzag(moment)) for moment in self.moments]
        return b"".join(out)

    @classmethod
    def from_bytes(cls, data: bytes) -> Profile:
        """Read what `to_bytes` wrote; anything else is BadDataError."""
        reader = _Reader(data)
        try:
            if reader.take(1)[0] != _VERSION:
                raise BadDataError(f"unknown profile version: got {data[0]}, expected {_VERSION}. Update lineagekit.")
            schema_hash, rows, width = reader.take(32), reader.varint(), reader.varint()
            columns = tuple(_read_column(reader, detail_of(width)) for _ in range(width))
            sketch = tuple(_unzigzag(reader.varint()) for _ in range(SKETCH_COUNTERS))
            row_samples = reader.counts()
            moments = tuple(_unzigzag(reader.varint()) for _ in range(count_moments(width)))
            return cls(schema_hash, rows, columns, sketch, row_samples, moments)
        except IndexError:
            raise BadDataError(f"profile is cut short: got {len(data)} bytes") from None


def collapse(level: int, counts: Iterable[tuple[int, int]], most: int) -> tuple[int, Counts]:
    """Add up equal keys, then drop low bits until at most `most` bins are left."""
    bins = add_counts(counts)
    while len(bins) > most:
        if not most:
            return 0, ()
        level += 1
        bins = add_counts((key >> 1, count) for key, count in bins)
    return level, bins


def add_counts(counts: Iterable[tuple[int, int]]) -> Counts:
    """Add up the counts of equal keys; keys ascending."""
    total: dict[int, int] = {}
    for key, count in counts:
        total[key] = total.get(key, 0) + count
    return tuple(sorted(total.items()))


# The wire: LEB128 numbers; keys as differences, since they ascend.


def _column_parts(column: ColumnProfile, detail: Detail) -> Iterator[bytes]:
    yield struct.pack("<Q", column.total)
    if detail.has_counts:
        yield _varint(column.nulls)
    if detail.has_range:
        yield struct.pack("<QQ", column.low, column.high)
        yield _varint(column.nans)
    if detail.bins:
        yield _varint(column.level)
        yield from _count_parts(column.bins)
    if detail.samples:
        yield from _count_parts(column.samples)


def _read_column(reader: _Reader, detail: Detail) -> ColumnProfile:
    (total,) = struct.unpack("<Q", reader.take(8))
    nulls = reader.varint() if detail.has_counts else 0
    low, high = struct.unpack("<QQ", reader.take(16)) if detail.has_range else ((1 << 64) - 1, 0)
    nans = reader.varint() if detail.has_range else 0
    level, bins = (reader.varint(), reader.counts()) if detail.bins else (0, ())
    return ColumnProfile(total, nulls, nans, low, high, level, bins, reader.counts() if detail.samples else ())


def _count_parts(counts: Counts) -> Iterator[bytes]:
    yield _varint(len(counts))
    before = 0
    for key, count in counts:
        yield _varint(key - before) + _varint(count)
        before = key


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise IndexError
        return self.data[self.at - count : self.at]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def counts(self) -> Counts:
        key, out = 0, []
        for _ in range(self.varint()):
            key += self.varint()
            out.append((key, self.varint()))
        return tuple(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 if not value & 1 else -((value + 1) >> 1)
