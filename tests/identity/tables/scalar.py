# SPDX-License-Identifier: Apache-2.0
"""The table digest once more, value by value, from its specification. Shares no code with the product.

Slow and plain on purpose: no numpy, no Arrow buffers, only Python values out of `to_pylist`.
"""

from __future__ import annotations

import decimal
import json
import math
import struct
from typing import Any

import pyarrow as pa
from blake3 import blake3
from pyarrow import types as t

NAN = struct.pack("<Q", 0x7FF8_0000_0000_0000)
NATIVE = {"int8": "<b", "int16": "<h", "int32": "<i", "int64": "<q", "uint8": "<B", "uint16": "<H", "uint32": "<I"}
NATIVE |= {"uint64": "<Q", "float16": "<e", "float32": "<f", "float64": "<d", "bool": "<B", "date": "<i"}
NARROW_NAN = {"float16": b"\x00\x7e", "float32": b"\x00\x00\xc0\x7f", "float64": NAN}


def digests(table: pa.Table) -> tuple[str, str, str]:
    """The three digests, as text."""
    columns = sorted(zip(table.column_names, table.schema.types, strict=True), key=lambda c: c[0].encode())
    kinds = [kind(type_) for _, type_ in columns]
    schema = struct.pack("<I", len(columns))
    for (name, _), k in zip(columns, kinds, strict=True):
        for text in (name.encode(), spell(k).encode()):
            schema += struct.pack("<I", len(text)) + text
    schema_hash = h(b"lineagekit.schema.v1\0" + schema)
    values = [plain_values(table.column(name), type_) for name, type_ in columns]
    rows = [h(row_bytes(kinds, [column[i] for column in values])) for i in range(table.num_rows)]
    count = struct.pack("<Q", len(rows))
    lanes = [sum(struct.unpack_from("<Q", row, 8 * lane)[0] for row in rows) % 2**64 for lane in range(4)]
    leaves = b"".join(h(b"".join(rows[i : i + 65536])) for i in range(0, len(rows), 65536))
    stored = h("\0".join(table.column_names).encode())
    buckets = b"".join(h(b"".join(sorted(row for row in rows if row[0] == first))) for first in range(256))
    return (
        "lkt1:" + h(b"lineagekit.table.v1\0" + schema_hash + count + struct.pack("<4Q", *lanes)).hex(),
        "lks1:" + h(b"lineagekit.seq.v1\0" + schema_hash + stored + count + leaves).hex(),
        "lkm1:" + h(b"lineagekit.msort.v1\0" + schema_hash + count + buckets).hex(),
    )


def h(data: bytes) -> bytes:
    return blake3(data).digest()


NAMES = {"double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date", "date64[ms]": "date"}
NAMES |= {
    "string": "utf8",
    "large_string": "utf8",
    "string_view": "utf8",
    "large_binary": "binary",
    "binary_view": "binary",
}


def kind(type_: pa.DataType) -> Any:
    """A type as nested tuples: ('int64',), ('list', element), ('struct', ((name, kind), ...)), ..."""
    if isinstance(type_, pa.BaseExtensionType):
        return kind(type_.storage_type)
    if t.is_dictionary(type_) or t.is_run_end_encoded(type_):
        return kind(type_.value_type)
    if t.is_map(type_):
        return ("map", kind(type_.key_type), kind(type_.item_type))
    if t.is_struct(type_):
        return ("struct", tuple((type_.field(i).name, kind(type_.field(i).type)) for i in range(type_.num_fields)))
    if t.is_decimal(type_):
        return ("decimal", type_.precision, type_.scale)
    return simple_kind(type_)


def simple_kind(type_: pa.DataType) -> Any:
    name = str(type_)
    if t.is_timestamp(type_):
        return ("timestamp", type_.unit, ",utc" if type_.tz else "")
    if t.is_time(type_) or t.is_duration(type_):
        return ("time" if t.is_time(type_) else "duration", type_.unit, "")
    if name.startswith(("list", "large_list", "fixed_size_list")):
        return ("list", kind(type_.value_type))
    return ("binary",) if name.startswith("fixed_size_binary") else (NAMES.get(name, name),)


def spell(k: Any) -> str:
    if k[0] == "list":
        return f"list<{spell(k[1])}>"
    if k[0] == "map":
        return f"map<{spell(k[1])},{spell(k[2])}>"
    if k[0] == "struct":
        return "struct<" + ",".join(f"{json.dumps(name)}:{spell(field)}" for name, field in k[1]) + ">"
    if k[0] == "decimal":
        return f"decimal({k[1]},{k[2]})"
    return f"{k[0]}[{k[1]}{k[2]}]" if k[0] in ("timestamp", "time", "duration") else k[0]


