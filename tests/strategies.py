# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: random Arrow tables of every supported type."""

from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
from hypothesis import strategies as st

texts = st.one_of(
    st.text(max_size=8), st.sampled_from(["", "a" * 38, "a" * 39, "a" * 40, "é" * 30, "b" * 64, "c" * 1024, "d" * 1025])
)
binaries = st.one_of(
    st.binary(max_size=50), st.sampled_from([b"", b"\0", bytes(39), bytes(40), bytes(1024), bytes(3000)])
)


def _integers(type_: pa.DataType) -> st.SearchStrategy[int]:
    bits, signed = type_.bit_width, str(type_)[0] == "i"
    return st.integers(-(1 << bits - 1) if signed else 0, (1 << bits - signed) - 1)


def _counts(type_: pa.DataType) -> st.SearchStrategy[int]:
    top = 86_399 if pa.types.is_time(type_) else 1 << 40
    return st.integers(0, top)


LEAVES: list[tuple[pa.DataType, st.SearchStrategy[object]]] = [
    *((type_, _integers(type_)) for type_ in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *((type_, _integers(type_)) for type_ in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    (pa.float16(), st.floats(width=16)),
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.bool_(), st.booleans()),
    *((type_, texts) for type_ in (pa.string(), pa.large_string(), pa.string_view())),
    *((type_, binaries) for type_ in (pa.binary(), pa.large_binary(), pa.binary_view())),
    (pa.binary(5), st.binary(min_size=5, max_size=5)),
    (pa.date32(), st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))),
    (pa.date64(), st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))),
    (pa.decimal128(10, 2), st.decimals(-1000, 1000, places=2)),
    (pa.decimal128(38, 0), st.integers(-(10**37), 10**37).map(decimal.Decimal)),
    (pa.decimal256(12, 3), st.decimals(-1000, 1000, places=3)),
    (pa.decimal256(60, 0), st.integers(-(10**37), 10**37).map(decimal.Decimal)),
    *((type_, _counts(type_)) for type_ in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))),
    *(
        (type_, _counts(type_))
        for type_ in (pa.timestamp("s"), pa.timestamp("us", "UTC"), pa.timestamp("ns", "Asia/Tokyo"))
    ),
    *((type_, _counts(type_)) for type_ in (pa.duration("ms"), pa.duration("us"))),
    (pa.null(), st.none()),
]

_leaves = st.sampled_from(LEAVES)


def _nest(
    inner: st.SearchStrategy[tuple[pa.DataType, st.SearchStrategy[object]]],
) -> st.SearchStrategy[tuple[pa.DataType, st.SearchStrategy[object]]]:
    def lists(leaf: tuple[pa.DataType, st.SearchStrategy[object]]) -> tuple[pa.DataType, st.SearchStrategy[object]]:
        return pa.list_(leaf[0]), st.lists(st.none() | leaf[1], max_size=5)

    def sized(leaf: tuple[pa.DataType, st.SearchStrategy[object]]) -> tuple[pa.DataType, st.SearchStrategy[object]]:
        return pa.list_(leaf[0], 3), st.lists(st.none() | leaf[1], min_size=3, max_size=3)

    def structs(
        pair: tuple[tuple[pa.DataType, st.SearchStrategy[object]], tuple[pa.DataType, st.SearchStrategy[object]]],
    ) -> tuple[pa.DataType, st.SearchStrategy[object]]:
        a, b = pair
        type_ = pa.struct([("a", a[0]), ("é b", b[0])])
        return type_, st.fixed_dictionaries({"a": st.none() | a[1], "é b": st.none() | b[1]})

    def maps(leaf: tuple[pa.DataType, st.SearchStrategy[object]]) -> tuple[pa.DataType, st.SearchStrategy[object]]:
        return pa.map_(pa.string(), leaf[0]), st.lists(st.tuples(texts, st.none() | leaf[1]), max_size=3)

    return st.one_of(inner.map(lists), inner.map(sized), st.tuples(inner, inner).map(structs), inner.map(maps))


columns = st.recursive(_leaves, _nest, max_leaves=3)


@st.composite
def tables(draw: st.DrawFn, max_rows: int = 12, max_columns: int = 5) -> pa.Table:
    """A table of random types, with nulls, in random chunks."""
    names = draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), unique=True, max_size=max_columns)
    )
    rows = draw(st.integers(0, max_rows))
    arrays = {}
    for name in names:
        type_, values = draw(columns)
        arrays[name] = array_of(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), type_)
    return pa.table(arrays)


def array_of(values: list[object], type_: pa.DataType) -> pa.Array:
    """An array, also of types that pyarrow builds only by way of others."""
    return pa.array(values, type_)
