# SPDX-License-Identifier: Apache-2.0
"""Cell and row hashes of 64 bits: what tells equal from different while two tables are compared, and never a digest.

Words of a cell are those of the table digest, so that encodings do not show; the hash is that of a profile's column
sums. A row is the sum of its cells, each times an odd number of its column, mixed once more.

    >>> cells = hash_cells(Layout.of(pa.schema([("", pa.int64())])), pa.array([1, None]))
    >>> len(set(cells.tolist()))
    2
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types as t

from lineagekit.identity.tables.cells import cells_of, write_rows
from lineagekit.identity.tables.engine import Engine, choose_engine
from lineagekit.identity.tables.layout import Layout
from lineagekit.identity.tables.pure_tally import SEED, mix

Numbers = npt.NDArray[np.uint64]

_STEPS = ((np.uint64(30), np.uint64(0xBF58_476D_1CE4_E5B9)), (np.uint64(27), np.uint64(0x94D0_49BB_1331_11EB)))
_LAST = np.uint64(31)
_NO_NULLS = mix(np.array([SEED]))[0]


def layout_of(type_: pa.DataType) -> Layout:
    """The plan of a table of this one column; UnsupportedTypeError for a type without a canonical form."""
    return Layout.of(pa.schema([("", type_)]))


def hash_cells(layout: Layout, array: pa.Array, engine: Engine | None = None) -> Numbers:
    """The hash of each cell."""
    engine = engine or choose_engine(words=0)
    ready = cells_of(layout, pa.record_batch([array], names=[""]), engine)
    matrix = np.empty((layout.words, len(array)), np.uint64)
    write_rows(layout, ready, 0, matrix, engine)
    plain = layout.bitmap_words == 1 and not _may_hold_nulls(array)
    cells = np.full(len(array), _NO_NULLS if plain else SEED)
    scratch = np.empty_like(cells)
    for word in matrix[1 if plain else 0 :]:
        np.bitwise_xor(cells, word, out=cells)
        mix_in_place(cells, scratch)
    return cells


def _may_hold_nulls(array: pa.Array) -> bool:
    """A dictionary, a run or a struct may, though none is counted on top."""
    type_ = array.type
    is_wrapped = t.is_dictionary(type_) or t.is_run_end_encoded(type_) or t.is_struct(type_)
    return bool(is_wrapped or array.null_count or isinstance(array, pa.ExtensionArray))


def mix_in_place(numbers: Numbers, scratch: Numbers) -> None:
    """splitmix64's finaliser, without a new array at each of its steps."""
    for shift, factor in _STEPS:
        np.right_shift(numbers, shift, out=scratch)
        np.bitwise_xor(numbers, scratch, out=numbers)
        np.multiply(numbers, factor, out=numbers)
    np.right_shift(numbers, _LAST, out=scratch)
    np.bitwise_xor(numbers, scratch, out=numbers)


def factors(columns: int) -> Numbers:
    """An odd number for each column."""
    return mix(np.arange(1, columns + 1, dtype=np.uint64) * SEED) | np.uint64(1)


def total(numbers: Numbers) -> int:
    """The sum of hashes, by which a column or a table is compared whatever the order."""
    return int(numbers.sum(dtype=np.uint64))
