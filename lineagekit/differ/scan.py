# SPDX-License-Identifier: Apache-2.0
"""One pass over a table: the hash of every row (and of its key) onto a disk, and what there is to know of its columns.

    >>> left, right = scan([plan_a, plan_b], threads=2)  # doctest: +SKIP
    >>> left.columns[0].total == right.columns[0].total  # the same content in the first column  # doctest: +SKIP
    True

Parts of both tables are read side by side, a thread each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa

from lineagekit.differ.cells import Numbers, factors, hash_cells, layout_of, mix_in_place
from lineagekit.differ.spool import Spool
from lineagekit.differ.tables import Table
from lineagekit.differ.tally import Tally
from lineagekit.differ.typed import convert
from lineagekit.errors import BadDataError
from lineagekit.identity.hashing import ignore_progress
from lineagekit.identity.tables.border import BATCH_ROWS
from lineagekit.identity.tables.engine import Engine, choose_engine
from lineagekit.identity.tables.layout import Layout
from lineagekit.identity.tables.pure_tally import mix

_SAMPLE_ROWS, _SAMPLE_CELLS, _FEWEST_ROWS = 65_536, 1 << 22, 4_096
_ODD = np.uint64(0x6F64_6421_6F64_6421)
_TEXT = layout_of(pa.string())
_ALL = (1 << 64) - 1
_EVERY = np.uint64(_ALL)


@dataclass(frozen=True, slots=True)
class Reader:
    """How a column is read: as it is, or as another type."""

    name: str
    layout: Layout
    type: pa.DataType | None = None
    as_numbers: bool = False

    @classmethod
    def of(cls, table: Table, name: str, type_: pa.DataType | None = None, *, as_numbers: bool = False) -> Self:
        """Read a column of a table."""
        own = table.schema.field(name).type
        return cls(name, layout_of(type_ or own), type_, as_numbers)

    def read(self, array: pa.Array, engine: Engine) -> tuple[pa.Array, Numbers]:
        """The values to compare, and the hash of each."""
        if self.type is None:
            return array, hash_cells(self.layout, array, engine)
        values, odd = convert(array, self.type)
        cells = hash_cells(self.layout, values, engine)
        if odd is not None:
            cells[odd] = hash_cells(_TEXT, array.filter(pa.array(odd)).cast(pa.string()), engine) ^ _ODD
        return values, cells


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read of a table: columns in the order of the pairs, and which of them are the key."""

    table: Table
    columns: tuple[Reader, ...]
    key: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """What the columns are called in this table."""
        return [column.name for column in self.columns]

    def engine(self) -> Engine:
        """Compiled where there is much to do."""
        rows = self.table.rows if self.table.rows is not None else 1 << 20
        return choose_engine(words=rows * sum(column.layout.words for column in self.columns))


@dataclass(slots=True)
class Scanned:
    """What was learned; closed when it is no longer needed."""

    hashes: Spool = field(default_factory=Spool)
    keys: Spool | None = None
    counts: list[int] = field(default_factory=list)
    """Rows of each part."""
    columns: list[Tally] = field(default_factory=list)
    places: Numbers = field(default_factory=lambda: np.empty(0, np.uint64))
    """Of the rows in the sample, a number by where each stands."""
    limit: np.uint64 = _EVERY
    total: int = 0

    def close(self) -> None:
        """Let go of the files."""
        for spool in (self.hashes, self.keys):
            if spool is not None:
                spool.__exit__()

    def take(self, work: _Work) -> None:
        """Add the part behind those that are here."""
        self.counts.append(work.rows)
        self.total = (self.total + work.total) % (1 << 64)
        for tally, own in zip(self.columns, work.tallies, strict=True):
            tally.plus(own)
        self.limit = min(self.limit, work.limit)
        self.places = np.concatenate([self.places, *work.places])
        self.places = thinned(self.places, self.columns, self.limit)

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.counts)


