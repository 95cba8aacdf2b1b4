# SPDX-License-Identifier: Apache-2.0
"""Entry points: where a path is that a file system stands before, and names that were taken before we came."""

from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from lineagekit_python.entry import located, shape_of
from pyarrow import fs

from tests.integrations.batch import Batch, Case, Told

LOCAL, MEMORY = fs.LocalFileSystem(), fsspec.filesystem("memory")


@pytest.mark.parametrize(
    ("filesystem", "expected"),
    [
        (LOCAL, "bucket/a.parquet"),
        (fs.SubTreeFileSystem("/data", LOCAL), "/data/bucket/a.parquet"),
        (fs.PyFileSystem(fs.FSSpecHandler(MEMORY)), None),
        (fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem("file"))), "bucket/a.parquet"),
        (fs._MockFileSystem(), None),
        (MEMORY, None),
        (fsspec.filesystem("file"), "bucket/a.parquet"),
        (DirFileSystem("/data", fsspec.filesystem("file")), "/data/bucket/a.parquet"),
        (DirFileSystem("/data", MEMORY), None),
        (fsspec.filesystem("http"), "http://bucket/a.parquet"),
        ("s3://root", "s3://root/bucket/a.parquet"),
        ("/data", "bucket/a.parquet"),
        (object(), None),
    ],
)
def test_a_path_is_where_its_file_system_is(filesystem: object, expected: str | None) -> None:
    assert located("bucket/a.parquet", filesystem) == expected
    assert located(["bucket/a.parquet"], filesystem) == [expected]


def test_a_bucket_is_no_local_folder() -> None:
    assert located("bkt/a.parquet", fs.S3FileSystem(anonymous=True, region="eu-west-1")) == "s3://bkt/a.parquet"
    assert located("s3://bkt/a.parquet", LOCAL) == "s3://bkt/a.parquet"


def test_the_shape_of_a_table_costs_nothing() -> None:
    assert shape_of(pa.table({"a": [1, 2]})) == {"rows": 2, "columns": [["a", "int64"]]}
    assert shape_of(pa.table({str(i): [1] for i in range(500)})) == {"rows": 1}
    assert shape_of([1, 2]) == {}


LATE = Batch(
    before="""
import pathlib, pickle, sys
from bz2 import open as open_bz2
from os import replace
import duckdb, numpy as np, pandas as pd, polars as pl, pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from duckdb import connect, sql
from joblib import dump
from pandas import read_parquet
from polars import read_csv, scan_csv
from pyarrow import OSFile, memory_map
from pyarrow.csv import read_csv as read_arrow, write_csv
from pyarrow.parquet import ParquetWriter, read_table, write_table
from safetensors import safe_open
from safetensors.numpy import save_file
opened = connect()
""",
    prelude="""
table = pa.table({"a": [1, 2]})
write_table(table, "in.parquet")
write_csv(table, "in.csv")
save_file({"a": np.arange(2)}, "in.safetensors")
""",
    cases=[
        Case("replace", "open('x', 'w').write('1'); replace('x', 'out')", "", "out"),
        Case("bz2", "open_bz2('out', 'w').write(b'1')", "", "out"),
        Case("pandas", "read_parquet('in.parquet').to_parquet('out')", "in.parquet", "out"),
        Case("polars", "read_csv('in.csv'); scan_csv('in.csv').sink_csv('out')", "in.csv", "out"),
        Case("arrow", "write_csv(read_arrow('in.csv'), 'out')", "in.csv", "out"),
        Case("parquet", "write_table(read_table('in.parquet'), 'out')", "in.parquet", "out"),
        Case("file", "OSFile('in.csv').read(); memory_map('in.parquet').close()", "in.csv in.parquet"),
        Case("duckdb", "sql(\"from 'in.csv'\").fetchall(); connect().read_parquet('in.parquet')", "in.csv in.parquet"),
        Case("duckdb_open", "opened.execute('from read_parquet($1)', ['in.parquet']).fetchall()", "in.parquet"),
        Case("delta", "write_deltalake('out', table); DeltaTable('out')", "", "out"),
        Case("joblib", "dump([1], 'out')", "", "out"),
        Case("safetensors", "safe_open('in.safetensors', 'np').keys()", "in.safetensors"),
        Case(
            "as_before",
            """
            stream = pa.OSFile('in.csv')
            assert isinstance(stream, pa.OSFile) and isinstance(stream, OSFile) and isinstance(stream, pa.NativeFile)
            assert issubclass(type(stream), pa.OSFile)
            class Mine(pa.OSFile):
                pass
            assert isinstance(Mine('in.csv'), Mine)
            for function in (read_arrow, read_table, pl.scan_csv, read_csv, read_parquet, pickle.dump, dump, sql):
                assert pickle.loads(pickle.dumps(function)) is function, function
            try:
                pa.OSFile('none')
            except FileNotFoundError as error:
                assert 'none' in str(error)
            """,
            "in.csv",
        ),
        Case(
            "hostile",
            """
            class Hostile:
                def __fspath__(self):
                    raise KeyError('mine')
                def __repr__(self):
                    raise KeyError('mine')
            arrow = (read_table, read_arrow, DeltaTable)
            for function in (*arrow, read_csv, read_parquet, sql, connect, np.memmap, safe_open):
                try:
                    function(Hostile())
                except Exception as error:
                    assert 'lineagekit' not in str(error)
                else:
                    raise AssertionError(function)
            """,
        ),
    ],
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("late") / "batch"
    return LATE.finish(LATE.start(folder), folder)


@pytest.mark.parametrize("case", LATE.cases, ids=lambda case: case.name)
def test_a_name_that_was_imported_before_is_seen_as_well(case: Case, told: dict[str, Told]) -> None:
    one = told[case.name]
    assert not one.error
    assert (one.reads, one.writes) == (case.reads, case.writes)


def test_our_own_files_are_where_they_are_said_to_be() -> None:
    import lineagekit_python

    folder = Path(lineagekit_python.__file__).parent.parent
    for place in lineagekit_python.TABLES.values():
        module, _, function = place.partition(":")
        assert f"def {function}(" in (folder / f"{module.replace('.', '/')}.py").read_text()
    assert pickle.dumps(lineagekit_python.TABLES)
