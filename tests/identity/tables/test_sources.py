# SPDX-License-Identifier: Apache-2.0
"""Which reader opens what."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.identity.tables.sources import is_table, open_table

TABLE = pa.table({"id": ["1", "2"], "label": ["pos", "neg"]})
CSV = b"id,label\n1,pos\n2,neg\n"
LINES = b'{"id": "1", "label": "pos"}\n{"id": "2", "label": "neg"}\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    pq.write_table(TABLE, tmp_path / "magic.bin")
    feather.write_feather(TABLE, str(tmp_path / "t.feather"))
    feather.write_feather(TABLE, str(tmp_path / "magic"))
    (tmp_path / "t.csv").write_bytes(CSV)
    (tmp_path / "T.CSV.GZ").write_bytes(gzip.compress(CSV))
    (tmp_path / "t.tsv").write_bytes(CSV.replace(b",", b"\t"))
    (tmp_path / "t.jsonl").write_bytes(LINES)
    (tmp_path / "t.ndjson.gz").write_bytes(gzip.compress(LINES))
    (tmp_path / "notes.txt").write_bytes(CSV)
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    return tmp_path


TABLES = ["t.parquet", "magic.bin", "t.feather", "magic", "t.csv", "T.CSV.GZ", "t.tsv", "t.jsonl", "t.ndjson.gz"]


def rows(target: object, **options: str) -> list[dict[str, object]]:
    source = open_table(target, **options)
    batches = [batch for part in source.parts for batch in part.read(source.schema.names, threads=False)]
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("name", TABLES)
def test_a_file_is_known_by_its_suffix_or_its_first_bytes(files: Path, name: str) -> None:
    assert is_table(str(files / name))
    assert rows(files / name) == rows(str(files / name)) == TABLE.to_pylist()


@pytest.mark.parametrize("name", ["notes.txt", "t.parquet.gz"])
def test_another_file_is_no_table(files: Path, name: str) -> None:
    assert not is_table(str(files / name))
    with pytest.raises(UsageError, match=r"not a table.*\.parquet.*\.csv.*delimiter"):
        open_table(files / name)


def test_a_delimiter_makes_any_file_csv(files: Path) -> None:
    assert rows(files / "notes.txt", delimiter=",") == TABLE.to_pylist()
    assert rows(files / "t.parquet", delimiter=",") == TABLE.to_pylist()
    assert open_table(files / "t.csv", delimiter=";").schema.names == ["id,label"]


@pytest.mark.parametrize("name", TABLES)
def test_an_open_file_is_known_by_its_name(files: Path, name: str) -> None:
    with (files / name).open("rb") as file:
        assert rows(file) == TABLE.to_pylist()


def test_bytes_without_a_name_are_known_by_the_first_of_them(files: Path) -> None:
    assert rows(io.BytesIO((files / "t.parquet").read_bytes())) == TABLE.to_pylist()
    with pytest.raises(UsageError, match="'<stream>'"):
        open_table(io.BytesIO(CSV))


@pytest.mark.parametrize("target", [TABLE, TABLE.to_pandas(), pl.from_arrow(TABLE)], ids=["Arrow", "pandas", "polars"])
def test_what_is_in_memory_is_known_by_its_library(target: object) -> None:
    assert rows(target) == TABLE.to_pylist()


def test_a_frame_built_on_pandas_is_known_too() -> None:
    class GeoFrame(pd.DataFrame):
        pass

    assert rows(GeoFrame({"id": ["1"]})) == [{"id": "1"}]


@pytest.mark.parametrize("target", [7, None, [{"id": 1}]], ids=str)
def test_anything_else_is_no_table(target: object) -> None:
    with pytest.raises(UsageError, match="expected a DataFrame"):
        open_table(target)


def test_asking_never_fails_and_never_waits(files: Path) -> None:
    os.mkfifo(files / "pipe")
    (files / "folder.parquet").mkdir()
    assert not is_table(str(files / "pipe"))
    assert not is_table(str(files / "folder.parquet"))
    assert not is_table(str(files / "gone"))
    assert is_table("s3://bucket/key.parquet")


@pytest.mark.parametrize(
    ("uri", "known"),
    [
        ("s3://bucket/t.parquet?versionId=a.b", True),
        ("s3://bucket/t.csv.gz?versionId=abc", True),
        ("https://host/t.csv?signature=a/b.c", True),
        ("https://host/download?name=t.csv", False),
        ("s3://bucket/what?.csv", True),
        ("s3://bucket/t.parquet.gz", False),
    ],
)
def test_the_query_of_a_uri_is_no_part_of_its_name(uri: str, known: bool) -> None:
    assert is_table(uri) is known


def test_a_file_that_is_not_there_is_named(files: Path) -> None:
    for name in ("gone", "gone.csv", "gone.parquet"):
        with pytest.raises(NotFoundError, match=name):
            open_table(files / name)


def test_asking_loads_no_arrow(files: Path) -> None:
    script = (
        "import sys\n"
        "from lineagekit.identity.tables.sources import is_table\n"
        f"print(is_table({str(files / 'magic.bin')!r}), 'pyarrow' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout == "True False\n"
