# SPDX-License-Identifier: Apache-2.0
"""The border between Arrow and us: files go in by any name, errors come out as ours.

>>> with translate_arrow("orders.parquet", "a Parquet file"):  # doctest: +SKIP
...     pq.ParquetFile(map_file("orders.parquet"))
BadDataError: cannot read orders.parquet as a Parquet file: ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from lineagekit.errors import BadDataError
from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, translate_errors

BATCH_ROWS = 32_768


@contextmanager
def translate_arrow(name: str, form: str) -> Iterator[None]:
    """Raise what Arrow and the file system raise about `name` as our errors; `form` says what was expected."""
    try:
        with translate_errors(name):
            yield
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise BadDataError(f"cannot read {show(name)} as {form}: {reason}") from error


@contextmanager
def map_file(source: Source) -> Iterator[pa.NativeFile]:
    """Map a path into memory, or wrap an open file, which stays open; batches may outlive the mapping."""
    if isinstance(source, str | os.PathLike):
        with pa.memory_map(os.fsencode(source)) as file:  # bytes: Arrow refuses names that are not UTF-8
            yield file
    else:
        source.seek(0)
        yield pa.PythonFile(source, mode="r")


def is_a(value: object, module: str, name: str) -> bool:
    """Do what isinstance does, and import nothing: whoever has such a value has imported its class."""
    return isinstance(value, getattr(sys.modules.get(module), name, ()))


def select(batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Put the named columns of each batch in the order asked; without any, the rows are still counted."""
    for batch in batches:
        yield batch.select(columns)


def slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch of any size into what one worker takes at once; nothing is copied."""
    for first in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(first, BATCH_ROWS)


def rows_only(count: int) -> pa.RecordBatch:
    """Rows without columns."""
    return pa.record_batch([pa.nulls(count)], names=[""]).select([])
