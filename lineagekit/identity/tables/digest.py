# SPDX-License-Identifier: Apache-2.0
"""The table digest: read, hash rows on all threads, add up, name.

    >>> result = digest_table(open_table("orders.parquet"), TableOptions(threads=2))  # doctest: +SKIP
    >>> [str(d) for d in result.digests]  # doctest: +SKIP
    ['lkt1:40f0...', 'lks1:0d20...']

Parts with known first rows are read side by side, one thread a part; a single stream is decoded by one thread and
hashed by the others. Which thread hashed what cannot show: sums commute and leaves know their rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock

import numpy as np
import pyarrow as pa

from lineagekit.errors import BadDataError, NotFoundError, UsageError
from lineagekit.identity.digest import Digest
from lineagekit.identity.profile import Profile, plan_columns
from lineagekit.identity.tables.cells import cells_of, write_rows
from lineagekit.identity.tables.engine import EngineName, Hashes, Words, choose_engine
from lineagekit.identity.tables.layout import Layout, require_unique_names
from lineagekit.identity.tables.source import Part, TableSource
from lineagekit.identity.tables.states import Leaves, TableState, sorted_hex
from lineagekit.identity.tables.tallies import finish, new_tallies

MOST_ROWS_TO_SORT = 20_000_000  # about 2 GiB of row hashes, keys and order
_BLOCK_BYTES = 5 << 20  # of row words at once: beyond a cache's size it only gets slower


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What to take: some columns, the sorted digest, a profile; and how. `progress` is told decoded bytes."""

    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sort: bool = False
    profile: bool = False
    threads: int = 1
    engine: EngineName | None = None
    progress: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The digests of a table, its state (which adds up over parts) and what else the pass has seen."""

    digests: tuple[Digest, ...]
    state: TableState
    columns: tuple[tuple[str, str], ...]  # (name, logical type) in stored order
    profile: Profile | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.state.rows


def digest_table(source: TableSource, options: TableOptions | None = None) -> TableDigest:
    """Take `lkt1` and `lks1` (and `lkm1`, a profile) of a table in one pass."""
    options = options or TableOptions()
    names, parameters = _choose_columns(source, options)
    layout = Layout.of(pa.schema([source.schema.field(source.schema.names.index(name)) for name in names]))
    workers = [_Worker(layout, options, source.rows) for _ in range(max(1, options.threads))]
    read = _read_side_by_side if len(source.parts) >= len(workers) else _read_then_share
    try:
        read(source.parts, names, workers)
    except pa.ArrowException as error:
        raise BadDataError(f"cannot read the table: {str(error).partition(chr(10))[0]}") from error
    return _add_up(layout, workers, parameters)


def _choose_columns(source: TableSource, options: TableOptions) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The columns to hash, in stored order, and the parameters that the choice puts into the digest's name."""
    if options.columns and options.ignore:
        raise UsageError("--columns and --ignore exclude each other: got both, expected one")
    require_unique_names(source.schema.names)
    asked = set(options.columns or options.ignore)
    missing = sorted(asked - set(source.schema.names))
    if missing:
        have = ", ".join(source.schema.names)
        raise NotFoundError(f"no such column: got {', '.join(missing)}, expected some of {have}")
    kept = asked if options.columns else set(source.schema.names) - asked
    parameters = dict(source.parameters)
    if asked:
        parameters["columns" if options.columns else "ignore"] = tuple(sorted(asked))
    if "json" in parameters:  # only what was hashed may show in the name
        parameters["json"] = tuple(name for name in parameters["json"] if name in kept)
    return [name for name in source.schema.names if name in kept], parameters


