# SPDX-License-Identifier: Apache-2.0
"""Values of two types are compared as what both can say."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lineagekit.differ.typed import common_type, convert, share_parsed

SAME = [
    (pa.int8(), pa.int64(), pa.int64()),
    (pa.uint8(), pa.uint64(), pa.uint64()),
    (pa.int64(), pa.uint64(), pa.decimal128(20, 0)),
    (pa.int32(), pa.float32(), pa.float64()),
    (pa.float64(), pa.float32(), pa.float32()),
    (pa.decimal128(10, 2), pa.decimal128(12, 4), pa.decimal128(12, 4)),
    (pa.decimal128(10, 2), pa.int64(), pa.decimal128(22, 2)),
    (pa.decimal256(76, 0), pa.decimal128(10, 5), pa.float64()),
    (pa.decimal128(10, 2), pa.float64(), pa.float64()),
    (pa.timestamp("ns"), pa.timestamp("us"), pa.timestamp("us")),
    (pa.timestamp("ns", "Europe/Berlin"), pa.timestamp("us"), pa.timestamp("us", "UTC")),
    (pa.date32(), pa.timestamp("us"), pa.timestamp("us")),
    (pa.time32("ms"), pa.time64("ns"), pa.time32("ms")),
    (pa.string(), pa.date32(), pa.date32()),
    (pa.string(), pa.binary(), pa.large_binary()),
    (pa.null(), pa.int32(), pa.int32()),
    (pa.list_(pa.int32()), pa.large_list(pa.int64()), pa.large_list(pa.int64())),
    (pa.string(), pa.list_(pa.int32()), None),
    (pa.date32(), pa.int32(), None),
    (pa.struct([("a", pa.int32())]), pa.int32(), None),
]


@pytest.mark.parametrize(("a", "b", "expected"), SAME, ids=[f"{a} and {b}" for a, b, _ in SAME])
def test_the_common_type_is_the_same_both_ways(a: pa.DataType, b: pa.DataType, expected: pa.DataType | None) -> None:
    for found in (common_type(a, b), common_type(b, a)):
        assert (None if found is None else found.type) == expected


VALUES = [
    (pa.array([1, None, -3], pa.int8()), pa.int64()),
    (pa.array([2**63 + 1], pa.uint64()), pa.decimal128(20, 0)),
    (pa.array(["1.5", "", None]), pa.float64()),
    (pa.array(["2026-01-02"]), pa.date32()),
    (pa.array([b"\xc3\xa9"]).cast(pa.string()), pa.large_binary()),
    (pa.array(["1", "2"]).dictionary_encode(), pa.int64()),
    (pa.array(["1", "2"], pa.string_view()), pa.int64()),
]


@pytest.mark.parametrize(("array", "type_"), VALUES, ids=[str(type_) for _, type_ in VALUES])
def test_values_are_brought_to_a_type_and_nothing_is_odd(array: pa.Array, type_: pa.DataType) -> None:
    converted, odd = convert(array, type_)
    assert (converted.type, len(converted), odd) == (type_, len(array), None)


def test_text_that_says_no_number_is_odd_and_an_empty_cell_is_null() -> None:
    converted, odd = convert(pa.array(["1", "x", "", None, " 2", "1e3"]), pa.int64())
    assert converted.to_pylist() == [1, None, None, None, None, None]
    assert odd is not None
    assert odd.tolist() == [False, True, False, False, True, True]
    assert share_parsed(pa.array(["1", "x", None]), pa.int64()) == 0.5
    assert share_parsed(pa.array([None], pa.string()), pa.int64()) == 1.0
