# SPDX-License-Identifier: Apache-2.0
"""What Spark's agent says in a file beside the journals gets the bytes that it is about, or the reason why not."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from blake3 import blake3
from deltalake import DeltaTable, write_deltalake

from lineagekit.agent.journal import new_id
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.record import reasons
from tests.record.iceberg_tables import Table
from tests.record.jobs import World
from tests.record.test_foreign import write

PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"

APPLICATION = {"spark_applicationDetails": {"_producer": PRODUCER, "_schemaURL": "https://x", "applicationId": "app-1"}}


class Query:
    """A query of an application: its beginning and end are events, and in between something is done."""

    def __init__(self, world: World) -> None:
        self.world, self.run = world, new_id(time.time_ns())

    def say(
        self,
        type_: str,
        *,
        inputs: tuple[Path, ...] | dict[Path, int] = (),
        outputs: dict[Path, int | None] | None = None,
        version: str = "",
        report: int | None = None,
        made: int | None = None,
    ) -> None:
        sizes = inputs if isinstance(inputs, dict) else {}
        facets = {"version": {"_producer": PRODUCER, "_schemaURL": "https://x", "datasetVersion": version}}
        reports = {} if report is None else {"icebergScanReport": {"_producer": PRODUCER, "snapshotId": float(report)}}
        commits = {} if made is None else {"icebergCommitReport": {"_producer": PRODUCER, "snapshotId": float(made)}}
        datasets = [
            {"namespace": "file", "name": str(path), "outputFacets": {**_size(size), **commits}}
            for path, size in (outputs or {}).items()
        ]
        event = {
            "eventType": type_,
            "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "producer": PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": self.run, "facets": APPLICATION if type_ == "START" else {}},
            "job": {"namespace": "lake", "name": "nightly.execute_insert_into_hadoop_fs_relation_command.x"},
            "inputs": [
                {
                    "namespace": "file",
                    "name": str(path),
                    "facets": facets if version else {},
                    "inputFacets": {**(_size(sizes[path], "inputStatistics") if path in sizes else {}), **reports},
                }
                for path in inputs
            ],
            "outputs": datasets,
        }
        write(self.world.journals / "spark-nightly.jsonl", event)
        pause()

    def say_files(self, *files: Path, complete: bool = True) -> None:
        """As the query listener says which files were read, beside the file of the agent."""
        query = {"name": "save", "files": [str(file) for file in files], "all": complete}
        facet = {"_producer": PRODUCER, "_schemaURL": "https://x", "application": self.run, "query": query}
        event = {
            "eventType": "OTHER",
            "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "producer": "https://github.com/lineagekit/lineagekit/tree/0.1.0",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": self.run, "facets": {"lineagekit_spark": facet}},
            "job": {"namespace": "lake", "name": "nightly"},
            "inputs": [],
            "outputs": [],
        }
        path = self.world.journals / "spark-nightly-queries.jsonl"
        with open(path, "a") as file:
            file.write(json.dumps(event, separators=(",", ":")) + "\n")  # as the listener writes it

    def again(self) -> None:
        """Another query of the same application."""
        self.run = new_id(time.time_ns())

    def content(self, role: str) -> dict[str, dict[str, Any]]:
        self.world.settle()
        ends = [row for row in self.world.rows(self.run) if row.type == "COMPLETE"]
        datasets = json.loads(ends[-1].body)[f"{role}s"]
        key = f"lineagekit_{role}Content"
        return {Path(one["name"]).name: (one.get(f"{role}Facets") or {}).get(key, {}) for one in datasets}


def _size(size: int | None, key: str = "outputStatistics") -> dict[str, Any]:
    return {} if size is None else {key: {"_producer": PRODUCER, "_schemaURL": "https://x/y#/$defs/z", "size": size}}


def pause() -> None:
    """Stamps of files are in steps of a clock's tick, times of Spark in milliseconds."""
    time.sleep(0.02)


@pytest.fixture
def query(world: World) -> Query:
    world.journals.mkdir(parents=True, exist_ok=True)
    return Query(world)


