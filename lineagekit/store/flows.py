# SPDX-License-Identifier: Apache-2.0
"""Flows: which job makes which dataset of which, over all of its runs; what questions by name are answered from.

0 on either side is nothing: a job that reads and writes nothing, or the other way round.

    >>> flows = Flows(connection)  # doctest: +SKIP
    >>> flows.add(job, began, {(7, 9)})  # doctest: +SKIP
    >>> flows.save()  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Set

Pair = tuple[int, int]

_ADD = (
    "INSERT INTO flow VALUES (?, ?, ?, 0, ?, ?, ?) ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
    " last = max(last, excluded.last), runs = runs + excluded.runs"
)
# All into all, unless the run says which into which.
_OF_JOB = """
INSERT INTO flow SELECT job, src, dst, 0, min(began), max(began), count(DISTINCT run) FROM (
    SELECT u.job, u.began, u.id run, coalesce(r.dataset, 0) src, coalesce(w.dataset, 0) dst
    FROM run u LEFT JOIN read r ON r.run = u.id LEFT JOIN write w ON w.run = u.id AND (w.of IS NULL OR w.parts < 0)
    WHERE u.job = ?1 AND (r.run IS NOT NULL OR w.run IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM run_flow f WHERE f.run = u.id)
    UNION ALL
    SELECT u.job, u.began, u.id, f.src, f.dst FROM run u CROSS JOIN run_flow f ON f.run = u.id WHERE u.job = ?1
    UNION ALL
    SELECT u.job, u.began, u.id, r.dataset, 0 FROM run u CROSS JOIN read r ON r.run = u.id WHERE u.job = ?1
        AND EXISTS (SELECT 1 FROM run_flow f WHERE f.run = u.id)
        AND NOT EXISTS (SELECT 1 FROM run_flow f WHERE f.run = u.id AND f.src = r.dataset)
    UNION ALL
    SELECT u.job, u.began, u.id, 0, w.dataset FROM run u CROSS JOIN write w ON w.run = u.id WHERE u.job = ?1
        AND (w.of IS NULL OR w.parts < 0)
        AND EXISTS (SELECT 1 FROM run_flow f WHERE f.run = u.id)
        AND NOT EXISTS (SELECT 1 FROM run_flow f WHERE f.run = u.id AND f.dst = w.dataset)
) GROUP BY src, dst
"""


class Flows:
    """Flows of the runs of one transaction, summed up before they are written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Begin with none."""
        self._connection = connection
        self._new: dict[tuple[int, int, int], list[int]] = {}
        self._stale: set[int] = set()

    def add(self, job: int, began: int, pairs: Iterable[Pair]) -> None:
        """A run that was not there before."""
        for src, dst in pairs:
            kept = self._new.setdefault((job, src, dst), [began, began, 0])
            kept[0], kept[1], kept[2] = min(kept[0], began), max(kept[1], began), kept[2] + 1

    def redo(self, job: int) -> None:
        """A run of this job was told again: sum up all of its runs anew."""
        self._stale.add(job)

    def save(self) -> None:
        """Write them."""
        rows = [(*key, *kept) for key, kept in self._new.items() if key[0] not in self._stale]
        self._connection.executemany(_ADD, rows)
        for job in sorted(self._stale):
            self._connection.execute("DELETE FROM flow WHERE job = ? AND NOT designed", (job,))
            self._connection.execute(_OF_JOB, (job,))
        self._new.clear()
        self._stale.clear()

    def design(self, job: int, pairs: Iterable[Pair], *, of: int | None = None) -> None:
        """What is only designed, in place of what was: by a job, or without one (0) of the dataset `of`."""
        self._connection.execute("DELETE FROM flow WHERE job = ?1 AND designed AND (?2 IS NULL OR dst = ?2)", (job, of))
        rows = [(job, src, dst) for src, dst in pairs]
        self._connection.executemany("INSERT OR IGNORE INTO flow VALUES (?, ?, ?, 1, NULL, NULL, 0)", rows)


def pairs_of(inputs: Set[int], outputs: Set[int], edges: Iterable[Pair] | None) -> set[Pair]:
    """Which went into which: as said, else all into all; what went nowhere, and what came from nowhere, too."""
    if edges is None:
        return {(src, dst) for src in inputs or {0} for dst in outputs or {0}} - {(0, 0)}
    told = set(edges) - {(0, 0)}
    sources, targets = {src for src, _ in told}, {dst for _, dst in told}
    return told | {(src, 0) for src in inputs - sources} | {(0, dst) for dst in outputs - targets}
