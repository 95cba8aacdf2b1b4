# SPDX-License-Identifier: Apache-2.0
"""What runs on the executors: record batches in, states or row hashes out, never more than a block held.

    >>> rows = frame.mapInArrow(partial(table_state, schema_hash, ["id", "day"]), STATE).collect()  # doctest: +SKIP
    >>> [len(row["state"]) for row in rows]  # doctest: +SKIP
    [40, 40]

Spark sends these functions by name: the Python of an executor needs all of lineagekit, with pyarrow and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from blake3 import blake3

from lineagekit.errors import BadDataError, UnsupportedTypeError
from lineagekit.identity.tables.cells import cells_of, write_rows
from lineagekit.identity.tables.engine import Hashes, Words
from lineagekit.identity.tables.layout import Layout
from lineagekit.identity.tables.states import HASH_BYTES, TableState
from lineagekit_spark.engines import choose_engine

STATE = "state binary"
HASH = "hash binary"
BUCKET = "bucket int, state binary, leaf binary"
Batches = Iterator[pa.RecordBatch]

_BLOCK_BYTES = 5 << 20  # of row words at once: beyond a cache's size it only gets slower


def table_state(schema_hash: bytes, names: list[str], batches: Batches) -> Batches:
    """One row a partition: the 40 bytes that add up to `lkt1`."""
    state = TableState(schema_hash)
    for hashes in _hash_rows(schema_hash, names, batches):
        state = state.plus(hashes)
    yield pa.record_batch([pa.array([state.to_bytes()], pa.binary())], ["state"])


def row_hashes(schema_hash: bytes, names: list[str], batches: Batches) -> Batches:
    """The 32 bytes of every row, for the shuffle of `lkm1`."""
    for hashes in _hash_rows(schema_hash, names, batches):
        ends = np.arange(0, HASH_BYTES * len(hashes) + 1, HASH_BYTES, np.int32)
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(hashes.tobytes())]
        yield pa.record_batch([pa.Array.from_buffers(pa.binary(), len(hashes), buffers)], ["hash"])


def bucket_leaves(schema_hash: bytes, batches: Batches) -> Batches:
    """One row a bucket of a partition whose row hashes come sorted: its state, and the leaf of `lkm1`."""
    bucket, state, leaf = -1, TableState(schema_hash), blake3()
    for batch in batches:
        for first, hashes in _cut_buckets(_read_hashes(batch.column(0))):
            if first < bucket:
                raise BadDataError(f"row hashes came out of order: got {first:#04x} after {bucket:#04x}")
            if first > bucket >= 0:
                yield _bucket_row(bucket, state, leaf)
                state, leaf = TableState(schema_hash), blake3()
            bucket, state = first, state.plus(hashes)
            leaf.update(hashes.tobytes())
    if bucket >= 0:
        yield _bucket_row(bucket, state, leaf)


def _read_hashes(array: pa.BinaryArray) -> Hashes:
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)
    first = array.offset * HASH_BYTES
    return data[first : first + len(array) * HASH_BYTES].view(np.uint64).reshape(-1, 4)


def _cut_buckets(hashes: Hashes) -> Iterator[tuple[int, Hashes]]:
    buckets = hashes[:, 0].astype(np.uint8)  # the lowest byte of a little-endian word is the first byte of the hash
    edges = [0, *(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(hashes)]
    for first, last in zip(edges, edges[1:]):
        if last > first:
            yield int(buckets[first]), hashes[first:last]


def _bucket_row(bucket: int, state: TableState, leaf: blake3) -> pa.RecordBatch:
    columns = [
        pa.array([bucket], pa.int32()),
        pa.array([state.to_bytes()], pa.binary()),
        pa.array([leaf.digest()], pa.binary()),
    ]
    return pa.record_batch(columns, ["bucket", "state", "leaf"])


def _hash_rows(schema_hash: bytes, names: list[str], batches: Batches) -> Iterator[Hashes]:
    """BLAKE3 of each row, a block of rows at a time; the next block may be written where the last one stood."""
    hasher = None
    for numbered in batches:
        batch = pa.RecordBatch.from_arrays(numbered.columns, names)
        if hasher is None:
            hasher = _Hasher(_layout_of(batch.schema, schema_hash))
        yield from hasher.hash_rows(batch)


def _layout_of(schema: pa.Schema, expected: bytes) -> Layout:
    """The layout of what arrived; where it is not what the driver planned, a digest would not say what it names."""
    layout = Layout.of(schema)
    if layout.schema_hash != expected:
        types = ", ".join(f"{name} {logical}" for name, logical in layout.columns)
        raise UnsupportedTypeError(f"executors got other types than the frame has: {types}")
    return layout


class _Hasher:
    """Scratch that is kept: fresh megabytes for each batch cost more in page faults than the hashing."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._words: Words = np.empty(0, np.uint64)
        self._hashes: Hashes = np.empty((0, 4), np.uint64)

    def hash_rows(self, batch: pa.RecordBatch) -> Iterator[Hashes]:
        engine = choose_engine(batch.num_rows * self._layout.words)
        most = max(64, min(engine.rows_at_once, _BLOCK_BYTES // (8 * max(1, self._layout.words))))
        cells = cells_of(self._layout, batch, engine)
        for first in range(0, batch.num_rows, most):
            matrix, hashes = self._scratch(min(most, batch.num_rows - first))
            write_rows(self._layout, cells, first, matrix, engine)
            engine.hash_rows(matrix, hashes)
            yield hashes

    def _scratch(self, rows: int) -> tuple[Words, Hashes]:
        if len(self._hashes) < rows:
            self._words = np.empty(self._layout.words * rows, np.uint64)
            self._hashes = np.empty((rows, 4), np.uint64)
        words = self._words[: self._layout.words * rows]
        return words.reshape(self._layout.words, rows), self._hashes[:rows]
