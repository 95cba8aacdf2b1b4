# SPDX-License-Identifier: Apache-2.0
"""Avro files: every kind of value, in every packing that Iceberg knows, or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from zstandard import ZstdCompressor

from lineagekit.errors import BadDataError
from lineagekit.record.avro import read_avro
from tests.record.iceberg_tables import avro, number, text

POINT = {"type": "record", "name": "point", "fields": [{"name": "x", "type": "double"}]}
SCHEMA = {
    "type": "record",
    "name": "all",
    "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "yes", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "half", "type": "float"},
        {"name": "point", "type": POINT},
        {"name": "again", "type": ["null", "point"]},
        {"name": "raw", "type": {"type": "bytes", "logicalType": "decimal"}},
        {"name": "fixed", "type": {"type": "fixed", "name": "two", "size": 2}},
        {"name": "color", "type": {"type": "enum", "name": "color", "symbols": ["red", "green"]}},
        {"name": "list", "type": {"type": "array", "items": "long"}},
        {"name": "map", "type": {"type": "map", "values": "string"}},
    ],
}
NULLS = {"type": "array", "items": "null"}
X = b"\0\0\0\0\0\0\xf8\x3f"
RECORD = b"".join(
    [
        b"\x01",
        number(-65),
        b"\0\0\0\x3f",
        X,
        number(1) + X,
        text("ä"),
        b"ab",
        number(1),
        number(-2) + number(11) + number(1 << 62) + number(-(1 << 62)) + number(1) + number(3) + number(0),
        number(1) + text("k") + text("v") + number(0),
    ]
)
EXPECTED = {
    "nothing": None,
    "yes": True,
    "small": -65,
    "half": 0.5,
    "point": {"x": 1.5},
    "again": {"x": 1.5},
    "raw": "ä".encode(),
    "fixed": b"ab",
    "color": "green",
    "list": [1 << 62, -(1 << 62), 3],
    "map": {"k": "v"},
}


def read(path: Path) -> list[Any]:
    with open(path, "rb") as file:
        return list(read_avro(file))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_every_kind_of_value_comes_back(tmp_path: Path, codec: str) -> None:
    assert read(avro(tmp_path / "a", SCHEMA, [RECORD, RECORD], codec)) == [EXPECTED, EXPECTED]
    assert read(avro(tmp_path / "b", SCHEMA, [], codec)) == []


def test_zstandard_is_unpacked(tmp_path: Path) -> None:
    packed = ZstdCompressor().compress(number(5))
    path = avro(tmp_path / "a", "long", [packed], "zstandard")
    assert read(path) == [5]


@pytest.mark.parametrize(
    ("schema", "record", "codec"),
    [
        ("long", number(5), "snappy"),
        ("long", b"\x80", "null"),
        ("string", number(-4), "null"),
        ("unheard-of", b"", "null"),
        (["null"], number(3), "null"),
        ({"type": "record", "name": "r", "fields": [{"name": "r", "type": "r"}]}, b"", "null"),
        ({"type": "record", "name": "r", "fields": [7]}, b"", "null"),
        ("null", b"", "null"),
        ("long", b"\x80" * 99 + b"\0", "null"),
        ("long", b"garbage", "zstandard"),
        *((NULLS, number(count), "null") for count in (1 << 34, 1 << 62, 1 << 70)),
        (NULLS, number(9) * 9 + number(0), "null"),
        ({"type": "fixed", "name": "f", "size": 1 << 70}, b"", "null"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, schema: object, record: bytes, codec: str) -> None:
    with pytest.raises(BadDataError, match="not a file of Avro records"):
        read(avro(tmp_path / "a", schema, [record], codec))


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = avro(tmp_path / "a", SCHEMA, [RECORD])
    whole = path.read_bytes()
    end_of_head = len(avro(tmp_path / "b", SCHEMA, []).read_bytes())
    for size in [*range(0, end_of_head, 7), *range(end_of_head + 1, len(whole))]:
        path.write_bytes(whole[:size])
        with pytest.raises(BadDataError):
            read(path)


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, 1 << 70])
@pytest.mark.parametrize("count", [1, 1 << 34])
def test_a_block_that_says_that_it_is_huge_is_refused(tmp_path: Path, size: int, count: int) -> None:
    head = avro(tmp_path / "a", "long", []).read_bytes()
    (tmp_path / "a").write_bytes(head + number(count) + number(size) + number(5))
    with pytest.raises(BadDataError, match="not a file of Avro records"):
        read(tmp_path / "a")


@pytest.mark.parametrize("codec", ["deflate", "zstandard"])
def test_what_is_small_and_unpacks_to_more_than_any_list_is_refused(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineagekit.record.avro._MOST", 10_000)
    body = text("x" * 9_000)
    records = [body if codec == "deflate" else ZstdCompressor().compress(body)]
    assert read(avro(tmp_path / "a", "string", records, codec)) == ["x" * 9_000]
    body = text("x" * 20_000)
    records = [body if codec == "deflate" else ZstdCompressor().compress(body)]
    path = avro(tmp_path / "a", "string", records, codec)
    assert path.stat().st_size < 1_000
    with pytest.raises(BadDataError, match="not a file of Avro records"):
        read(path)


def test_a_schema_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    path = avro(tmp_path / "a", "@", [])
    deep = "[" * 100_000
    path.write_bytes(path.read_bytes().replace(text(json.dumps("@")), text(deep)))
    with pytest.raises(BadDataError, match="not a file of Avro records"):
        read(path)
