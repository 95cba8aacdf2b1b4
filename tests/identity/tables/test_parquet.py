# SPDX-License-Identifier: Apache-2.0
"""Parquet files as sources: parts, exact columns, and clear errors."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError, UnreadableError
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import digest_table
from lineagekit.identity.tables.parquet import open_parquet
from lineagekit.identity.tables.source import TableSource
from tests.strategies import tables

NESTED = pa.table(
    {
        "b": [1, 2],
        "a.b": [3, 4],
        "a": [{"b": 5, "c": 6}, None],
        "list": [[1], []],
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "": ["x", None],
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parquet")


def write(folder: Path, table: pa.Table, **options: object) -> Path:
    path = folder / "table.parquet"
    pq.write_table(table, path, **options)
    return path


def read(source: TableSource, columns: list[str], *, threads: bool = False) -> list[dict[str, object]]:
    batches = [batch for part in source.parts for batch in part.read(columns, threads=threads)]
    assert all(batch.schema.names == columns for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize(
    "columns",
    [["a.b"], ["a"], ["b", "a.b"], ["a.b", "a", "b"], ["map", "", "list"], NESTED.column_names[::-1], ["b"]],
    ids=str,
)
def test_exactly_the_columns_asked_come_in_the_order_asked(tmp_path: Path, columns: list[str]) -> None:
    source = open_parquet(write(tmp_path, NESTED))
    assert read(source, columns) == NESTED.select(columns).to_pylist()
    assert read(source, columns, threads=True) == NESTED.select(columns).to_pylist()


def test_row_groups_are_parts_that_know_their_first_row(tmp_path: Path) -> None:
    table = pa.table({"i": range(300_000)})
    source = open_parquet(write(tmp_path, table, row_group_size=100_000))
    assert [part.first_row for part in source.parts] == [0, 100_000, 200_000]
    assert source.rows == 300_000
    assert [next(part.read(["i"], threads=False))["i"][0].as_py() for part in source.parts] == [0, 100_000, 200_000]


def test_small_row_groups_share_a_part(tmp_path: Path) -> None:
    table = pa.table({"i": range(200_000)})
    source = open_parquet(write(tmp_path, table, row_group_size=1000))
    assert [part.first_row for part in source.parts] == [0, 66_000, 132_000, 198_000]
    assert read(source, ["i"]) == table.to_pylist()


def test_batches_of_wide_rows_are_small(tmp_path: Path) -> None:
    table = pa.table({"e": [os.urandom(1 << 20) for _ in range(100)]})
    part = open_parquet(write(tmp_path, table)).parts[0]
    assert max(batch.num_rows for batch in part.read(["e"], threads=False)) <= 64


def test_rows_without_columns_are_counted(tmp_path: Path) -> None:
    part = open_parquet(write(tmp_path, NESTED)).parts[0]
    assert [(batch.num_columns, batch.num_rows) for batch in part.read([], threads=False)] == [(0, 2)]
    pl.DataFrame(height=3).write_parquet(tmp_path / "bare.parquet")
    source = open_parquet(tmp_path / "bare.parquet")
    assert (source.rows, source.schema.names) == (3, [])
    assert sum(batch.num_rows for batch in source.parts[0].read([], threads=False)) == 3


def test_a_table_without_rows_is_one_part(tmp_path: Path) -> None:
    source = open_parquet(write(tmp_path, NESTED.slice(0, 0)))
    assert (source.rows, len(source.parts), source.schema.names) == (0, 1, NESTED.column_names)
    assert read(source, ["a"]) == []


def test_texts_that_repeat_are_read_as_dictionaries(tmp_path: Path) -> None:
    few = pa.array(["pos", "neg", None, "a much longer label"] * 5000)
    many = pa.array([f"{i:040x}" for i in range(20_000)])
    table = pa.table({"few": few, "many": many, "large": few.cast(pa.large_string())})
    source = open_parquet(write(tmp_path, table))
    assert [pa.types.is_dictionary(t) for t in source.schema.types] == [True, False, True]
    assert read(source, table.column_names) == table.to_pylist()


@given(tables(), st.integers(1, 5))
def test_values_come_back_as_pyarrow_reads_them(folder: Path, table: pa.Table, rows: int) -> None:
    try:
        path = write(folder, table, row_group_size=rows)
    except pa.ArrowException:
        reject()  # Parquet cannot hold it
    # By digest: NaN is not equal to itself, and Python has no year 10,000.
    assert digest_table(open_parquet(path)).digests == digest_table(from_arrow(pq.read_table(path))).digests


def test_an_open_file_is_one_part_and_stays_open(tmp_path: Path) -> None:
    with write(tmp_path, pa.table({"i": range(300_000)}), row_group_size=100_000).open("rb") as file:
        source = open_parquet(file)
        assert len(source.parts) == 1
        assert len(read(source, ["i"], threads=True)) == len(read(source, ["i"])) == 300_000
        assert not file.closed


def test_a_name_that_is_not_utf8_can_be_opened(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.parquet")
    write(tmp_path, NESTED).rename(path)
    assert read(open_parquet(path), ["b"]) == [{"b": 1}, {"b": 2}]


def test_reading_can_stop_early(tmp_path: Path) -> None:
    part = open_parquet(write(tmp_path, pa.table({"i": range(200_000)}))).parts[0]
    batches = part.read(["i"], threads=True)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:4], lambda data: data[:-30], lambda data: b"id,label\n1,pos\n" * 9],
    ids=["empty", "magic alone", "truncated", "CSV"],
)
def test_a_file_that_is_no_parquet_is_named(tmp_path: Path, damage: object) -> None:
    path = write(tmp_path, NESTED)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BadDataError, match=r"table\.parquet' as a Parquet file"):
        open_parquet(path)


def test_a_damaged_page_is_bad_data(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"i": range(1000)}), compression="none")
    data = bytearray(path.read_bytes())
    data[4:60] = b"\xff" * 56
    path.write_bytes(data)
    with pytest.raises(BadDataError, match=r"table\.parquet"):
        read(open_parquet(path), ["i"])


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(BadDataError, match="duplicate column names: got 'a'"):
        open_parquet(write(tmp_path, table))


def test_what_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.parquet"):
        open_parquet(tmp_path / "gone.parquet")
    with pytest.raises(UnreadableError, match=tmp_path.name):
        open_parquet(tmp_path)
