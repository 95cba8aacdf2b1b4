# SPDX-License-Identifier: Apache-2.0
"""BLAKE3 over 64 inputs at once, compiled by numba: lane l of every word belongs to input l.

The loop over lanes is the one that the compiler turns into vector instructions, so state and message are kept as
`[word * LANES + lane]`. Flags, counters and the tree are those of the BLAKE3 paper; results equal the `blake3` package.

    >>> hash_rows(matrix, into)  # doctest: +SKIP
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from lineagekit.identity.tables.engine import Hashes, Words

LANES = 64
CHUNK = 1024  # bytes of a BLAKE3 chunk: longer inputs need its tree
INLINE = 39  # longest value that a slot holds itself

_u32, _u64 = np.uint32, np.uint64
Lanes = npt.NDArray[np.uint32]  # [word * LANES + lane]
State = Message = tuple[np.uint32, ...]  # sixteen
_IV = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19], np.uint32
)
_IV0, _IV1, _IV2, _IV3 = (np.uint32(word) for word in _IV[:4])
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8  # flags
_DEEPEST = 54  # levels of the tree of 2**64 bytes


@njit(nogil=True, cache=True)
def _mix(a: _u32, b: _u32, c: _u32, d: _u32, x: _u32, y: _u32) -> State:
    a = _u32(a + b + x)
    d = _u32(d ^ a)
    d = _u32((d >> _u32(16)) | (d << _u32(16)))
    c = _u32(c + d)
    b = _u32(b ^ c)
    b = _u32((b >> _u32(12)) | (b << _u32(20)))
    a = _u32(a + b + y)
    d = _u32(d ^ a)
    d = _u32((d >> _u32(8)) | (d << _u32(24)))
    c = _u32(c + d)
    b = _u32(b ^ c)
    b = _u32((b >> _u32(7)) | (b << _u32(25)))
    return a, b, c, d


@njit(nogil=True, cache=True)
def _round(v: State, m: Message) -> State:
    a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3 = v
    a0, b0, c0, d0 = _mix(a0, b0, c0, d0, m[0], m[1])
    a1, b1, c1, d1 = _mix(a1, b1, c1, d1, m[2], m[3])
    a2, b2, c2, d2 = _mix(a2, b2, c2, d2, m[4], m[5])
    a3, b3, c3, d3 = _mix(a3, b3, c3, d3, m[6], m[7])
    a0, b1, c2, d3 = _mix(a0, b1, c2, d3, m[8], m[9])
    a1, b2, c3, d0 = _mix(a1, b2, c3, d0, m[10], m[11])
    a2, b3, c0, d1 = _mix(a2, b3, c0, d1, m[12], m[13])
    a3, b0, c1, d2 = _mix(a3, b0, c1, d2, m[14], m[15])
    return a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3


@njit(nogil=True, cache=True)
def _permuted(m: Message) -> Message:
    return m[2], m[6], m[3], m[10], m[7], m[0], m[4], m[13], m[1], m[11], m[12], m[5], m[9], m[14], m[15], m[8]


@njit(nogil=True, cache=True)
def _load_state(cv: Lanes, lane: int, counter: _u32, length: _u32, flags: _u32) -> State:
    return (
        *(cv[lane], cv[LANES + lane], cv[2 * LANES + lane], cv[3 * LANES + lane]),
        *(cv[4 * LANES + lane], cv[5 * LANES + lane], cv[6 * LANES + lane], cv[7 * LANES + lane]),
        *(_IV0, _IV1, _IV2, _IV3, counter, _u32(0), length, flags),
    )


@njit(nogil=True, cache=True)
def _load_message(m: Lanes, lane: int) -> Message:
    return (
        *(m[lane], m[LANES + lane], m[2 * LANES + lane], m[3 * LANES + lane]),
        *(m[4 * LANES + lane], m[5 * LANES + lane], m[6 * LANES + lane], m[7 * LANES + lane]),
        *(m[8 * LANES + lane], m[9 * LANES + lane], m[10 * LANES + lane], m[11 * LANES + lane]),
        *(m[12 * LANES + lane], m[13 * LANES + lane], m[14 * LANES + lane], m[15 * LANES + lane]),
    )


@njit(nogil=True, cache=True)
def compress(cv: Lanes, message: Lanes, counter: _u32, lengths: Lanes, flags: _u32) -> None:
    """One block of all lanes into their chaining values; the seven rounds stand apart, so that lanes vectorise."""
    for lane in range(LANES):
        v, m = _load_state(cv, lane, counter, lengths[lane], flags), _load_message(message, lane)
        v, m = _round(v, m), _permuted(m)
        v, m = _round(v, m), _permuted(m)
        v, m = _round(v, m), _permuted(m)
        v, m = _round(v, m), _permuted(m)
        v, m = _round(v, m), _permuted(m)
        v, m = _round(v, m), _permuted(m)
        v = _round(v, m)
        cv[lane], cv[LANES + lane] = v[0] ^ v[8], v[1] ^ v[9]
        cv[2 * LANES + lane], cv[3 * LANES + lane] = v[2] ^ v[10], v[3] ^ v[11]
        cv[4 * LANES + lane], cv[5 * LANES + lane] = v[4] ^ v[12], v[5] ^ v[13]
        cv[6 * LANES + lane], cv[7 * LANES + lane] = v[6] ^ v[14], v[7] ^ v[15]


@njit(nogil=True, cache=True)
def start(cv: Lanes) -> None:
    """Set all lanes' chaining values to the first ones."""
    for word in range(8):
        cv[word * LANES : (word + 1) * LANES] = _IV[word]


