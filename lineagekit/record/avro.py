# SPDX-License-Identifier: Apache-2.0
"""Avro files as Iceberg writes them, one record after the other: all that its lists of files need, and no package.

    >>> with open("/data/orders/metadata/snap-81-1.avro", "rb") as file:  # doctest: +SKIP
    ...     next(read_avro(file))["manifest_path"]
    'file:/data/orders/metadata/81-m0.avro'

A file says its own schema, and a value is read by nothing else. Logical types are left as the numbers that they are.
No number in a file is believed before the bytes that it counts are there.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from lineagekit.errors import BadDataError

_MAGIC = b"Obj\x01"
_HEAD = {"type": "map", "values": "bytes"}
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_MOST = 256 << 20
"""Bytes of one file, packed and unpacked: no list of files is longer."""
_LONGEST = 70
"""Bits of a number, in sevens: a long has 64."""
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def read_avro(opened: BinaryIO) -> Iterator[Any]:
    """Its records. Raises OSError, and BadDataError for what is no such file."""
    try:
        yield from _records(BytesIO(_fitting(opened.read(_MOST + 1), _MOST)))
    except _BROKEN as error:
        raise BadDataError(f"not a file of Avro records: {opened.name}: {error}") from error


def _records(file: BinaryIO) -> Iterator[Any]:
    if file.read(4) != _MAGIC:
        raise ValueError("another format")
    head = _value(file, _HEAD, {})
    schema, unpack = json.loads(head["avro.schema"]), _codec(head.get("avro.codec", b"null").decode())
    names: dict[str, Any] = {}
    sync = _take(file, 16)
    left = _MOST
    while first := file.read(1):
        count = _number(file, first)
        body = _fitting(unpack(_take(file, _number(file)), left + 1), left)
        left -= len(body)
        block = BytesIO(body)
        for _ in _each(block, count):
            yield _value(block, schema, names)
        if _take(file, 16) != sync:
            raise ValueError("a block that does not end")


def _codec(name: str) -> Callable[[bytes, int], bytes]:
    """How to unpack a block, or the first bytes of it."""
    if name == "null":
        return lambda packed, most: packed
    if name == "deflate":
        return _inflate
    if name == "zstandard":
        return _unpack_zstandard
    raise ValueError(f"packed by {name}")


def _inflate(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(-15)
    body = unpacker.decompress(packed, most)
    if not unpacker.eof:
        raise ValueError("a block that is cut short, or too long")
    return body


def _unpack_zstandard(packed: bytes, most: int) -> bytes:
    from zstandard import ZstdDecompressor, ZstdError

    try:
        return ZstdDecompressor().stream_reader(packed).read(most)
    except ZstdError as error:
        raise ValueError(str(error)) from error


def _fitting(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise ValueError(f"more than {most} bytes")
    return body


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
        yield from _each(file, abs(count))


def _each(file: BinaryIO, count: int) -> Iterator[None]:
    """As often as is said, while each time something was read: things of no bytes may be as many as they like."""
    at = file.tell()
    for _ in range(count):
        yield
        if file.tell() == at:
            raise ValueError("items of no bytes")
        at = file.tell()


def _number(file: BinaryIO, first: bytes = b"") -> int:
    """Seven bits a byte, the lowest first; even ones are positive."""
    byte = (first or _take(file, 1))[0]
    found, shift = byte & 127, 7
    while byte & 128:
        byte = _take(file, 1)[0]
        if shift >= _LONGEST:
            raise ValueError("a number that does not end")
        found |= (byte & 127) << shift
        shift += 7
    return (found >> 1) ^ -(found & 1)


def _take(file: BinaryIO, size: int) -> bytes:
    body = file.read(min(size, _MOST)) if size >= 0 else b""
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
