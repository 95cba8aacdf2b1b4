# SPDX-License-Identifier: Apache-2.0
"""Compiled: numbers, nulls and dictionary indices to the words of rows.

>>> copy_floats(np.array([1.0]).view(np.uint64), into)  # doctest: +SKIP
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from lineagekit.identity.tables.engine import Bytes, Numbers, Words

_u64 = np.uint64
_NAN = _u64(0x7FF8_0000_0000_0000)
_INFINITY = _u64(0x7FF0_0000_0000_0000)
_ABSOLUTE = _u64(0x7FFF_FFFF_FFFF_FFFF)


@njit(nogil=True, cache=True)
def copy_floats(values: Words, into: Words) -> None:
    """Doubles as they are, with one NaN."""
    for i in range(len(values)):
        into[i] = _NAN if values[i] & _ABSOLUTE > _INFINITY else values[i]


@njit(nogil=True, cache=True)
def widen_floats(values: Numbers, into_floats: npt.NDArray[np.float64], into: Words) -> None:
    """Floats as doubles, with one NaN."""
    for i in range(len(values)):
        if values[i] != values[i]:
            into[i] = _NAN
        else:
            into_floats[i] = values[i]


@njit(nogil=True, cache=True)
def widen_integers(values: Numbers, into: Words) -> None:
    """Integers of any width, extended to 64 bits."""
    for i in range(len(values)):
        into[i] = _u64(np.int64(values[i]))


@njit(nogil=True, cache=True)
def mark_nulls(valid: Bytes, offset: int, words: Words, bits: Words, mark: np.uint64) -> None:
    """Zero the words of null rows and set their bit."""
    for row in range(words.shape[1]):
        at = offset + row
        if (valid[at >> 3] >> (at & 7)) & 1 == 0:
            words[:, row] = 0
            bits[row] |= mark


@njit(nogil=True, cache=True)
def take(dictionary: Words, indices: Numbers, into: Words) -> None:
    """Copy column `indices[i]` of the dictionary to row i."""
    for word in range(into.shape[0]):
        for row in range(len(indices)):
            into[word, row] = dictionary[word, indices[row]]