def folder_of(path: Path, **files: bytes) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (path / f"{name}.parquet").write_bytes(body)
    pause()
    return path


def committed(path: Path, **files: bytes) -> int:
    """As Spark leaves it; the size that it says of it."""
    folder_of(path, **files)
    (path / ".part.parquet.crc").write_bytes(b"12345678")
    (path / "_SUCCESS").touch()
    pause()
    return sum(map(len, files.values()))


def test_a_folder_that_was_written_and_one_that_was_read_are_known_by_their_bytes(query: Query) -> None:
    source, target = folder_of(query.world.data / "in", a=b"one"), query.world.data / "out"
    query.say("START", inputs=(source,))
    size = committed(target, part0=b"two", part1=b"three")
    query.say("COMPLETE", inputs=(source,), outputs={target: size})
    assert query.content("input")["in"]["digest"] == str(fingerprint(source).digests[0])
    told = query.content("output")["out"]
    assert (told["state"], told["digest"]) == ("exact", str(fingerprint(target).digests[0]))
    assert (told["files"], told["kind"]) == (4, "directory")


def test_appended_files_are_counted_by_themselves_and_the_folder_is_told_whole(query: Query) -> None:
    target = query.world.data / "out"
    committed(target, part0=b"before")
    query.say("START")
    (target / "part1.parquet").write_bytes(b"more")
    pause()
    query.say("COMPLETE", outputs={target: 4})
    assert query.content("output")["out"]["digest"] == str(fingerprint(target).digests[0])


def test_a_single_file_is_told_by_its_digest(query: Query) -> None:
    source = query.world.data / "in.csv"
    source.write_bytes(b"x")
    pause()
    query.say("START", inputs=(source,))
    query.say("COMPLETE", inputs=(source,))
    assert query.content("input")["in.csv"]["digest"] == str(fingerprint(source).digests[0])


@pytest.mark.parametrize(
    ("size", "reason"), [(None, reasons.NOT_COMMITTED), (6, reasons.OTHER_SIZE), (4, reasons.OTHER_SIZE)]
)
def test_without_proof_of_what_was_written_nothing_is_known(query: Query, size: int | None, reason: str) -> None:
    target = query.world.data / "out"
    query.say("START")
    committed(target, part0=b"right")
    query.say("COMPLETE", outputs={target: size})
    assert query.content("output")["out"]["reason"] == reason


def test_a_refused_write_of_a_folder_that_is_there_is_not_told_by_its_bytes(query: Query) -> None:
    target = query.world.data / "out"
    size = committed(target, part0=b"before")
    query.say("START")
    query.say("COMPLETE", outputs={target: size})
    assert query.content("output")["out"]["reason"] == reasons.OTHER_SIZE


def test_what_changed_after_it_was_written_or_while_it_was_read_is_unknown(query: Query) -> None:
    source, target = folder_of(query.world.data / "in", a=b"one"), query.world.data / "out"
    query.say("START", inputs=(source,))
    size = committed(target, part0=b"two")
    query.say("COMPLETE", inputs=(source,), outputs={target: size})
    (source / "b.parquet").write_bytes(b"new")
    (target / "part0.parquet").write_bytes(b"too")
    assert query.content("output")["out"]["reason"] == reasons.CHANGED_AFTER_WRITE
    assert query.content("input")["in"]["reason"] == reasons.CHANGED_AFTER_READ


def test_a_file_that_was_removed_from_what_was_read_is_noticed(query: Query) -> None:
    source = folder_of(query.world.data / "in", a=b"one", b=b"two")
    query.say("START", inputs=(source,))
    query.say("COMPLETE", inputs=(source,))
    os.unlink(source / "b.parquet")
    assert query.content("input")["in"]["reason"] == reasons.CHANGED_AFTER_READ


def test_what_is_gone_is_said_to_be_gone(query: Query) -> None:
    query.say("START")
    query.say("COMPLETE", inputs=(query.world.data / "in",), outputs={query.world.data / "out": 5})
    assert query.content("output")["out"]["reason"] == reasons.GONE
    assert query.content("input")["in"]["reason"] == reasons.GONE


