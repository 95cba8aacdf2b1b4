# SPDX-License-Identifier: Apache-2.0
"""From Arrow arrays to the words of rows: one function a kind of node.

>>> matrix = np.empty((layout.words, batch.num_rows), np.uint64)  # doctest: +SKIP
>>> write_rows(layout, cells_of(layout, batch, engine), 0, matrix, engine)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types as t

from lineagekit.errors import BadDataError
from lineagekit.identity.tables.arrays import (
    NOTHING,
    PLAIN_NUMBERS,
    booleans,
    buffer,
    fixed,
    list_parts,
    null_mask,
    numbers,
    offsets,
    physical,
    plain,
)
from lineagekit.identity.tables.engine import Bytes, Engine, Numbers, Words
from lineagekit.identity.tables.layout import Layout, Node
from lineagekit.identity.tables.logical import element_type, packed_width

_MILLISECONDS_A_DAY = 86_400_000
_TAKEN = ("word", "decimal", "bytes")  # kinds whose dictionaries are written once
_NAN = {2: 0x7E00, 4: 0x7FC0_0000, 8: 0x7FF8_0000_0000_0000}


@dataclass(frozen=True, slots=True)
class Cells:
    """A batch made ready: what can be done once for all its blocks of rows is done."""

    numbers: tuple[tuple[int, Numbers], ...]  # word, values without nulls
    dictionaries: tuple[tuple[Node, Words, Numbers, pa.Array], ...]  # words of the values, indices, for its nulls
    others: tuple[tuple[Node, pa.Array], ...]


def cells_of(layout: Layout, batch: pa.RecordBatch, engine: Engine) -> Cells:
    """Sort the columns of a batch, which are in stored order, by how they are written."""
    plain_ones, dictionaries, others = [], [], []
    for node, place in zip(layout.nodes, layout.order, strict=True):
        array = physical(batch.column(place))
        if node.kind == "word" and array.type.id in PLAIN_NUMBERS and not array.null_count:
            plain_ones.append((layout.bitmap_words + node.first, numbers(array)))
        elif t.is_dictionary(array.type) and node.kind in _TAKEN:
            dictionaries.append((node, _value_words(node, array, engine), _indices(array), array))
        else:
            others.append((node, array))
    return Cells(tuple(plain_ones), tuple(dictionaries), tuple(others))


def write_rows(layout: Layout, cells: Cells, first: int, matrix: Words, engine: Engine) -> None:
    """Fill `matrix` with the words of rows from `first` on."""
    rows, base = matrix.shape[1], layout.bitmap_words
    matrix[:base] = 0
    for word, values in cells.numbers:
        engine.widen(values[first : first + rows], matrix[word])
    for node, words, indices, array in cells.dictionaries:
        place = range(base + node.first, base + node.first + node.words)
        engine.take(words, indices[first : first + rows], matrix[place.start : place.stop])
        if array.null_count:
            engine.mark_nulls(array.slice(first, rows), matrix, place, node.bit)
    for node, array in cells.others:
        _write(node, array.slice(first, rows), matrix, base, engine)


def _write(node: Node, array: pa.Array, matrix: Words, base: int, engine: Engine) -> None:
    array = physical(array)
    words = range(base + node.first, base + node.first + node.words)
    if node.kind == "struct":
        for i, field in enumerate(node.fields):
            _write(field, array.field(i), matrix, base, engine)
    elif t.is_dictionary(array.type) and node.kind in _TAKEN:
        engine.take(_value_words(node, array, engine), _indices(array), matrix[words.start : words.stop])
    else:
        array = plain(array)
        _WRITERS[node.kind](node, array, matrix[words.start : words.stop], engine)
    if array.null_count:  # what lies under a null struct is null, whatever it says
        for bit in range(node.bit, node.bit + node.bits):
            engine.mark_nulls(array, matrix, words, bit)


def _value_words(node: Node, array: pa.DictionaryArray, engine: Engine) -> Words:
    """The words of a dictionary's values; one place at least, for the indices of nulls."""
    values = array.dictionary
    words = np.zeros((node.words, max(1, len(values))), np.uint64)
    if len(values):
        _WRITERS[node.kind](node, values, words, engine)
    return words