def scan(
    plans: Sequence[Plan], *, threads: int = 1, progress: Callable[[int], None] = ignore_progress
) -> list[Scanned]:
    """Read tables once, at the same time; BadDataError where one cannot be read to its end."""
    found = [Scanned(keys=Spool() if plan.key else None) for plan in plans]
    tasks = [(side, part) for side, plan in enumerate(plans) for part in range(len(plan.table.parts))]
    tasks.sort(key=lambda task: task[1] / len(plans[task[0]].table.parts))  # both sides advance alike
    spare = threads > len(tasks)

    def work(task: tuple[int, int]) -> _Work:
        side, part = task
        done = _Work(plans[side], part, found[side], progress)
        done.run(threads=spare)
        return done

    with ExitStack() as stack:
        for side, plan in enumerate(plans):
            found[side].columns = [Tally(column.as_numbers) for column in plan.columns]
            stack.callback(found[side].close)
        try:
            with ThreadPoolExecutor(max(1, threads)) as pool:
                for (side, _), done in zip(tasks, pool.map(work, tasks), strict=True):
                    found[side].take(done)
        except pa.ArrowException as error:
            raise BadDataError(f"cannot read the table: {str(error).partition(chr(10))[0]}") from error
        stack.pop_all()  # whoever asked closes them
    return found


class _Work:
    """One part of one table."""

    def __init__(self, plan: Plan, part: int, into: Scanned, progress: Callable[[int], None]) -> None:
        self.plan, self.part, self.into, self.progress = plan, part, into, progress
        self.engine = plan.engine()
        self.factors = factors(len(plan.columns))
        self.tallies = [Tally(column.as_numbers) for column in plan.columns]
        self.rows = self.total = 0
        self.places: list[Numbers] = []
        rows = plan.table.rows
        self.wanted = sample_rows(len(plan.columns))
        self.limit = np.uint64(_ALL if rows is None or rows <= self.wanted else _ALL * self.wanted // rows)

    def run(self, *, threads: bool) -> None:
        for batch in self.plan.table.parts[self.part].read(self.plan.names, threads=threads):
            for first in range(0, batch.num_rows, BATCH_ROWS):
                self._add(batch.slice(first, BATCH_ROWS))
            self.progress(batch.nbytes)

    def _add(self, batch: pa.RecordBatch) -> None:
        places = self._places(batch.num_rows)
        sampled = np.flatnonzero(places <= self.limit)
        rows, scratch = np.zeros(batch.num_rows, np.uint64), np.empty(batch.num_rows, np.uint64)
        key: list[Numbers] = []
        for number, (column, tally) in enumerate(zip(self.plan.columns, self.tallies, strict=True)):
            values, cells = column.read(batch.column(number), self.engine)
            tally.add(values, cells, sampled)
            if number in self.plan.key:
                key.append(cells.copy())
            np.multiply(cells, self.factors[number], out=cells)
            np.add(rows, cells, out=rows)
        mix_in_place(rows, scratch)
        self.total += int(rows.sum(dtype=np.uint64))
        self.into.hashes.append(self.part, self.rows, rows)
        if self.into.keys is not None:
            self.into.keys.append(self.part, self.rows, joined(key))
        self.rows += batch.num_rows
        self.places.append(places[sampled])
        if sum(map(len, self.places)) > 2 * self.wanted:
            self.places = [thinned(np.concatenate(self.places), self.tallies, self.limit)]
            self.limit = min(self.limit, self.places[0].max())

    def _places(self, rows: int) -> Numbers:
        """A number for each row by where it stands, so that both sides look at the same rows of what stayed put."""
        first = (self.part << 40) + self.rows
        return mix(np.arange(first, first + rows, dtype=np.uint64))


def sample_rows(columns: int) -> int:
    """How many rows are sampled, about: fewer of wide tables."""
    return max(_FEWEST_ROWS, min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(1, columns)))


def thinned(places: Numbers, tallies: Sequence[Tally], limit: np.uint64) -> Numbers:
    """Those up to a limit, and at most twice the sample that is wanted: by the smallest numbers, a fair choice."""
    wanted = sample_rows(len(tallies))
    if len(places) > 2 * wanted:
        limit = min(limit, np.partition(places, wanted)[wanted])
    kept = places <= limit
    if kept.all():
        return places
    for tally in tallies:
        tally.thin(kept)
    return places[kept]


def joined(cells: Sequence[Numbers]) -> Numbers:
    """The hash of several cells of each row."""
    rows, numbers = np.zeros(len(cells[0]), np.uint64), factors(len(cells))
    for cell, factor in zip(cells, numbers, strict=True):
        rows += cell * factor
    mix_in_place(rows, np.empty_like(rows))
    return rows
