# SPDX-License-Identifier: Apache-2.0
"""Questions to the index, in SQL like those of `walk`: which run can tell what it saw of certain bytes.

>>> runs_that_saw(index.database, 17, dataset=3)  # doctest: +SKIP
[9, 12]
"""

from __future__ import annotations

from lineagekit.store.database import Database

_WROTE = "SELECT DISTINCT run FROM write WHERE snap = ? LIMIT ?"
_READ = "SELECT DISTINCT run FROM read WHERE dataset = ? AND snap = ? LIMIT ?"


def runs_that_saw(db: Database, snap: int, *, dataset: int, limit: int = 3) -> list[int]:
    """A few runs that wrote or read these bytes: each told what it knew of them."""
    wrote = [run for (run,) in db.rows(_WROTE, (snap, limit))]
    return list(dict.fromkeys([*wrote, *(run for (run,) in db.rows(_READ, (dataset, snap, limit)))]))