def test_a_run_that_failed_has_no_bytes(query: Query) -> None:
    target = query.world.data / "out"
    query.say("START")
    size = committed(target, part0=b"two")
    query.say("FAIL")
    query.say("COMPLETE", outputs={target: size})
    assert query.content("output")["out"] == {}


def test_without_its_beginning_nothing_is_bound(query: Query) -> None:
    source = folder_of(query.world.data / "in", a=b"one")
    query.say("COMPLETE", inputs=(source,))
    assert query.content("input")["in"] == {}


def spark_writes(table: Path, rows: list[int], *, size: int | None = None, **how: Any) -> None:
    """A commit to a Delta table as Spark makes it, who says by what it was made, and often how much it was."""
    write_deltalake(table, pa.table({"x": rows}), **how)
    log = max((table / "_delta_log").glob("*.json"))
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for info in (action["commitInfo"] for action in actions if "commitInfo" in action):
        info["engineInfo"] = "Apache-Spark/4.0.5 Delta-Lake/4.4.0"
        info["operationMetrics"] = {} if size is None else {"numOutputBytes": str(size)}
    log.write_text("".join(json.dumps(action) + "\n" for action in actions))
    pause()


def size_of(table: Path) -> int:
    return sum(os.stat(uri).st_size for uri in DeltaTable(table).file_uris())


