# SPDX-License-Identifier: Apache-2.0
"""Which columns tell one row from another: those that were named, or one that looks like it and is proven later.

A guess is made of the first rows of both tables: one column, of whole numbers or text, without nulls, unique on both
sides, that holds values of both. Columns that are called as keys are come first.

    >>> guess_key(plan_a, plan_b)  # doctest: +SKIP
    (0,)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from pyarrow import types as t

from lineagekit.differ.scan import Plan
from lineagekit.errors import NotFoundError
from lineagekit.identity.tables.engine import choose_engine
from lineagekit.identity.tables.logical import is_bytes, plain

_NAMED = re.compile(r"(.*[_\W])?(id|key|uuid|guid|index|pk)|.*Id|__index_level_0__", re.IGNORECASE)
_ENOUGH = 0.5
"""Share of values that both sides have, from which a column of any name may be a key."""


def find_key(before: Sequence[str], after: Sequence[str], asked: Sequence[str]) -> tuple[int, ...]:
    """The places of the named columns among the pairs, by either of their names; NotFoundError if one is none."""
    return tuple(_place(before, after, name) for name in asked)


def _place(before: Sequence[str], after: Sequence[str], name: str) -> int:
    for names in (before, after):
        if name in names:
            return list(names).index(name)
    close = get_close_matches(name, {*before, *after}, n=2)
    shared = ", ".join(before) or "none"
    raise NotFoundError(
        f"no such column in both tables: got --key {name}, expected some of {shared}",
        advice=f"Did you mean {' or '.join(close)}?" if close else "Name a column that both have.",
    )


def guess_key(left: Plan, right: Plan) -> tuple[int, ...]:
    """The column that is most likely a key, as its place among the pairs; empty if none is."""
    places = [place for place, column in enumerate(left.columns) if _may_be_key(left, right, place, column.name)]
    if not places:
        return ()
    shared = {place: _shared(left, right, place) for place in places}
    found = [place for place in places if shared[place] > (0 if _is_named(left, place) else _ENOUGH)]
    best = min(found, key=lambda place: (not _is_named(left, place), -shared[place], place), default=None)
    return () if best is None else (best,)


def _is_named(plan: Plan, place: int) -> bool:
    return _NAMED.fullmatch(plan.columns[place].name) is not None


def _may_be_key(left: Plan, right: Plan, place: int, name: str) -> bool:
    kinds = [plain(plan.table.schema.field(plan.columns[place].name).type) for plan in (left, right)]
    return all(t.is_integer(kind) or is_bytes(kind) or t.is_decimal(kind) for kind in kinds)


def _shared(left: Plan, right: Plan, place: int) -> float:
    """Share of the first values that both sides have; 0 where they are not unique."""
    sides = []
    for plan in (left, right):
        column = plan.columns[place]
        array = plan.table.first([column.name]).column(0)
        values, cells = column.read(array, choose_engine(words=0))
        cells = np.sort(cells)  # np.unique builds a hash table first, which takes ten times as long
        if not len(cells) or values.null_count or (cells[1:] == cells[:-1]).any():
            return 0.0
        sides.append(cells)
    one, other = sides
    return len(np.intersect1d(one, other, assume_unique=True)) / min(len(one), len(other))