class _Worker:
    """One thread's share: scratch buffers that it keeps, and its own sums."""

    def __init__(self, layout: Layout, options: TableOptions, rows: int | None) -> None:
        self.layout, self.options, self.known_rows = layout, options, rows
        self.state = TableState(layout.schema_hash)
        self.leaves = Leaves()
        self.hashes: list[Hashes] = []
        self.tallies = new_tallies(len(plan_columns(layout))) if options.profile else None
        self._plan = plan_columns(layout)
        self._words: Words = np.empty(0, np.uint64)
        self._hashes: Hashes = np.empty((0, 4), np.uint64)

    def add(self, first_row: int, batch: pa.RecordBatch) -> None:
        """Hash a batch that starts at an absolute row, a block at a time."""
        seen = self.state.rows + batch.num_rows if self.known_rows is None else self.known_rows
        engine = choose_engine(words=seen * self.layout.words, name=self.options.engine)
        most = min(engine.rows_at_once, _BLOCK_BYTES // (8 * max(1, self.layout.words)))
        cells = cells_of(self.layout, batch, engine)
        for first, rows in _even_blocks(batch.num_rows, most):
            matrix, hashes = self._scratch(rows)
            write_rows(self.layout, cells, first, matrix, engine)
            engine.hash_rows(matrix, hashes)
            self._count(first_row + first, hashes)
            if self.tallies is not None:
                engine.tally(self.tallies, self._plan, matrix, hashes)
        self.options.progress(batch.nbytes)

    def _count(self, first_row: int, hashes: Hashes) -> None:
        self.state = self.state.plus(hashes)
        self.leaves.add(first_row, hashes)
        if self.options.sort:
            self.hashes.append(hashes.copy())
            _require_sortable(self.state.rows)

    def _scratch(self, rows: int) -> tuple[Words, Hashes]:
        """Buffers that are kept: fresh ones of megabytes cost more in page faults than the hashing."""
        if len(self._hashes) < rows:
            self._words = np.empty(self.layout.words * rows, np.uint64)
            self._hashes = np.empty((rows, 4), np.uint64)
        words = self._words[: self.layout.words * rows]
        return words.reshape(self.layout.words, rows), self._hashes[:rows]


def _even_blocks(rows: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut rows into blocks of about equal length, at most so many (but 64, the lanes of the compiled engine)."""
    blocks = max(1, -(-rows // max(64, most)))
    edges = [rows * i // blocks for i in range(blocks + 1)]
    return ((first, last - first) for first, last in pairwise(edges) if last > first)


def _require_sortable(rows: int) -> None:
    if rows > MOST_ROWS_TO_SORT:
        raise BadDataError(
            f"too many rows for lkm1: got more than {MOST_ROWS_TO_SORT:,}, which must fit in memory",
            advice="Use lks1 (ordered, collision resistant), or take lkm1 of each part.",
        )


def _read_side_by_side(parts: tuple[Part, ...], names: list[str], workers: list[_Worker]) -> None:
    todo, lock = iter(parts), Lock()

    def work(worker: _Worker) -> None:
        while True:
            with lock:
                part = next(todo, None)
            if part is None:
                return
            for row, batch in _rows_of(part, names, threads=False):
                worker.add(row, batch)

    with ThreadPoolExecutor(len(workers)) as pool:
        for done in [pool.submit(work, worker) for worker in workers]:
            done.result()


def _read_then_share(parts: tuple[Part, ...], names: list[str], workers: list[_Worker]) -> None:
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def work(worker: _Worker, row: int, batch: pa.RecordBatch) -> None:
        try:
            worker.add(row, batch)
        finally:
            idle.put(worker)

    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(len(workers)) as pool:
        for part in parts:
            for row, batch in _rows_of(part, names, threads=True):
                for first, rows in _even_blocks(batch.num_rows, batch.num_rows // len(workers)):
                    pending.append(pool.submit(work, idle.get(), row + first, batch.slice(first, rows)))
                while len(pending) > len(workers):
                    pending.popleft().result()
        for done in pending:
            done.result()


def _rows_of(part: Part, names: list[str], *, threads: bool) -> Iterator[tuple[int, pa.RecordBatch]]:
    row = part.first_row
    for batch in part.read(names, threads=threads):
        yield row, batch
        row += batch.num_rows


def _add_up(layout: Layout, workers: list[_Worker], parameters: dict[str, tuple[str, ...]]) -> TableDigest:
    state, leaves, profile = TableState(layout.schema_hash), Leaves(), None
    for worker in workers:
        state += worker.state
        leaves.merge(worker.leaves)
        if worker.tallies is not None:
            share = finish(worker.tallies, layout.schema_hash)
            profile = share if profile is None else profile + share
    digests = [
        Digest("lkt1", state.hex(), parameters),
        Digest("lks1", leaves.hex(layout.schema_hash, layout.order_hash, state.rows), parameters),
    ]
    if workers[0].options.sort:
        hashes = [block for worker in workers for block in worker.hashes]
        digests.append(Digest("lkm1", sorted_hex(layout.schema_hash, hashes), parameters))
    types = dict(layout.columns)
    columns = tuple((name, types[name]) for name in layout.stored_names)
    return TableDigest(tuple(digests), state, columns, profile)
