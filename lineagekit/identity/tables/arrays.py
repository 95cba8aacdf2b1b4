# SPDX-License-Identifier: Apache-2.0
"""Arrow arrays as numpy sees them: encodings taken off, offsets applied, nothing copied that need not be.

Arrow's own casts and decoders are not asked where they are known to be wrong or missing: list views, run-ends of
dictionaries, dictionaries of views.

>>> numbers(pa.array([1, 2, 3]).slice(1))
array([2, 3])
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types as t

from lineagekit.errors import BadDataError
from lineagekit.identity.tables.engine import Bytes, Numbers

_INTEGERS = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
PLAIN_NUMBERS = frozenset(type_.id for type_ in (*_INTEGERS, pa.float32(), pa.float64(), pa.timestamp("us")))
_PLAIN = PLAIN_NUMBERS | {type_.id for type_ in (pa.bool_(), pa.string(), pa.large_string())}
NOTHING: Bytes = np.zeros(8, np.uint8)


def physical(array: pa.Array) -> pa.Array:
    """Storage with offsets or fixed width. A dictionary stays where its values need writing only once."""
    type_ = array.type
    if type_.id in _PLAIN:
        return array
    if isinstance(array, pa.ExtensionArray):
        return physical(array.storage)
    if t.is_run_end_encoded(type_):
        runs = np.searchsorted(numbers(array.run_ends), np.arange(len(array)) + array.offset, side="right")
        return physical(physical(array.values).take(pa.array(runs)))
    if t.is_dictionary(type_):
        return _dictionary(array)
    if t.is_string_view(type_) or t.is_binary_view(type_):
        return array.cast(pa.large_binary())
    return array


def _dictionary(array: pa.DictionaryArray) -> pa.Array:
    dictionary = array.dictionary
    values = physical(dictionary)
    _require_indices(array.indices, len(values))
    if len(values) > max(1024, 4 * len(array)) or values.null_count or t.is_dictionary(values.type):
        return physical(values.take(array.indices))
    return array if values is dictionary else pa.DictionaryArray.from_arrays(array.indices, values)


def _require_indices(indices: pa.Array, size: int) -> None:
    """Arrow checks none when it reads a file, and a wrong one would hash whatever lies in memory."""
    places = numbers(indices)
    if indices.null_count:
        places = places[~null_mask(indices)]
    if len(places) and not (places.min() >= 0 and places.max() < size):
        worst = places.min() if places.min() < 0 else places.max()
        raise BadDataError(f"a dictionary index is out of range: got {worst}, expected 0 to {size - 1}")


def plain(array: pa.Array) -> pa.Array:
    """Physical, and no dictionary either."""
    array = physical(array)
    return physical(array.dictionary.take(array.indices)) if t.is_dictionary(array.type) else array


def list_parts(array: pa.Array) -> tuple[Numbers, pa.Array]:
    """Offsets, one more than lists, and the items that they cut; a map's items are structs of key and value."""
    type_ = array.type
    if t.is_fixed_size_list(type_):
        return np.arange(array.offset, array.offset + len(array) + 1, dtype=np.int64) * type_.list_size, array.values
    if t.is_list_view(type_) or t.is_large_list_view(type_):  # in any order, overlapping: laid out one by one
        sizes = numbers(array.sizes).astype(np.int64)
        sizes[null_mask(array)] = 0
        return np.concatenate([[0], np.cumsum(sizes)]), array.flatten()
    return offsets(array), array.values


def numbers(array: pa.Array) -> Numbers:
    """Values of a fixed-width number, nulls undefined."""
    type_ = array.type
    if t.is_floating(type_):
        dtype = np.dtype(f"<f{type_.bit_width // 8}")
    else:
        dtype = np.dtype(f"<{'u' if t.is_unsigned_integer(type_) else 'i'}{type_.bit_width // 8}")
    return fixed(array, dtype, 1).reshape(-1)


def fixed(array: pa.Array, dtype: np.dtype[Any], width: int) -> Numbers:
    """Rows of `width` items of a fixed-width array."""
    end = array.offset + len(array)
    data = array.buffers()[1]
    if data is None:
        return np.zeros((len(array), width), dtype)
    return np.frombuffer(data, dtype, end * width).reshape(-1, width)[array.offset :]


def offsets(array: pa.Array) -> Numbers:
    """Offsets of a text, binary, list or map array."""
    type_ = array.type
    large = t.is_large_string(type_) or t.is_large_binary(type_) or t.is_large_list(type_)
    data = array.buffers()[1]
    if data is None or not data.size:
        return np.zeros(len(array) + 1, np.int64)
    return np.frombuffer(data, "<i8" if large else "<i4", array.offset + len(array) + 1)[array.offset :]


def buffer(array: pa.Array, place: int) -> Bytes:
    """A buffer as bytes; an absent one as nothing."""
    data = array.buffers()[place]
    return np.frombuffer(data, np.uint8) if data is not None and data.size else NOTHING


def booleans(array: pa.Array) -> Bytes:
    """Bits as bytes of 0 and 1."""
    bits = buffer(array, 1)
    return np.unpackbits(bits, bitorder="little", count=array.offset + len(array))[array.offset :]


def null_mask(array: pa.Array) -> Any:
    """True where a row is null."""
    return array.is_null().to_numpy(zero_copy_only=False)
