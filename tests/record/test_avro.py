# SPDX-License-Identifier: Apache-2.0
"""Avro files: every kind of value, in every packing that Iceberg knows, or a clear refusal."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_every_kind_of_value_comes_back(tmp_path: Path, codec: str) -> None:
    assert list(read_avro(str(avro(tmp_path / "a", SCHEMA, [RECORD, RECORD], codec)))) == [EXPECTED, EXPECTED]
    assert list(read_avro(str(avro(tmp_path / "b", SCHEMA, [], codec)))) == []


def test_zstandard_is_unpacked(tmp_path: Path) -> None:
    packed = ZstdCompressor().compress(number(5))
    path = avro(tmp_path / "a", "long", [packed], "zstandard")
    assert list(read_avro(str(path))) == [5]


@pytest.mark.parametrize(
    ("schema", "record", "codec"),
    [
        ("long", number(5), "snappy"),
        ("long", b"\x80", "null"),
        ("string", number(-4), "null"),
        ("unheard-of", b"", "null"),
        (["null"], number(3), "null"),
        ({"type": "record", "name": "r", "fields": [{"name": "r", "type": "r"}]}, b"", "null"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, schema: object, record: bytes, codec: str) -> None:
    with pytest.raises(BadDataError, match="not a file of Avro records"):
        list(read_avro(str(avro(tmp_path / "a", schema, [record], codec))))


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = avro(tmp_path / "a", SCHEMA, [RECORD])
    whole = path.read_bytes()
    end_of_head = len(avro(tmp_path / "b", SCHEMA, []).read_bytes())
    for size in [*range(0, end_of_head, 7), *range(end_of_head + 1, len(whole))]:
        path.write_bytes(whole[:size])
        with pytest.raises(BadDataError):
            list(read_avro(str(path)))
