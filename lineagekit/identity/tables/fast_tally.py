# SPDX-License-Identifier: Apache-2.0
"""Tallies, compiled: what `pure_tally` defines, one pass a column, equal to the last bit.

>>> tally(tallies, plan_columns(layout), matrix, hashes)  # doctest: +SKIP
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from lineagekit.identity.profile import (
    BY_HASH,
    DECIMAL,
    FLOAT,
    KEY_BITS,
    SIGNED,
    SKETCH_COUNTERS,
    ColumnPlan,
)
from lineagekit.identity.tables.engine import Hashes, Numbers, Words
from lineagekit.identity.tables.pure_tally import MIDDLE, ORDERED_NAN, SEED
from lineagekit.identity.tables.tallies import Tallies

_u64 = np.uint64
Column = npt.NDArray[np.uint64]
Table = tuple[Column, Numbers]  # keys and counts
_SIGN = _u64(1 << 63)
_PLACES = 1024  # of the open-addressed table that bins are counted in
_CROWDED = 512
_FREE = _u64(0xFFFF_FFFF_FFFF_FFFF)  # no key has more than 32 bits


def tally(t: Tallies, columns: tuple[ColumnPlan, ...], matrix: Words, hashes: Hashes) -> None:
    """Add a block of rows to a profile's tallies."""
    _tally(t, np.array(columns, np.int64).reshape(-1, len(ColumnPlan._fields)), matrix, hashes)


@njit(nogil=True, cache=True)
def _mix(h: _u64) -> _u64:
    h = (h ^ (h >> _u64(30))) * _u64(0xBF58_476D_1CE4_E5B9)
    h = (h ^ (h >> _u64(27))) * _u64(0x94D0_49BB_1331_11EB)
    return h ^ (h >> _u64(31))


@njit(nogil=True, cache=True)
def _tally(t: Tallies, columns: Numbers, matrix: Words, hashes: Hashes) -> None:
    rows = len(hashes)
    t.rows[0] += rows
    cells, keys, missing = np.empty(rows, np.uint64), np.empty(rows, np.uint64), np.empty(rows, np.uint64)
    table = np.empty(_PLACES, np.uint64), np.empty(_PLACES, np.int64)
    centred = np.empty((len(columns) if len(t.moments) else 0, rows), np.float64)
    for c in range(len(columns)):
        first_bit, bits, first_word, words, order = columns[c]
        missing[:] = matrix[first_bit >> 6] >> _u64(first_bit & 63) & _u64(1)
        _hash_cells(matrix, first_bit, bits, first_word, words, cells)
        nulls, total = _u64(0), _u64(0)
        for row in range(rows):
            nulls += missing[row]
            total += cells[row]
        t.totals[c] += total
        t.nulls[c] += np.int64(nulls)
        if len(t.lows):  # bins and moments are kept of no table that is too wide for these
            _order_keys(matrix, first_word, order, cells, keys)
            _add_range(t, c, order == FLOAT, keys, missing)
        if len(t.moments):
            _centre(keys, missing, ORDERED_NAN - _u64(1) if order == FLOAT else _FREE, centred[c])
        if t.bin_keys.shape[1]:
            _add_bins(t, c, order == FLOAT, keys, missing, table)
        if t.sample_hashes.shape[1]:
            _keep_smallest(cells, missing, t.sample_hashes[c], t.sample_counts[c], t.samples_used[c : c + 1], table)
    _add_moments(t.moments, centred)
    for row in range(rows):
        h = hashes[row, 0]
        t.sketch[h % _u64(SKETCH_COUNTERS)] += 1 - 2 * np.int64(h >> _u64(16) & _u64(1))
        cells[row] = h
    missing[:] = 0
    _keep_smallest(cells, missing, t.row_hashes, t.row_counts, t.row_samples_used, table)


@njit(nogil=True, cache=True)
def _centre(keys: Column, missing: Column, limit: _u64, into: Numbers) -> None:
    for row in range(len(keys)):
        counts = (missing[row] == 0) & (keys[row] <= limit)
        into[row] = np.float64(np.int64(keys[row] >> _u64(48)) - MIDDLE) if counts else 0.0


@njit(nogil=True, cache=True, fastmath=True)
def _add_moments(moments: Numbers, centred: Numbers) -> None:
    """As doubles, which add in any order here: all are whole numbers far below 2**53, so every sum is exact."""
    columns, place = len(centred), len(centred)
    for a in range(columns):
        total = 0.0
        for row in range(centred.shape[1]):
            total += centred[a, row]
        moments[a] += np.int64(total)
        for b in range(a, columns):
            product = 0.0
            for row in range(centred.shape[1]):
                product += centred[a, row] * centred[b, row]
            moments[place] += np.int64(product)
            place += 1


@njit(nogil=True, cache=True)
def _hash_cells(matrix: Words, first_bit: int, bits: int, first_word: int, words: int, cells: Column) -> None:
    if bits == 1:  # most columns: two values to choose from, none to mix
        valid, null = _mix(SEED), _mix(SEED ^ _u64(1))
        for row in range(len(cells)):
            cells[row] = null if matrix[first_bit >> 6, row] >> _u64(first_bit & 63) & _u64(1) else valid
    else:
        _hash_null_bits(matrix, first_bit, bits, cells)
    for word in range(first_word, first_word + words):
        for row in range(len(cells)):
            cells[row] = _mix(cells[row] ^ matrix[word, row])


