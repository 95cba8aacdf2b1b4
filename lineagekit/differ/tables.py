# SPDX-License-Identifier: Apache-2.0
"""Tables to compare: one file, or several of one data set as one table, read part by part.

>>> table = open_tables(["orders/a.parquet", "orders/b.parquet"])  # doctest: +SKIP
>>> table.rows, len(table.parts)  # doctest: +SKIP
(2000000, 4)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pyarrow as pa

from lineagekit.differ.typed import is_same
from lineagekit.errors import BadDataError, UnsupportedTypeError
from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, data_suffix, name_of
from lineagekit.identity.tables.logical import logical_type, plain
from lineagekit.identity.tables.source import Part, TableSource
from lineagekit.identity.tables.sources import open_table

_DELIMITERS = (";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Table:
    """A schema and parts of rows; `first_row` of a part has no meaning here, its place among the parts has."""

    schema: pa.Schema
    parts: tuple[Part, ...]
    rows: int | None
    """None where only reading can tell."""
    format: str
    is_text: bool
    """Its cells are text that has no types: CSV."""
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns in stored order."""
        return list(self.schema.names)

    def first(self, columns: Sequence[str]) -> pa.RecordBatch:
        """The first rows of these columns: of the first part that has any, at least."""
        for part in self.parts:
            for batch in islice(part.read(columns, threads=False), 1):
                if batch.num_rows:
                    return batch
        return pa.record_batch([pa.array([], self.schema.field(name).type) for name in columns], names=list(columns))


def open_tables(sources: Sequence[Source]) -> Table:
    """Open files as one table; BadDataError where one cannot be read, or has columns that others have otherwise."""
    opened = [_open(source) for source in sources]
    if len(opened) == 1:
        return opened[0]
    if not opened:
        return Table(pa.schema([]), (), 0, "", is_text=False)
    schema = _joined([one.schema for one in opened])
    parts = tuple(Part(0, _Fitted(part, one.schema, schema)) for one in opened for part in one.parts)
    counts = [one.rows for one in opened]
    rows = None if None in counts else sum(filter(None, counts))
    notes = tuple(dict.fromkeys(note for one in opened for note in one.notes))
    is_text = any(one.is_text for one in opened)
    return Table(schema, parts, rows, opened[0].format, is_text=is_text, notes=notes)


def _open(source: Source) -> Table:
    table = open_table(source)
    notes: tuple[str, ...] = table.warnings
    if "csv" in table.parameters and len(table.schema.names) == 1:
        table, notes = _with_its_delimiter(source, table)
    form = {".pq": "parquet", ".ndjson": "jsonl", ".tab": "tsv"}
    suffix = data_suffix(name_of(source))
    return Table(
        table.schema,
        table.parts,
        table.rows,
        form.get(suffix, suffix.removeprefix(".") or "table"),
        is_text="csv" in table.parameters,
        notes=notes,
    )


def _with_its_delimiter(source: Source, table: TableSource) -> tuple[TableSource, tuple[str, ...]]:
    """A single column whose name holds delimiters of other dialects is several."""
    (header,) = table.schema.names
    found = max(_DELIMITERS, key=header.count)
    if not header.count(found):
        return table, table.warnings
    note = f"{show(name_of(source))}: cells are parted by {found!r}, going by its first row"
    return open_table(source, delimiter=found), (*table.warnings, note)


def _joined(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """The columns of all, with the types of the first that has each."""
    fields: dict[str, pa.Field] = {}
    for schema in schemas:
        for field in schema:
            known = fields.setdefault(field.name, field)
            if pa.types.is_null(known.type):
                fields[field.name] = field
            elif field.nullable and not known.nullable:
                fields[field.name] = known.with_nullable(True)
    return pa.schema(fields.values())


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A part of one file, as the whole data set has its columns: what a file lacks is null there."""

    part: Part
    own: pa.Schema
    whole: pa.Schema

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        there = [name for name in columns if name in self.own.names]
        for batch in self.part.read(there, threads=threads):
            arrays = [self._array(batch, name) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, list(columns)) if arrays else batch

    def _array(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        wanted = self.whole.field(name).type
        if name not in self.own.names:
            return pa.nulls(batch.num_rows, wanted)
        array = batch.column(name)
        if is_same(array.type, wanted):
            return array
        try:
            return array.cast(plain(wanted))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadDataError(
                f"column {name!r} is {array.type} in one file and {wanted} in another, and does not fit: {error}"
            ) from error


def without_unions(table: Table) -> tuple[Table, tuple[str, ...]]:
    """The columns that have a canonical form, and the names of those that have none."""
    kept, left_out = [], []
    for field in table.schema:
        try:
            logical_type(field.type)
            kept.append(field)
        except UnsupportedTypeError:
            left_out.append(field.name)
    return (replace(table, schema=pa.schema(kept)) if left_out else table), tuple(left_out)
