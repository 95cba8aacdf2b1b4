# SPDX-License-Identifier: Apache-2.0
"""Tallies in numpy. The definitions of cell hash and order key are here, in the open; `fast_tally` repeats them.

cell hash   h = mix(null bits ^ seed), then h = mix(h ^ word) for each word of the cell; mix is splitmix64's
order key   of a number as binary64: all bits flipped when negative, else the sign bit set; -0.0 counts as 0.0
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lineagekit.identity.profile import (
    BY_HASH,
    DECIMAL,
    FLOAT,
    KEY_BITS,
    ROW_SAMPLES,
    SIGNED,
    SKETCH_COUNTERS,
    ColumnPlan,
    Counts,
    add_counts,
    collapse,
    detail_of,
)
from lineagekit.identity.tables.engine import Hashes, Words
from lineagekit.identity.tables.tallies import Tallies

_u64 = np.uint64
SEED = _u64(0x9E37_79B9_7F4A_7C15)
_Column = npt.NDArray[np.uint64]


def tally(t: Tallies, columns: tuple[ColumnPlan, ...], matrix: Words, hashes: Hashes) -> None:
    """Add a block of rows to a profile's tallies."""
    detail = detail_of(len(columns))
    t.rows[0] += len(hashes)
    centred = np.zeros((len(columns) if detail.has_moments else 0, len(hashes)), np.int64)
    for c, column in enumerate(columns):
        missing, cells = _null_bits(column, matrix), _cell_hashes(column, matrix)
        t.totals[c : c + 1] += cells.sum(dtype=np.uint64)  # a slice wraps round in silence, as it should
        t.nulls[c] += np.count_nonzero(missing)
        if detail.has_range:
            keys = _order_keys(column, matrix, cells)
            counts = ~missing & ((column.order != FLOAT) | (keys < ORDERED_NAN))
            t.nans[c] += np.count_nonzero(~missing) - np.count_nonzero(counts)
            if detail.has_moments:
                centred[c] = np.where(counts, (keys >> _u64(48)).astype(np.int64) - MIDDLE, 0)
            _add_values(t, c, keys[counts], detail.bins)
        _keep_smallest(
            cells[~missing], t.sample_hashes[c], t.sample_counts[c], t.samples_used[c : c + 1], detail.samples
        )
    if detail.has_moments:
        products = (centred @ centred.T)[np.triu_indices(len(columns))]
        t.moments[:] += np.concatenate([centred.sum(axis=1), products])
    np.add.at(t.sketch, (hashes[:, 0] % _u64(SKETCH_COUNTERS)).astype(np.intp), 1 - 2 * _sign_bits(hashes))
    _keep_smallest(hashes[:, 0], t.row_hashes, t.row_counts, t.row_samples_used, ROW_SAMPLES)


MIDDLE = 1 << 15  # the top 16 bits of 0.0's key
ORDERED_NAN = _u64(0xFFF8_0000_0000_0000)  # the one NaN's key: above infinity's


def mix(h: _Column) -> _Column:
    """splitmix64's finaliser."""
    h = (h ^ (h >> _u64(30))) * _u64(0xBF58_476D_1CE4_E5B9)
    h = (h ^ (h >> _u64(27))) * _u64(0x94D0_49BB_1331_11EB)
    return h ^ (h >> _u64(31))


def _sign_bits(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes[:, 0] >> _u64(16) & _u64(1)).astype(np.int64)


def _null_bits(column: ColumnPlan, matrix: Words) -> npt.NDArray[np.bool_]:
    return _bit(matrix, column.first_bit).astype(np.bool_)


def _bit(matrix: Words, bit: int) -> _Column:
    bits: _Column = matrix[bit // 64] >> _u64(bit % 64) & _u64(1)
    return bits


def _cell_hashes(column: ColumnPlan, matrix: Words) -> _Column:
    cells = np.full(matrix.shape[1], SEED)
    for first in range(0, column.bits, 64):
        bits = np.zeros(matrix.shape[1], np.uint64)
        for i in range(first, min(first + 64, column.bits)):
            bits |= _bit(matrix, column.first_bit + i) << _u64(i - first)
        cells = mix(cells ^ bits)
    for word in range(column.first_word, column.first_word + column.words):
        cells = mix(cells ^ matrix[word])
    return cells


def _order_keys(column: ColumnPlan, matrix: Words, cells: _Column) -> _Column:
    if column.order == BY_HASH:
        return cells
    low = matrix[column.first_word]
    if column.order == FLOAT:
        numbers = low.view(np.float64)
    elif column.order == SIGNED:
        numbers = low.view(np.int64).astype(np.float64)
    elif column.order == DECIMAL:
        high, short = matrix[column.first_word + 1].view(np.int64), low.view(np.int64)
        wide = high.astype(np.float64) * 2.0**64 + low.astype(np.float64)
        numbers = np.where(high == short >> 63, short.astype(np.float64), wide)  # what fits 64 bits stays exact
    else:
        numbers = low.astype(np.float64)
    bits = (numbers + 0.0).view(np.uint64)  # adding zero makes -0.0 the same as 0.0
    keys: _Column = np.where(bits >> _u64(63), ~bits, bits | _u64(1 << 63))
    return keys


def _add_values(t: Tallies, c: int, keys: _Column, bins: int) -> None:
    if len(keys):
        t.lows[c], t.highs[c] = min(t.lows[c], keys.min()), max(t.highs[c], keys.max())
    if bins:
        _add_bins(t, c, keys, bins)


def _add_bins(t: Tallies, c: int, keys: _Column, most: int) -> None:
    level = int(t.levels[c])
    found = np.unique(keys >> _u64(64 - KEY_BITS + level), return_counts=True)
    while len(found[0]) > 16 * most:  # coarse in numpy first: the last steps are python's
        level += 1
        shifted, inverse = np.unique(found[0] >> _u64(1), return_inverse=True)
        found = shifted, np.bincount(inverse, found[1]).astype(np.int64)
    drop, used = level - int(t.levels[c]), int(t.bins_used[c])
    known = zip((t.bin_keys[c, :used] >> _u64(drop)).tolist(), t.bin_counts[c, :used].tolist(), strict=True)
    level, bins = collapse(level, [*known, *zip(*(part.tolist() for part in found), strict=True)], most)
    t.levels[c] = level
    _write_counts(bins, t.bin_keys[c], t.bin_counts[c], t.bins_used[c : c + 1])


def _keep_smallest(
    hashes: _Column, kept: _Column, counts: npt.NDArray[np.int64], used: npt.NDArray[np.int64], most: int
) -> None:
    n = int(used[0])
    if n == most and most:
        hashes = hashes[hashes <= kept[n - 1]]
    if not most or not len(hashes):
        return
    found, times = np.unique(hashes, return_counts=True)
    new = zip(found[:most].tolist(), times[:most].tolist(), strict=True)
    known = zip(kept[:n].tolist(), counts[:n].tolist(), strict=True)
    _write_counts(add_counts([*known, *new])[:most], kept, counts, used)


def _write_counts(pairs: Counts, keys: _Column, counts: npt.NDArray[np.int64], used: npt.NDArray[np.int64]) -> None:
    used[0] = len(pairs)
    keys[: len(pairs)] = np.array([key for key, _ in pairs], np.uint64)
    counts[: len(pairs)] = [count for _, count in pairs]
