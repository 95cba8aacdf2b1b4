# SPDX-License-Identifier: Apache-2.0
"""Arrow: IPC and Feather files, streams, and what is in memory already.

>>> source = from_arrow(pa.table({"id": [1, 2]}))
>>> [batch.to_pydict() for batch in source.parts[0].read(["id"], threads=False)]
[{'id': [1, 2]}]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from lineagekit.errors import BadDataError, UsageError
from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, name_of
from lineagekit.identity.tables.border import BATCH_ROWS, is_a, map_file, select, slices, translate_arrow
from lineagekit.identity.tables.layout import require_unique_names
from lineagekit.identity.tables.source import Part, TableSource

_FORM = "Arrow IPC"
_MAGIC = b"ARROW1"


def open_arrow(source: Source) -> TableSource:
    """Open an IPC or Feather file or an IPC stream, by its first bytes; BadDataError when it is none or truncated."""
    with translate_arrow(name_of(source), _FORM), map_file(source) as file:
        if file.read(4) == b"FEA1":
            raise BadDataError(f"{show(name_of(source))} is Feather version 1", advice="Write it again as version 2.")
        reader = _open(file)
        require_unique_names(reader.schema.names, show(name_of(source)))
        return TableSource(reader.schema, (Part(0, _ReadIpc(source)),))


def from_arrow(value: Any) -> TableSource:
    """Take a Table, RecordBatch or Dataset; or a RecordBatchReader, which can be read only once."""
    match value:
        case pa.Table():
            return TableSource(value.schema, (Part(0, _ReadTable(value)),), value.num_rows)
        case pa.RecordBatch():
            return from_arrow(pa.Table.from_batches([value]))
        case pa.RecordBatchReader():
            return TableSource(value.schema, (Part(0, _ReadOnce([value])),))
        case _ if is_a(value, "pyarrow.dataset", "Dataset"):  # importing it here would import pandas
            return TableSource(value.schema, (Part(0, _ReadDataset(value)),))
    raise UsageError(f"not a table: got {type(value).__name__}, expected a Table, RecordBatchReader or Dataset")


@dataclass(frozen=True, slots=True)
class _ReadIpc:
    """Read a file or a stream of record batches."""

    source: Source

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        with translate_arrow(name_of(self.source), _FORM), map_file(self.source) as file:
            names = _open(file).schema.names
            # No field at all would mean every field.
            wanted = sorted(map(names.index, columns)) or [0][: len(names)]
            for batch in _batches(_open(file, ipc.IpcReadOptions(included_fields=wanted, use_threads=threads))):
                # Arrow trusts this format, and would follow wrong offsets out of its buffers.
                batch.validate(full=True)
                yield from slices(batch.select(columns))


@dataclass(frozen=True, slots=True)
class _ReadTable:
    """Read a table that is in memory."""

    table: pa.Table

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        return select(self.table.to_batches(max_chunksize=BATCH_ROWS), columns)


@dataclass(frozen=True, slots=True)
class _ReadDataset:
    """Scan a dataset, in the order of its fragments."""

    dataset: Any

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        with translate_arrow("dataset", "an Arrow dataset"):
            batches = self.dataset.to_batches(columns=list(columns), batch_size=BATCH_ROWS, use_threads=threads)
            yield from select(batches, columns)


@dataclass(frozen=True, slots=True)
class _ReadOnce:
    """Drain a reader; it is taken out of the list, so that a second read cannot pass for an empty table."""

    readers: list[pa.RecordBatchReader]

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        if not self.readers:
            raise UsageError("the RecordBatchReader has been read before: expected a fresh one", advice="Make it anew.")
        with translate_arrow("RecordBatchReader", "record batches"), self.readers.pop() as reader:
            for batch in reader:
                yield from slices(batch.select(columns))


def _open(
    file: pa.NativeFile, options: ipc.IpcReadOptions | None = None
) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
    file.seek(0)
    is_file = file.read(len(_MAGIC)) == _MAGIC
    file.seek(0)
    return ipc.open_file(file, options=options) if is_file else ipc.open_stream(file, options=options)


def _batches(reader: ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, ipc.RecordBatchFileReader):
        return (reader.get_batch(number) for number in range(reader.num_record_batches))
    return iter(reader)
