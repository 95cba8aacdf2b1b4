# SPDX-License-Identifier: Apache-2.0
"""What no diff was made for is answered as well, or refused in words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineagekit.errors import NotFoundError, UsageError
from tests.differ.tables import ORDERS, compare, write


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    with pytest.raises(NotFoundError, match=r"gone\.parquet"):
        compare(a, tmp_path / "gone.parquet")


def test_a_folder_against_a_file_is_not_comparable(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.bin").write_bytes(b"\0")
    a = write(ORDERS, tmp_path / "a.parquet")
    found = compare(tmp_path / "folder", a)
    assert (found.verdict, found.differs) == ("not comparable (a folder against a table)", True)


def test_a_data_set_that_became_one_file_is_the_same_content(tmp_path: Path) -> None:
    write(ORDERS.slice(0, 400), tmp_path / "set" / "0.parquet")
    write(ORDERS.slice(400), tmp_path / "set" / "1.parquet")
    one = write(ORDERS, tmp_path / "one.parquet")
    assert compare(tmp_path / "set", one).verdict == "same content, re-encoded"
    assert compare(one, tmp_path / "set").verdict == "same content, re-encoded"


def test_a_table_against_a_binary_is_not_comparable(tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")
    found = compare(write(ORDERS, tmp_path / "a.parquet"), tmp_path / "b.bin")
    assert found.verdict == "not comparable (a table against a binary file)"


def test_a_truncated_parquet_file_differs_and_why_it_cannot_be_read_is_said(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(a.read_bytes()[:-40])
    found = compare(a, tmp_path / "b.parquet")
    assert found.verdict.startswith("changed (bytes; cannot read")
    assert "b.parquet" in found.verdict
    assert (found.differs, found.is_complete) == (True, False)


def test_a_parquet_file_that_is_damaged_inside_differs_too(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet", compression="none")
    data = bytearray(a.read_bytes())
    data[4:400] = b"\xff" * 396
    (tmp_path / "b.parquet").write_bytes(data)
    found = compare(a, tmp_path / "b.parquet")
    assert (found.kind, found.is_complete) == ("changed", False)


def test_a_csv_of_another_dialect_is_read_as_it_is_written(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.csv")
    b = write(ORDERS, tmp_path / "b.csv", delimiter=";", quoting_style="all_valid")
    found = compare(a, b)
    assert found.rows is not None
    assert not found.rows.differ
    assert "parted by ';'" in found.warnings[0]


def test_text_has_no_types_so_leading_zeros_are_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,zip\n1,00701\n2,10000\n")
    (tmp_path / "b.csv").write_text("id,zip\n1,701\n2,10000\n")
    found = compare(tmp_path / "a.csv", tmp_path / "b.csv")
    assert found.verdict == "changed (1 row, columns zip)"


def test_empty_tables_compare(tmp_path: Path) -> None:
    a, b = (write(ORDERS.slice(0, 0), tmp_path / name) for name in ("a.parquet", "b.arrow"))
    assert compare(a, b).verdict == "same content, re-encoded"
    assert compare(a, write(ORDERS, tmp_path / "c.parquet")).verdict == "appended (1,000 rows)"
    (tmp_path / "e.csv").write_bytes(b"")
    assert compare(tmp_path / "e.csv", a).verdict.startswith("changed (bytes; ")


def test_nan_is_nan_and_minus_zero_is_not_zero(tmp_path: Path) -> None:
    before, after = pa.table({"x": [math.nan, 0.0, 1.0]}), pa.table({"x": [-math.nan, -0.0, 1.0]})
    found = compare(write(before, tmp_path / "a.parquet"), write(after, tmp_path / "b.parquet"))
    assert found.rows is not None
    assert (found.rows.changed, found.rows.examples[0].cells) == (1, (("x", "0.0", "-0.0"),))


def test_huge_integers_are_told_apart(tmp_path: Path) -> None:
    before = pa.table({"n": pa.array([2**64 - 1, 2**63, 2**53 + 1], pa.uint64())})
    after = pa.table({"n": pa.array([-1, -(2**63), 2**53 + 1], pa.int64())})
    found = compare(write(before, tmp_path / "a.parquet"), write(after, tmp_path / "b.parquet"))
    assert found.rows is not None
    assert found.rows.changed == 2
    (tmp_path / "a.jsonl").write_text(json.dumps({"n": 2**70}) + "\n" + json.dumps({"n": 1}))
    (tmp_path / "b.jsonl").write_text(json.dumps({"n": 2**70 + 1}) + "\n" + json.dumps({"n": 1}))
    assert compare(tmp_path / "a.jsonl", tmp_path / "b.jsonl").verdict == "changed (1 row, columns n)"


def test_duplicate_column_names_leave_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,x\n1,2\n")
    (tmp_path / "b.csv").write_text("x,x\n1,3\n")
    found = compare(tmp_path / "a.csv", tmp_path / "b.csv")
    assert "duplicate column names" in found.verdict
    assert (found.kind, found.is_complete) == ("changed", False)


def test_nested_columns_compare(tmp_path: Path) -> None:
    rows = [{"l": [1, None], "s": {"a": 1, "b": None}, "m": [("k", 1)]}, {"l": [], "s": None, "m": None}]
    schema = pa.schema(
        [
            ("l", pa.list_(pa.int32())),
            ("s", pa.struct([("a", pa.int64()), ("b", pa.string())])),
            ("m", pa.map_(pa.string(), pa.int64())),
        ]
    )
    before = pa.Table.from_pylist(rows, schema)
    after = pa.Table.from_pylist([{**rows[0], "l": [1, 2]}, rows[1]], schema)
    found = compare(write(before, tmp_path / "a.parquet"), write(after, tmp_path / "b.parquet"))
    assert found.verdict == "changed (1 row, columns l)"
    longer = before.cast(pa.schema([("l", pa.large_list(pa.int32())), *list(schema)[1:]]))
    assert compare(tmp_path / "a.parquet", write(longer, tmp_path / "c.arrow")).kind == "same content"


def test_columns_with_nothing_in_common_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    a = write(pa.table({"id": [1, 2], "v": [[1], [2]]}), tmp_path / "a.parquet")
    b = write(pa.table({"id": [1, 2], "v": ["1", "2"]}), tmp_path / "b.parquet")
    found = compare(a, b)
    assert found.verdict == "schema only (columns retyped)"
    assert [(level.name, level.outcome) for level in found.levels if level.outcome == "unknown"] == [
        ("column v", "unknown")
    ]


def test_tables_without_a_common_column_are_compared_by_their_schema(tmp_path: Path) -> None:
    a = write(pa.table({"x": [1.0]}), tmp_path / "a.parquet")
    b = write(pa.table({"y": ["a"]}), tmp_path / "b.parquet")
    found = compare(a, b)
    assert found.verdict == "changed (schema: added, dropped; rows were not compared)"


def test_text_that_is_mostly_no_number_is_compared_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,code\n" + "".join(f"{i},A{i}\n" for i in range(9)) + "9,9\n")
    b = write(pa.table({"id": range(10), "code": range(10)}), tmp_path / "b.parquet")
    found = compare(tmp_path / "a.csv", b)
    assert found.verdict == "changed (9 rows, columns code)"


def test_a_uri_of_another_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another host"):
        compare("file://elsewhere/x.csv", tmp_path)


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a b.parquet")
    assert compare(f"file://{tmp_path}/a%20b.parquet", a).verdict == "identical bytes"


def test_a_dictionary_and_plain_text_are_one_type(tmp_path: Path) -> None:
    table = pa.table({"s": pa.array(["a", "b", None] * 5).dictionary_encode()})
    a = write(table, tmp_path / "a.parquet")
    pq.write_table(table.cast(pa.schema([("s", pa.large_string())])), tmp_path / "b.parquet", use_dictionary=False)
    assert compare(a, tmp_path / "b.parquet").verdict == "same content, re-encoded"


def test_a_null_in_a_dictionary_is_no_empty_text(tmp_path: Path) -> None:
    null = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["a", None, ""]))
    empty = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["a", "", ""]))
    a = write(pa.table({"s": null}), tmp_path / "a.arrow")
    found = compare(a, write(pa.table({"s": empty}), tmp_path / "b.arrow"))
    assert found.verdict == "changed (1 row, columns s)"
