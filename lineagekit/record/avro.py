# SPDX-License-Identifier: Apache-2.0
"""Avro files as Iceberg writes them, one record after the other: all that its lists of files need, and no package.

    >>> next(read_avro("/data/orders/metadata/snap-81-1.avro"))["manifest_path"]  # doctest: +SKIP
    'file:/data/orders/metadata/81-m0.avro'

A file says its own schema, and a value is read by nothing else. Logical types are left as the numbers that they are.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import repeat
from typing import Any, BinaryIO

from lineagekit.errors import BadDataError

_MAGIC = b"Obj\x01"
_HEAD = {"type": "map", "values": "bytes"}
_BROKEN = (ValueError, TypeError, LookupError, EOFError, RecursionError, struct.error, zlib.error)
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def read_avro(path: str) -> Iterator[dict[str, Any]]:
    """Its records. Raises OSError, and BadDataError for what is no such file."""
    try:
        with open(path, "rb") as file:
            yield from _records(file)
    except _BROKEN as error:
        raise BadDataError(f"not a file of Avro records: {path}: {error}") from error


def _records(file: BinaryIO) -> Iterator[dict[str, Any]]:
    if file.read(4) != _MAGIC:
        raise ValueError("another format")
    head = _value(file, _HEAD, {})
    schema, unpack = json.loads(head["avro.schema"]), _codec(head.get("avro.codec", b"null").decode())
    names: dict[str, Any] = {}
    sync = _take(file, 16)
    while first := file.read(1):
        count = _number(file, first)
        block = BytesIO(unpack(_take(file, _number(file))))
        for _ in range(count):
            yield _value(block, schema, names)
        if _take(file, 16) != sync:
            raise ValueError("a block that does not end")


def _codec(name: str) -> Callable[[bytes], bytes]:
    if name == "null":
        return bytes
    if name == "deflate":
        return lambda packed: zlib.decompress(packed, -15)
    if name == "zstandard":
        from zstandard import ZstdDecompressor

        return lambda packed: ZstdDecompressor().stream_reader(packed).read()
    raise ValueError(f"packed by {name}")


def _value(file: BinaryIO, schema: Any, names: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return _value(file, schema[_number(file)], names)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, (dict, list)):
        return _value(file, kind, names)
    if kind in _PLAIN:
        return _PLAIN[kind](file)
    if kind in _MADE:
        if "name" in schema:
            names[schema["name"]] = schema
        return _MADE[kind](file, schema, names)
    return _value(file, names[kind], names)


def _map(file: BinaryIO, schema: Any, names: dict[str, Any]) -> dict[str, Any]:
    return {_bytes(file).decode(): _value(file, schema["values"], names) for _ in _items(file)}


def _items(file: BinaryIO) -> Iterator[None]:
    """As often as there are items in blocks, each with its number before it; one below nothing has its size as well."""
    while count := _number(file):
        if count < 0:
            _number(file)
        yield from repeat(None, abs(count))


def _number(file: BinaryIO, first: bytes = b"") -> int:
    """Seven bits a byte, the lowest first; even ones are positive."""
    byte = (first or _take(file, 1))[0]
    found, shift = byte & 127, 7
    while byte & 128:
        byte = _take(file, 1)[0]
        found |= (byte & 127) << shift
        shift += 7
    return (found >> 1) ^ -(found & 1)


def _take(file: BinaryIO, size: int) -> bytes:
    body = file.read(size) if size >= 0 else b""
    if len(body) != size:
        raise EOFError("cut short")
    return body


def _bytes(file: BinaryIO) -> bytes:
    return _take(file, _number(file))


_PLAIN: dict[str, Callable[[BinaryIO], Any]] = {
    "null": lambda file: None,
    "boolean": lambda file: _take(file, 1) == b"\x01",
    "int": _number,
    "long": _number,
    "float": lambda file: _FLOAT.unpack(_take(file, 4))[0],
    "double": lambda file: _DOUBLE.unpack(_take(file, 8))[0],
    "bytes": _bytes,
    "string": lambda file: _bytes(file).decode(),
}
_MADE: dict[str, Callable[[BinaryIO, Any, dict[str, Any]], Any]] = {
    "record": lambda file, schema, names: {one["name"]: _value(file, one["type"], names) for one in schema["fields"]},
    "array": lambda file, schema, names: [_value(file, schema["items"], names) for _ in _items(file)],
    "map": _map,
    "fixed": lambda file, schema, names: _take(file, schema["size"]),
    "enum": lambda file, schema, names: schema["symbols"][_number(file)],
}
