# SPDX-License-Identifier: Apache-2.0
"""The statistics of columns that changed: counts and bounds of all rows, quantiles and drift of a sample of them.

>>> changed_columns(plans, compared.sides)[0].psi  # doctest: +SKIP
0.31
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from lineagekit.differ.cells import hash_cells
from lineagekit.differ.changes import ColumnChange, Facts
from lineagekit.differ.drift import Sample, binned, counted, ks_of, psi_of
from lineagekit.differ.fetch import texts_of
from lineagekit.differ.scan import Plan, Reader, Scanned
from lineagekit.differ.tally import Tally
from lineagekit.identity.tables.logical import logical_type, plain

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_SHARES = 10


def changed_columns(plans: tuple[Plan, Plan], sides: tuple[Scanned, Scanned]) -> tuple[ColumnChange, ...]:
    """Of the columns whose values are not the same, whatever their order; a column's type is that it is compared as."""
    changes = []
    for place, (before, after) in enumerate(zip(sides[0].columns, sides[1].columns, strict=True)):
        if (before.rows, before.total) != (after.rows, after.total):
            readers = plans[0].columns[place], plans[1].columns[place]
            changes.append(_change(plans, readers, (before, after)))
    return tuple(changes)


def _change(plans: tuple[Plan, Plan], readers: tuple[Reader, Reader], tallies: tuple[Tally, Tally]) -> ColumnChange:
    types = [_type(plan, reader) for plan, reader in zip(plans, readers, strict=True)]
    samples = [Sample.of(tally.sample()) for tally in tallies]
    facts = [_facts(*one) for one in zip(tallies, readers, types, samples, strict=True)]
    change = ColumnChange(readers[1].name, logical_type(types[1]), facts[0], facts[1])
    return _with_drift(change, tallies, (samples[0], samples[1]))


def _type(plan: Plan, reader: Reader) -> pa.DataType:
    return plain(reader.type or plan.table.schema.field(reader.name).type)


def _facts(tally: Tally, reader: Reader, type_: pa.DataType, sample: Sample) -> Facts:
    null = int(hash_cells(reader.layout, pa.nulls(1, type_))[0])
    facts = Facts(tally.rows, tally.nulls, tally.nans or None, tally.distinct(null))
    shares = _shares(tally)
    if not tally.is_ordered or tally.low is None:
        return replace(facts, shares=shares)
    if pa.types.is_temporal(type_):
        low, high = (_moment(value, type_) for value in (tally.low, tally.high))
        return replace(facts, low=low, high=high, shares=shares)
    return replace(
        facts, low=tally.low, high=tally.high, mean=tally.mean, quantiles=sample.quantiles(QUANTILES), shares=shares
    )


def _moment(value: int, type_: pa.DataType) -> str:
    number = pa.array([value], pa.int32() if type_.bit_width == 32 else pa.int64())
    return texts_of(number.view(type_))[0]


def _shares(tally: Tally) -> tuple[tuple[str, float], ...]:
    if not tally.categories:
        return ()
    ordered = sorted(tally.categories.items(), key=lambda one: (-one[1], one[0]))
    return tuple((name, count / tally.rows) for name, count in ordered[:MOST_SHARES])


def _with_drift(change: ColumnChange, tallies: tuple[Tally, Tally], samples: tuple[Sample, Sample]) -> ColumnChange:
    """Of numbers by a sample; of categories by all rows."""
    before, after = tallies
    if before.categories is not None and after.categories is not None:
        nulls = before.nulls, after.nulls
        change = replace(
            change,
            psi=psi_of(*counted(before.categories, after.categories, nulls)),
            sample=(before.rows, after.rows),
            new_categories=tuple(sorted(after.categories.keys() - before.categories.keys())),
            gone_categories=tuple(sorted(before.categories.keys() - after.categories.keys())),
        )
    if before.is_ordered and after.is_ordered:
        psi = change.psi if change.psi is not None else psi_of(*binned(*samples))
        return replace(change, psi=psi, ks=ks_of(*samples), sample=(len(samples[0]), len(samples[1])))
    return change
