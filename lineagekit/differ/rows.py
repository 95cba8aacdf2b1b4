# SPDX-License-Identifier: Apache-2.0
"""Two tables row by row: added, removed, changed; by a key, by place, or as multisets.

    >>> compared = compare_rows(plan_a, plan_b, Asked(key=("id",)))  # doctest: +SKIP
    >>> compared.rows.changed, compared.rows.columns  # doctest: +SKIP
    (100, (('amount', 97), ('status', 12)))

Both tables are read once, and what differs once more, to name the columns and to show examples.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from lineagekit.differ.changes import Example, RowChanges
from lineagekit.differ.fetch import Fetched, fetch
from lineagekit.differ.keys import find_key, guess_key
from lineagekit.differ.partitions import Found, Hashed, as_multisets, by_key, is_unique
from lineagekit.differ.places import begins_as, by_place
from lineagekit.differ.scan import Plan, Scanned, scan
from lineagekit.differ.spool import Rows
from lineagekit.identity.hashing import ignore_progress

_MOST_CELLS = 1 << 23
"""Cells of changed rows that are looked at on either side to name their columns; beyond, a fair choice of rows is."""
_FEWEST_PAIRS = 1_000
_SHOWN_CELLS = 8
"""Cells of an added or removed row that an example shows."""

How = Literal["given", "guessed", "position", "none"]
Sides = tuple[Scanned, Scanned]


@dataclass(frozen=True, slots=True)
class Asked:
    """The columns of the key, how many examples of each kind, and how to work."""

    key: tuple[str, ...] = ()
    examples: int = 3
    threads: int = 1
    progress: Callable[[int], None] = ignore_progress


@dataclass(frozen=True, slots=True)
class Compared:
    """The changes, what was learned of the columns on the way, and how many parts were read once more."""

    rows: RowChanges
    sides: Sides
    again: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class _Match:
    """How rows were matched."""

    found: Found
    how: How
    key: tuple[int, ...] = ()
    note: str = ""
    lonely: Rows = field(default_factory=lambda: np.empty(0, np.int64))


def compare_rows(left: Plan, right: Plan, asked: Asked) -> Compared:
    """Compare the columns of two plans, pair by pair; NotFoundError for a key column that is not in both."""
    key, how = _key(left, right, asked)
    left, right = replace(left, key=key), replace(right, key=key)
    a, b = scan([left, right], threads=asked.threads, progress=asked.progress)
    with closing(a), closing(b):
        names = tuple(right.columns[place].name for place in key)
        changes = RowChanges(a.rows, b.rows, key=names, how=how if key else "none")
        if a.rows == b.rows and a.total == b.total:
            return Compared(replace(changes, reordered=not begins_as(a.hashes, b.hashes)), (a, b))
        match = _match(left, right, (a, b), how, asked)
        return _describe(changes, match, (left, right), (a, b), asked)


def _key(left: Plan, right: Plan, asked: Asked) -> tuple[tuple[int, ...], How]:
    if asked.key:
        return find_key(left.names, right.names, asked.key), "given"
    return guess_key(left, right), "guessed"


def _match(left: Plan, right: Plan, sides: Sides, how: How, asked: Asked) -> _Match:
    a, b = sides
    most = max(_FEWEST_PAIRS, _MOST_CELLS // max(1, len(left.columns)))
    note = ""
    if a.keys is not None and b.keys is not None:
        twice = [side for side, keys in (("before", a.keys), ("after", b.keys)) if not is_unique(keys)]
        if not twice:
            keyed = Hashed(a.keys, a.hashes), Hashed(b.keys, b.hashes)
            return _Match(by_key(*keyed, most_pairs=most, most_rows=asked.examples), how, left.key)
        names = ", ".join(right.columns[place].name for place in left.key)
        note = f"{names} is not unique {' and '.join(twice)}" if how == "given" else ""
    found = as_multisets(Hashed(a.hashes, a.hashes), Hashed(b.hashes, b.hashes), most_rows=asked.examples)
    if a.rows == b.rows:
        count, places = by_place(a.hashes, b.hashes, most=most)
        if count == found.added == found.removed:
            return _Match(Found(changed=count, pairs=[(places, places)]), "position", note=note)
    return _Match(found, "none", note=note)


def _describe(changes: RowChanges, match: _Match, plans: tuple[Plan, Plan], sides: Sides, asked: Asked) -> Compared:
    found, (a, b) = match.found, sides
    pairs = found.paired()
    shown = tuple(side[: asked.examples] for side in pairs)
    rows = [np.union1d(pairs[0], found.gone), np.union1d(pairs[1], found.new)]
    also = [np.union1d(shown[0], found.gone), np.union1d(shown[1], found.new)]
    fetched = [
        fetch(plan, side.counts, rows[at], shown=also[at], threads=asked.threads)
        for at, (plan, side) in enumerate(zip(plans, sides, strict=True))
    ]
    cells = [fetched[at].cells[:, np.searchsorted(rows[at], pairs[at])] for at in (0, 1)]
    differ = cells[0] != cells[1]
    names = [column.name for column in plans[1].columns]
    counts = [(name, int(count)) for name, count in zip(names, differ.sum(axis=1), strict=True) if count]
    at_end = not (found.removed or found.changed) and bool(found.added) and begins_as(a.hashes, b.hashes)
    changed = replace(
        changes,
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        columns=tuple(sorted(counts, key=lambda one: -one[1])),
        examined=len(pairs[0]),
        key=tuple(names[place] for place in match.key),
        how=match.how,
        note=match.note,
        at_end=at_end,
        examples=_examples(match, names, (shown[0], shown[1]), differ, fetched),
    )
    return Compared(changed, sides, (fetched[0].parts, fetched[1].parts))


def _examples(
    match: _Match, names: list[str], shown: tuple[Rows, Rows], differ: np.ndarray, fetched: list[Fetched]
) -> tuple[Example, ...]:
    before, after = (one.texts for one in fetched)
    examples = []
    for at, (left, right) in enumerate(zip(shown[0].tolist(), shown[1].tolist(), strict=True)):
        places = np.flatnonzero(differ[:, at])[:_SHOWN_CELLS]
        cells = tuple((names[place], before[left][place], after[right][place]) for place in places)
        examples.append(Example("changed", _key_of(match, names, after[right], right), cells))
    for row in match.found.gone.tolist():
        cells = tuple((name, text, None) for name, text in zip(names, before[row], strict=True))
        examples.append(Example("removed", _key_of(match, names, before[row], row), cells[:_SHOWN_CELLS]))
    for row in match.found.new.tolist():
        cells = tuple((name, None, text) for name, text in zip(names, after[row], strict=True))
        examples.append(Example("added", _key_of(match, names, after[row], row), cells[:_SHOWN_CELLS]))
    return tuple(examples)


def _key_of(match: _Match, names: list[str], texts: tuple[str, ...], row: int) -> tuple[tuple[str, str], ...]:
    if match.key:
        return tuple((names[place], texts[place]) for place in match.key)
    return (("row", f"{row + 1:,}"),)
