# SPDX-License-Identifier: Apache-2.0
"""Questions to the index of who uses what, a layer at a time: what lies inside and around, who read these very bytes.

>>> uses_of(index.database, [(run, dataset)])  # doctest: +SKIP
[Passed(read=Read(run=9, ...), job=3, made=17)]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lineagekit.store.database import Database
from lineagekit.store.found import ColumnFlow, Flow, Read
from lineagekit.store.index_file import BASE
from lineagekit.store.query import THESE, as_list

SELF, INSIDE, AROUND = 0, 1, -1

# Places that no event calls a dataset count only where a link led a reader to them.
_RELATED = f"""
WITH RECURSIVE inner (origin, id) AS (
    SELECT o.class, n.id FROM name o CROSS JOIN name n ON n.outer = o.id WHERE o.class IN ({THESE})
    UNION SELECT inner.origin, n.id FROM inner CROSS JOIN name n ON n.outer = inner.id
), outer (origin, id) AS (
    SELECT n.class, n.outer FROM name n WHERE n.class IN ({THESE}) AND n.outer IS NOT NULL
    UNION SELECT outer.origin, n.outer FROM outer CROSS JOIN name n ON n.id = outer.id WHERE n.outer IS NOT NULL
)
SELECT origin, n.class, {INSIDE} FROM inner CROSS JOIN name n ON n.id = inner.id
WHERE n.class <> origin AND (n.rank > 0 OR EXISTS (SELECT 1 FROM flow f WHERE f.src = n.class))
UNION
SELECT origin, n.class, {AROUND} FROM outer CROSS JOIN name n ON n.id = outer.id WHERE n.class <> origin
"""
_READ = "r.run, r.dataset, r.src, r.via, r.at, r.snap, r.how, r.parts"
# A run that says which input went into which output is passed only along what it says.
_MADE = """
CROSS JOIN run u ON u.id = r.run
LEFT JOIN write w ON w.run = r.run AND w.of IS NULL
    AND (NOT EXISTS (SELECT 1 FROM run_flow f WHERE f.run = r.run)
        OR EXISTS (SELECT 1 FROM run_flow f WHERE f.run = r.run AND f.src = r.dataset AND f.dst = w.dataset))
"""
_USES = f"""
WITH made (run, dataset) AS (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))
SELECT {_READ}, u.job, w.dataset FROM made
CROSS JOIN read r ON r.dataset = made.dataset AND r.src = made.run AND r.via IS NULL {_MADE}
UNION ALL
SELECT {_READ}, u.job, w.dataset FROM made CROSS JOIN read r ON r.via = made.dataset AND r.src = made.run {_MADE}
"""
_EXACT = (
    f"SELECT {_READ}, u.job, w.dataset FROM read r {_MADE} WHERE r.dataset IN ({THESE}) AND +r.snap IN ({THESE})"
    " ORDER BY r.at"
)
# A snapshot has many readers, and only of each snapshot it must be known whether it can be compared. Of what is around
# or inside only the digest of the whole is known, which says nothing of these bytes.
_UNKNOWN = f"""
SELECT coalesce(sum(runs), 0) FROM (
    SELECT snap, count(DISTINCT run) AS runs FROM read WHERE dataset IN ({THESE}) AND src = 0 GROUP BY snap
) r LEFT JOIN snapshot s ON s.id = r.snap
WHERE coalesce(s.algorithm, 0) NOT IN (SELECT algorithm FROM snapshot WHERE id IN ({THESE}))
"""
_NEAR = f"SELECT count(DISTINCT run) FROM read WHERE dataset IN ({THESE}) AND src = 0"
# A run that wrote one part only wrote just that for whoever read something of it; a link leads to all of it.
_WRITERS = f"""
SELECT w.run, coalesce(w.of, w.dataset), w.of IS NOT NULL AND w.parts >= 0
    AND (SELECT whole.parts <> 1 FROM write whole WHERE whole.run = w.run AND whole.dataset = w.of)
FROM write w WHERE w.snap IN ({THESE})
"""
_LAST_READS = f"""
SELECT u.job, {_READ} FROM json_each(?) k
CROSS JOIN run u ON u.job = json_extract(k.value, '$[0]') AND u.began = json_extract(k.value, '$[1]')
CROSS JOIN read r ON r.run = u.id AND r.dataset = json_extract(k.value, '$[2]')
"""
_FLOWS = """
SELECT f.job, f.src, f.dst, f.designed, f.first, f.last, f.runs FROM json_each(?) k
CROSS JOIN flow f ON f.job = json_extract(k.value, '$[0]') AND f.src = json_extract(k.value, '$[1]')
    AND f.dst = json_extract(k.value, '$[2]')
