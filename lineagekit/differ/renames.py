# SPDX-License-Identifier: Apache-2.0
"""Columns that are there under another name: by the sum of their cell hashes, else by the values that both hold.

    >>> find_renames(before, after, pairing.changes, threads=2)  # doctest: +SKIP
    (Renamed(before='amt', after='amount', alike=1.0),)

Only columns that are on one side alone are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from lineagekit.differ.changes import Column, Renamed, SchemaChanges
from lineagekit.differ.scan import Plan, Reader, Scanned, scan
from lineagekit.differ.tables import Table
from lineagekit.differ.tally import SMALLEST, Tally

_ALIKE = 0.8
_FEWEST = 16
"""Distinct values from which columns can be told by those that they share."""


def find_renames(
    a: Table, b: Table, changes: SchemaChanges, *, threads: int, progress: Callable[[int], None]
) -> tuple[Renamed, ...]:
    """Match dropped and added columns of one type."""
    types = {one.type for one in changes.dropped} & {one.type for one in changes.added}
    gone = [one for one in changes.dropped if one.type in types]
    new = [one for one in changes.added if one.type in types]
    if not types:
        return ()
    plans = [Plan(t, tuple(Reader.of(t, one.name) for one in some)) for t, some in ((a, gone), (b, new))]
    left, right = scan(plans, threads=threads, progress=progress)
    try:
        found = _by_content(gone, left, new, right)
        taken = {one.before for one in found}, {one.after for one in found}
        rest = [one for one in gone if one.name not in taken[0]], [one for one in new if one.name not in taken[1]]
        tallies = dict(zip((one.name for one in gone), left.columns, strict=True))
        others = dict(zip((one.name for one in new), right.columns, strict=True))
        return (*found, *_by_values(*rest, tallies, others))
    finally:
        left.close()
        right.close()


def _by_content(gone: list[Column], left: Scanned, new: list[Column], right: Scanned) -> list[Renamed]:
    """Where one column on either side, and no other, has this content."""
    before = [(one.type, tally.total) for one, tally in zip(gone, left.columns, strict=True)]
    after = [(one.type, tally.total) for one, tally in zip(new, right.columns, strict=True)]
    counts, others = Counter(before), Counter(after)
    if left.rows != right.rows or not left.rows:
        return []
    return [
        Renamed(gone[at].name, new[after.index(content)].name)
        for at, content in enumerate(before)
        if counts[content] == others[content] == 1
    ]


def _by_values(gone: list[Column], new: list[Column], left: dict[str, Tally], right: dict[str, Tally]) -> list[Renamed]:
    """The most alike first; each column once."""
    pairs = [
        (_likeness(left[one.name], right[other.name]), one.name, other.name)
        for one in gone
        for other in new
        if one.type == other.type
    ]
    found: list[Renamed] = []
    for alike, before, after in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        is_free = all(one.before != before and one.after != after for one in found)
        if alike >= _ALIKE and is_free:
            found.append(Renamed(before, after, round(alike, 3)))
    return found


def _likeness(one: Tally, other: Tally) -> float:
    """Share of distinct values that both have, by a fair choice of them."""
    if min(len(one.smallest), len(other.smallest)) < _FEWEST:
        return 0.0
    union = np.union1d(one.smallest, other.smallest)[:SMALLEST]
    both = np.isin(union, one.smallest) & np.isin(union, other.smallest)
    return float(both.mean())
