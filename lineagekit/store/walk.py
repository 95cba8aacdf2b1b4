# SPDX-License-Identifier: Apache-2.0
"""Questions to the index, in SQL, here and in `query` alone: who wrote, who read, and on from there.

By name: flows, which job makes which dataset of which. By bytes: reads, each bound to the run that wrote what was read.

    >>> upstream(index.database, [run])  # doctest: +SKIP
    [Read(run=9, dataset=17, src=8, via=0, at=..., snap=3, how=4, parts=0), ...]
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lineagekit.store.database import Database
from lineagekit.store.found import Build, ColumnFlow, Flow, Metric, Read, Run, Sender, Write
from lineagekit.store.index_file import BASE
from lineagekit.store.packing import plain
from lineagekit.store.query import THESE, as_list

_READ = "SELECT r.run, r.dataset, r.src, r.via, r.at, r.snap, r.how, r.parts FROM read r"
_WRITE = "SELECT w.run, w.dataset, w.at, w.snap FROM write w"
_OWN = "(w.of IS NULL OR w.parts < 0)"
_FLOW = "SELECT job, src, dst, designed, first, last, runs FROM flow"
_BUILD = (
    "SELECT b.run, b.dataset, m.text, b.version, w.at, w.snap FROM build b CROSS JOIN word m ON m.id = b.model"
    " CROSS JOIN write w ON w.run = b.run AND w.dataset = b.dataset"
)
# A run that says which input went into which output is passed only along what it says.
_PASSES = (
    "(NOT EXISTS (SELECT 1 FROM run_flow f WHERE f.run = r.run)"
    " OR EXISTS (SELECT 1 FROM run_flow f WHERE f.run = r.run AND f.src = r.dataset AND f.dst = {dst}))"
)
_UPSTREAM = f"""
WITH RECURSIVE made (run, dataset, depth) AS (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), 0 FROM json_each(?1)
    UNION
    SELECT r.src, coalesce(r.via, r.dataset), iif(?2 < 0, 0, depth + 1) FROM made CROSS JOIN read r ON r.run = made.run
    WHERE r.src > 0 AND (?2 < 0 OR made.depth < ?2) AND (made.dataset = 0 OR {_PASSES.format(dst="made.dataset")})
)
SELECT DISTINCT r.run, r.dataset, r.src, r.via, r.at, r.snap, r.how, r.parts
FROM (SELECT DISTINCT run, dataset FROM made) made CROSS JOIN read r ON r.run = made.run
WHERE made.dataset = 0 OR {_PASSES.format(dst="made.dataset")}
"""
_DOWNSTREAM = f"""
WITH RECURSIVE made (run, dataset) AS (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
    UNION
    SELECT w.run, w.dataset FROM made CROSS JOIN read r ON r.dataset = made.dataset AND r.src = made.run
    CROSS JOIN write w ON w.run = r.run AND w.of IS NULL WHERE r.via IS NULL AND {_PASSES.format(dst="w.dataset")}
    UNION
    SELECT w.run, w.dataset FROM made CROSS JOIN read r ON r.via = made.dataset AND r.src = made.run
    CROSS JOIN write w ON w.run = r.run AND w.of IS NULL WHERE {_PASSES.format(dst="w.dataset")}
)
SELECT r.run, r.dataset, r.src, r.via, r.at, r.snap, r.how, r.parts
FROM made CROSS JOIN read r ON r.dataset = made.dataset AND r.src = made.run WHERE r.via IS NULL
UNION
SELECT r.run, r.dataset, r.src, r.via, r.at, r.snap, r.how, r.parts
FROM made CROSS JOIN read r ON r.via = made.dataset AND r.src = made.run
"""
_INSIDE = """
WITH RECURSIVE inner (id) AS (
    SELECT n.id FROM name o CROSS JOIN name n ON n.outer = o.id WHERE o.class = ?1
    UNION SELECT n.id FROM inner CROSS JOIN name n ON n.outer = inner.id
) SELECT DISTINCT n.class FROM inner CROSS JOIN name n ON n.id = inner.id WHERE n.class <> ?1 AND (n.rank > 0 OR ?2)
"""
_AROUND = """
WITH RECURSIVE outer (id) AS (
    SELECT n.outer FROM name n WHERE n.class = ?1 AND n.outer IS NOT NULL
    UNION SELECT n.outer FROM outer CROSS JOIN name n ON n.id = outer.id WHERE n.outer IS NOT NULL
) SELECT DISTINCT n.class FROM outer CROSS JOIN name n ON n.id = outer.id WHERE n.class <> ?1
"""


def inside(db: Database, dataset: int, *, pieces: bool = False) -> list[int]:
    """Datasets that lie in this one, however deep; with `pieces` also its parts, which no event calls a dataset."""
    return [number for (number,) in db.rows(_INSIDE, (dataset, pieces))]


def around(db: Database, dataset: int) -> list[int]:
    """Datasets that this one lies in."""
    return [number for (number,) in db.rows(_AROUND, (dataset,))]


def flows_from(db: Database, datasets: Iterable[int]) -> list[Flow]:
    """What jobs make of these datasets."""
    return [_flow(row) for row in db.rows(f"{_FLOW} WHERE src IN ({THESE})", (as_list(datasets),))]


def flows_into(db: Database, datasets: Iterable[int]) -> list[Flow]:
    """Of what jobs make these datasets."""
    return [_flow(row) for row in db.rows(f"{_FLOW} WHERE dst IN ({THESE})", (as_list(datasets),))]


def columns_from(db: Database, dataset: int) -> list[ColumnFlow]:
    """What the columns of a dataset are made into, where events say so."""
    sql = (
        "SELECT c.job, c.src, a.text, c.dst, b.text FROM column_flow c CROSS JOIN word a ON a.id = c.src_column"
        " CROSS JOIN word b ON b.id = c.dst_column WHERE c.src = ?"
    )
    return [ColumnFlow(*row) for row in db.rows(sql, (dataset,))]


def upstream(db: Database, made: Iterable[tuple[int, int]], *, depth: int | None = None) -> list[Read]:
    """All that was read to make these: (run, dataset) pairs, dataset 0 for all that a run made."""
    return [_read(row) for row in db.rows(_UPSTREAM, (_pairs(made), -1 if depth is None else depth))]


def downstream(db: Database, made: Iterable[tuple[int, int]]) -> list[Read]:
    """All reads of what these runs made (run, dataset), and of what was made of that."""
    return [_read(row) for row in db.rows(_DOWNSTREAM, (_pairs(made),))]


def reads_of(db: Database, runs: Iterable[int]) -> list[Read]:
    """What runs read."""
    return [_read(row) for row in db.rows(f"{_READ} WHERE r.run IN ({THESE})", (as_list(runs),))]


def reads_from(db: Database, dataset: int, *, since: int | None = None, limit: int = -1) -> list[Read]:
    """Who read a dataset, newest first."""
    sql = f"{_READ} WHERE r.dataset = ? AND r.at >= ? ORDER BY r.at DESC LIMIT ?"
    return [_read(row) for row in db.rows(sql, (dataset, -(1 << 62) if since is None else since - BASE, limit))]


def last_read(db: Database, datasets: Iterable[int]) -> int | None:
    """When any of these was read last."""
    sql = f"SELECT max(last_read) FROM name WHERE class IN ({THESE})"
    last = db.value(sql, (as_list(datasets),))
    return None if last is None else last + BASE


def writes_of(db: Database, runs: Iterable[int]) -> list[Write]:
    """What runs wrote."""
    return [_write(row) for row in db.rows(f"{_WRITE} WHERE w.run IN ({THESE}) AND {_OWN}", (as_list(runs),))]


def writes_to(db: Database, dataset: int, *, limit: int = -1) -> list[Write]:
    """Who wrote a dataset, or a part of one, newest first."""
    return [
        _write(row) for row in db.rows(f"{_WRITE} WHERE w.dataset = ? ORDER BY w.at DESC LIMIT ?", (dataset, limit))
    ]


def writes_of_snapshot(db: Database, snap: int) -> list[Write]:
    """Who wrote these bytes under this name, newest first."""
    return [_write(row) for row in db.rows(f"{_WRITE} WHERE w.snap = ? ORDER BY w.at DESC", (snap,))]


def versions_of(db: Database, dataset: int) -> list[int]:
    """Snapshots of a dataset in the order in which they were first seen; what had no identity is left out."""
    sql = (
        "SELECT snap FROM (SELECT snap, at FROM write WHERE dataset = ?1 UNION ALL"
        " SELECT snap, at FROM read WHERE dataset = ?1 AND src = 0) WHERE snap IS NOT NULL GROUP BY snap"
        " ORDER BY min(at), snap"
    )
    return [snap for (snap,) in db.rows(sql, (dataset,))]


def builds_of_model(db: Database, model: str) -> list[Build]:
    """Versions of a model by its name, oldest first."""
    where = "b.model = (SELECT id FROM word WHERE text = ?)"
    return [_build(row) for row in db.rows(f"{_BUILD} WHERE {where} ORDER BY w.at, b.run", (plain(model),))]


def builds_of_dataset(db: Database, dataset: int) -> list[Build]:
    """Versions of the model that this dataset is, oldest first; none if it is no model."""
    return [_build(row) for row in db.rows(f"{_BUILD} WHERE b.dataset = ? ORDER BY w.at, b.run", (dataset,))]


def model_names(db: Database) -> list[str]:
    """What models are called, all of them."""
    return [name for (name,) in db.rows("SELECT text FROM word WHERE id IN (SELECT DISTINCT model FROM build)")]


def models_among(db: Database, datasets: Iterable[int]) -> dict[int, str]:
    """Which of these are models, and what they are called."""
    sql = f"SELECT DISTINCT b.dataset, m.text FROM build b JOIN word m ON m.id = b.model WHERE b.dataset IN ({THESE})"
    return dict(db.rows(sql, (as_list(datasets),)))


def metrics_of(db: Database, *, runs: Iterable[int] = (), datasets: Iterable[int] = ()) -> list[Metric]:
    """What runs reported, and what was reported of models."""
    sql = (
        "SELECT m.run, n.text, m.value, m.dataset, coalesce(m.of, ''), coalesce(m.other, ''), m.better"
        f" FROM metric m CROSS JOIN word n ON n.id = m.name WHERE m.run IN ({THESE}) OR m.dataset IN ({THESE})"
        " ORDER BY m.run, m.position"
    )
    return [_metric(row) for row in db.rows(sql, (as_list(runs), as_list(datasets)))]


def pins_of(db: Database, snaps: Iterable[int | None]) -> dict[int, str]:
    """What foreign systems call these snapshots."""
    rows = db.rows(f"SELECT snap, version FROM pin WHERE snap IN ({THESE}) ORDER BY version", (as_list(snaps),))
    return dict(rows)


def owners_of(db: Database, kind: str, subjects: Iterable[int]) -> dict[int, list[str]]:
    """Who is asked about these jobs ("job") or datasets ("dataset"), as events say."""
    found: dict[int, list[str]] = {}
    sql = f"SELECT subject, name FROM owner WHERE kind = ? AND subject IN ({THESE}) ORDER BY name"
    for subject, name in db.rows(sql, (kind, as_list(subjects))):
        found.setdefault(subject, []).append(name)
    return found


def owners_of_job(db: Database, run: Run) -> list[str]:
    """Who is asked about the job of a run, as events say."""
    sql = (
        "SELECT o.name FROM run r CROSS JOIN owner o ON o.kind = 'job' AND o.subject = r.job WHERE r.id = ?"
        " ORDER BY o.name"
    )
    return [name for (name,) in db.rows(sql, (run.id,))]


def job_names(db: Database, jobs: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Namespaces and names of jobs."""
    rows = db.rows(f"SELECT id, namespace, name FROM job WHERE id IN ({THESE})", (as_list(jobs),))
    return {number: (namespace, name) for number, namespace, name in rows}


