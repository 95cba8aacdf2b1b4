# SPDX-License-Identifier: Apache-2.0
"""Rows by where they stand: whether two tables have the same rows in the same order, and at which places they do not.

>>> with Spool() as left, Spool() as right:
...     left.append(0, 0, np.array([5, 6], np.uint64))
...     right.append(0, 0, np.array([5, 7], np.uint64))
...     by_place(left, right, most=10)
(1, array([1]))
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lineagekit.differ.cells import Numbers, mix_in_place
from lineagekit.differ.spool import Rows, Spool


def begins_as(left: Spool, right: Spool) -> bool:
    """Whether the rows that both have a place for are the same, place by place."""
    return all((a == b).all() for _, a, b in _aligned(left, right))


def by_place(left: Spool, right: Spool, *, most: int) -> tuple[int, Rows]:
    """At how many places rows differ, and which these are; beyond a limit a fair choice of them."""
    count, found = 0, np.empty(0, np.int64)
    for row, a, b in _aligned(left, right):
        places = np.flatnonzero(a != b) + row
        count += len(places)
        found = np.concatenate([found, places])
        if len(found) > 2 * most:
            found = _fair(found, most)
    return count, _fair(found, most) if len(found) > most else found


def _fair(rows: Rows, most: int) -> Rows:
    numbers = rows.astype(np.uint64)
    mix_in_place(numbers, np.empty_like(numbers))
    return np.sort(rows[np.argpartition(numbers, most)[:most]])


def _aligned(left: Spool, right: Spool) -> Iterator[tuple[int, Numbers, Numbers]]:
    """Blocks of the same places on both sides, up to the end of the shorter one."""
    for (row, a), (_, b) in zip(left.blocks(), right.blocks(), strict=False):
        size = min(len(a), len(b))
        yield row, a[:size], b[:size]