def _indices(array: pa.DictionaryArray) -> Numbers:
    indices = numbers(array.indices).astype(np.int64)
    if array.null_count:
        indices[null_mask(array)] = 0
    return indices


def _write_word(_: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    if t.is_boolean(array.type):
        into[0] = booleans(array)
    elif t.is_date64(array.type):
        into[0] = (numbers(array) // _MILLISECONDS_A_DAY).view(np.uint64)
    else:
        engine.widen(numbers(array), into[0])


def _write_decimal(node: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    width = 64 * node.words
    if array.type.bit_width != width:
        wide = pa.decimal128 if node.words == 2 else pa.decimal256
        array = array.cast(wide(array.type.precision, array.type.scale))
    into[:] = fixed(array, np.dtype(np.uint64), node.words).T


def _write_bytes(_: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    if t.is_fixed_size_binary(array.type):
        data, ends, scale = (
            buffer(array, 1),
            np.arange(array.offset, array.offset + len(array) + 1),
            array.type.byte_width,
        )
    else:
        data, ends, scale = buffer(array, 2), offsets(array), 1
    engine.write_slots(data, ends, scale, into)


def _write_list(node: Node, array: pa.Array, into: Words, engine: Engine) -> None:
    ends, child = list_parts(array)
    first, last = int(ends[0]), int(ends[-1])
    into[0] = np.diff(ends).astype(np.int64).view(np.uint64)
    items, ends = child.slice(first, last - first), ends - ends.dtype.type(first)
    if node.element is not None:
        body, scale = _element_rows(node.element, items, engine), 8 * node.element.words
    else:
        items = plain(items)
        body, scale = _packed(items), packed_width(element_type(node.type)) or 1
        if items.null_count:
            body, ends = _with_null_bitmaps(body.reshape(-1, scale), null_mask(items), ends.tolist())
            scale = 1
    engine.write_slots(body, ends, scale, into[1:])


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
    return np.ascontiguousarray(matrix.T).reshape(-1).view(np.uint8) if len(items) else NOTHING


def _packed(items: pa.Array) -> Bytes:
    """Elements at their native width, one NaN; nulls are zeroed by the caller."""
    if not len(items):
        return NOTHING
    if t.is_boolean(items.type):
        return booleans(items)
    values = numbers(items)
    if t.is_date64(items.type):
        values = _days(values).astype("<i4")
    if values.dtype.kind == "f" and (nans := np.isnan(values)).any():
        values = values.copy()
        values.view(f"<u{values.itemsize}")[nans] = _NAN[values.itemsize]
    return np.ascontiguousarray(values).view(np.uint8)


def _days(milliseconds: Numbers) -> Numbers:
    days = milliseconds // _MILLISECONDS_A_DAY
    if len(days) and not (days.min() >= -(1 << 31) and days.max() < 1 << 31):
        raise BadDataError("a date in a list is out of range: expected days that fit 32 bits")
    return days


def _with_null_bitmaps(items: Bytes, nulls: Any, edges: list[int]) -> tuple[Bytes, Numbers]:
    """Append a null bitmap to each list that holds a null, and only to those."""
    items = np.where(nulls[:, None], np.uint8(0), items)
    bodies = []
    for first, last in pairwise(edges):
        missing = nulls[first:last]
        bitmap = np.packbits(missing, bitorder="little").tobytes() if missing.any() else b""
        bodies.append(items[first:last].tobytes() + bitmap)
    ends = np.cumsum([0, *map(len, bodies)], dtype=np.int64)
    return np.frombuffer(b"".join(bodies) + bytes(NOTHING), np.uint8), ends
