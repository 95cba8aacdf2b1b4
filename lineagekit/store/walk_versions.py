# SPDX-License-Identifier: Apache-2.0
"""Questions to the index, in SQL like those of `walk`: the versions of one dataset, and what is odd about names.

>>> read_counts(index.database, 17)  # doctest: +SKIP
{3: 12, 4: 1}
"""

from __future__ import annotations

from typing import NamedTuple

from lineagekit.store.database import Database
from lineagekit.store.index_file import BASE

_SPELLINGS = "SELECT class, namespace, name FROM name WHERE rank > 0 ORDER BY namespace, name"
_NEVER_WRITTEN = (
    "SELECT r.dataset, count(*), max(r.at) FROM read r CROSS JOIN name n ON n.id = r.dataset"
    " WHERE r.src = 0 AND r.parts >= 0 AND NOT EXISTS (SELECT 1 FROM write w WHERE w.dataset = r.dataset)"
    " GROUP BY r.dataset ORDER BY 2 DESC LIMIT ?"
)
# Both have a digest of one kind, and nobody who is known wrote the one that was read.
_OUT_OF_BAND = (
    "SELECT r.dataset, count(*), max(r.at) FROM read r CROSS JOIN snapshot s ON s.id = r.snap"
    " WHERE r.src = 0 AND r.parts = 0 AND EXISTS (SELECT 1 FROM write w CROSS JOIN snapshot o ON o.id = w.snap"
    " WHERE w.dataset = r.dataset AND w.at <= r.at AND o.algorithm = s.algorithm)"
    " GROUP BY r.dataset ORDER BY 2 DESC LIMIT ?"
)
_NO_DIGEST = (
    "SELECT w.dataset, count(*), max(w.at) FROM write w WHERE w.snap IS NULL AND w.of IS NULL AND w.at IS NOT NULL"
    " GROUP BY w.dataset ORDER BY 2 DESC LIMIT ?"
)


class Odd(NamedTuple):
    """A dataset, how often something was odd about it, and when last."""

    dataset: int
    times: int
    last: int


def read_counts(db: Database, dataset: int) -> dict[int, int]:
    """How many runs read each version of a dataset."""
    sql = "SELECT snap, count(DISTINCT run) FROM read WHERE dataset = ? AND snap IS NOT NULL GROUP BY snap"
    return dict(db.rows(sql, (dataset,)))


def first_seen(db: Database, dataset: int) -> dict[int, int]:
    """When each version of a dataset was first written or read."""
    sql = (
        "SELECT snap, min(at) FROM (SELECT snap, at FROM write WHERE dataset = ?1 UNION ALL"
        " SELECT snap, at FROM read WHERE dataset = ?1) WHERE snap IS NOT NULL GROUP BY snap"
    )
    return {snap: at + BASE for snap, at in db.rows(sql, (dataset,)) if at is not None}


def never_written(db: Database, limit: int) -> list[Odd]:
    """Datasets that were read and that no recorded run ever wrote, the most read first."""
    return _odd(db, _NEVER_WRITTEN, limit)


def out_of_band(db: Database, limit: int) -> list[Odd]:
    """Datasets of which bytes were read that no recorded run wrote, though runs write it."""
    return _odd(db, _OUT_OF_BAND, limit)


def without_digest(db: Database, limit: int) -> list[Odd]:
    """Datasets that were written without anything that tells the bytes from others."""
    return _odd(db, _NO_DIGEST, limit)


def spellings(db: Database) -> list[tuple[int, str, str]]:
    """All names of datasets, with the number of the dataset."""
    return [(number, namespace, name) for number, namespace, name in db.rows(_SPELLINGS)]


def _odd(db: Database, sql: str, limit: int) -> list[Odd]:
    return [Odd(dataset, times, last + BASE) for dataset, times, last in db.rows(sql, (limit,))]