def test_a_delta_table_is_the_files_of_its_version(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    size = size_of(table)
    query.say("START", inputs={table: size})
    spark_writes(table, [3], mode="overwrite")
    query.say("COMPLETE", inputs={table: size}, outputs={table: None})
    read, written = query.content("input")["table"], query.content("output")["table"]
    assert [told["pins"] for told in (read, written)] == [
        [{"system": "delta", "version": "0"}],
        [{"system": "delta", "version": "1"}],
    ]
    assert read["digest"] != written["digest"]
    assert (read["files"], written["files"]) == (1, 1)
    again = query.world.data / "again"
    again.mkdir()
    for name in DeltaTable(table, version=1).file_uris():
        (again / Path(name).name).write_bytes(Path(name).read_bytes())
    assert written["digest"] == str(fingerprint(again).digests[0])


def test_a_delta_table_of_many_versions_is_read_from_its_checkpoint(query: Query) -> None:
    table = query.world.data / "table"
    for number in range(5):
        write_deltalake(table, pa.table({"x": [number]}), mode="append")
    DeltaTable(table).create_checkpoint()
    for number in range(4):
        os.unlink(table / "_delta_log" / f"{number:020}.json")
    pause()
    query.say("START", inputs={table: size_of(table)})
    query.say("COMPLETE", inputs={table: size_of(table)})
    told = query.content("input")["table"]
    assert (told["state"], told["files"], told["pins"][0]["version"]) == ("exact", 5, "4")


def test_an_older_version_of_a_delta_table_is_known_only_where_it_is_said(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    old = size_of(table)
    write_deltalake(table, pa.table({"x": list(range(1000))}), mode="append")
    pause()
    query.say("START", inputs={table: old})
    query.say("COMPLETE", inputs={table: old})
    assert query.content("input")["table"]["reason"] == reasons.NO_VERSION
    query.run = new_id(time.time_ns())
    query.say("START", inputs={table: old}, version="0")
    query.say("COMPLETE", inputs={table: old}, version="0")
    told = query.content("input")["table"]
    assert (told["state"], told["pins"][0]["version"]) == ("exact", "0")


def test_a_delta_table_that_somebody_else_committed_to_meanwhile_is_not_known(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    size = size_of(table)
    query.say("START", inputs={table: size})
    write_deltalake(table, pa.table({"x": [3]}), mode="append")
    pause()
    query.say("COMPLETE", inputs={table: size})
    assert query.content("input")["table"]["reason"] == reasons.NO_VERSION


def test_a_version_whose_files_were_cleaned_up_is_known_by_its_number(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    query.say("START", inputs=(table,), version="0")
    query.say("COMPLETE", inputs=(table,), version="0")
    os.unlink(DeltaTable(table).file_uris()[0])
    told = query.content("input")["table"]
    assert (told["state"], told["reason"], told["pins"][0]["version"]) == ("unknown", reasons.GONE, "0")


def test_a_delta_table_that_nobody_committed_to_was_not_written(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    query.say("START")
    query.say("COMPLETE", outputs={table: None})
    assert query.content("output")["table"]["reason"] == reasons.NOT_COMMITTED


def parts_of(path: Path) -> dict[str, Path]:
    """A table of three partitions, of one file each."""
    for name in ("k=1", "k=2", "k=3"):
        (path / name).mkdir(parents=True)
        (path / name / "part-0.parquet").write_bytes(name.encode())
    (path / "_SUCCESS").touch()
    pause()
    return {name: path / name / "part-0.parquet" for name in ("k=1", "k=2", "k=3")}


def read_parts(query: Query, table: Path, *files: Path, complete: bool = True) -> dict[str, Any]:
    query.again()
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    query.say_files(*files, complete=complete)
    return query.content("input")[table.name]


def test_where_the_files_that_were_read_are_known_the_others_do_not_matter(query: Query) -> None:
    table = query.world.data / "in"
    parts = parts_of(table)
    one = read_parts(query, table, parts["k=1"])
    parts["k=2"].write_bytes(b"rewritten")
    pause()
    again = read_parts(query, table, parts["k=1"])
    parts["k=1"].write_bytes(b"rewritten")
    pause()
    other = read_parts(query, table, parts["k=1"])
    assert [told["scope"] for told in (one, again, other)] == ["files"] * 3
    assert one["digest"] == again["digest"] != other["digest"]
    assert [part["path"] for part in one["parts"]] == ["k=1/part-0.parquet"]
    alone = folder_of(query.world.data / "alone" / "k=1")
    (alone / "part-0.parquet").write_bytes(b"k=1")
    assert one["digest"] == str(fingerprint(alone.parent).digests[0])


def test_what_changes_beside_the_files_that_were_read_may_do_so_before_anybody_looks(query: Query) -> None:
    table = query.world.data / "in"
    parts = parts_of(table)
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    query.say_files(parts["k=1"])
    parts["k=2"].write_bytes(b"rewritten")
    assert query.content("input")["in"]["state"] == "exact"
    query.again()
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    query.say_files(parts["k=1"])
    parts["k=1"].write_bytes(b"rewritten")
    told = query.content("input")["in"]
    assert (told["state"], told["reason"]) == ("unknown", reasons.CHANGED_AFTER_READ)
    query.again()
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    query.say_files(parts["k=1"])
    parts["k=1"].unlink()
    assert query.content("input")["in"]["reason"] == reasons.GONE


def test_without_a_complete_list_of_files_and_of_all_of_them_the_folder_is_told(query: Query) -> None:
    table = query.world.data / "in"
    parts = parts_of(table)
    whole = str(fingerprint(table).digests[0])
    for told in (
        read_parts(query, table),
        read_parts(query, table, parts["k=1"], complete=False),
        read_parts(query, table, *parts.values()),
        read_parts(query, table, query.world.data / "elsewhere" / "a.parquet"),
    ):
        assert (told["digest"], told["scope"]) == (whole, "directory")


def test_what_was_written_into_a_folder_is_known_file_by_file_though_others_write_there_later(query: Query) -> None:
    target = query.world.data / "out"
    committed(target, part0=b"before")
    query.say("START")
    (target / "part1.parquet").write_bytes(b"more")
    pause()
    query.say("COMPLETE", outputs={target: 4})
    (target / "part2.parquet").write_bytes(b"of somebody else")
    told = query.content("output")["out"]
    assert (told["state"], told["reason"]) == ("unknown", reasons.CHANGED_AFTER_WRITE)
    expected = f"blake3:{blake3(b'more').hexdigest()}"
    assert [(part["path"], part["digest"]) for part in told["parts"]] == [("part1.parquet", expected)]


def test_an_iceberg_table_is_the_files_of_its_snapshot(query: Query) -> None:
    table = Table(query.world.data / "table")
    first = table.commit({"a": b"one", "b": b"two"})
    pause()
    query.say("START", inputs=(table.folder,), version=str(first))
    second = table.commit({"b": b"two", "c": b"three"})
    pause()
    query.say("COMPLETE", inputs=(table.folder,), outputs={table.folder: 5}, report=first, made=second)
    read, written = query.content("input")["table"], query.content("output")["table"]
    assert [told["pins"] for told in (read, written)] == [
        [{"system": "iceberg", "version": str(first)}],
        [{"system": "iceberg", "version": str(second)}],
    ]
    for told, names in ((read, "ab"), (written, "bc")):
        alone = query.world.data / names / "data"
        alone.mkdir(parents=True)
        for name in names:
            (alone / name).write_bytes((table.folder / "data" / name).read_bytes())
        assert told["digest"] == str(fingerprint(alone.parent).digests[0])


def test_equal_rows_in_other_files_are_another_digest_of_an_iceberg_table(query: Query) -> None:
    table = Table(query.world.data / "table")
    pause()
    told = []
    for files in ({"a": b"one", "b": b"two"}, {"c": b"onetwo"}):
        query.again()
        number = table.commit(files)
        pause()
        query.say("START", inputs=(table.folder,))
        query.say("COMPLETE", inputs=(table.folder,), report=number)
        told.append(query.content("input")["table"])
    assert [one["state"] for one in told] == ["exact", "exact"]
    assert told[0]["digest"] != told[1]["digest"]


def test_an_iceberg_table_is_unknown_with_its_reason_where_its_files_do_not_tell(query: Query) -> None:
    table = Table(query.world.data / "table")
    first, second = table.commit({"a": b"one"}), table.commit({"b": b"two"}, deletes="b-deletes")
    os.unlink(table.folder / "data" / "a")
    pause()
    for report, reason in ((None, reasons.NO_VERSION), (first, reasons.GONE), (second, reasons.NO_FILE_LIST)):
        query.again()
        query.say("START", inputs=(table.folder,))
        query.say("COMPLETE", inputs=(table.folder,), outputs={table.folder: 3}, report=report)
        assert query.content("input")["table"]["reason"] == reason
        assert query.content("output")["table"]["reason"] == reasons.NOT_COMMITTED


@pytest.mark.parametrize("settles", [False, True])
def test_a_table_that_was_written_from_itself_was_read_as_it_was_before(query: Query, settles: bool) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    query.say("START", inputs=(table,), version="0")
    if settles:
        query.world.settle()
    spark_writes(table, [3], mode="append")
    query.say("COMPLETE", inputs=(table,), outputs={table: None}, version="1")
    read, written = query.content("input")["table"], query.content("output")["table"]
    assert (read["pins"][0]["version"], written["pins"][0]["version"]) == ("0", "1")
    assert (read["files"], written["files"]) == (1, 2)


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_log_that_names_files_outside_its_table_is_not_followed(query: Query, path: str) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    (query.world.data / "secret").write_bytes(b"x")
    add = {"add": {"path": path, "size": 1, "dataChange": True, "modificationTime": 0, "partitionValues": {}}}
    log = table / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text() + json.dumps(add) + "\n")
    pause()
    query.say("START", inputs=(table,), version="0")
    query.say("COMPLETE", inputs=(table,), version="0")
    assert query.content("input")["table"]["reason"] == reasons.NO_FILE_LIST


def test_an_event_of_thirty_megabytes_is_taken_like_any_other(query: Query) -> None:
    source = folder_of(query.world.data / "in", a=b"one")
    query.say("START", inputs=(source,))
    path = query.world.journals / "spark-nightly.jsonl"
    event = json.loads(path.read_text()) | {"eventType": "COMPLETE", "eventTime": datetime.now(UTC).isoformat()}
    event["run"]["facets"] = {
        "spark_plan": {"_producer": PRODUCER, "_schemaURL": "https://x", "plan": "x" * (30 << 20)}
    }
    write(path, event)
    assert query.content("input")["in"]["digest"] == str(fingerprint(source).digests[0])


def test_of_a_table_that_was_written_from_itself_the_end_alone_does_not_tell_what_was_read(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1, 2]}))
    pause()
    query.say("START")
    spark_writes(table, [3], mode="append")
    query.say("COMPLETE", inputs=(table,), outputs={table: None}, version="1")
    assert query.content("input")["table"]["reason"] == reasons.NO_VERSION
    assert query.content("output")["table"]["state"] == "exact"


def swap_the_partition(table: Path, aside: Path) -> None:
    os.rename(table / "k=1", table.parent / "old")
    os.rename(aside / "k=1", table / "k=1")


def swap_the_table(table: Path, aside: Path) -> None:
    os.rename(table, table.parent / "old")
    os.rename(aside, table)


def swap_the_file(table: Path, aside: Path) -> None:
    os.replace(aside / "k=1" / "part-0.parquet", table / "k=1" / "part-0.parquet")


def link_the_file(table: Path, aside: Path) -> None:
    (table / "k=1" / "part-0.parquet").unlink()
    (table / "k=1" / "part-0.parquet").symlink_to(aside / "k=1" / "part-0.parquet")


def link_the_table(table: Path, aside: Path) -> None:
    os.rename(table, table.parent / "old")
    table.symlink_to(aside)


def link_the_folder_above(table: Path, aside: Path) -> None:
    above = table.parent / "other"
    above.mkdir()
    os.rename(aside, above / table.name)
    os.rename(table.parent, table.parent.parent / "before")
    table.parent.symlink_to(table.parent.parent / "before" / "other")


def change_the_rights(table: Path, aside: Path) -> None:
    os.chmod(table / "k=1", 0o700)


@pytest.mark.parametrize("knows_files", [True, False])
@pytest.mark.parametrize(
    "swap",
    [
        swap_the_partition,
        swap_the_table,
        swap_the_file,
        link_the_file,
        link_the_table,
        link_the_folder_above,
        change_the_rights,
    ],
)
def test_older_files_that_were_put_in_the_place_of_those_that_were_read_are_noticed(
    query: Query, swap: Any, knows_files: bool
) -> None:
    table, aside = query.world.data / "lake" / "in", query.world.data / "lake" / "aside"
    parts = parts_of(table)
    parts_of(aside)["k=1"].write_bytes(b"never read")
    pause()
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    if knows_files:
        query.say_files(parts["k=1"])
    swap(table, aside)
    told = query.content("input")["in"]
    assert (told["state"], told["reason"]) == ("unknown", reasons.CHANGED_AFTER_READ)


def test_a_file_that_is_a_link_and_leads_elsewhere_now_is_noticed(query: Query) -> None:
    old, new, path = (query.world.data / name for name in ("old.csv", "new.csv", "in.csv"))
    old.write_bytes(b"x")
    new.write_bytes(b"never read")
    path.symlink_to(old)
    pause()
    query.say("START", inputs=(path,))
    query.say("COMPLETE", inputs=(path,))
    path.unlink()
    path.symlink_to(new)
    assert query.content("input")["in.csv"]["reason"] == reasons.CHANGED_AFTER_READ


def test_what_is_added_beside_the_files_that_were_read_is_no_matter(query: Query) -> None:
    table = query.world.data / "in"
    parts = parts_of(table)
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    query.say_files(parts["k=1"])
    (table / "k=1" / "part-1.parquet").write_bytes(b"more")
    (table / "k=2" / "part-0.parquet").unlink()
    (table / "k=4").mkdir()
    assert query.content("input")["in"]["state"] == "exact"


def test_a_file_of_a_version_that_was_written_again_is_not_what_was_seen(query: Query) -> None:
    table = Table(query.world.data / "table")
    pause()
    query.say("START", inputs=(table.folder,))
    number = table.commit({"a": b"one"})
    pause()
    query.say("COMPLETE", inputs=(table.folder,), outputs={table.folder: 3}, report=number, made=number)
    pause()
    (table.folder / "data" / "a").write_bytes(b"two")
    assert query.content("input")["table"]["reason"] == reasons.CHANGED_AFTER_READ
    assert query.content("output")["table"]["reason"] == reasons.CHANGED_AFTER_WRITE


def test_what_spark_committed_is_told_where_nothing_speaks_against_it(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1]}))
    pause()
    for said, size in ((None, None), (None, 9), (9, None), (9, 9)):
        query.again()
        query.say("START")
        spark_writes(table, [2], size=size, mode="append")
        query.say("COMPLETE", outputs={table: said})
        assert query.content("output")["table"]["state"] == "exact"


