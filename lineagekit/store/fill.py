# SPDX-License-Identifier: Apache-2.0
"""Fill the index from a stretch of the log, in one transaction: any order of arrival gives the same index.

A run is told from all of its events, so one that was told before is taken out and told again; reads that a late write
may have answered are bound anew.

    >>> with database.write() as connection:  # doctest: +SKIP
    ...     Filling(connection, store, names, refined=False).add(heard, newest)
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lineagekit.events.combine import combine
from lineagekit.events.producers import AIRFLOW, airflow, known_producer
from lineagekit.events.said import Name, Said, Told, Touch
from lineagekit.store.bind import SKEW, Binder
from lineagekit.store.column_claims import Claimed, withdraw, witnesses
from lineagekit.store.flows import Flows, pairs_of
from lineagekit.store.found import How
from lineagekit.store.heard import Heard, hear
from lineagekit.store.index_file import BASE
from lineagekit.store.log import Store
from lineagekit.store.names import Names
from lineagekit.store.packing import plain
from lineagekit.store.pieces import with_all_pieces
from lineagekit.store.put import LINKED, Pending, Putter
from lineagekit.store.run_ids import clear_run, number_of_run, run_text

_WRITES = "SELECT dataset, at, snap, done FROM write WHERE run = ? AND at IS NOT NULL"
_READERS = (
    "SELECT r.run FROM write w CROSS JOIN read r ON r.dataset = w.dataset AND r.src = w.run WHERE w.run = ?1"
    " UNION SELECT r.run FROM write w CROSS JOIN read r ON r.via = w.dataset AND r.src = w.run WHERE w.run = ?1"
)
_LAST_READ = "SELECT last_read FROM name WHERE id = ?"
_LATER_READS = "SELECT run, snap, how, at FROM read WHERE dataset = ? AND at >= ? AND how <= ?"
_NEXT_WRITE = "SELECT min(at) FROM write WHERE dataset = ? AND at > ? AND done"
_TWINS = (
    "SELECT s.id, s.dataset FROM snapshot mine CROSS JOIN snapshot s ON substr(s.hash, 1, 4) = substr(mine.hash, 1, 4)"
    " AND s.hash = mine.hash AND s.algorithm = mine.algorithm WHERE mine.id = ? AND s.id <> mine.id"
)
_SENDER = (
    "INSERT INTO sender VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
    " last = max(last, excluded.last), events = events + excluded.events"
)
_TOUCHING = "SELECT run FROM read WHERE dataset = ?1 UNION SELECT run FROM write WHERE dataset = ?1"
_CLOSED = (  # or never ended at all
    "SELECT id FROM run WHERE parent = ?1 AND (took IS NULL OR took = 0"
    " OR began + took IN (SELECT value FROM json_each(?2)))"
)
_OF_CLASS = (
    "DELETE FROM snapshot WHERE dataset = ?1",
    "DELETE FROM pin WHERE dataset = ?1",
    "DELETE FROM owner WHERE kind = 'dataset' AND subject = ?1",
    "DELETE FROM column_flow WHERE src = ?1 OR dst = ?1",
)


@dataclass(frozen=True, slots=True)
class _Write:
    place: int
    at: int
    snap: int | None
    done: bool


_EVER = -(1 << 62)
_Read = tuple[int, int | None, int, int]


class Filling:
    """One transaction's work."""

    def __init__(self, connection: sqlite3.Connection, store: Store, names: Names, *, refined: bool) -> None:
        """`refined` says that the log holds refinements at all, which are then looked for with every event."""
        self._connection, self._store, self._refined = connection, store, refined
        self._names = names
        self._putter, self._flows = Putter(connection, names), Flows(connection)
        self._done: set[int] = set()
        self._again: set[int] = set()
        self._writes: list[_Write] = []
        self._pending: list[Pending] = []

    def add(self, heard: Iterable[Heard], newest: int) -> None:
        """Put in what these events say, of which the last is at this place of the log."""
        runs: dict[str, list[Heard]] = {}
        senders: dict[tuple[str, str], list[int]] = {}
        for key, said in heard:
            if said.sender:
                namespace = said.job.namespace if said.job else ""
                senders.setdefault((plain(said.sender), plain(namespace)), []).append(said.time - BASE)
            if said.kind == "run":
                runs.setdefault(said.run, []).append((key, said))
            else:
                self._design(key, said)
        rows = [(*sender, min(times), max(times), len(times)) for sender, times in senders.items()]
        self._connection.executemany(_SENDER, rows)
        for run, events in runs.items():
            self._tell(run, events, newest)
        self.finish(newest)

    def retell(self, runs: Iterable[int]) -> None:
        """Take these runs out and tell them anew, from the log."""
        self._again.update(runs)

    def retell_named(self, runs: Iterable[str]) -> None:
        """The same for runs by their ids; one that the index has not got yet is told when its events come."""
        for run in runs:
            number, job = number_of_run(self._connection, run)
            if job is not None:
                self._again.add(number)

    def finish(self, newest: int) -> None:
        """Tell anew whatever is not as it was because of what came, then bind and sum up."""
        while again := self._stale():
            for run in sorted(again):
                self._tell_again(run, newest)
        Binder(self._connection, self._names).bind(self._pending)
        self._flows.save()

    def _stale(self) -> set[int]:
        """Runs that have to be told again, and were not yet."""
        for lost in self._names.regrouped:
            self._again.update(run for (run,) in self._connection.execute(_TOUCHING, (lost,)))
            for statement in _OF_CLASS:
                self._connection.execute(statement, (lost,))
            # Whatever was told of this class in this very transaction has the old number.
            self._done -= self._again
        self._names.regrouped.clear()
        by_place: dict[int, list[_Write]] = {}
        for write in self._writes:
            by_place.setdefault(write.place, []).append(write)
        for place, writes in by_place.items():
            self._again.update(self._answered_at(place, writes))
        self._writes.clear()
        stale = self._again - self._done
        self._again.clear()
        return stale

    def _tell(self, run: str, events: list[Heard], newest: int) -> None:
        number, job = number_of_run(self._connection, run)
        if job is not None:
            events = self._all_events(run, newest) or events
        self._put(number, self._told(number, events, newest), told_before=job)

    def _tell_again(self, number: int, newest: int) -> None:
        (key,) = self._connection.execute("SELECT uuid FROM run WHERE id = ?", (number,)).fetchone()
        (job,) = self._connection.execute("SELECT job FROM run WHERE id = ?", (number,)).fetchone()
        if events := self._all_events(run_text(key), newest):
            self._put(number, self._told(number, events, newest), told_before=job)
        self._done.add(number)

    def _told(self, number: int, events: list[Heard], newest: int) -> Told:
        """What the events of a run say together; of tasks that never said how they ended, their DAG does."""
        told = combine(events)
        ends = [said.time - BASE for _, said in events if isinstance(said.note, airflow.Ended)]
        if ends:
            self._again.update(run for (run,) in self._connection.execute(_CLOSED, (number, json.dumps(ends))))
        elif not told.ended and told.said.parent and known_producer(told.said.sender) is AIRFLOW:
            of_dag = [said for _, said in self._all_events(told.said.parent, newest)]
            told = airflow.closed(told, [said for _, said in events], of_dag)
        return told

    def _put(self, number: int, told: Told, *, told_before: int | None) -> None:
        claimed = self._take_out(number, told_before) if told_before is not None else None
        for name, touch in told.said.inputs.items():
            if touch.pieces_total > len(touch.pieces):
                told.said.inputs[name] = with_all_pieces(self._store, touch)
        for name, touch in told.said.outputs.items():
            if touch.pieces_total > len(touch.pieces):
                told.said.outputs[name] = with_all_pieces(self._store, touch)
        put = self._putter.put(told, number)
        self._pending += put.reads
        self._writes += [_Write(place, at, snap, bool(done)) for _, place, at, snap, _, done, *_ in put.writes if at]
        self._done.add(number)
        if claimed is not None:
            asked = witnesses(self._connection, number, claimed)
            self._again |= asked
            self._done -= asked  # those of this very transaction, too
            self._flows.redo(claimed.job)
            self._flows.redo(put.job)
        else:
            inputs = {read.whole.place for read in put.reads} | {read.also for read in put.reads if read.also}
            outputs = {place for _, place, *_, of, parts in put.writes if of is None or parts == LINKED}
            self._flows.add(put.job, put.began, pairs_of(inputs, outputs, put.edges))

    def _take_out(self, number: int, job: int) -> Claimed:
        for place, at, snap, done in self._connection.execute(_WRITES, (number,)):
            self._writes.append(_Write(place, at, snap, bool(done)))
        for (run,) in self._connection.execute(_READERS, (number,)):
            self._again.add(run)
        self._pending = [read for read in self._pending if read.run != number]
        clear_run(self._connection, number)
        return withdraw(self._connection, number, job)

    def _all_events(self, run: str, newest: int) -> list[Heard]:
        """Events of a run up to here: what lies behind is another transaction's."""
        rows = [row for row in self._store.run_events(run) if row.seq <= newest]
        return hear(rows, self._store, refined=self._refined)

    def _answered_at(self, place: int, writes: list[_Write]) -> Iterator[int]:
        """Runs of before whose reads these writes may have answered: by this name, by one around or inside, by none."""
        since = min(write.at for write in writes) - SKEW
        pinned = any(write.snap is not None and self._putter.snapshots.is_pinned(write.snap) for write in writes)
        if reads := self._later_reads(place, _EVER if pinned else since, How.EVIDENCE):
            yield from self._answered_here(place, writes, reads)
        for other in (*self._names.around(place), *self._names.inside(place)):
            yield from (run for run, *_ in self._later_reads(other, since, How.EVIDENCE))
        for write in writes:
            if write.snap is not None:
                for snap, other in self._twins(write.snap):
                    reads = self._later_reads(other, write.at, How.COPY)
                    yield from (run for run, read, *_ in reads if read == snap)
                    for outer in self._names.around(other):  # of which it may be a part
                        yield from (run for run, *_ in self._later_reads(outer, write.at, How.COPY))

    def _twins(self, snap: int) -> list[tuple[int, int]]:
        known = self._putter.snapshots.twins.get(snap)
        return self._connection.execute(_TWINS, (snap,)).fetchall() if known is None else known

    def _answered_here(self, place: int, writes: list[_Write], reads: list[_Read]) -> Iterator[int]:
        """A read without a digest goes to the last write before it: only the nearest of these can be that."""
        snaps = {write.snap for write in writes}
        times = sorted(write.at for write in writes)
        following = [self._connection.execute(_NEXT_WRITE, (place, at)).fetchone()[0] for at in times]
        for run, snap, how, at in reads:
            nearest = bisect_right(times, at + SKEW) - 1
            limit = following[nearest] if nearest >= 0 else _EVER
            is_open = (how <= How.TIME or snap is None) and (limit is None or at < limit + SKEW)
            if is_open or (snap is not None and snap in snaps):
                yield run

    def _later_reads(self, place: int, since: int, how: How) -> list[_Read]:
        """Reads since then that are bound no better than `how`. There are none where everything comes in its order."""
        (last,) = self._connection.execute(_LAST_READ, (place,)).fetchone()
        if last is None or last < since:
            return []
        return self._connection.execute(_LATER_READS, (place, since, how)).fetchall()

    def _design(self, key: bytes, said: Said) -> None:
        """A job or dataset as it was designed: the newest event says all of it."""
        inputs = {name: self._enter(name, touch) for name, touch in said.inputs.items()}
        outputs = {name: self._enter(name, touch) for name, touch in said.outputs.items()}
        subject = self._names.job(said.job) if said.job else next(iter(outputs.values()), 0)
        known = self._connection.execute(
            "SELECT time, key FROM design WHERE kind = ? AND subject = ?", (said.kind, subject)
        ).fetchone()
        if not subject or (known is not None and known >= (said.time, key)):
            return
        row = said.kind, subject, said.time, key
        self._connection.execute("INSERT OR REPLACE INTO design VALUES (?, ?, ?, ?)", row)
        edges = said.explicit
        pairs = None if edges is None else {(inputs[a] if a else 0, outputs[b] if b else 0) for a, b in edges}
        told = pairs_of(set(inputs.values()), set(outputs.values()), pairs)
        if said.job:
            self._flows.design(subject, told)
        else:
            self._flows.design(0, told - {(0, subject)}, of=subject)
        for columns in said.columns.values():
            for column in columns:
                self._putter.put_column(subject if said.job else 0, column, said.time - BASE)

    def _enter(self, name: Name, touch: Touch) -> int:
        dataset = self._names.dataset(name, touch.links)
        self._names.set_kind(dataset, touch.kind)
        self._putter.put_owners("dataset", dataset, touch.owners)
        return dataset
