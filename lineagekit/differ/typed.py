# SPDX-License-Identifier: Apache-2.0
"""Typed comparison: the type as which two columns of different types are compared, and values brought to it.

    >>> common_type(pa.string(), pa.int64()).type
    DataType(int64)
    >>> convert(pa.array(["7", "x"]), pa.int64())[1].tolist()
    [False, True]

Text that does not say a value of that type is *odd*: it equals the same text and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from lineagekit.errors import UnsupportedTypeError
from lineagekit.identity.tables.arrays import null_mask
from lineagekit.identity.tables.arrays import plain as plain_array
from lineagekit.identity.tables.logical import is_text, logical_type, plain

Mask = npt.NDArray[np.bool_]

_UNITS = ("s", "ms", "us", "ns")
_MOST_DIGITS, _INTEGER_DIGITS = 76, 20


class Common(NamedTuple):
    """The type to compare as; `note` says what that overlooks."""

    type: pa.DataType
    note: str = ""


def is_same(a: pa.DataType, b: pa.DataType) -> bool:
    """Whether two types differ in their storage at most."""
    return logical_type(a) == logical_type(b)


def common_type(a: pa.DataType, b: pa.DataType) -> Common | None:
    """The type that holds what both can say, as far as possible; None where they have nothing in common."""
    a, b = plain(a), plain(b)
    if t.is_null(a) or t.is_null(b):
        return Common(b if t.is_null(a) else a)
    for one, other in ((a, b), (b, a)):
        if is_text(one):
            return _of_text(other)
    return _of_numbers(a, b) or _of_moments(a, b) or _of_lists(a, b)


def _of_text(other: pa.DataType) -> Common | None:
    if t.is_binary(other) or t.is_large_binary(other) or t.is_fixed_size_binary(other):
        return Common(pa.large_binary(), "text as its UTF-8 bytes")
    if is_text(other) or t.is_nested(other) or t.is_duration(other):
        return Common(pa.string()) if is_text(other) else None
    return Common(other, "text as what it says")


def _of_numbers(a: pa.DataType, b: pa.DataType) -> Common | None:
    if not (_is_number(a) and _is_number(b)):
        return None
    if t.is_floating(a) and t.is_floating(b):
        narrow = a if a.bit_width < b.bit_width else b
        return Common(narrow, f"rounded to {logical_type(narrow)}")
    if t.is_floating(a) or t.is_floating(b):
        return Common(pa.float64(), "as float64")
    if t.is_decimal(a) or t.is_decimal(b):
        return _of_decimals(a, b)
    if t.is_uint64(a) or t.is_uint64(b):
        both = t.is_unsigned_integer(a) and t.is_unsigned_integer(b)
        return Common(pa.uint64() if both else pa.decimal128(_INTEGER_DIGITS, 0))
    return Common(pa.int64())


def _of_decimals(a: pa.DataType, b: pa.DataType) -> Common:
    digits, scales = zip(*map(_digits, (a, b)), strict=True)
    scale, whole = max(*scales, 0), max(digit - scale for digit, scale in zip(digits, scales, strict=True))
    if whole + scale > _MOST_DIGITS:
        return Common(pa.float64(), "as float64")
    return Common(pa.decimal128(whole + scale, scale) if whole + scale <= 38 else pa.decimal256(whole + scale, scale))


def _digits(type_: pa.DataType) -> tuple[int, int]:
    return (type_.precision, type_.scale) if t.is_decimal(type_) else (_INTEGER_DIGITS, 0)


def _is_number(type_: pa.DataType) -> bool:
    return bool(t.is_integer(type_) or t.is_floating(type_) or t.is_decimal(type_) or t.is_boolean(type_))


def _of_moments(a: pa.DataType, b: pa.DataType) -> Common | None:
    for is_one, make in ((t.is_duration, pa.duration), (t.is_time, _time)):
        if is_one(a) and is_one(b):
            return Common(make(_coarser(a.unit, b.unit)), "to the coarser unit")
    if not all(t.is_timestamp(one) or t.is_date(one) for one in (a, b)):
        return None
    units = [one.unit for one in (a, b) if t.is_timestamp(one)] or ["ms"]
    zoned = any(t.is_timestamp(one) and one.tz is not None for one in (a, b))
    note = "instants, to the coarser unit"
    return Common(pa.timestamp(_coarser(*units), "UTC" if zoned else None), note)


def _time(unit: str) -> pa.DataType:
    return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)


def _coarser(*units: str) -> str:
    return min(units, key=_UNITS.index)


def _of_lists(a: pa.DataType, b: pa.DataType) -> Common | None:
    if not all(t.is_list(one) or t.is_large_list(one) or t.is_fixed_size_list(one) for one in (a, b)):
        return None
    element = _of_numbers(plain(a.value_type), plain(b.value_type))
    return element and Common(pa.large_list(element.type), element.note)


def convert(array: pa.Array, type_: pa.DataType) -> tuple[pa.Array, Mask | None]:
    """The array as that type, null where a text says no such value; and where that is, if anywhere."""
    array = plain_array(array)
    if t.is_binary(array.type) or t.is_large_binary(array.type):  # views of text come out as bytes
        array = array if pa.types.is_large_binary(type_) else array.cast(pa.large_string())
    if not is_text(array.type) or is_text(type_) or t.is_large_binary(type_):
        return _cast(array, type_), None
    try:
        return pc.cast(array, type_), None
    except pa.ArrowInvalid:
        return _parse(array, type_)


def _cast(array: pa.Array, type_: pa.DataType) -> pa.Array:
    try:
        return pc.cast(array, type_, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UnsupportedTypeError(
            f"cannot compare {array.type} as {type_}: {str(error).partition(chr(10))[0]}"
        ) from error


def _parse(array: pa.Array, type_: pa.DataType) -> tuple[pa.Array, Mask | None]:
    """By halves: where a half can be cast as a whole, none of its cells is looked at."""
    pieces: list[pa.Array] = []
    odd: Mask = np.zeros(len(array), np.bool_)

    def parse(first: int, count: int) -> None:
        try:
            pieces.append(pc.cast(array.slice(first, count), type_))
        except pa.ArrowInvalid:
            if count > 1:
                parse(first, count // 2)
                parse(first + count // 2, count - count // 2)
            else:
                pieces.append(pa.nulls(1, type_))
                odd[first] = array[first].as_py() != ""  # an empty cell is no value, in quotes or not

    parse(0, len(array))
    return pa.concat_arrays(pieces), odd if odd.any() else None


def share_parsed(array: pa.Array, type_: pa.DataType) -> float:
    """How many of the texts say a value of that type; 1.0 where there is none."""
    some = array.filter(pc.is_valid(array)).slice(0, 2_000)
    return 1.0 if not len(some) else 1 - float(_odd_count(some, type_)) / len(some)


def _odd_count(array: pa.Array, type_: pa.DataType) -> int:
    odd = convert(array, type_)[1]
    return 0 if odd is None else int(odd.sum())


def numbers_of(array: pa.Array) -> npt.NDArray[Any] | None:
    """The values of a column of numbers or moments as numpy has them, nulls left out; None for other columns."""
    array = plain_array(array)
    type_ = array.type
    if t.is_decimal(type_) or t.is_float16(type_):
        array = pc.cast(array, pa.float64(), safe=False)
    elif t.is_temporal(type_) and not t.is_interval(type_):
        array = array.view(pa.int32() if type_.bit_width == 32 else pa.int64())
    elif not (t.is_integer(type_) or t.is_floating(type_)):
        return None
    values: npt.NDArray[Any] = (
        array.fill_null(0).to_numpy(zero_copy_only=False) if array.null_count else array.to_numpy()
    )
    return values[~null_mask(array)] if array.null_count else values
