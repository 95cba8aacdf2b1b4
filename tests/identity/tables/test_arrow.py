# SPDX-License-Identifier: Apache-2.0
"""Arrow files, streams and objects as sources."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import feather, ipc

from lineagekit.errors import BadDataError, NotFoundError, UsageError
from lineagekit.identity.tables.arrow import from_arrow, open_arrow
from lineagekit.identity.tables.source import TableSource

TABLE = pa.table({"i": range(3), "a.b": ["x", None, "z"], "d": pa.array(["u", "v", "u"]).dictionary_encode()})


def write_file(table: pa.Table, path: Path) -> None:
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def write_stream(table: pa.Table, path: Path) -> None:
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


def write_compressed(table: pa.Table, path: Path) -> None:
    feather.write_feather(table, str(path), compression="zstd")


Write = Callable[[pa.Table, Path], None]
every_form = pytest.mark.parametrize("write", [write_file, write_stream, write_compressed])


def read(source: TableSource, columns: list[str]) -> list[dict[str, object]]:
    batches = [batch for part in source.parts for batch in part.read(columns, threads=True)]
    assert all(batch.schema.names == columns for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


@every_form
@pytest.mark.parametrize("columns", [["i", "a.b", "d"], ["d", "i"], ["a.b"]], ids=str)
def test_a_file_gives_the_columns_asked_in_the_order_asked(tmp_path: Path, write: Write, columns: list[str]) -> None:
    write(TABLE, tmp_path / "t.arrow")
    source = open_arrow(tmp_path / "t.arrow")
    assert source.schema.names == TABLE.column_names
    assert read(source, columns) == read(source, columns) == TABLE.select(columns).to_pylist()


@every_form
def test_rows_without_columns_are_counted(tmp_path: Path, write: Write) -> None:
    write(TABLE, tmp_path / "t.arrow")
    part = open_arrow(tmp_path / "t.arrow").parts[0]
    assert [(batch.num_columns, batch.num_rows) for batch in part.read([], threads=False)] == [(0, 3)]


@every_form
def test_a_table_without_rows_is_one_too(tmp_path: Path, write: Write) -> None:
    write(TABLE.slice(0, 0), tmp_path / "t.arrow")
    assert read(open_arrow(tmp_path / "t.arrow"), ["i"]) == []


@every_form
def test_an_open_file_stays_open(tmp_path: Path, write: Write) -> None:
    write(TABLE, tmp_path / "t.arrow")
    with (tmp_path / "t.arrow").open("rb") as file:
        source = open_arrow(file)
        assert read(source, ["i"]) == read(source, ["i"]) == TABLE.select(["i"]).to_pylist()
        gc.collect()
        assert not file.closed


def test_batches_outlive_the_reading(tmp_path: Path) -> None:
    write_file(pa.table({"i": range(100_000)}), tmp_path / "t.arrow")
    batches = list(open_arrow(tmp_path / "t.arrow").parts[0].read(["i"], threads=False))
    gc.collect()
    assert [batch["i"][0].as_py() for batch in batches] == [0, 32_768, 65_536, 98_304]


@every_form
def test_a_truncated_file_is_bad_data(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "t.arrow"
    write(TABLE, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadDataError, match=r"t\.arrow"):
        read(open_arrow(path), ["i"])


@pytest.mark.parametrize("data", [b"", b"ARROW1\0\0", b"id,label\n1,pos\n" * 9], ids=["empty", "magic alone", "CSV"])
def test_what_is_no_arrow_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.arrow").write_bytes(data)
    with pytest.raises(BadDataError, match=r"t\.arrow' as Arrow IPC"):
        open_arrow(tmp_path / "t.arrow")


def test_feather_version_1_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "t.feather").write_bytes(b"FEA1" + bytes(100) + b"FEA1")
    with pytest.raises(BadDataError, match=r"Feather version 1\. Write it again"):
        open_arrow(tmp_path / "t.feather")


def test_offsets_that_lead_out_of_the_file_are_bad_data(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 1 << 30, 2)))
    texts = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"ab"))
    path = tmp_path / "t.arrow"
    batch = pa.record_batch([texts], names=["s"])
    with ipc.new_file(path, batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(BadDataError, match=r"t\.arrow"):
        read(open_arrow(path), ["s"])


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    write_file(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.arrow")
    with pytest.raises(BadDataError, match="duplicate column names: got 'a'"):
        open_arrow(tmp_path / "t.arrow")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.arrow"):
        open_arrow(tmp_path / "gone.arrow")


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.combine_chunks().to_batches()[0],
        lambda table: table.to_reader(),
        lambda table: ds.dataset(table),
    ],
    ids=["Table", "RecordBatch", "RecordBatchReader", "Dataset"],
)
def test_what_is_in_memory_is_read_in_small_batches(make: Callable[[pa.Table], object]) -> None:
    table = pa.table({"i": range(70_000), "a.b": range(70_000)})
    (part,) = from_arrow(make(table)).parts
    batches = list(part.read(["a.b"], threads=True))
    assert [batch.num_rows for batch in batches] == [32_768, 32_768, 4_464]
    assert pa.Table.from_batches(batches).equals(table.select(["a.b"]))


def test_a_dataset_reads_its_files_in_order(tmp_path: Path) -> None:
    for name in "cab":
        write_file(pa.table({"x": [name] * 2, "y": [1, 2]}), tmp_path / f"{name}.arrow")
    source = from_arrow(ds.dataset(tmp_path, format="arrow"))
    assert [row["x"] for row in read(source, ["x"])] == list("aabbcc")
    assert [(b.num_columns, b.num_rows) for b in source.parts[0].read([], threads=False)] == [(0, 2)] * 3


def test_a_reader_is_read_only_once() -> None:
    source = from_arrow(TABLE.to_reader())
    assert read(source, ["i"]) == TABLE.select(["i"]).to_pylist()
    with pytest.raises(UsageError, match="read before"):
        read(source, ["i"])


def test_a_table_without_columns_has_rows() -> None:
    source = from_arrow(TABLE.select([]))
    assert source.rows == 3
    assert [(b.num_columns, b.num_rows) for b in source.parts[0].read([], threads=False)] == [(0, 3)]


def test_another_arrow_object_is_no_table() -> None:
    with pytest.raises(UsageError, match="got Int64Array, expected a Table"):
        from_arrow(pa.array([1]))