def senders(db: Database) -> list[Sender]:
    """Who ever sent events, the one that was heard last first."""
    rows = db.rows("SELECT producer, namespace, first, last, events FROM sender ORDER BY last DESC")
    return [Sender(producer, space, first + BASE, last + BASE, count) for producer, space, first, last, count in rows]


def _pairs(made: Iterable[tuple[int, int]]) -> str:
    return json.dumps(sorted(set(made)))


def _read(row: Any) -> Read:
    run, dataset, src, via, at, snap, how, parts = row
    return Read(run, dataset, src, via or 0, at + BASE, snap, how, parts)


def _write(row: Any) -> Write:
    run, dataset, at, snap = row
    return Write(run, dataset, None if at is None else at + BASE, snap)


def _flow(row: Any) -> Flow:
    job, src, dst, designed, first, last, runs = row
    since, until = (None if moment is None else moment + BASE for moment in (first, last))
    return Flow(job, src, dst, bool(designed), since, until, runs)


def _build(row: Any) -> Build:
    run, dataset, model, version, at, snap = row
    return Build(run, dataset, model, version, None if at is None else at + BASE, snap)


def _metric(row: Any) -> Metric:
    run, name, value, dataset, of, on, better = row
    return Metric(run, name, value, dataset, of, on, None if better is None else bool(better))