def test_what_somebody_else_committed_while_a_query_ran_is_not_its_own(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1]}))
    pause()
    query.say("START")
    write_deltalake(table, pa.table({"x": [2]}), mode="append")  # not Spark
    pause()
    query.say("COMPLETE", outputs={table: None})
    assert query.content("output")["table"]["reason"] == reasons.NOT_COMMITTED
    query.again()
    query.say("START")
    spark_writes(table, [3], size=900, mode="append")  # another session
    query.say("COMPLETE", outputs={table: 800})
    assert query.content("output")["table"]["reason"] == reasons.NOT_COMMITTED
    ice = Table(query.world.data / "ice")
    pause()
    query.again()
    query.say("START")
    ice.commit({"a": b"one"}, **{"spark.app.id": "app-2"})
    pause()
    query.say("COMPLETE", outputs={ice.folder: 3})
    assert query.content("output")["ice"]["reason"] == reasons.NOT_COMMITTED


@pytest.mark.parametrize("settles", [False, True])
def test_what_the_application_of_a_query_committed_is_told_though_there_is_no_report(
    query: Query, settles: bool
) -> None:
    ice = Table(query.world.data / "ice")
    pause()
    query.say("START")
    if settles:
        query.world.settle()
    ice.commit({"a": b"one"}, **{"spark.app.id": "app-1", "added-files-size": "3"})
    pause()
    query.say("COMPLETE", outputs={ice.folder: 3})
    assert query.content("output")["ice"]["state"] == "exact"


