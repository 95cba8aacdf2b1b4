# SPDX-License-Identifier: Apache-2.0
"""Logical types: what a column *is*, whichever way Arrow stores it.

Dictionaries, run-ends, views, large offsets, fixed sizes and extensions collapse to the type of their values, so
that a re-encoded column keeps its digest; the width of a number, the unit of a time and the scale of a decimal do not.

    >>> logical_type(pa.dictionary(pa.int8(), pa.large_string()))
    'utf8'
    >>> logical_type(pa.list_(pa.float32(), 128))
    'list<float32>'
"""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import types as t

from lineagekit.errors import UnsupportedTypeError

_FLOATS = {16: "float16", 32: "float32", 64: "float64"}
_BINARIES = (t.is_binary, t.is_large_binary, t.is_binary_view, t.is_fixed_size_binary)
_LISTS = (t.is_list, t.is_large_list, t.is_fixed_size_list, t.is_list_view, t.is_large_list_view, t.is_map)


def plain(type_: pa.DataType) -> pa.DataType:
    """Strip what is only encoding at the top: extension, dictionary, run-end."""
    while True:
        if isinstance(type_, pa.BaseExtensionType):
            type_ = type_.storage_type
        elif t.is_dictionary(type_) or t.is_run_end_encoded(type_):
            type_ = type_.value_type
        else:
            return type_


def is_bytes(type_: pa.DataType) -> bool:
    """Text or binary of any storage."""
    return is_text(type_) or any(is_one(type_) for is_one in _BINARIES)


def is_text(type_: pa.DataType) -> bool:
    """UTF-8 text of any storage."""
    return bool(t.is_string(type_) or t.is_large_string(type_) or t.is_string_view(type_))


def is_list(type_: pa.DataType) -> bool:
    """A list of any storage; a map is one too."""
    return any(is_one(type_) for is_one in _LISTS)


def element_type(type_: pa.DataType) -> pa.DataType:
    """The plain type of a list's elements; a map's are structs of key and value."""
    if t.is_map(type_):
        return pa.struct([pa.field("key", type_.key_type), pa.field("value", type_.item_type)])
    return plain(type_.value_type)


def packed_width(type_: pa.DataType) -> int | None:
    """Bytes of a list element that is stored packed; None where an element is hashed as a row of its own."""
    if t.is_boolean(type_):
        return 1
    if t.is_date(type_):
        return 4
    if t.is_integer(type_) or t.is_floating(type_) or is_moment(type_):
        return int(type_.bit_width) // 8
    return None


def is_moment(type_: pa.DataType) -> bool:
    """A time, timestamp or duration: an integer with a unit."""
    return bool(t.is_time(type_) or t.is_timestamp(type_) or t.is_duration(type_))


def logical_type(type_: pa.DataType) -> str:
    """The type string that the schema hash sees; union and interval types have none."""
    type_ = plain(type_)
    if t.is_floating(type_):
        return _FLOATS[type_.bit_width]
    if t.is_null(type_) or t.is_integer(type_):
        return str(type_)
    if t.is_boolean(type_):
        return "bool"
    if is_bytes(type_):
        return "utf8" if is_text(type_) else "binary"
    if t.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    return _time_type(type_) or _nested_type(type_)


def _time_type(type_: pa.DataType) -> str:
    if t.is_date(type_):
        return "date"
    if t.is_timestamp(type_):  # an instant is an instant: the zone's name is not identity, that there is one is
        return f"timestamp[{type_.unit}{',utc' if type_.tz is not None else ''}]"
    if t.is_time(type_):
        return f"time[{type_.unit}]"
    return f"duration[{type_.unit}]" if t.is_duration(type_) else ""


def _nested_type(type_: pa.DataType) -> str:
    if t.is_map(type_):
        return f"map<{logical_type(type_.key_type)},{logical_type(type_.item_type)}>"
    if is_list(type_):
        return f"list<{logical_type(type_.value_type)}>"
    if t.is_struct(type_):
        return f"struct<{','.join(f'{json.dumps(f.name)}:{logical_type(f.type)}' for f in type_)}>"
    raise UnsupportedTypeError(
        f"type {type_} has no canonical form", advice="Convert the column, or leave it out with --ignore."
    )
