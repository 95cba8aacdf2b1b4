# SPDX-License-Identifier: Apache-2.0
"""Folders: the manifest says which files differ, and no other file is opened."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lineagekit.differ.diff import diff
from lineagekit.differ.job import How
from lineagekit.identity.cache import open_cache
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options
from tests.differ.tables import ORDERS, compare, with_cells, write
from tests.identity.worlds import as_nobody, open_folder


def write_set(folder: Path, table: pa.Table, files: int) -> Path:
    rows = len(table) // files
    for number in range(files):
        write(table.slice(number * rows, rows), folder / f"part-{number:03}.parquet")
    return folder


def test_files_are_added_removed_changed_and_renamed(tmp_path: Path) -> None:
    for name, text in {"same": "s", "gone": "g", "edited": "e", "old": "moved text", "empty": ""}.items():
        (tmp_path / "a" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "a" / name).write_text(text)
    for name, text in {"same": "s", "new": "n", "edited": "f", "young": "moved text", "nothing": ""}.items():
        (tmp_path / "b" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "b" / name).write_text(text)
    found = compare(tmp_path / "a", tmp_path / "b")
    files = found.files
    assert files is not None
    assert [one.path for one in files.changed] == ["edited"]
    assert [one.path for one in files.added] == ["new", "nothing"]
    assert [one.path for one in files.removed] == ["empty", "gone"]
    assert [(one.was, one.path) for one in files.renamed] == [("old", "young")]
    assert found.verdict == "changed (1 file changed, 2 files added, 2 files removed, 1 file renamed)"
    assert [part.verdict for part in found.parts] == ["changed (text: 1 line added, 1 removed)"]


def test_a_changed_file_of_a_data_set_is_compared_row_by_row(tmp_path: Path) -> None:
    a = write_set(tmp_path / "a", ORDERS, 10)
    b = write_set(tmp_path / "b", with_cells(ORDERS, "amount", {333: -1.0}), 10)
    found = compare(a, b)
    assert found.verdict == "changed (1 row, columns amount)"
    assert found.files is not None
    assert [one.path for one in found.files.changed] == ["part-003.parquet"]
    assert found.rows is not None
    assert found.rows.before == 100


def test_a_data_set_of_other_files_has_the_same_content(tmp_path: Path) -> None:
    found = compare(write_set(tmp_path / "a", ORDERS, 4), write_set(tmp_path / "b", ORDERS, 10))
    assert found.verdict == "same content, re-encoded"


def test_a_new_file_is_appended_and_a_renamed_one_is_nothing(tmp_path: Path) -> None:
    a = write_set(tmp_path / "a", ORDERS.slice(0, 900), 9)
    b = write_set(tmp_path / "b", ORDERS, 10)
    assert compare(a, b).verdict == "appended (100 rows)"
    (a / "part-000.parquet").rename(a / "part-zzz.parquet")
    write(ORDERS.slice(900), a / "part-009.parquet")
    assert compare(b, a).verdict == "same content, files renamed"


def test_hidden_files_are_no_part_of_a_table(tmp_path: Path) -> None:
    a, b = (write_set(tmp_path / name, ORDERS, 2) for name in "ab")
    (b / "_SUCCESS").write_text("")
    assert compare(a, b).verdict == "same content, other hidden files"


def test_a_file_that_lacks_a_column_has_nulls_there(tmp_path: Path) -> None:
    for name in "ab":
        write(ORDERS.slice(0, 500), tmp_path / name / "0.parquet")
        half = ORDERS.slice(500) if name == "a" else ORDERS.slice(500).drop_columns(["status"])
        write(half, tmp_path / name / "1.parquet", compression="zstd" if name == "b" else "snappy")
    write(ORDERS.slice(0, 500), tmp_path / "b" / "0.parquet", compression="zstd")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found.rows is not None
    assert found.rows.columns == (("status", sum(v is not None for v in ORDERS["status"].to_pylist()[500:])),)


def test_globs_choose_files(tmp_path: Path) -> None:
    a = write_set(tmp_path / "a", ORDERS, 2)
    b = write_set(tmp_path / "b", ORDERS, 2)
    (a / "notes.txt").write_text("x")
    assert compare(a / "*.parquet", b / "*.parquet").verdict == "identical bytes"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that this process may not read")
def test_of_a_thousand_files_that_were_hashed_before_only_the_changed_one_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pa.concat_tables([ORDERS] * 5)
    with open_folder() as folder, open_folder() as cache_folder:
        a = write_set(folder / "a", table, 1000)
        b = write_set(folder / "b", with_cells(table, "amount", {2503: -1.0}), 1000)
        for path in (*a.iterdir(), *b.iterdir()):
            path.chmod(0o644 if path.name == "part-500.parquet" else 0)
        with closing(open_cache(cache_folder)) as cache:
            for side in (a, b):
                fingerprint(str(side), Options(cache=cache))
            cache_folder.chmod(0o777)
            monkeypatch.setattr(tempfile, "tempdir", str(cache_folder))  # what TMPDIR says
            with as_nobody():
                found = diff(str(a), str(b), how=How(cache=cache))
                with pytest.raises(PermissionError):
                    (a / "part-001.parquet").read_bytes()
    assert found.verdict == "changed (1 row, columns amount)"
    assert found.levels[0].told == "1,000 files: 1 changed"


class Counted(MemoryFileSystem):
    """An object store in memory that says which objects were opened."""

    protocol = "counted"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    opened: ClassVar[list[str]] = []

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode == "rb":
            self.opened.append(path)
        return super()._open(path, mode, **options)

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        return self._tagged(super().info(path, **options))

    def find(self, path: str, *args: Any, **options: Any) -> Any:
        found = super().find(path, *args, **options)
        return {name: self._tagged(one) for name, one in found.items()} if options.get("detail") else found

    def _tagged(self, info: dict[str, Any]) -> dict[str, Any]:
        if info["type"] == "file":
            info["ETag"] = str(hash(self.store[self._strip_protocol(info["name"])].getvalue()))
        return info


@pytest.fixture
def counted() -> Iterator[type[Counted]]:
    fsspec.register_implementation("counted", Counted, clobber=True)
    Counted.store.clear()
    yield Counted
    Counted.store.clear()


def test_of_objects_below_two_prefixes_only_the_changed_one_is_opened(tmp_path: Path, counted: type[Counted]) -> None:
    for name, table in (("a", ORDERS), ("b", with_cells(ORDERS, "amount", {333: -1.0}))):
        for path in write_set(tmp_path / name, table, 20).iterdir():
            counted().pipe(f"counted://lake/{name}/{path.name}", path.read_bytes())
    with closing(open_cache(tmp_path / "cache")) as cache:
        how = How(cache=cache)
        first = diff("counted://lake/a", "counted://lake/b", how=how)
        assert first.verdict == "changed (1 row, columns amount)"
        counted.opened.clear()
        assert diff("counted://lake/a", "counted://lake/b", how=how).rows == first.rows
    assert {path.rpartition("/")[2] for path in counted.opened} == {"part-006.parquet"}


def test_two_objects_compare_as_files_do(tmp_path: Path, counted: type[Counted]) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    counted().pipe("counted://lake/a.parquet", a.read_bytes())
    b = write(ORDERS.slice(1), tmp_path / "b.parquet")
    assert compare("counted://lake/a.parquet", a).verdict == "identical bytes"
    assert compare("counted://lake/a.parquet", b).verdict == "changed (1 row removed)"