@njit(nogil=True, cache=True)
def _join(stack: Lanes, depth: int, cv: Lanes, message: Lanes, lengths: Lanes, flags: int) -> None:
    """Replace cv by the parent of the top of the stack and cv."""
    message[: 8 * LANES] = stack[depth]
    message[8 * LANES :] = cv
    lengths[:] = 64
    start(cv)
    compress(cv, message, _u32(0), lengths, _u32(flags))


@njit(nogil=True, cache=True)
def _load_block(matrix: Words, first_row: int, rows: int, word: int, end: int, message: Lanes) -> None:
    """Eight 64-bit words of each row as sixteen message words; past the end of the chunk they are zero."""
    for k in range(8):
        low, high = 2 * k * LANES, (2 * k + 1) * LANES
        if word + k < end:
            for lane in range(rows):
                x = matrix[word + k, first_row + lane]
                message[low + lane] = _u32(x)
                message[high + lane] = _u32(x >> _u64(32))
        else:
            message[low : high + LANES] = 0


@njit(nogil=True, cache=True)
def hash_rows(matrix: Words, into: Hashes) -> None:
    """BLAKE3-256 of each row: `matrix` is [words, rows], `into` [rows, 4]."""
    words, rows = matrix.shape
    chunks = max(1, (8 * words + CHUNK - 1) // CHUNK)
    cv, message, lengths = np.empty(8 * LANES, _u32), np.zeros(16 * LANES, _u32), np.empty(LANES, _u32)
    stack = np.empty((_DEEPEST, 8 * LANES), _u32)
    for first_row in range(0, rows, LANES):
        lanes, depth = min(LANES, rows - first_row), 0
        for chunk in range(chunks):
            first, last = chunk * (CHUNK // 8), min(words, (chunk + 1) * (CHUNK // 8))
            blocks = max(1, (last - first + 7) // 8)
            start(cv)
            for block in range(blocks):
                word = first + 8 * block
                _load_block(matrix, first_row, lanes, word, last, message)
                flags = CHUNK_START if block == 0 else 0
                if block == blocks - 1:
                    flags |= CHUNK_END | (ROOT if chunks == 1 else 0)
                lengths[:] = 8 * min(8, last - word)
                compress(cv, message, _u32(chunk), lengths, _u32(flags))
            done = chunk + 1
            while chunk < chunks - 1 and done & 1 == 0:  # a full pair: its parent takes its place
                depth -= 1
                _join(stack, depth, cv, message, lengths, PARENT)
                done >>= 1
            if chunk < chunks - 1:
                stack[depth] = cv
                depth += 1
        while depth > 0:
            depth -= 1
            _join(stack, depth, cv, message, lengths, PARENT | (ROOT if depth == 0 else 0))
        for lane in range(lanes):
            for k in range(4):
                low, high = cv[2 * k * LANES + lane], cv[(2 * k + 1) * LANES + lane]
                into[first_row + lane, k] = _u64(low) | (_u64(high) << _u64(32))
