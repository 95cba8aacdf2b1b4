# SPDX-License-Identifier: Apache-2.0
"""Questions to the index that a trace has beside those of `walk`: where to begin, and which input went where.

>>> newest_maker(index.database, dataset)  # doctest: +SKIP
Maker(run=9990, dataset=94, at=..., snap=12882, parts=0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lineagekit.store.database import Database
from lineagekit.store.index_file import BASE
from lineagekit.store.query import THESE, as_list

_MAKERS = (
    "SELECT w.run, coalesce(w.of, w.dataset), w.at, w.snap, w.parts FROM write w CROSS JOIN run r ON r.id = w.run"
    " WHERE {} = ? AND w.done = ? ORDER BY w.at DESC, r.uuid DESC LIMIT 1"
)
_BOUND = (
    "SELECT DISTINCT r.src, coalesce(r.via, r.dataset) FROM read r WHERE r.dataset = ?1 AND r.src > 0 AND r.run ="
    " (SELECT n.run FROM read n CROSS JOIN run u ON u.id = n.run WHERE n.dataset = ?1 AND (?2 IS NULL OR n.snap = ?2)"
    " AND n.src > 0 ORDER BY n.at DESC, u.uuid DESC LIMIT 1)"
)


class Maker(NamedTuple):
    """A run that wrote a dataset, or a part of one: `dataset` is what it calls its output."""

    run: int
    dataset: int
    at: int | None
    snap: int | None
    parts: int


class Sighting(NamedTuple):
    """One version of a dataset that runs read, and that nobody known had written."""

    snap: int | None
    first: int
    last: int
    reads: int
    versions: int
    """How many there are in all."""
    since: int
    """When the first of all was read first."""


def newest_maker(db: Database, dataset: int) -> Maker | None:
    """Who wrote a dataset, or a part of it, last; only where no run that did so ended well, one that failed."""
    return _newest(db, "w.dataset", dataset)


def newest_maker_of_snapshot(db: Database, snap: int) -> Maker | None:
    """Who wrote these bytes under this name last, in the same way."""
    return _newest(db, "w.snap", snap)


def _newest(db: Database, column: str, number: int) -> Maker | None:
    for done in (1, 0):
        for run, dataset, at, snap, parts in db.rows(_MAKERS.format(column), (number, done)):
            return Maker(run, dataset, None if at is None else at + BASE, snap, max(parts, 0))
    return None


def count_makers(db: Database, *, dataset: int = 0, snap: int = 0) -> int:
    """How many runs wrote a dataset, or these bytes."""
    column, number = ("snap", snap) if snap else ("dataset", dataset)
    return int(db.value(f"SELECT count(*) FROM write WHERE {column} = ?", (number,)))


def bound_makers(db: Database, dataset: int, *, snap: int | None = None) -> list[tuple[int, int]]:
    """Who, by the run that read a dataset (or these bytes of it) last, wrote it under another name: (run, dataset)."""
    return [(run, of) for run, of in db.rows(_BOUND, (dataset, snap))]


def run_flows(db: Database, runs: Iterable[int]) -> dict[int, set[tuple[int, int]]]:
    """Of the runs that say so: which input (0: none) went into which output."""
    found: dict[int, set[tuple[int, int]]] = {}
    for run, src, dst in db.rows(f"SELECT run, src, dst FROM run_flow WHERE run IN ({THESE})", (as_list(runs),)):
        found.setdefault(run, set()).add((src, dst))
    return found


def readers_of_version(db: Database, dataset: int, run: int) -> list[int]:
    """Runs that read what this run wrote here."""
    sql = "SELECT DISTINCT run FROM read WHERE dataset = ? AND src = ? AND via IS NULL"
    return [reader for (reader,) in db.rows(sql, (dataset, run))]


def sightings(db: Database, dataset: int, *, snap: int | None = None, limit: int = -1) -> list[Sighting]:
    """Versions of a dataset (or one) that nobody known had written, the one that was read last first."""
    sql = (
        "SELECT snap, min(at), max(at), count(*), count(*) OVER (), min(min(at)) OVER () FROM read"
        " WHERE dataset = ?1 AND src = 0 AND parts >= 0 AND (?2 IS NULL OR snap = ?2)"
        " GROUP BY snap ORDER BY 3 DESC, snap DESC LIMIT ?3"
    )
    rows = db.rows(sql, (dataset, snap, limit))
    return [
        Sighting(one, first + BASE, last + BASE, reads, versions, since + BASE)
        for one, first, last, reads, versions, since in rows
    ]


def readers_of_snapshot(db: Database, dataset: int, snap: int) -> list[tuple[str, str, int, int]]:
    """By job: namespace, name, how many of its runs read these bytes, and when last. The last one first."""
    sql = (
        "SELECT j.namespace, j.name, count(DISTINCT r.run), max(r.at) FROM read r CROSS JOIN run u ON u.id = r.run"
        " CROSS JOIN job j ON j.id = u.job WHERE r.dataset = ? AND r.snap = ? GROUP BY j.id ORDER BY 4 DESC, 1, 2"
    )
    return [(space, job, runs, last + BASE) for space, job, runs, last in db.rows(sql, (dataset, snap))]
