# SPDX-License-Identifier: Apache-2.0
"""Binding: which run wrote what a reader saw, part by part.

1. Equal evidence, or equal version of a foreign system: no clock is needed.
2. Equal digest, and written before it was read.
3. No digests to compare: the last run that wrote before the read. Weak.
4. The same bytes under another name, without a run in between (`copies`). Weak.

What differs from what was last written, by a digest that both have, was written by nobody who is known. The result is a
function of what was written and read, whatever came first.

    >>> bind(connection, names, pending)  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from lineagekit.store.copies import bind_copies
from lineagekit.store.found import How
from lineagekit.store.names import Names
from lineagekit.store.put import LINKED, Pending, Sight
from lineagekit.store.snapshots import VERSION


class Bound(NamedTuple):
    """The run that wrote it, by which dataset (0: the one that was read), and how that is known."""

    run: int
    via: int
    how: How


SKEW = 600_000_000
"""Microseconds by which the clocks of a writer and a reader of the same bytes may be apart."""
ReadRow = tuple[int, int, int, int, int | None, int, int | None, int, int]
"""Run, dataset, nth of its rows, the run that wrote it, by which dataset, at, snapshot, how, parts."""

_BY_LINK = 1_000_000
"""As nth: the run may read by its own name, too, where a link led to."""
_NOBODY = Bound(0, 0, How.NOBODY)
_RECENT_MANY = 8  # writes among which evidence is looked for: bytes that were read were hardly overwritten more often
_RECENT = (
    "SELECT w.run, w.of, w.snap, w.mark, w.done FROM write w CROSS JOIN run r ON r.id = w.run"
    " WHERE w.dataset = ? AND w.at <= ? AND w.run <> ? ORDER BY w.at DESC, r.uuid DESC LIMIT ?"
)
_OF_SNAPSHOT = (
    "SELECT w.run, w.of FROM write w CROSS JOIN run r ON r.id = w.run WHERE w.snap = ? AND w.run <> ?"
    " AND (w.at <= ? OR ?) ORDER BY w.at <= ?3 DESC, w.at DESC, r.uuid DESC LIMIT 1"
)
_AROUND = (
    "SELECT w.run, w.dataset FROM write w CROSS JOIN run r ON r.id = w.run WHERE w.dataset = ? AND w.at <= ?"
    " AND w.run <> ? AND w.done AND w.of IS NULL AND NOT w.parts ORDER BY w.at DESC, r.uuid DESC LIMIT 1"
)
_ALGORITHM = "SELECT algorithm FROM snapshot WHERE id = ?"
_INSERT = "INSERT OR REPLACE INTO read VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LAST_READ = "UPDATE name SET last_read = max(coalesce(last_read, ?1), ?1) WHERE id = ?2"


class Binder:
    """Finds writers, within one transaction in which all that is known was put in."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        """Look things up in what was put in."""
        self.connection, self.names = connection, names
        self._written: dict[int, bool] = {}
        found = connection.execute("SELECT id FROM algorithm WHERE name = ?", (VERSION,)).fetchone()
        self._version = int(found[0]) if found else 0

    def bind(self, pending: Iterable[Pending]) -> None:
        """Find who wrote what was read, and keep the reads."""
        rows = [row for read in pending for row in self._rows(read)]
        self.connection.executemany(_INSERT, rows)
        last: dict[int, int] = {}
        for _, dataset, _, _, _, at, *_ in rows:
            last[dataset] = max(last.get(dataset, at), at)
        self.connection.executemany(_LAST_READ, [(at, dataset) for dataset, at in last.items()])
        # Only now, because it matters when these bytes were first seen under this name.
        alone = {(row[1], row[6]) for row in rows if not row[3] and row[6] is not None and not row[8]}
        bind_copies(self.connection, alone)

    def _rows(self, read: Pending) -> list[ReadRow]:
        dataset, snap = read.whole.place, read.whole.snap
        found = self._pieces(read) if read.pieces else self._whole(read)
        rows: list[ReadRow] = [
            (read.run, dataset, nth, bound.run, bound.via or None, read.at, snap, int(bound.how), parts)
            for nth, (bound, parts) in enumerate(found)
        ]
        if read.also and read.also != dataset:
            first = found[0][0]
            rows.append(
                (read.run, read.also, _BY_LINK, first.run, first.via or None, read.at, snap, int(first.how), LINKED)
            )
        return rows

    def _whole(self, read: Pending) -> list[tuple[Bound, int]]:
        bound, is_settled = self._own(read, read.whole)
        if bound.how < How.DIGEST and read.also:
            other, settled = self._own(read, Sight(read.also, self._same(read), read.whole.mark, read.whole.size))
            if other.how > bound.how:
                bound, is_settled = Bound(other.run, other.via or read.also, other.how), settled
        if bound.run or is_settled:
            return [(bound, 0)]
        around = self._around(read, read.whole.place)
        if around.run:
            return [(around, 0)]
        return self._inside(read) or [(_NOBODY, 0)]

    def _pieces(self, read: Pending) -> list[tuple[Bound, int]]:
        """A row for each run that wrote some of the parts, by each dataset; how sure, is said of the weakest."""
        counts: Counter[tuple[int, int]] = Counter()
        weakest: dict[tuple[int, int], How] = {}
        for piece in read.pieces:
            bound, is_settled = self._own(read, piece)
            if not bound.run and not is_settled:
                bound = self._around(read, piece.place)
            where = bound.run, 0 if bound.via == read.whole.place else bound.via
            counts[where] += 1
            weakest[where] = min(weakest.get(where, bound.how), bound.how)
        return [(Bound(*where, weakest[where]), count) for where, count in counts.items()]

    def _own(self, read: Pending, sight: Sight) -> tuple[Bound, bool]:
        """By the name itself; and whether the question is settled, though nobody known may have written it."""
        if not self._was_written(sight.place):
            return _NOBODY, False
        if sight.mark is not None:
            recent = self.connection.execute(_RECENT, (sight.place, read.at + SKEW, read.run, _RECENT_MANY))
            for run, of, _, mark, _ in recent:
                if mark == sight.mark:
                    return Bound(run, of or 0, How.EVIDENCE), True
        if sight.snap is not None and (same := self._by_snapshot(read, sight.snap)):
            return same, True
        recent = self.connection.execute(_RECENT, (sight.place, read.at, read.run, _RECENT_MANY))
        for run, of, snap, _, done in recent:
            if done:
                weak = Bound(run, of or 0, How.TIME)
                return (_NOBODY if self._differ(sight.snap, snap) else weak), True
        return _NOBODY, False

    def _was_written(self, place: int) -> bool:
        """Most of what nobody wrote is read every day."""
        if place not in self._written:
            found = self.connection.execute("SELECT 1 FROM write WHERE dataset = ? LIMIT 1", (place,)).fetchone()
            self._written[place] = found is not None
        return self._written[place]

    def _by_snapshot(self, read: Pending, snap: int) -> Bound | None:
        pinned = self._algorithm(snap) == self._version
        found = self.connection.execute(_OF_SNAPSHOT, (snap, read.run, read.at, pinned)).fetchone()
        return Bound(found[0], found[1] or 0, How.EVIDENCE if pinned else How.DIGEST) if found else None

    def _differ(self, one: int | None, other: int | None) -> bool:
        """Whether two snapshots of one place are known to be different bytes."""
        return one is not None and other is not None and self._algorithm(one) == self._algorithm(other)

    def _algorithm(self, snap: int) -> int:
        return int(self.connection.execute(_ALGORITHM, (snap,)).fetchone()[0])

    def _around(self, read: Pending, place: int) -> Bound:
        """Who wrote the whole in which this lies, without saying of which parts."""
        for outer in self.names.around(place):
            if found := self.connection.execute(_AROUND, (outer, read.at, read.run)).fetchone():
                return Bound(found[0], found[1], How.TIME)
        return _NOBODY

    def _inside(self, read: Pending) -> list[tuple[Bound, int]]:
        """Who wrote the parts of a whole that was read without saying of which parts."""
        counts: Counter[Bound] = Counter()
        for inner in self.names.inside(read.whole.place):
            rows = self.connection.execute(_RECENT, (inner, read.at, read.run, _RECENT_MANY))
            row = next((row for row in rows if row[4]), None)
            if row is not None:
                run, of = row[0], row[1] or inner
                counts[Bound(run, 0 if of == read.whole.place else of, How.TIME)] += 1
        return list(counts.items())

    def _same(self, read: Pending) -> int | None:
        """The number that the bytes which were read have under the name that a link led to."""
        found = self.connection.execute(
            "SELECT s.id FROM snapshot mine CROSS JOIN snapshot s ON substr(s.hash, 1, 4) = substr(mine.hash, 1, 4)"
            " AND s.hash = mine.hash AND s.algorithm = mine.algorithm AND s.dataset = ? WHERE mine.id = ?",
            (read.also, read.whole.snap),
        ).fetchone()
        return int(found[0]) if found else None
