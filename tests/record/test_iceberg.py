# SPDX-License-Identifier: Apache-2.0
"""An Iceberg table is the files of its snapshot, as its own metadata tells, or it is not known."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from lineagekit.record.iceberg import IcebergTable
from lineagekit.record.lake import Span
from tests.record.iceberg_tables import Table, avro, text

EVER = Span(0, 1 << 62)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "t")


def test_a_snapshot_is_its_files_with_their_sizes_whatever_else_lies_there(table: Table) -> None:
    first = table.commit({"a": b"one"})
    second = table.commit({"b": b"three", "a": b"one"})
    (table.folder / "data" / "orphan").write_bytes(b"of a write that failed")
    found = IcebergTable(str(table.folder))
    assert found.files(first) == {"data/a": 3}
    assert found.files(second) == {"data/a": 3, "data/b": 5}
    assert found.files(7) is None


def test_paths_may_have_a_scheme_or_none(tmp_path: Path) -> None:
    plain = Table(tmp_path / "plain", scheme="")
    assert IcebergTable(str(plain.folder)).files(plain.commit({"a": b"one"})) == {"data/a": 3}
    other = Table(tmp_path / "other", scheme="s3://")
    assert IcebergTable(str(other.folder)).files(other.commit({"a": b"one"})) is None


@pytest.mark.parametrize("path", ["/etc/passwd", "file:/etc/passwd", "{table}/../passwd", "{table}2/a", "../a", "a\0"])
def test_what_lies_outside_the_table_is_never_opened(table: Table, path: str) -> None:
    number = table.commit({"a": b"one"}, elsewhere=path.format(table=table.folder))
    assert IcebergTable(str(table.folder)).files(number) is None


def test_a_list_of_manifests_outside_the_table_is_never_opened(table: Table, tmp_path: Path) -> None:
    number = table.commit({"a": b"one"})
    moved = table.folder / "metadata" / "snap-1.avro"
    os.rename(moved, tmp_path / "snap-1.avro")
    table.snapshots[0]["manifest-list"] = f"file:{tmp_path}/snap-1.avro"
    table.say(1)
    assert IcebergTable(str(table.folder)).files(number) is None
    os.rename(tmp_path / "snap-1.avro", moved)
    table.snapshots[0]["manifest-list"] = str(moved)
    table.say(1)
    assert IcebergTable(str(table.folder)).files(number) == {"data/a": 3}


def test_rows_that_a_file_of_their_own_deletes_make_the_files_no_answer(table: Table) -> None:
    number = table.commit({"a": b"one"}, deletes="a-deletes")
    assert IcebergTable(str(table.folder)).files(number) is None


def test_a_manifest_of_another_size_than_was_listed_is_not_believed(table: Table) -> None:
    number = table.commit({"a": b"one"})
    with open(table.folder / "metadata" / "1-m0.avro", "ab") as file:
        file.write(b"\0")
    assert IcebergTable(str(table.folder)).files(number) is None


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"Obj\x01", b"Obj\x01\x80\x80\x80\x80\x80"])
def test_a_list_that_is_damaged_is_no_list(table: Table, damage: bytes) -> None:
    number = table.commit({"a": b"one"})
    path = table.folder / "metadata" / "snap-1.avro"
    whole = path.read_bytes()
    path.write_bytes(damage or whole[: len(whole) // 2])
    assert IcebergTable(str(table.folder)).files(number) is None


def test_what_was_read_is_what_the_scan_reports_though_its_last_digits_are_lost(table: Table) -> None:
    first, second = table.commit({"a": b"one"}), table.commit({"b": b"two"})
    found = IcebergTable(str(table.folder))
    for number, said in ((first, second), (second, second)):
        report = {"icebergScanReport": {"snapshotId": float(number)}}
        dataset = {"facets": {"version": {"datasetVersion": str(said)}}, "inputFacets": report}
        assert found.read(dataset, EVER) == number
    assert float(first) != first  # else this shows nothing
    assert found.read({"facets": {"version": {"datasetVersion": str(second)}}}, EVER) is None
    assert found.read({"inputFacets": {"icebergScanReport": {"snapshotId": 7.0}}}, EVER) is None


def test_what_was_written_is_what_the_commit_reports_and_was_made_while_the_query_ran(table: Table) -> None:
    first = table.commit({"a": b"one"})
    at = int(str(table.snapshots[0]["timestamp-ms"])) * 10**6
    found = IcebergTable(str(table.folder))
    report = {"outputFacets": {"icebergCommitReport": {"snapshotId": float(first)}}}
    assert found.written(report, Span(at, at)) == first
    assert found.written(report, Span(at + 1, at + 2)) is None
    assert found.written(report, Span(0, at - 1)) is None
    assert found.written({}, EVER) is None  # it may be somebody else's


@pytest.mark.parametrize(
    ("application", "size", "is_own"),
    [("app-1", 3, True), ("app-1", None, True), ("app-1", 4, False), ("app-2", 3, False), ("", 3, False)],
)
def test_without_a_report_what_was_written_is_the_only_snapshot_of_that_application_and_size(
    table: Table, application: str, size: int | None, is_own: bool
) -> None:
    made = {"spark.app.id": "app-1", "added-files-size": "3"}
    number = table.commit({"a": b"one"}, **made)
    dataset = {"outputFacets": {"outputStatistics": {"size": size}}}
    span = EVER._replace(application=application)
    assert IcebergTable(str(table.folder)).written(dataset, span) == (number if is_own else None)
    table.commit({"b": b"two"}, **made)
    assert IcebergTable(str(table.folder)).written(dataset, span) is None  # two, and nobody says which


@pytest.mark.parametrize("said", ["9" * 400, "1e999", "NaN", "true", "-1" + "0" * 400], ids=lambda said: said[:5])
def test_a_report_of_no_number_or_of_one_that_is_too_long_is_no_report(table: Table, said: str) -> None:
    table.commit({"a": b"one"})
    report = {"inputFacets": {"icebergScanReport": {"snapshotId": json.loads(said)}}}
    assert IcebergTable(str(table.folder)).read(report, EVER) is None


def test_a_list_that_is_cut_between_two_blocks_is_not_taken_for_an_empty_table(table: Table) -> None:
    empty, one = table.commit({}), table.commit({"a": b"one"})
    assert IcebergTable(str(table.folder)).files(empty) == {}
    path = table.folder / "metadata" / "snap-2.avro"
    avro(path, "null", [])
    assert IcebergTable(str(table.folder)).files(one) is None
    for snapshot in table.snapshots:
        del snapshot["summary"]
    table.say(2)
    found = IcebergTable(str(table.folder))
    assert (found.files(one), found.files(empty)) == (None, None)


def test_records_that_are_none_are_no_list(table: Table) -> None:
    number = table.commit({"a": b"one"})
    avro(table.folder / "metadata" / "snap-1.avro", "string", [text("hello")])
    assert IcebergTable(str(table.folder)).files(number) is None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("v9.metadata.json", b"[" * 200_000),
        ("v9.metadata.json", b'{"snapshots": [{"snapshot-id": %s}, {"snapshot-id": true}]}' % (b"9" * 400)),
        ("v9.gz.metadata.json", gzip.compress(b"{}" * 500)[:12] + b"\xff\xff\xff" * 20),
        ("v9.gz.metadata.json", gzip.compress(b" " * 300_000)),
    ],
    ids=["deep", "digits", "damaged", "large"],
)
def test_metadata_that_cannot_be_read_is_passed_over(
    table: Table, name: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineagekit.record.iceberg._MOST_BYTES", 250_000)
    number = table.commit({"a": b"one"})
    (table.folder / "metadata" / name).write_bytes(body)
    found = IcebergTable(str(table.folder))
    assert found.files(number) == {"data/a": 3}
    assert found.read({"inputFacets": {"icebergScanReport": {"snapshotId": float(number)}}}, EVER) == number


def test_a_pipe_that_is_called_metadata_is_not_waited_for(table: Table) -> None:
    number = table.commit({"a": b"one"})
    os.mkfifo(table.folder / "metadata" / "v9.metadata.json")
    assert IcebergTable(str(table.folder)).files(number) == {"data/a": 3}


def test_what_has_expired_is_known_while_older_metadata_tells_of_it(table: Table) -> None:
    first, second = table.commit({"a": b"one"}), table.commit({"b": b"two"})
    table.snapshots.pop(0)
    table.say(3)
    assert IcebergTable(str(table.folder)).files(first) == {"data/a": 3}
    table.expire(first)
    found = IcebergTable(str(table.folder))
    assert (found.files(first), found.files(second)) == (None, {"data/b": 3})


def test_metadata_of_any_name_and_packing_makes_a_table_and_a_folder_of_that_name_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "t" / "metadata"
    folder.mkdir(parents=True)
    (folder / "notes.json").touch()
    assert not IcebergTable.is_one(str(tmp_path / "t"))
    assert not IcebergTable.is_one(str(tmp_path / "none"))
    (folder / "00003-0a1b-4c.gz.metadata.json").write_bytes(gzip.compress(json.dumps({"snapshots": []}).encode()))
    assert IcebergTable.is_one(str(tmp_path / "t"))
    assert IcebergTable(str(tmp_path / "t")).files(1) is None
