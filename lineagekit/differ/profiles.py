# SPDX-License-Identifier: Apache-2.0
"""Two profiles column by column: sums of cells, counts, bounds, and drift by the bins that both kept.

>>> changed_totals(before, after)  # doctest: +SKIP
('amount',)
"""

from __future__ import annotations

from dataclasses import replace

from lineagekit.differ.changes import ColumnChange, Facts
from lineagekit.differ.drift import Counts, ks_of_counts, psi_of
from lineagekit.differ.kept import Kept
from lineagekit.identity.profile import ColumnProfile, collapse, detail_of
from lineagekit.identity.profile_summary import ColumnSummary, summarise

_ORDERED = ("int", "uint", "float", "decimal", "date", "time", "timestamp", "duration")


def totals_of(kept: Kept) -> dict[str, int]:
    """Sums of cell hashes by column; empty where no profile is known to be of these columns."""
    if kept.profile is None:
        return {}
    return {name: column.total for (name, _), column in zip(kept.profiled, kept.profile.columns, strict=False)}


def changed_totals(before: Kept, after: Kept) -> tuple[str, ...]:
    """Columns of both whose cells are not the same; those of another type aside."""
    a, b = totals_of(before), totals_of(after)
    types = dict(before.profiled), dict(after.profiled)
    shared = [name for name, _ in after.columns if name in a and name in b and types[0][name] == types[1][name]]
    return tuple(name for name in shared if a[name] != b[name])


def changed_profiles(before: Kept, after: Kept) -> tuple[ColumnChange, ...]:
    """Statistics of the columns that changed."""
    if before.profile is None or after.profile is None:
        return ()
    one, other = summarise(before.profile, before.profiled), summarise(after.profile, after.profiled)
    types = dict(after.profiled)
    columns = _by_name(before), _by_name(after)
    changes = []
    for name in changed_totals(before, after):
        facts = [
            _facts(kept, column[name], summary[name])
            for kept, column, summary in ((before, columns[0], one), (after, columns[1], other))
        ]
        change = ColumnChange(name, types[name], facts[0], facts[1], exact=False)
        changes.append(_with_drift(change, columns[0][name], columns[1][name], detail_of(len(types)).bins))
    return tuple(changes)


def _by_name(kept: Kept) -> dict[str, ColumnProfile]:
    columns = kept.profile.columns if kept.profile is not None else ()
    return {name: column for (name, _), column in zip(kept.profiled, columns, strict=False)}


def _facts(kept: Kept, column: ColumnProfile, said: ColumnSummary) -> Facts:
    quantiles = tuple(value for _, value in said.quantiles)
    return Facts(
        kept.rows or 0,
        column.nulls,
        column.nans or None,
        said.distinct,
        low=said.low,
        high=said.high,
        mean=said.mean,
        quantiles=quantiles,
    )


def _with_drift(change: ColumnChange, before: ColumnProfile, after: ColumnProfile, most: int) -> ColumnChange:
    if not before.bins or not after.bins:
        return change
    counts = _shared_bins(before, after, most)
    sample = int(sum(counts[0])), int(sum(counts[1]))
    change = replace(change, psi=psi_of(*counts), sample=sample)
    return replace(change, ks=ks_of_counts(*counts)) if change.type.startswith(_ORDERED) else change


def _shared_bins(before: ColumnProfile, after: ColumnProfile, most: int) -> Counts:
    """Both in the coarser one's bins."""
    level = max(before.level, after.level)
    sides = []
    for column in (before, after):
        shifted = ((key >> level - column.level, count) for key, count in column.bins)
        sides.append(dict(collapse(level, shifted, most)[1]))
    keys = sorted({*sides[0], *sides[1]})
    a, b = ([side.get(key, 0) for key in keys] for side in sides)
    return a, b
