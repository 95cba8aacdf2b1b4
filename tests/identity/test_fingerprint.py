# SPDX-License-Identifier: Apache-2.0
"""The front door: anything in, a Snapshot or a clear error out."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import lineagekit
from lineagekit.errors import BadDataError, LineagekitError, NotFoundError, UsageError
from lineagekit.identity.cache import NullCache, open_cache
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options
from lineagekit.identity.snapshot import Snapshot

TABLE = pa.table({"id": [1, 2, 3], "label": ["pos", "neg", "pos"]})


@pytest.fixture
def parquet(tmp_path: Path) -> str:
    path = str(tmp_path / "t.parquet")
    pq.write_table(TABLE, path)
    return path


def algorithms(target: object, options: Options | None = None) -> list[str]:
    return [digest.algorithm for digest in fingerprint(target, options).digests]


def test_a_table_file_is_named_by_bytes_and_content(parquet: str) -> None:
    snapshot = fingerprint(parquet)
    assert [d.algorithm for d in snapshot.digests] == ["blake3", "lkt1", "lks1"]
    assert (snapshot.kind, snapshot.rows, snapshot.bytes) == ("table", 3, os.path.getsize(parquet))
    assert snapshot.columns == (("id", "int64"), ("label", "utf8"))


@pytest.mark.parametrize(
    ("what", "expected"),
    [("bytes", ["blake3"]), ("content", ["lkt1", "lks1"]), ("both", ["blake3", "lkt1", "lks1"])],
)
def test_what_is_asked_for_is_what_is_taken(parquet: str, what: str, expected: list[str]) -> None:
    assert algorithms(parquet, Options(what=what)) == expected  # type: ignore[arg-type]


def test_the_sorted_digest_comes_on_request(parquet: str) -> None:
    assert algorithms(parquet, Options(algorithm="lkm1")) == ["blake3", "lkt1", "lks1", "lkm1"]


def test_sha256_replaces_the_digest_of_bytes(parquet: str) -> None:
    assert algorithms(parquet, Options(algorithm="sha256")) == ["sha256", "lkt1", "lks1"]


def test_a_public_call_takes_the_same_things() -> None:
    assert lineagekit.fingerprint(b"abc").digest("blake3").hex.startswith("6437b3ac")


@pytest.mark.parametrize(
    "frame",
    [
        lambda: pd.DataFrame({"id": [1, 2, 3], "label": ["pos", "neg", "pos"]}),
        lambda: pl.DataFrame({"id": [1, 2, 3], "label": ["pos", "neg", "pos"]}),
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        lambda: TABLE.to_reader(),
        lambda: ds.dataset(TABLE),
    ],
    ids=["pandas", "polars", "table", "batch", "reader", "dataset"],
)
def test_a_frame_has_the_digests_of_the_parquet_file_it_writes(parquet: str, frame: Callable[[], object]) -> None:
    assert fingerprint(frame()).digests == fingerprint(parquet).digests[1:]


def test_records_are_named_as_published() -> None:
    records = [
        {"id": 1, "text": "ship the model", "label": "pos"},
        {"id": 2, "text": "the run crashed", "label": "neg"},
        {"id": 3, "text": "all-reduce converged", "label": "pos"},
    ]
    snapshot = fingerprint(iter(records))
    assert snapshot.rows == 3
    assert str(snapshot.digests[0]) == (
        "records-sha256:3dd4f59af2233d0a45a0b32bc487a1b7badc99f74221c1ecda853e0cb6b1712e"
    )


def test_json_lines_have_the_digest_of_their_records_beside_those_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"label": "pos", "id": 1}\n{"id": 2, "label": "neg"}\n')
    snapshot = fingerprint(path)
    assert [d.algorithm for d in snapshot.digests] == ["blake3", "lkt1", "lks1", "records-sha256"]
    records = [{"id": 1, "label": "pos"}, {"id": 2, "label": "neg"}]
    assert snapshot.digest("records-sha256") == fingerprint(records).digests[0]


def test_a_csv_says_its_dialect_and_keeps_leading_zeros(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("zip\n00701\n")
    (tmp_path / "b.csv").write_text("zip\n701\n")
    a, b = (fingerprint(tmp_path / name).digest("lkt1") for name in ("a.csv", "b.csv"))
    assert a.method == "lkt1;csv=%2C%22"
    assert not a.same_as(b)


def test_a_folder_and_a_glob_of_all_its_files_are_the_same_set(tmp_path: Path) -> None:
    (tmp_path / "x" / "dt=1").mkdir(parents=True)
    (tmp_path / "x" / "dt=1" / "a.csv").write_text("a\n")
    (tmp_path / "x" / "dt=1" / "b.csv").write_text("b\n")
    folder, glob = fingerprint(tmp_path / "x"), fingerprint(tmp_path / "x" / "**" / "*.csv")
    assert folder.digests == glob.digests
    assert (folder.kind, folder.files, folder.bytes) == ("directory", 2, 4)


def test_a_glob_and_an_include_must_both_match(tmp_path: Path) -> None:
    for name in ("a.csv", "a.txt", "b.csv"):
        (tmp_path / name).write_text(name)
    chosen = fingerprint(tmp_path / "a*", Options(include=("*.csv",)))
    assert chosen.digests == fingerprint(tmp_path / "a.cs[v]").digests
    assert chosen.files == 1


def test_a_file_uri_is_the_file(parquet: str) -> None:
    assert fingerprint(f"file://{parquet}").digests == fingerprint(parquet).digests


def test_a_name_with_glob_characters_that_exists_is_that_file(tmp_path: Path) -> None:
    odd = tmp_path / "a[1]*.txt"
    odd.write_text("x")
    assert fingerprint(odd).kind == "file"


def test_the_cache_remembers_content_for_equal_bytes_and_options_only(tmp_path: Path, parquet: str) -> None:
    cache = open_cache(tmp_path / "cache")
    first = fingerprint(parquet, Options(cache=cache, profile=True))
    again = fingerprint(parquet, Options(cache=cache, profile=True))
    assert again == first
    assert again.profile == first.profile
    assert fingerprint(parquet, Options(cache=cache, columns=("id",))).digests[1:] != first.digests[1:]


def test_the_cache_never_takes_compressed_bytes_for_a_table_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    (tmp_path / "y.csv").write_bytes((tmp_path / "x.csv.gz").read_bytes())
    options = Options(cache=open_cache(tmp_path / "cache"))
    fingerprint(tmp_path / "x.csv.gz", options)
    with pytest.raises(BadDataError, match=r"y\.csv"):
        fingerprint(tmp_path / "y.csv", options)


def test_standard_input_is_hashed_as_it_comes(tmp_path: Path) -> None:
    code = "from lineagekit.identity.fingerprint import fingerprint; print(fingerprint('-').digests[0])"
    out = subprocess.run([sys.executable, "-c", code], input=b"abc", capture_output=True, check=True)
    assert out.stdout.decode().strip() == str(fingerprint(b"abc").digests[0])


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.close()


BAD: dict[str, tuple[Callable[[Path], object], type[LineagekitError], str]] = {
    "missing.csv": (lambda path: None, NotFoundError, "no such file"),
    "fifo.csv": (make_fifo, BadDataError, "FIFO|pipe"),
    "socket": (make_socket, BadDataError, "socket"),
    "dangling": (lambda path: path.symlink_to("nowhere"), NotFoundError, "nowhere"),
    "loop": (lambda path: path.symlink_to("loop"), LineagekitError, "loop"),
    "cut.parquet": (lambda path: path.write_bytes(b"PAR1 and no more"), BadDataError, "cut.parquet"),
    "empty.parquet": (lambda path: path.write_bytes(b""), BadDataError, "empty.parquet"),
    "empty.csv": (lambda path: path.write_bytes(b""), BadDataError, "empty.csv"),
    "ragged.csv": (lambda path: path.write_text("a,b\n1,2\n3\n"), BadDataError, "ragged.csv"),
    "latin.csv": (lambda path: path.write_bytes("é\nü\n".encode("latin-1")), BadDataError, "latin.csv"),
    "twice.csv": (lambda path: path.write_text("a,a\n1,2\n"), BadDataError, "duplicate column names: got 'a'"),
    "bad.jsonl": (lambda path: path.write_text('{"a": 1}\n{"a": \n'), BadDataError, "line 2"),
    "cut.arrow": (lambda path: path.write_bytes(b"ARROW1 and no more"), BadDataError, "cut.arrow"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_gets_a_clear_error_that_names_it(tmp_path: Path, name: str) -> None:
    make, error, words = BAD[name]
    make(tmp_path / name)
    with pytest.raises(error, match=words):
        fingerprint(tmp_path / name)


def test_a_file_with_a_trailing_slash_is_refused(parquet: str) -> None:
    with pytest.raises(LineagekitError, match=r"t\.parquet"):
        fingerprint(f"{parquet}/")


def test_a_device_is_refused() -> None:
    with pytest.raises(BadDataError, match="device"):
        fingerprint("/dev/null")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="s3"):
        fingerprint("nope://bucket/key")


def test_a_union_column_is_refused_with_advice() -> None:
    union = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(BadDataError, match="--ignore"):
        fingerprint(pa.table({"u": union}))


@pytest.mark.parametrize("what", ["content", "both"])
def test_content_of_what_is_no_table_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "x.bin").write_bytes(b"x")
    with pytest.raises(LineagekitError, match="not a table"):
        fingerprint(tmp_path / "x.bin", Options(what=what))  # type: ignore[arg-type]
    with pytest.raises(LineagekitError, match="not a table"):
        fingerprint(tmp_path, Options(what=what))  # type: ignore[arg-type]


def test_an_empty_file_has_the_digest_of_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert fingerprint(tmp_path / "empty").digests[0].hex.startswith("af1349b9")


@pytest.mark.parametrize("table", [pa.table({"a": pa.array([], pa.int64())}), pa.table({})], ids=["rows", "columns"])
def test_tables_without_rows_or_columns_have_digests(tmp_path: Path, table: pa.Table) -> None:
    pq.write_table(table, tmp_path / "t.parquet")
    assert fingerprint(tmp_path / "t.parquet").digests[1:] == fingerprint(table).digests


def test_a_table_that_changes_under_the_reader_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    written = iter(range(10))  # somebody appends each time the file was hashed

    def append(_: int) -> None:
        with path.open("a") as file:
            file.write(f"{next(written)}\n")

    assert_unknown(fingerprint(path, Options(progress=append)), path, "file")


@pytest.mark.parametrize("target", ["", "/", "/*.bin"], ids=["folder", "slash", "glob"])
def test_a_folder_with_a_file_that_changes_under_the_reader_is_unknown(tmp_path: Path, target: str) -> None:
    log = tmp_path / "log.bin"
    log.write_bytes(bytes(2 << 20))

    def append(_: int) -> None:
        with log.open("ab") as file:
            file.write(b"more")

    name = f"{tmp_path}{target}"
    assert_unknown(fingerprint(name, Options(progress=append)), name, "directory")


def test_a_table_that_changes_between_bytes_and_content_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")

    class Meddler(NullCache):
        """Is asked for the content after the bytes were hashed, and appends to the file."""

        def recall(self, key: str) -> None:
            with path.open("a") as file:
                file.write("2\n")

    assert_unknown(fingerprint(path, Options(cache=Meddler())), path, "file")


def assert_unknown(snapshot: Snapshot, name: object, kind: str) -> None:
    assert (snapshot.name, snapshot.kind, snapshot.state, snapshot.digests) == (str(name), kind, "unknown", ())
    assert "changed while it was read, twice" in snapshot.reason


@pytest.mark.parametrize("target", [42, None, {"id": 1}], ids=["number", "nothing", "one record"])
def test_what_cannot_be_data_is_refused(target: object) -> None:
    with pytest.raises(UsageError, match=f"cannot fingerprint a {type(target).__name__}: expected a path"):
        fingerprint(target)


@pytest.mark.parametrize("target", [{"a", "b"}, frozenset("ab")], ids=["set", "frozenset"])
def test_a_set_has_no_order_and_so_no_digest(target: object) -> None:
    with pytest.raises(UsageError, match=r"cannot fingerprint a .*set: its records have no order.*sorted"):
        fingerprint(target)


@pytest.mark.parametrize("target", [io.BytesIO(b"a\n"), io.StringIO('{"a": 1}\n')], ids=["bytes", "text"])
def test_an_open_file_is_not_taken_for_records(target: object) -> None:
    with pytest.raises(UsageError, match=r"cannot fingerprint an open file.*path.*read\(\)"):
        fingerprint(target)


def test_a_subclass_of_a_frame_is_a_frame() -> None:
    class Frame(pd.DataFrame):
        """As geopandas and others make them."""

    data = {"id": [1, 2]}
    assert fingerprint(Frame(data)).digests == fingerprint(pd.DataFrame(data)).digests
