# SPDX-License-Identifier: Apache-2.0
"""Parquet: row groups are parts, so that several cores decode one file.

>>> source = open_parquet("orders.parquet")  # doctest: +SKIP
>>> source.rows, len(source.parts)  # doctest: +SKIP
(2000000, 2)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, name_of
from lineagekit.identity.tables.border import BATCH_ROWS, map_file, select, translate_arrow
from lineagekit.identity.tables.layout import require_unique_names
from lineagekit.identity.tables.source import Part, TableSource

_FORM = "a Parquet file"

# Row groups are read together up to this size: opening a part costs as much as decoding some thousand rows.
_PART_ROWS = 65_536
_PART_BYTES = 32 << 20

# What a batch of very wide rows may take.
_BATCH_BYTES = 64 << 20

# A text column stays a dictionary where all its pages are stored as one: each value is then decoded and hashed once.
# An index takes 2 bytes or less, a text stored in full 4 or more; making a dictionary of such texts is 5 times slower.
_DICTIONARY_BYTES = 64 << 10
_BYTES_A_VALUE = 3


def open_parquet(source: Source) -> TableSource:
    """Open a path or a seekable binary file; BadDataError when it is truncated, or not Parquet at all."""
    with translate_arrow(name_of(source), _FORM), map_file(source) as file:
        plain = pq.ParquetFile(file)
        require_unique_names(plain.schema_arrow.names, show(name_of(source)))
        metadata = plain.metadata
        reader = _Reader(source, metadata, tuple(_dictionaries(plain.schema_arrow, metadata)))
        schema = reader.open(file).schema_arrow
    parts = tuple(Part(span.first_row, _ReadSpan(reader, span)) for span in _spans(metadata, whole=not reader.by_path))
    return TableSource(schema, parts, rows=metadata.num_rows)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How to open the file again, with what was learned the first time."""

    source: Source
    metadata: pq.FileMetaData
    dictionaries: tuple[str, ...]

    @property
    def by_path(self) -> bool:
        """A file handed in has one position, and is Python: it is read in one part and by one thread."""
        return isinstance(self.source, str | os.PathLike)

    def open(self, file: pa.NativeFile) -> pq.ParquetFile:
        return pq.ParquetFile(file, metadata=self.metadata, read_dictionary=list(self.dictionaries))


@dataclass(frozen=True, slots=True)
class _Span:
    """Consecutive row groups that are read together."""

    first_row: int
    rows: int = 0
    bytes: int = 0
    groups: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        return self.rows >= _PART_ROWS or self.bytes >= _PART_BYTES

    def plus(self, group: int, metadata: pq.RowGroupMetaData) -> _Span:
        rows, size = self.rows + metadata.num_rows, self.bytes + metadata.total_byte_size
        return _Span(self.first_row, rows, size, (*self.groups, group))


@dataclass(frozen=True, slots=True)
class _ReadSpan:
    """Read one span; each call opens the file for itself."""

    reader: _Reader
    span: _Span

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        span = self.span
        rows = max(1, min(BATCH_ROWS, _BATCH_BYTES * span.rows // max(1, span.bytes)))
        threads = threads and self.reader.by_path
        with translate_arrow(name_of(self.reader.source), _FORM), map_file(self.reader.source) as file:
            # `columns` goes by path: "a.b" brings the field b of a struct a too. The exact choice is by name, after.
            parquet = self.reader.open(file)
            batches = parquet.iter_batches(rows, list(span.groups), list(columns), use_threads=threads)
            yield from select(batches, columns)


def _spans(metadata: pq.FileMetaData, *, whole: bool) -> list[_Span]:
    spans = [_Span(first_row=0)]
    for group in range(metadata.num_row_groups):
        if spans[-1].full and not whole:
            spans.append(_Span(spans[-1].first_row + spans[-1].rows))
        spans[-1] = spans[-1].plus(group, metadata.row_group(group))
    return spans


def _dictionaries(schema: pa.Schema, metadata: pq.FileMetaData) -> list[str]:
    """The text columns that are worth reading as dictionaries, in every row group."""
    texts = {field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)}
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    leaves = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    # A dot may part a struct from its field: such a path is not looked at.
    flat = [name for name in sorted(texts) if "." not in name and name in leaves]
    return [name for name in flat if groups and all(_is_dictionary(g.column(leaves[name])) for g in groups)]


def _is_dictionary(chunk: pq.ColumnChunkMetaData) -> bool:
    start = chunk.dictionary_page_offset
    return (
        start is not None
        and chunk.data_page_offset - start <= _DICTIONARY_BYTES
        and chunk.total_uncompressed_size <= _BYTES_A_VALUE * chunk.num_values
    )
