# SPDX-License-Identifier: Apache-2.0
"""The engine that runs everywhere: pyarrow, numpy and blake3, no compiler.

>>> rows_at_once
65536
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from blake3 import blake3

from lineagekit.identity.tables.engine import Bytes, EngineName, Hashes, Numbers, Words
from lineagekit.identity.tables.pure_tally import tally as tally

name: EngineName = "pure"
rows_at_once = 65_536

_NAN = np.uint64(0x7FF8_0000_0000_0000)
_SLOT = 40  # bytes
_INLINE = 39  # longest value that a slot holds itself; its last byte is the length


def widen(values: Numbers, into: Words) -> None:
    """Write numbers as 64-bit words: integers extended, floats as binary64 with one NaN."""
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
            wide = values.astype(np.float64)
        into[:] = wide.view(np.uint64)
        into[np.isnan(wide)] = _NAN
    else:
        into[:] = values if values.dtype.kind == "u" else values.astype(np.int64).view(np.uint64)


def mark_nulls(array: pa.Array, matrix: Words, words: range, bit: int) -> None:
    """Zero the words of null rows and set their null bit."""
    nulls = array.is_null().to_numpy(zero_copy_only=False)
    matrix[words.start : words.stop, nulls] = 0
    matrix[bit // 64, nulls] |= np.uint64(1 << bit % 64)


def write_slots(data: Bytes, offsets: Numbers, scale: int, into: Words) -> None:
    """Write each value as a 40-byte slot: up to 39 bytes themselves, longer ones by their BLAKE3."""
    view, ends = data.data, (offsets.astype(np.int64) * scale).tolist()
    slots = bytearray(_SLOT * (len(ends) - 1))
    hasher = blake3()
    for slot, first, last in zip(range(0, len(slots), _SLOT), ends, ends[1:], strict=False):
        if last - first <= _INLINE:
            slots[slot : slot + last - first] = view[first:last]
            slots[slot + _INLINE] = last - first
        else:
            hasher.reset()
            hasher.update(view[first:last])
            slots[slot : slot + 32] = hasher.digest()
            slots[slot + _INLINE] = 0xFF
    into[:] = np.frombuffer(slots, "<u8").reshape(-1, _SLOT // 8).T


def take(dictionary: Words, indices: Numbers, into: Words) -> None:
    """Copy column `indices[i]` of the dictionary's words to row i."""
    np.take(dictionary, indices, axis=1, out=into)


def hash_rows(matrix: Words, into: Hashes) -> None:
    """BLAKE3-256 of each row's words."""
    words, rows = matrix.shape
    view, width = np.ascontiguousarray(matrix.T).reshape(-1).view(np.uint8).data, 8 * words
    digests = bytearray(32 * rows)
    hasher = blake3()
    for row in range(rows):
        hasher.reset()
        hasher.update(view[row * width : (row + 1) * width])
        digests[32 * row : 32 * row + 32] = hasher.digest()
    into[:] = np.frombuffer(digests, "<u8").reshape(-1, 4)
