# SPDX-License-Identifier: Apache-2.0
"""From Arrow arrays to the words of rows: one function a kind of node.

>>> matrix = np.empty((layout.words, batch.num_rows), np.uint64)  # doctest: +SKIP
>>> write_rows(layout, cells_of(layout, batch), 0, matrix, engine)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types as t

from lineagekit.identity.tables.engine import Bytes, Engine, Numbers, Words
from lineagekit.identity.tables.layout import Layout, Node
from lineagekit.identity.tables.logical import element_type, packed_width

_MILLISECONDS_A_DAY = 86_400_000
_NAN = {2: 0x7E00, 4: 0x7FC0_0000, 8: 0x7FF8_0000_0000_0000}
_NOTHING: Bytes = np.zeros(8, np.uint8)
_INTEGERS = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
_PLAIN_NUMBERS = frozenset(type_.id for type_ in (*_INTEGERS, pa.float32(), pa.float64(), pa.timestamp("us")))
_PLAIN = _PLAIN_NUMBERS | {type_.id for type_ in (pa.bool_(), pa.string(), pa.large_string())}


@dataclass(frozen=True, slots=True)
class Cells:
    """A batch made ready: plain numbers as views, so that a block of rows costs a slice; the rest as arrays."""

    numbers: tuple[tuple[int, Numbers], ...]  # (word, values)
    others: tuple[tuple[Node, pa.Array], ...]


def cells_of(layout: Layout, batch: pa.RecordBatch) -> Cells:
    """Sort the columns of a batch, which are in stored order, by how they are written."""
    numbers, others = [], []
    for node, place in zip(layout.nodes, layout.order, strict=True):
        array = batch.column(place)
        if node.kind == "word" and array.type.id in _PLAIN_NUMBERS and not array.null_count:
            numbers.append((layout.bitmap_words + node.first, _numbers(array)))
        else:
            others.append((node, array))
    return Cells(tuple(numbers), tuple(others))


def write_rows(layout: Layout, cells: Cells, first: int, matrix: Words, engine: Engine) -> None:
    """Fill `matrix` with the words of rows from `first` on."""
    rows = matrix.shape[1]
    matrix[: layout.bitmap_words] = 0
    for word, values in cells.numbers:
        engine.widen(values[first : first + rows], matrix[word])
    for node, array in cells.others:
        _write(node, array.slice(first, rows), matrix, layout.bitmap_words, engine)


def _write(node: Node, array: pa.Array, matrix: Words, base: int, engine: Engine) -> None:
    array = _physical(array)
    words = range(base + node.first, base + node.first + node.words)
    if t.is_dictionary(array.type):
        if node.kind in ("word", "decimal", "bytes") and _worth_taking(array):
            _write_dictionary(node, array, matrix[words.start : words.stop], engine)
            if array.null_count:
                engine.mark_nulls(array, matrix, words, node.bit)
            return
        array = _physical(array.dictionary_decode())
    if node.kind == "struct":
        for field, values in zip(node.fields, array.flatten(), strict=True):
            _write(field, values, matrix, base, engine)
        words = range(0)  # the fields have zeroed their own
    else:
        _WRITERS[node.kind](node, array, matrix[words.start : words.stop], engine)
    if array.null_count:
        engine.mark_nulls(array, matrix, words, node.bit)


def _physical(array: pa.Array) -> pa.Array:
    """Storage with offsets or fixed width; dictionaries stay, since their values need writing only once."""
    if array.type.id in _PLAIN:
        return array
    if isinstance(array, pa.ExtensionArray):
        return _physical(array.storage)
    if t.is_run_end_encoded(array.type):
        from pyarrow.compute import run_end_decode  # 20 ms to import, and hardly a file has these

        return _physical(run_end_decode(array))
    if t.is_string_view(array.type) or t.is_binary_view(array.type):
        return array.cast(pa.large_binary())
    if t.is_list_view(array.type) or t.is_large_list_view(array.type):
        return array.cast(pa.large_list(array.type.value_type))
    return array


def _worth_taking(array: pa.DictionaryArray) -> bool:
    dictionary = array.dictionary
    return len(dictionary) <= max(1024, 4 * len(array)) and not dictionary.null_count


def _write_dictionary(node: Node, array: pa.DictionaryArray, into: Words, engine: Engine) -> None:
    values = array.dictionary
    words = np.zeros((node.words, max(1, len(values))), np.uint64)
    if len(values):
        _WRITERS[node.kind](node, _physical(values), words, engine)
    indices = _numbers(array.indices).astype(np.int64)
    if array.null_count:
        indices[_null_mask(array)] = 0
    engine.take(words, indices, into)


def _write_word(_: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    if t.is_boolean(array.type):
        into[0] = _booleans(array)
    elif t.is_date64(array.type):
        into[0] = (_numbers(array) // _MILLISECONDS_A_DAY).view(np.uint64)
    else:
        engine.widen(_numbers(array), into[0])


def _write_decimal(node: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    width = 64 * node.words
    if array.type.bit_width != width:
        wide = pa.decimal128 if node.words == 2 else pa.decimal256
        array = array.cast(wide(array.type.precision, array.type.scale))
    into[:] = _fixed(array, np.dtype(np.uint64), node.words).T


def _write_bytes(_: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    if t.is_fixed_size_binary(array.type):
        data, offsets, scale = (
            _buffer(array, 1),
            np.arange(array.offset, array.offset + len(array) + 1),
            array.type.byte_width,
        )
    else:
        data, offsets, scale = _buffer(array, 2), _offsets(array), 1
    engine.write_slots(data, offsets, scale, into)


def _write_list(node: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    offsets, child = _list_parts(array)
    first, last = int(offsets[0]), int(offsets[-1])
    into[0] = np.diff(offsets).astype(np.int64).view(np.uint64)
    items, offsets = child.slice(first, last - first), offsets - offsets.dtype.type(first)
    if node.element is not None:
        body, scale = _element_rows(node.element, items, engine), 8 * node.element.words
    else:
        items = _decoded(items)
        body, scale = _packed(items), packed_width(element_type(node.type)) or 1
        if items.null_count:
            body, offsets = _with_null_bitmaps(body.reshape(-1, scale), _null_mask(items), offsets.tolist())
            scale = 1
    engine.write_slots(body, offsets, scale, into[1:])


def _write_null(_: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    """No slot: the null bit says it all."""


_WRITERS: dict[str, Callable[[Node, Any, Words, Engine], None]] = {
    "null": _write_null,
    "word": _write_word,
    "decimal": _write_decimal,
    "bytes": _write_bytes,
    "list": _write_list,
}


def _element_rows(layout: Layout, items: pa.Array, engine: Engine) -> Bytes:
    """Each element as a one-column row, one after the other."""
    matrix = np.zeros((layout.words, len(items)), np.uint64)
    if len(items):
        _write(layout.nodes[0], items, matrix, layout.bitmap_words, engine)
    return np.ascontiguousarray(matrix.T).reshape(-1).view(np.uint8) if len(items) else _NOTHING


def _list_parts(array: pa.Array) -> tuple[Numbers, pa.Array]:
    type_ = array.type
    if t.is_fixed_size_list(type_):
        return np.arange(array.offset, array.offset + len(array) + 1, dtype=np.int64) * type_.list_size, array.values
    if t.is_map(type_):
        entries = pa.StructArray.from_arrays([array.keys, array.items], fields=list(element_type(type_)))
        return _offsets(array), entries
    return _offsets(array), array.values


def _decoded(items: pa.Array) -> pa.Array:
    items = _physical(items)
    return _decoded(items.dictionary_decode()) if t.is_dictionary(items.type) else items


def _packed(items: pa.Array) -> Bytes:
    """Elements at their native width, one NaN; nulls are zeroed by the caller."""
    if not len(items):
        return _NOTHING
    if t.is_boolean(items.type):
        return _booleans(items)
    values = _numbers(items)
    if t.is_date64(items.type):
        values = (values // _MILLISECONDS_A_DAY).astype("<i4")
    if values.dtype.kind == "f" and (nans := np.isnan(values)).any():
        values = values.copy()
        values.view(f"<u{values.itemsize}")[nans] = _NAN[values.itemsize]
    return np.ascontiguousarray(values).view(np.uint8)


def _with_null_bitmaps(items: Bytes, nulls: Any, offsets: list[int]) -> tuple[Bytes, Numbers]:
    """Append a null bitmap to each list that holds a null, and only to those."""
    items = np.where(nulls[:, None], np.uint8(0), items)
    bodies = []
    for first, last in pairwise(offsets):
        missing = nulls[first:last]
        bitmap = np.packbits(missing, bitorder="little").tobytes() if missing.any() else b""
        bodies.append(items[first:last].tobytes() + bitmap)
    ends = np.cumsum([0, *map(len, bodies)], dtype=np.int64)
    return np.frombuffer(b"".join(bodies) + bytes(_NOTHING), np.uint8), ends


# Views of Arrow's buffers: no copy, the array's own offset applied.


def _numbers(array: pa.Array) -> Numbers:
    type_ = array.type
    if t.is_floating(type_):
        dtype = np.dtype(f"<f{type_.bit_width // 8}")
    else:
        dtype = np.dtype(f"<{'u' if t.is_unsigned_integer(type_) else 'i'}{type_.bit_width // 8}")
    return _fixed(array, dtype, 1).reshape(-1)


def _fixed(array: pa.Array, dtype: np.dtype[Any], width: int) -> Numbers:
    end = array.offset + len(array)
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros((len(array), width), dtype)
    return np.frombuffer(buffer, dtype, end * width).reshape(-1, width)[array.offset :]


def _offsets(array: pa.Array) -> Numbers:
    type_ = array.type
    large = t.is_large_string(type_) or t.is_large_binary(type_) or t.is_large_list(type_)
    buffer = array.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(len(array) + 1, np.int64)
    return np.frombuffer(buffer, "<i8" if large else "<i4", array.offset + len(array) + 1)[array.offset :]


def _buffer(array: pa.Array, place: int) -> Bytes:
    buffer = array.buffers()[place]
    return np.frombuffer(buffer, np.uint8) if buffer is not None and buffer.size else _NOTHING


def _booleans(array: pa.Array) -> Bytes:
    bits = _buffer(array, 1)
    return np.unpackbits(bits, bitorder="little", count=array.offset + len(array))[array.offset :]


def _null_mask(array: pa.Array) -> Any:
    return array.is_null().to_numpy(zero_copy_only=False)