def plain_values(column: pa.ChunkedArray, type_: pa.DataType) -> list[Any]:
    """Python values; moments and dates as integers, also inside lists and structs."""
    return [to_plain(value, kind(type_)) for chunk in column.chunks for value in chunk]


def to_plain(scalar: Any, k: Any) -> Any:
    if not scalar.is_valid:
        return None
    if isinstance(scalar, pa.ExtensionScalar):
        return to_plain(scalar.value, k)
    if isinstance(scalar, pa.DictionaryScalar):
        value = scalar.dictionary[scalar.index.as_py()]
        return to_plain(value, k)
    if k[0] in ("timestamp", "time", "duration"):
        return scalar.value
    if k[0] == "date":
        return scalar.value if t.is_date32(scalar.type) else scalar.value // 86_400_000
    if k[0] == "list":
        return [to_plain(item, k[1]) for item in scalar.values]
    if k[0] == "map":
        entry = ("struct", (("key", k[1]), ("value", k[2])))
        return [{n: to_plain(item[i], f) for i, (n, f) in enumerate(entry[1])} for item in scalar.values]
    if k[0] == "struct":
        return {i: to_plain(scalar[i], field) for i, (_, field) in enumerate(k[1])}
    return scalar.as_py()


def row_bytes(kinds: list[Any], values: list[Any]) -> bytes:
    nulls: list[bool] = []
    slots: list[bytes] = []
    for k, value in zip(kinds, values, strict=True):
        add_cell(k, value, nulls, slots)
    bits = sum(1 << i for i, null in enumerate(nulls) if null)
    return bits.to_bytes(8 * -(-len(nulls) // 64), "little") + b"".join(slots)


def add_cell(k: Any, value: Any, nulls: list[bool], slots: list[bytes]) -> None:
    nulls.append(value is None)
    if k[0] == "struct":
        for i, (_, field) in enumerate(k[1]):
            add_cell(field, None if value is None else value[i], nulls, slots)
        return
    size = {"null": 0, "utf8": 40, "binary": 40, "list": 48, "map": 48}.get(k[0], 8)
    if k[0] == "decimal":
        size = 16 if k[1] <= 38 else 32
    slots.append(bytes(size) if value is None else cell(k, value, size))


def cell(k: Any, value: Any, size: int) -> bytes:
    if k[0] == "utf8":
        return slot(value.encode())
    if k[0] == "binary":
        return slot(value)
    if k[0] == "decimal":
        with decimal.localcontext(prec=100):
            return int(value.scaleb(k[2])).to_bytes(size, "little", signed=True)
    if k[0].startswith("float"):
        return NAN if math.isnan(value) else struct.pack("<d", value)
    if k[0] == "list":
        return struct.pack("<Q", len(value)) + slot(list_body(k[1], value))
    if k[0] == "map":
        entry = ("struct", (("key", k[1]), ("value", k[2])))
        entries = [{0: item["key"], 1: item["value"]} for item in value]
        return struct.pack("<Q", len(value)) + slot(b"".join(row_bytes([entry], [e]) for e in entries))
    return struct.pack("<Q", int(value) % 2**64)


def slot(value: bytes) -> bytes:
    if len(value) <= 39:
        return value + bytes(39 - len(value)) + bytes([len(value)])
    return h(value) + bytes(7) + b"\xff"


def list_body(k: Any, items: list[Any]) -> bytes:
    form = NATIVE.get(k[0])
    if k[0] in ("timestamp", "duration") or (k[0] == "time" and k[1] in ("us", "ns")):
        form = "<q"
    elif k[0] == "time":
        form = "<i"
    if form is None:
        return b"".join(row_bytes([k], [item]) for item in items)
    body = b"".join(native(k[0], form, item) for item in items)
    if any(item is None for item in items):
        bits = sum(1 << i for i, item in enumerate(items) if item is None)
        body += bits.to_bytes((len(items) + 7) // 8, "little")
    return body


def native(name: str, form: str, item: Any) -> bytes:
    if item is None:
        return bytes(struct.calcsize(form))
    if isinstance(item, float) and math.isnan(item):
        return NARROW_NAN[name]
    return struct.pack(form, item)
