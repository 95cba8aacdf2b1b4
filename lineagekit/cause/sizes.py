# SPDX-License-Identifier: Apache-2.0
"""How large a difference is by itself, from two profiles: what counts where there is too little history, and in words.

>>> list(told(before, after, ["id", "label"])), size_of(before, after, columns)  # doctest: +SKIP
(['label differs on about 4,100 rows of 80,233'], 0.05)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from lineagekit.cause.levels import levels_of
from lineagekit.cause.views import Columns
from lineagekit.errors import IncomparableError
from lineagekit.identity.profile import Profile
from lineagekit.identity.profile_summary import changed_columns, estimate_changed_rows

_SHARES = ("null share", "NaN share", "share below 0")


def size_of(before: Profile, after: Profile, columns: Columns) -> float:
    """0 to 1: half or twice the rows, a mean that moved by its deviation, or all of a share."""
    rows = abs(math.log((after.rows + 1) / (before.rows + 1))) / math.log(2)
    try:
        old, new = levels_of(before, columns), levels_of(after, columns)
    except IncomparableError:  # other columns than these were taken of
        return min(rows, 1.0)
    moves = [_move(name, old, new) for name in old.keys() & new.keys()]
    return min(max(rows, *moves, 0.0), 1.0)


def told(before: Profile, after: Profile, names: Sequence[str]) -> Iterator[str]:
    """Which columns differ on how many rows, when the bytes are long gone."""
    try:
        differ, rows = changed_columns(before, after, names), estimate_changed_rows(before, after)
    except IncomparableError:
        return
    if differ and len(differ) < len(names):
        listed = ", ".join(differ[:4]) + (" ..." if len(differ) > 4 else "")
        count = min(max(rows // 2, 1), after.rows)  # an estimate may be more than there are
        yield f"{listed} differ{'s' if len(differ) == 1 else ''} on about {count:,} rows of {after.rows:,}"
    elif before.rows != after.rows:
        yield f"rows {before.rows:,} -> {after.rows:,}"


def _move(name: str, old: Mapping[str, float], new: Mapping[str, float]) -> float:
    column, mark, kind = name.rpartition(": ")
    if kind in _SHARES:
        return abs(new[name] - old[name])
    if kind != "mean":
        return 0.0
    deviation = max(old.get(f"{column}{mark}deviation", 0.0), 1e-12)
    return abs(new[name] - old[name]) / deviation
