# SPDX-License-Identifier: Apache-2.0
"""Tallies: a profile while it is being taken, as arrays that both engines add blocks of rows to.

>>> tallies = new_tallies(columns=3)  # doctest: +SKIP
>>> engine.tally(tallies, plan, matrix, hashes)  # doctest: +SKIP
>>> finish(tallies, layout.schema_hash)  # doctest: +SKIP
Profile(rows=...)
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineagekit.identity.profile import (
    ROW_SAMPLES,
    SKETCH_COUNTERS,
    ColumnProfile,
    Counts,
    Detail,
    Profile,
    count_moments,
    detail_of,
)

_Unsigned = npt.NDArray[np.uint64]
_Signed = npt.NDArray[np.int64]


class Tallies(NamedTuple):
    """One place a column in each array, none in those that a table this wide does not keep.

    Bins and samples are kept canonical: sorted, at most as many as the detail.
    """

    rows: _Signed  # one number
    totals: _Unsigned
    nulls: _Signed
    nans: _Signed
    lows: _Unsigned
    highs: _Unsigned
    levels: _Signed
    bins_used: _Signed
    bin_keys: _Unsigned
    bin_counts: _Signed
    samples_used: _Signed
    sample_hashes: _Unsigned
    sample_counts: _Signed
    sketch: _Signed
    row_samples_used: _Signed  # one number
    row_hashes: _Unsigned
    row_counts: _Signed
    moments: _Signed


def new_tallies(columns: int) -> Tallies:
    """Tallies of no rows."""
    detail = detail_of(columns)
    ranged = columns if detail.has_range else 0

    def signed(*shape: int) -> _Signed:
        return np.zeros(shape, np.int64)

    def unsigned(*shape: int) -> _Unsigned:
        return np.zeros(shape, np.uint64)

    return Tallies(
        rows=signed(1),
        totals=unsigned(columns),
        nulls=signed(columns),
        nans=signed(ranged),
        lows=~unsigned(ranged),
        highs=unsigned(ranged),
        levels=signed(columns),
        bins_used=signed(columns),
        bin_keys=unsigned(columns, detail.bins),
        bin_counts=signed(columns, detail.bins),
        samples_used=signed(columns),
        sample_hashes=unsigned(columns, detail.samples),
        sample_counts=signed(columns, detail.samples),
        sketch=signed(SKETCH_COUNTERS),
        row_samples_used=signed(1),
        row_hashes=unsigned(ROW_SAMPLES),
        row_counts=signed(ROW_SAMPLES),
        moments=signed(count_moments(columns)),
    )


def finish(t: Tallies, schema_hash: bytes) -> Profile:
    """The profile as a value."""
    columns = (_finish_column(t, c, detail_of(len(t.totals))) for c in range(len(t.totals)))
    rows = _pairs(t.row_hashes, t.row_counts, t.row_samples_used[0])
    sketch, moments = tuple(t.sketch.tolist()), tuple(t.moments.tolist())
    return Profile(schema_hash, int(t.rows[0]), tuple(columns), sketch, rows, moments)


def _finish_column(t: Tallies, c: int, detail: Detail) -> ColumnProfile:
    """Engines may count what a table this wide does not keep: a profile has what its bytes will have."""
    column = ColumnProfile(
        total=int(t.totals[c]),
        level=int(t.levels[c]),
        bins=_pairs(t.bin_keys[c], t.bin_counts[c], t.bins_used[c]),
        samples=_pairs(t.sample_hashes[c], t.sample_counts[c], t.samples_used[c]),
    )
    if detail.has_counts:
        column = replace(column, nulls=int(t.nulls[c]))
    if detail.has_range:
        column = replace(column, nans=int(t.nans[c]), low=int(t.lows[c]), high=int(t.highs[c]))
    return column


def _pairs(keys: _Unsigned, counts: _Signed, used: np.int64) -> Counts:
    return tuple(zip(keys[:used].tolist(), counts[:used].tolist(), strict=True))
