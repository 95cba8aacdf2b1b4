# SPDX-License-Identifier: Apache-2.0
"""Compiled: values of any length to 40-byte slots. Values of equal block count are hashed 64 at a time.

>>> late = write_slots(data, offsets, 1, into)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from lineagekit.identity.tables.engine import Bytes, Numbers, Words
from lineagekit.identity.tables.lanes import (
    CHUNK,
    CHUNK_END,
    CHUNK_START,
    INLINE,
    LANES,
    ROOT,
    Lanes,
    compress,
    start,
)

_u32, _u64 = np.uint32, np.uint64
_BLOCK = 64
_LONGEST = CHUNK // _BLOCK  # blocks of a value without a tree
_HASHED = _u64(0xFF) << _u64(56)  # last byte of a slot that holds a hash


@intrinsic
def _full_word(_: Any, data: Any, first: Any) -> Any:
    """Eight bytes as a little-endian word, in one unaligned load: byte by byte it is three times slower."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bytes_ = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(bytes_, [args[1]]), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(data, first), generate


@njit(nogil=True, cache=True)
def _word(data: Bytes, first: int, length: int) -> _u64:
    """Up to eight bytes as a little-endian word, the rest zero."""
    if length <= 0:
        return _u64(0)
    if first + 8 <= len(data):
        word = _full_word(data, first)
        return word if length >= 8 else word & ((_u64(1) << _u64(8 * length)) - _u64(1))
    word = _u64(0)
    for k in range(min(8, length)):
        word |= _u64(data[first + k]) << _u64(8 * k)
    return word


@njit(nogil=True, cache=True)
def _write_inline(data: Bytes, first: int, length: int, row: int, into: Words) -> None:
    for k in range(5):
        word, here = _u64(0), length - 8 * k
        if here >= 8:
            word = _full_word(data, first + 8 * k)
        else:
            for j in range(here):
                word |= _u64(data[first + 8 * k + j]) << _u64(8 * j)
        into[k, row] = word if k < 4 else word | (_u64(length) << _u64(56))


@njit(nogil=True, cache=True)
def _load_block(data: Bytes, first: int, length: int, lane: int, message: Lanes) -> None:
    if length == _BLOCK:
        for k in range(8):
            word = _full_word(data, first + 8 * k)
            message[2 * k * LANES + lane], message[(2 * k + 1) * LANES + lane] = _u32(word), _u32(word >> _u64(32))
    else:
        for k in range(8):
            word = _word(data, first + 8 * k, length - 8 * k)
            message[2 * k * LANES + lane], message[(2 * k + 1) * LANES + lane] = _u32(word), _u32(word >> _u64(32))


@njit(nogil=True, cache=True)
def _by_block_count(offsets: Numbers, scale: int, starts: Numbers) -> Numbers:
    """Rows of hashed values, sorted by their number of blocks: those of n blocks start at starts[n]."""
    order, place = np.empty(starts[_LONGEST + 1], np.int64), starts.copy()
    for row in range(len(offsets) - 1):
        length = (offsets[row + 1] - offsets[row]) * scale
        if INLINE < length <= CHUNK:
            blocks = (length + _BLOCK - 1) >> 6
            order[place[blocks]] = row
            place[blocks] += 1
    return order


@njit(nogil=True, cache=True)
def _hash_equal(data: Bytes, offsets: Numbers, scale: int, rows: Numbers, blocks: int, into: Words) -> None:
    """Hash values of equal block count into their slots, 64 at a time."""
    cv, message, lengths = np.empty(8 * LANES, _u32), np.zeros(16 * LANES, _u32), np.zeros(LANES, _u32)
    for at in range(0, len(rows), LANES):
        lanes = min(LANES, len(rows) - at)
        start(cv)
        for block in range(blocks):
            last = block == blocks - 1
            for lane in range(lanes):
                row = rows[at + lane]
                first = offsets[row] * scale + _BLOCK * block
                length = offsets[row + 1] * scale - first if last else _BLOCK
                _load_block(data, first, length, lane, message)
                lengths[lane] = length
            flags = (CHUNK_START if block == 0 else 0) | (CHUNK_END | ROOT if last else 0)
            compress(cv, message, _u32(0), lengths, _u32(flags))
        for lane in range(lanes):
            row = rows[at + lane]
            for k in range(4):
                low, high = cv[2 * k * LANES + lane], cv[(2 * k + 1) * LANES + lane]
                into[k, row] = _u64(low) | (_u64(high) << _u64(32))
            into[4, row] = _HASHED


@njit(nogil=True, cache=True)
def write_slots(data: Bytes, offsets: Numbers, scale: int, into: Words) -> Numbers:
    """Fill the slots of all values but those that need BLAKE3's tree: their rows are returned."""
    late, starts = np.empty(len(offsets) - 1, np.int64), np.zeros(_LONGEST + 2, np.int64)
    count = 0
    for row in range(len(offsets) - 1):
        first = offsets[row] * scale
        length = offsets[row + 1] * scale - first
        if length <= INLINE:
            _write_inline(data, first, length, row, into)
        elif length <= CHUNK:
            starts[((length + _BLOCK - 1) >> 6) + 1] += 1
        else:
            late[count] = row
            count += 1
    if starts.any():
        for blocks in range(1, _LONGEST + 2):
            starts[blocks] += starts[blocks - 1]
        order = _by_block_count(offsets, scale, starts)
        for blocks in range(1, _LONGEST + 1):
            _hash_equal(data, offsets, scale, order[starts[blocks] : starts[blocks + 1]], blocks, into)
    return late[:count]
