# SPDX-License-Identifier: Apache-2.0
"""The compiled engine (extra `fast`): the same loops as `pure`, through numba, without the GIL.

>>> choose_engine(words=10_000_000, name="fast").rows_at_once  # doctest: +SKIP
16384
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from blake3 import blake3

from lineagekit.identity.tables import compiled, lanes, pure, slots
from lineagekit.identity.tables.engine import Bytes, EngineName, Hashes, Numbers, Words
from lineagekit.identity.tables.fast_tally import tally as tally

name: EngineName = "fast"
rows_at_once = 16_384

_HASHED = np.uint64(0xFF << 56)


def widen(values: Numbers, into: Words) -> None:
    """Write numbers as 64-bit words: integers extended, floats as binary64 with one NaN."""
    if values.dtype == np.float64:
        compiled.copy_floats(values.view(np.uint64), into)
    elif values.dtype == np.float16:  # numba has no half precision
        pure.widen(values, into)
    elif values.dtype.kind == "f":
        compiled.widen_floats(values, into.view(np.float64), into)
    else:
        compiled.widen_integers(values, into)


def mark_nulls(array: pa.Array, matrix: Words, words: range, bit: int) -> None:
    """Zero the words of null rows and set their null bit."""
    validity = None if pa.types.is_null(array.type) else array.buffers()[0]
    if validity is None:  # null without a bitmap: the null type and what wraps other arrays
        pure.mark_nulls(array, matrix, words, bit)
        return
    valid = np.frombuffer(validity, np.uint8)
    compiled.mark_nulls(
        valid, array.offset, matrix[words.start : words.stop], matrix[bit // 64], np.uint64(1 << bit % 64)
    )


def write_slots(data: Bytes, offsets: Numbers, scale: int, into: Words) -> None:
    """Write each value as a 40-byte slot; the few beyond 1 KiB go through the blake3 package, tree and all."""
    late = slots.write_slots(data, offsets, scale, into)
    view = data.data
    for row in late.tolist():
        value = view[int(offsets[row]) * scale : int(offsets[row + 1]) * scale]
        into[:4, row] = np.frombuffer(blake3(value).digest(), "<u8")
        into[4, row] = _HASHED


def take(dictionary: Words, indices: Numbers, into: Words) -> None:
    """Copy column `indices[i]` of the dictionary's words to row i."""
    compiled.take(dictionary, indices, into)


def hash_rows(matrix: Words, into: Hashes) -> None:
    """BLAKE3-256 of each row's compiled."""
    lanes.hash_rows(matrix, into)
