# SPDX-License-Identifier: Apache-2.0
"""Copies: bytes that a run wrote under another name before they were first seen under this one (cp, an upload).

A function of name and bytes: what was seen here before anybody wrote it elsewhere is no copy of that. Not for tiny
files, which are often equal by chance.

    >>> bind_copies(connection, {(17, 3)})  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from lineagekit.store.snapshots import VERSION

TINY = 64
"""Bytes below which equal content under two names says nothing."""

_ELSEWHERE = (
    " FROM snapshot mine CROSS JOIN snapshot s ON substr(s.hash, 1, 4) = substr(mine.hash, 1, 4) AND s.hash = mine.hash"
    " AND s.algorithm = mine.algorithm CROSS JOIN write w ON w.snap = s.id"
    " WHERE mine.id = ?1 AND s.dataset <> mine.dataset AND mine.algorithm NOT IN"
    f" (SELECT id FROM algorithm WHERE name = '{VERSION}') AND coalesce(mine.size, s.size, {TINY}) >= {TINY}"
)
_IS_ELSEWHERE = f"SELECT 1{_ELSEWHERE} LIMIT 1"
_FIRST_SEEN = "SELECT min(at) FROM read WHERE dataset = ? AND snap = ?"
_SOURCE = (
    f"SELECT w.run, coalesce(w.of, w.dataset){_ELSEWHERE} AND w.at <= ?2"
    " ORDER BY w.at DESC, (SELECT uuid FROM run WHERE id = w.run) DESC, w.dataset LIMIT 1"
)
_BIND = (
    "UPDATE read SET src = ?1, via = ?2, how = 1 WHERE dataset = ?3 AND snap = ?4 AND how <= 1 AND parts = 0"
    " AND run <> ?1"
)
_UNBIND = "UPDATE read SET src = 0, via = NULL, how = 0 WHERE dataset = ? AND snap = ? AND how = 1 AND parts = 0"


def bind_copies(connection: sqlite3.Connection, alone: Iterable[tuple[int, int | None]]) -> None:
    """Bind reads of these (dataset, snapshot) that nobody known wrote, if they are copies."""
    for dataset, snap in alone:
        if connection.execute(_IS_ELSEWHERE, (snap,)).fetchone() is None:
            continue
        (first,) = connection.execute(_FIRST_SEEN, (dataset, snap)).fetchone()
        source = connection.execute(_SOURCE, (snap, first)).fetchone()
        if source is None:
            connection.execute(_UNBIND, (dataset, snap))
        else:
            connection.execute(_BIND, (*source, dataset, snap))