def test_a_file_of_a_version_that_is_a_link_out_of_the_table_is_not_followed(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1]}))
    (name,) = table.glob("*.parquet")
    os.rename(name, query.world.data / "secret")
    name.symlink_to(query.world.data / "secret")
    pause()
    query.say("START", inputs=(table,), version="0")
    query.say("COMPLETE", inputs=(table,), version="0")
    assert query.content("input")["table"]["reason"] == reasons.NO_FILE_LIST


@pytest.mark.parametrize("name", ["/data/a\0b", "/data/" + "x" * 5000, "/data/\ud800"])
def test_a_name_that_no_file_can_have_keeps_nothing_else_out_of_the_log(query: Query, name: str) -> None:
    odd = query.run
    query.say("START", inputs=(Path("/PLACE"),))
    query.say("COMPLETE", inputs=(Path("/PLACE"),))
    path = query.world.journals / "spark-nightly.jsonl"
    path.write_text(path.read_text().replace(json.dumps("/PLACE"), json.dumps(name)))
    source = folder_of(query.world.data / "in", a=b"one")
    query.again()
    query.say("START", inputs=(source,))
    query.say("COMPLETE", inputs=(source,))
    assert query.content("input")["in"]["state"] == "exact"
    assert query.world.types(odd) == ["START", "COMPLETE"]


@pytest.mark.parametrize("digits", [30, 5000])
def test_a_version_that_is_too_long_is_none(query: Query, digits: int) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1]}))
    pause()
    query.say("START", inputs=(table,), version="9" * digits)
    query.say("COMPLETE", inputs=(table,), version="9" * digits)
    assert query.content("input")["table"]["reason"] == reasons.NO_VERSION


def test_a_line_or_a_log_that_is_nested_too_deep_keeps_nothing_out_of_the_log(query: Query) -> None:
    table = query.world.data / "table"
    write_deltalake(table, pa.table({"x": [1]}))
    (table / "_delta_log" / f"{1:020}.json").write_text("[" * 200_000)
    pause()
    query.say("START", inputs=(table,))
    query.say("COMPLETE", inputs=(table,))
    write(query.world.journals / "a.jsonl", '{"lineagekit_spark":"FAIL"' + "[" * 200_000)
    assert query.content("input")["table"]["reason"] == reasons.UNREADABLE