@njit(nogil=True, cache=True)
def _hash_null_bits(matrix: Words, first_bit: int, bits: int, cells: Column) -> None:
    cells[:] = SEED
    for first in range(0, bits, 64):
        for row in range(len(cells)):
            word = _u64(0)
            for i in range(min(64, bits - first)):
                bit = first_bit + first + i
                word |= (matrix[bit >> 6, row] >> _u64(bit & 63) & _u64(1)) << _u64(i)
            cells[row] = _mix(cells[row] ^ word)


@njit(nogil=True, cache=True)
def _order_keys(matrix: Words, first_word: int, order: int, cells: Column, keys: Column) -> None:
    if order == BY_HASH:
        keys[:] = cells
        return
    low = matrix[first_word]
    if order == FLOAT:
        numbers = low.view(np.float64) + 0.0  # adding zero makes -0.0 the same as 0.0
    elif order == SIGNED:
        numbers = low.view(np.int64).astype(np.float64)
    elif order == DECIMAL:
        numbers = _decimals(matrix[first_word + 1].view(np.int64), low)
    else:
        numbers = low.astype(np.float64)
    ordered = numbers.view(np.uint64)
    for row in range(len(keys)):
        keys[row] = ~ordered[row] if ordered[row] & _SIGN else ordered[row] | _SIGN


@njit(nogil=True, cache=True)
def _decimals(high: Numbers, low: Column) -> Numbers:
    numbers, short = np.empty(len(low), np.float64), low.view(np.int64)
    for row in range(len(low)):
        if high[row] == short[row] >> 63:  # what fits 64 bits stays exact
            numbers[row] = np.float64(short[row])
        else:
            numbers[row] = np.float64(high[row]) * 2.0**64 + np.float64(low[row])
    return numbers


@njit(nogil=True, cache=True)
def _add_range(t: Tallies, c: int, is_float: bool, keys: Column, missing: Column) -> None:
    low, high, nans = t.lows[c], t.highs[c], 0
    for row in range(len(keys)):
        if missing[row] == 0:
            if is_float and keys[row] >= ORDERED_NAN:
                nans += 1
            else:
                low, high = min(low, keys[row]), max(high, keys[row])
    t.lows[c], t.highs[c] = low, high
    t.nans[c] += nans


@njit(nogil=True, cache=True)
def _add_bins(t: Tallies, c: int, is_float: bool, keys: Column, missing: Column, table: Table) -> None:
    table_keys, table_counts = table
    level, used, most = t.levels[c], t.bins_used[c], t.bin_keys.shape[1]
    _load(table_keys, table_counts, t.bin_keys[c], t.bin_counts[c], used)
    for row in range(len(keys)):
        if missing[row] == 0 and not (is_float and keys[row] >= ORDERED_NAN):
            used += _count(table_keys, table_counts, keys[row] >> _u64(64 - KEY_BITS + level), 1)
            while used > _CROWDED:
                level += 1
                used = _coarsen(table_keys, table_counts)
    while used > most:
        level += 1
        used = _coarsen(table_keys, table_counts)
    t.levels[c] = level
    t.bins_used[c] = _unload(table_keys, table_counts, t.bin_keys[c], t.bin_counts[c])


@njit(nogil=True, cache=True)
def _place(table_keys: Column, key: _u64) -> _u64:
    """Where a key is in the table, or would go."""
    place = (key * SEED) >> _u64(54)
    while table_keys[place] != key and table_keys[place] != _FREE:
        place = (place + _u64(1)) & _u64(_PLACES - 1)
    return place


@njit(nogil=True, cache=True)
def _count(table_keys: Column, table_counts: Numbers, key: _u64, count: int) -> int:
    """Add to a key's count; 1 when the key is new."""
    place = _place(table_keys, key)
    if table_keys[place] == key:
        table_counts[place] += count
        return 0
    table_keys[place], table_counts[place] = key, count
    return 1


@njit(nogil=True, cache=True)
def _coarsen(table_keys: Column, table_counts: Numbers) -> int:
    """Drop the lowest bit of every key; how many keys are left."""
    keys, counts = table_keys.copy(), table_counts.copy()
    table_keys[:] = _FREE
    used = 0
    for place in range(_PLACES):
        if keys[place] != _FREE:
            used += _count(table_keys, table_counts, keys[place] >> _u64(1), counts[place])
    return used


@njit(nogil=True, cache=True)
def _unload(table_keys: Column, table_counts: Numbers, keys: Column, counts: Numbers) -> int:
    """Write the smallest keys of the table and their counts, ascending; how many fitted."""
    found = np.sort(table_keys[table_keys != _FREE])[: len(keys)]
    for i in range(len(found)):
        keys[i], counts[i] = found[i], table_counts[_place(table_keys, found[i])]
    return len(found)


@njit(nogil=True, cache=True)
def _load(table_keys: Column, table_counts: Numbers, keys: Column, counts: Numbers, used: int) -> int:
    """Empty the table, then put pairs into it."""
    table_keys[:] = _FREE
    for i in range(used):
        _count(table_keys, table_counts, keys[i], counts[i])
    return used


@njit(nogil=True, cache=True)
def _keep_smallest(hashes: Column, missing: Column, kept: Column, counts: Numbers, used: Numbers, table: Table) -> None:
    table_keys, table_counts = table
    most, limit = len(kept), _FREE
    if used[0] == most:
        limit = kept[most - 1]
    held = _load(table_keys, table_counts, kept, counts, used[0])
    for row in range(len(hashes)):
        if missing[row] == 0 and hashes[row] <= limit:
            held += _count(table_keys, table_counts, hashes[row], 1)
            if held > _CROWDED:
                held = _unload(table_keys, table_counts, kept, counts)
                limit = kept[held - 1]
                _load(table_keys, table_counts, kept, counts, held)
    used[0] = _unload(table_keys, table_counts, kept, counts)