"""
_BUILDS = """
SELECT b.run, b.dataset, b.version FROM json_each(?) k
CROSS JOIN build b ON b.run = json_extract(k.value, '$[0]') AND b.dataset = json_extract(k.value, '$[1]')
"""
_COLUMNS = (
    "SELECT c.job, c.src, a.text, c.dst, b.text FROM column_flow c CROSS JOIN word a ON a.id = c.src_column"
    f" CROSS JOIN word b ON b.id = c.dst_column WHERE c.src IN ({THESE})"
)
_COLUMN_NAMES = (
    f"SELECT a.text FROM column_flow c CROSS JOIN word a ON a.id = c.src_column WHERE c.src IN ({THESE})"
    f" UNION SELECT b.text FROM column_flow c CROSS JOIN word b ON b.id = c.dst_column WHERE c.dst IN ({THESE})"
)
_LAST_WRITE = "SELECT max((SELECT max(w.at) FROM write w WHERE w.dataset = k.value)) FROM json_each(?) k"
_MODELS = """
SELECT k.value, (SELECT m.text FROM build b CROSS JOIN word m ON m.id = b.model WHERE b.dataset = k.value
    ORDER BY b.run DESC LIMIT 1)
FROM json_each(?) k
"""


class Passed(NamedTuple):
    """A read, by a run of this job, and a dataset that was made of it; 0 is none."""

    read: Read
    job: int
    made: int


class Writer(NamedTuple):
    """A run that wrote these bytes; `dataset` is that as which its readers know them."""

    run: int
    dataset: int
    is_part: bool
    """One of several, and which of them a reader read is not kept."""


def related(db: Database, datasets: Iterable[int]) -> list[tuple[int, int, int]]:
    """What lies inside and around these: (of which, dataset, INSIDE or AROUND)."""
    these = as_list(datasets)
    return db.rows(_RELATED, (these, these))


def uses_of(db: Database, made: Iterable[tuple[int, int]]) -> list[Passed]:
    """Who read what these runs wrote (run, dataset), and what was made of it."""
    return [_passed(row) for row in db.rows(_USES, (_keys(made),))]


def uses_of_bytes(db: Database, datasets: Iterable[int], snaps: Iterable[int]) -> list[Passed]:
    """Who read exactly these bytes of these datasets, whoever had written them, and what was made of it."""
    return [_passed(row) for row in db.rows(_EXACT, (as_list(datasets), as_list(snaps)))]


def unknown_reads(db: Database, datasets: Iterable[int], snaps: Iterable[int], near: Iterable[int]) -> int:
    """Runs that may have read these bytes: of these datasets without a digest to compare, or of what is near them.

    Runs that read what another run is known to have written are not among them.
    """
    return int(db.value(_UNKNOWN, (as_list(datasets), as_list(snaps))) + db.value(_NEAR, (as_list(near),)))


def writers_of_bytes(db: Database, snaps: Iterable[int]) -> list[Writer]:
    """Who wrote these bytes."""
    return [Writer(run, dataset, bool(part)) for run, dataset, part in db.rows(_WRITERS, (as_list(snaps),))]


def last_reads(db: Database, uses: Iterable[tuple[int, int, int]]) -> list[tuple[int, Read]]:
    """Reads of the runs (job, began, dataset), each with its job."""
    keys = _keys((job, began - BASE, dataset) for job, began, dataset in uses)
    return [(job, _read(row)) for job, *row in db.rows(_LAST_READS, (keys,))]


def flows_of(db: Database, uses: Iterable[tuple[int, int, int]]) -> list[Flow]:
    """The flows of these jobs from one dataset to another."""
    return [
        Flow(job, src, dst, bool(designed), _time(first), _time(last), runs)
        for job, src, dst, designed, first, last, runs in db.rows(_FLOWS, (_keys(uses),))
    ]


def versions_built(db: Database, made: Iterable[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """Versions of models that these runs made: (run, dataset, version)."""
    return db.rows(_BUILDS, (_keys(made),))


def columns_from_all(db: Database, datasets: Iterable[int]) -> list[ColumnFlow]:
    """What the columns of these datasets are made into, where events say so."""
    return [ColumnFlow(*row) for row in db.rows(_COLUMNS, (as_list(datasets),))]


def column_names(db: Database, datasets: Iterable[int]) -> list[str]:
    """Columns of these datasets that any event says something of."""
    these = as_list(datasets)
    return [name for (name,) in db.rows(_COLUMN_NAMES, (these, these)) if name]


def last_write(db: Database, datasets: Iterable[int]) -> int | None:
    """When any of these was written last."""
    return _time(db.value(_LAST_WRITE, (as_list(datasets),)))


def models_called(db: Database, datasets: Iterable[int]) -> dict[int, str]:
    """Which of these are models, and what their last version is called; without a look at all the others."""
    return {number: name for number, name in db.rows(_MODELS, (as_list(datasets),)) if name is not None}


def _keys(keys: Iterable[tuple[int, ...]]) -> str:
    return json.dumps(sorted(set(keys)))


def _passed(row: Sequence[Any]) -> Passed:
    *read, job, made = row
    return Passed(_read(read), job or 0, made or 0)


def _read(row: Sequence[Any]) -> Read:
    run, dataset, src, via, at, snap, how, parts = row
    return Read(run, dataset, src, via or 0, at + BASE, snap, how, parts)


def _time(moment: int | None) -> int | None:
    return None if moment is None else moment + BASE
