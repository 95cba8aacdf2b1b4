# SPDX-License-Identifier: Apache-2.0
"""The first phrase of a diff, for each way in which two may differ."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.differ.tables import ORDERS, compare, with_cells, write


def test_a_copy_is_identical_bytes(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(a.read_bytes())
    found = compare(a, tmp_path / "b.parquet")
    assert (found.verdict, found.differs, found.is_complete) == ("identical bytes", False, True)
    assert [level.name for level in found.levels] == ["bytes"]


def test_one_file_under_two_names_is_not_read(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").hardlink_to(a)
    assert compare(a, tmp_path / "b.parquet").levels[0].told == "one and the same file"


@pytest.mark.parametrize("after", ["b.arrow", "b.parquet"])
def test_another_encoding_is_the_same_content(tmp_path: Path, after: str) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    options = {"compression": "zstd", "row_group_size": 100} if after == "b.parquet" else {}
    found = compare(a, write(ORDERS, tmp_path / after, **options))
    assert (found.verdict, found.differs) == ("same content, re-encoded", False)


def test_shuffled_rows_are_the_same_rows_in_another_order(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    found = compare(a, write(ORDERS.sort_by([("amount", "descending")]), tmp_path / "b.parquet"))
    assert (found.verdict, found.kind, found.differs) == ("same rows, other order", "other order", False)


TYPED = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int32()),
        "price": pa.array([1.5, None, -0.25], pa.float64()),
        "cents": pa.array([150, 7, 2**62], pa.int64()),
        "ok": [True, False, None],
        "day": pa.array([0, 1, 20_000], pa.date32()),
        "at": pa.array([0, 1_500_000, None], pa.timestamp("us")),
        "cost": pa.array([1, 2, 3], pa.int64()).cast(pa.decimal128(25, 2)),
        "name": ["x", 'with "quotes", and commas', ""],
    }
)


@pytest.mark.parametrize("typed", ["b.parquet", "b.arrow"])
def test_csv_and_a_typed_format_are_the_same_table(tmp_path: Path, typed: str) -> None:
    a = write(TYPED, tmp_path / "a.csv")
    found = compare(a, write(TYPED, tmp_path / typed))
    assert found.verdict == f"same table, other format (csv v. {typed[2:]})"
    assert compare(tmp_path / typed, a).kind == "other format"


def test_one_other_cell_in_the_csv_is_found_and_shown(tmp_path: Path) -> None:
    a = write(TYPED, tmp_path / "a.parquet")
    text = write(TYPED, tmp_path / "b.csv").read_text()
    (tmp_path / "b.csv").write_text(text.replace("1970-01-02", "1970-01-03").replace("150", "15O"))
    found = compare(a, tmp_path / "b.csv")
    assert found.verdict == "changed (2 rows, columns cents, day)"
    assert found.rows is not None
    assert found.rows.examples[0].cells == (("cents", "150", '"15O"'),)


def test_columns_alone_are_schema_only(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    wider = ORDERS.append_column("note", pa.array(["n"] * 1000))
    assert compare(a, write(wider, tmp_path / "b.parquet")).verdict == "schema only (columns added)"
    narrower = ORDERS.drop_columns(["status"])
    assert compare(a, write(narrower, tmp_path / "c.parquet")).verdict == "schema only (columns dropped)"
    turned = ORDERS.select(["status", "id", "amount"])
    assert compare(a, write(turned, tmp_path / "d.parquet")).verdict == "schema only (columns reordered)"
    other = ORDERS.set_column(0, "id", ORDERS["id"].cast(pa.int32()))
    assert compare(a, write(other, tmp_path / "e.parquet")).verdict == "schema only (columns retyped)"
    renamed = ORDERS.rename_columns(["id", "sum", "status"])
    found = compare(a, write(renamed, tmp_path / "f.parquet"))
    assert found.verdict == "schema only (columns renamed)"
    assert found.schema is not None
    assert [(one.before, one.after) for one in found.schema.renamed] == [("amount", "sum")]


def test_nullability_alone_is_schema_only(tmp_path: Path) -> None:
    strict = ORDERS.cast(pa.schema([ORDERS.schema.field("id").with_nullable(False), *list(ORDERS.schema)[1:]]))
    found = compare(write(ORDERS, tmp_path / "a.parquet"), write(strict, tmp_path / "b.parquet"))
    assert found.verdict == "schema only (nullability)"
    assert found.schema is not None
    assert found.schema.required == ("id",)


def test_rows_behind_all_others_are_appended(tmp_path: Path) -> None:
    a = write(ORDERS.slice(0, 900), tmp_path / "a.parquet")
    b = write(ORDERS, tmp_path / "b.parquet")
    assert compare(a, b).verdict == "appended (100 rows)"
    assert compare(b, a).verdict == "changed (100 rows removed)"


def test_rows_between_others_are_added_and_not_appended(tmp_path: Path) -> None:
    a = write(pa.concat_tables([ORDERS.slice(0, 10), ORDERS.slice(15)]), tmp_path / "a.parquet")
    assert compare(a, write(ORDERS, tmp_path / "b.parquet")).verdict == "changed (5 rows added)"


def test_changes_of_rows_and_columns_are_both_said(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    table = with_cells(ORDERS, "status", {0: "lost", 1: "lost"}).slice(0, 999).append_column("n", pa.array([1] * 999))
    found = compare(a, write(table, tmp_path / "b.parquet"))
    assert found.verdict == "changed (2 rows, 1 removed, columns status, schema: added)"
    assert found.differs


def test_texts_show_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("lr = 0.1\nseed = 7\n")
    (tmp_path / "b.py").write_text("lr = 0.2\nseed = 7\n")
    found = compare(tmp_path / "a.py", tmp_path / "b.py")
    assert found.verdict == "changed (text: 1 line added, 1 removed)"
    assert found.text is not None
    assert found.text.lines[-3:] == ("-lr = 0.1", "+lr = 0.2", " seed = 7")


def test_line_ends_alone_are_no_other_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "b.py").write_bytes(b"x = 1\r\n")
    assert compare(tmp_path / "a.py", tmp_path / "b.py").kind == "same content"


def test_binaries_show_sizes_and_digests(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0" * 1500)
    (tmp_path / "b.bin").write_bytes(b"\1\0" * 750)
    found = compare(tmp_path / "a.bin", tmp_path / "b.bin")
    assert found.verdict.startswith("changed (1.5 kB ")
    assert found.kind == "changed"
