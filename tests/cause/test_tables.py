# SPDX-License-Identifier: Apache-2.0
"""Tables that stand in for each other come back in the format that their readers expect."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from lineagekit.cause.graft import Held, graft
from lineagekit.cause.tables import read, written

TABLE = pa.table({"id": [1, 2, 3], "text": ["a", None, 'b"c'], "value": [0.5, 1.5, None]})


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.ndjson.gz", "A.CSV"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    body = written(TABLE, name)
    (tmp_path / name).write_bytes(body)
    for source in (body, tmp_path / name):
        found = read(name, source)
        assert found is not None
        assert found.select(["id", "value"]) == TABLE.select(["id", "value"])
        assert found.num_columns == 3
    some = read(name, body, {"id", "other"}) if name != "a.parquet" else read(name, body, {"id"})
    assert some is not None
    assert some.column_names == ["id"]


@pytest.mark.parametrize("body", [b"1,0\n2,1\n", b"x,x\ny,z\n"])
def test_a_table_without_names_of_columns_is_written_without_them(body: bytes) -> None:
    found = read("a.csv", body)
    assert found is not None
    assert found.num_rows == 2
    assert written(found, "a.csv").replace(b'"', b"") == body


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.pkl", b"1"),
        ("a.parquet", b"no"),
        ("a.csv.gz", b"no"),
        ("a.json", b'{"lr": 1}'),
        ("a.jsonl", b"{"),
        ("a", b""),
    ],
)
def test_what_is_no_table_is_none(name: str, body: bytes) -> None:
    assert read(name, body) is None


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv.gz"])
def test_rows_of_another_day_keep_the_keys_of_this_one(name: str) -> None:
    own, donor = (
        pa.table({"id": [1, 2, 3], "value": [9.5, 9.5, 9.5]}),
        pa.table({"id": [7, 8, 9], "value": [0.5, 0.5, 0.5]}),
    )
    made = graft([Held(name, written(own, name))], [Held(name, written(donor, name))], {"id"})
    assert made is not None
    found = read(name, made[0])
    assert found is not None
    assert found.to_pydict() == {"id": [1, 2, 3], "value": [0.5, 0.5, 0.5]}
    if name.endswith(".gz"):
        assert gzip.decompress(made[0])
