# SPDX-License-Identifier: Apache-2.0
"""What Spark's agent gets wrong does not reach the graph: recordings whole, and each trap by itself."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from lineagekit.events.edges import read_edges
from lineagekit.events.producers import known_producer
from lineagekit.events.said import Name, Told
from lineagekit.store.index import open_index
from lineagekit.store.log import entry_of, open_store
from tests.events.producers.graphs import GRAPHS, expected
from tests.events.producers.recordings import NAMES, Event, line, recorded, told
from tests.store.pictures import picture

AGENT = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
INSERT, AQE = "execute_insert_into_hadoop_fs_relation_command.data_out", "adaptive_spark_plan.data_out"
FAILED = ("START", "FAIL", "COMPLETE")
IN, OUT = Name("file", "/data/in"), Name("file", "/data/out")


def files(*names: str, **facets: Any) -> list[Event]:
    statistics = facets.pop("statistics", None)
    told = {"outputFacets": {"outputStatistics": statistics}} if statistics else {}
    return [{"namespace": "file", "name": name, "facets": facets, **told} for name in names]


def event(type_: str, second: float, *, plan: str = INSERT, kind: str = "SQL_JOB", **said: Any) -> Event:
    """An event as the agent sends it; `jobs` says that a job of Spark's ran, `parent` which application it was."""
    parent = {"run": {"runId": "00000000-0000-0000-0000-00000000000a"}, "job": said.pop("parent", {"name": "nightly"})}
    facets = {"parent": parent, **({"spark_jobDetails": {"jobId": 1}} if said.pop("jobs", False) else {})}
    return {
        "eventType": type_,
        "eventTime": f"2026-11-01T00:00:{second:09.6f}Z",
        "producer": said.pop("producer", AGENT),
        "run": {"runId": "00000000-0000-0000-0000-000000000001", "facets": facets},
        "job": {"namespace": "n", "name": f"nightly.{plan}".strip("."), "facets": {"jobType": {"jobType": kind}}},
        "inputs": files("/data/in"),
        "outputs": files("/data/out"),
    } | said


def run(*events: Event) -> Told:
    """The run of these events, which any order gives."""
    (one,) = told(events)
    assert [line(run) for run in told(reversed(events))] == [line(one)]
    return one


def changed(how: str) -> Mapping[str, Any]:
    return {"lifecycleStateChange": {"lifecycleStateChange": how}}


def version(text: str) -> Mapping[str, Any]:
    return {"version": {"datasetVersion": text}}


WROTE = {"outputs": files("/data/out", statistics={"rowCount": 7, "size": 800})}


def test_the_graph_of_every_recording_is_known() -> None:
    assert sorted(GRAPHS) == NAMES
    assert sum(len(recorded(name)) for name in NAMES) == 416 + 151


def iceberg(version_: str, scanned: float | None = None) -> list[Event]:
    (one,) = files("/data/in", **version(version_))
    return [one | {"inputFacets": {"icebergScanReport": {"snapshotId": scanned}}} if scanned else one]


def test_an_older_snapshot_that_was_read_is_not_taken_for_the_newest() -> None:
    newest, older = 5433902650633835002, 3971178573912361603
    read = run(
        event("START", 1, inputs=iceberg(str(newest))),
        event("COMPLETE", 2, inputs=iceberg(str(newest), float(older)), **WROTE),
    )
    assert read.said.inputs[IN].version == ""
    read = run(
        event("START", 1, inputs=iceberg(str(newest))),
        event("COMPLETE", 2, inputs=iceberg(str(newest), float(newest)), **WROTE),
    )
    assert read.said.inputs[IN].version == str(newest)
    assert float(newest) != newest  # digits are lost


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_graph_that_was_written_by_hand(name: str) -> None:
    events = recorded(name)
    application = next(e["job"]["name"] for e in events if e["job"]["facets"]["jobType"]["jobType"] == "APPLICATION")
    assert sorted(map(line, told(events))) == expected(name, application)


def drawn(folder: Path, portions: Iterable[Sequence[Event]]) -> Mapping[str, Any]:
    """The index after these came in one after the other, each looked at."""
    with open_store(folder) as store, open_index(store, folder) as index:
        for portion in portions:
            store.append(map(entry_of, portion))
            index.catch_up()
        return picture(index)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_one_index_in_any_order_and_doubled(tmp_path: Path, name: str) -> None:
    events, dice = recorded(name), random.Random(name)
    shuffled = [*events, *dice.sample(events, len(events) // 2)]
    dice.shuffle(shuffled)
    few = [shuffled[start : start + 3] for start in range(0, len(shuffled), 3)]
    assert drawn(tmp_path / "shuffled", few) == drawn(tmp_path / "whole", [events])


def test_a_write_that_failed_takes_nothing_with_it_that_an_earlier_run_told_of(tmp_path: Path) -> None:
    fields = {"y": {"inputFields": [{"namespace": "file", "name": "/data/in", "field": "x"}]}}
    outputs = files("/data/out", columnLineage={"fields": fields}, statistics={"size": 800})
    before = event("COMPLETE", 0, outputs=outputs, run={"runId": "00000000-0000-0000-0000-000000000002", "facets": {}})
    events = [before, *(event(type_, second, outputs=outputs) for second, type_ in enumerate(FAILED, start=1))]
    whole = drawn(tmp_path / "whole", [events])
    assert len(whole["column"]) == len(whole["write"]) == 1
    for number, order in enumerate(permutations(events)):
        assert drawn(tmp_path / str(number), [[one] for one in order]) == whole


@pytest.mark.parametrize("statistics", [None, {"size": 800}])
def test_what_was_taken_for_a_write_leaves_no_trace_when_it_is_known_to_be_none(
    tmp_path: Path, statistics: Mapping[str, Any] | None
) -> None:
    fields = {"y": {"inputFields": [{"namespace": "file", "name": "/data/other", "field": "x"}]}}
    table = {"identifiers": [{"namespace": "hive", "name": "db.t", "type": "TABLE"}]}
    outputs = files("/data/out", columnLineage={"fields": fields}, symlinks=table, statistics=statistics)
    types = FAILED if statistics else ("START", "COMPLETE")
    events = [event(type_, second, outputs=outputs) for second, type_ in enumerate(types)]
    whole = drawn(tmp_path / "whole", [events])
    assert not whole["column"]
    assert not whole["write"]
    for number, order in enumerate(permutations(events)):
        assert drawn(tmp_path / str(number), [[one] for one in order]) == whole


def test_the_list_of_runs_knows_that_a_run_failed_though_it_says_complete_at_last(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.append(map(entry_of, recorded("spark-4.0.5.fail")))
        states = {row.job.partition(".")[2]: row.state for row in store.recent_runs(100)}
    assert states["execute_insert_into_hadoop_fs_relation_command.fail_out_fail"] == "FAIL"
    assert states["execute_insert_into_hadoop_fs_relation_command.fail_flat_parquet"] == "COMPLETE"


def test_a_run_that_failed_wrote_nothing_even_if_complete_follows_with_statistics() -> None:
    one = run(event("START", 0), event("FAIL", 1), event("COMPLETE", 2, **WROTE))
    assert line(one) == "nightly:/data/out | /data/in -> | FAIL"


def test_a_failure_that_another_witness_tells_of_counts() -> None:
    witness = event("FAIL", 2, producer="https://github.com/lineagekit/lineagekit/tree/0.1", inputs=[], outputs=[])
    one = run(event("START", 0), event("RUNNING", 1, jobs=True), event("COMPLETE", 1.5, **WROTE), witness)
    assert line(one) == "nightly:/data/out | /data/in -> | FAIL"


def test_a_run_that_goes_on_is_believed() -> None:
    assert line(run(event("START", 0))) == "nightly:/data/out | /data/in -> /data/out | RUNNING"


def test_a_refused_write_is_none() -> None:
    assert not run(event("START", 0), event("COMPLETE", 1)).said.outputs


def test_a_refused_write_is_none_where_the_shuffle_before_it_ran() -> None:
    events = [event("START", 0, plan=AQE), event("RUNNING", 1, plan=AQE, jobs=True)]
    overwritten = files("/data/out", **changed("OVERWRITE"))
    assert not run(*events, event("COMPLETE", 2, plan=AQE, outputs=overwritten)).said.outputs


def test_a_table_that_was_there_already_was_not_created() -> None:
    plan = "execute_create_data_source_table_as_select_command.default_t"
    created = files("/data/out", **changed("CREATE"))
    assert not run(event("START", 0, plan=plan), event("COMPLETE", 1, plan=plan, outputs=created)).said.outputs


def test_a_write_of_no_rows_is_one_though_it_has_no_statistics() -> None:
    assert OUT in run(event("START", 0), event("RUNNING", 1, jobs=True), event("COMPLETE", 2)).said.outputs


def test_a_size_that_was_learned_of_what_was_there_is_no_proof() -> None:
    unknown = {"lineagekit_outputContent": {"state": "unknown", "reason": "no_proof_of_commit", "bytes": 800}}
    outputs = [{**files("/data/out")[0], "outputFacets": unknown}]
    assert not run(event("START", 0), event("COMPLETE", 1, outputs=outputs)).said.outputs
    exact = {"lineagekit_outputContent": {"state": "exact", "digest": "blake3:ab"}}
    outputs = [{**files("/data/out")[0], "outputFacets": exact}]
    assert OUT in run(event("START", 0), event("COMPLETE", 1, outputs=outputs)).said.outputs


def test_statistics_may_be_said_before_the_end_alone() -> None:
    one = run(event("START", 0), event("RUNNING", 1, **WROTE), event("COMPLETE", 2))
    assert one.said.outputs[OUT].size == 800


def test_what_was_not_followed_from_its_start_is_believed_without_statistics() -> None:
    assert OUT in run(event("COMPLETE", 1)).said.outputs


def test_a_writer_that_never_says_how_much_is_believed() -> None:
    plan = "execute_save_into_data_source_command.kafka"
    assert OUT in run(event("START", 0, plan=plan), event("COMPLETE", 1, plan=plan)).said.outputs


def test_the_rows_of_a_cached_frame_are_read_and_not_written() -> None:
    same = {"plan": "in_memory_table_scan", "outputs": files("/data/in")}
    one = run(event("START", 0, **same), event("RUNNING", 1, jobs=True, **same), event("COMPLETE", 2, **same))
    assert line(one) == "nightly:read:/data/in | /data/in -> | COMPLETE"


def test_delta_by_its_path_may_be_overwritten_from_itself_without_statistics() -> None:
    said = {"plan": "execute_save_into_data_source_command.data_in"}
    said |= {"outputs": files("/data/in", **changed("OVERWRITE"))}
    assert IN in run(event("START", 0, **said), event("COMPLETE", 1, **said)).said.outputs


MERGE = {"plan": "execute_merge_into_command.t"}


def merge(before: str, after: str) -> Told:
    """A table changed by itself: the start tells how it was on either side, the end how it is."""
    old, new = files("/t", **version(before)), files("/t", **version(after))
    return run(
        event("START", 0, inputs=old, outputs=old, **MERGE), event("COMPLETE", 1, inputs=new, outputs=new, **MERGE)
    )


def test_a_merge_read_the_version_that_its_start_tells_of() -> None:
    assert line(merge("0", "1")) == "nightly:/t | /t@0 -> /t@1 | COMPLETE"


def test_a_merge_that_changed_nothing_wrote_nothing_and_is_the_same_job() -> None:
    assert line(merge("1", "1")) == "nightly:/t | /t@1 -> | COMPLETE"


def test_a_merge_that_goes_on_has_not_written_the_version_that_was_there() -> None:
    old = files("/t", **version("0"))
    assert line(run(event("START", 0, inputs=old, outputs=old, **MERGE))) == "nightly:/t | /t@0 -> /t | RUNNING"


def test_a_merge_whose_start_was_lost_is_not_said_to_have_read_what_it_wrote() -> None:
    new = files("/t", **version("1"))
    assert line(run(event("COMPLETE", 1, inputs=new, outputs=new, **MERGE))) == "nightly:/t | /t -> /t@1 | COMPLETE"


RDD = {"kind": "RDD_JOB", "plan": "map_partitions_parallel_collection"}


def test_a_table_that_was_dropped_was_not_written() -> None:
    dropped = {"plan": "drop_table", "inputs": [], "outputs": files("/data/out", **changed("DROP"))}
    assert (
        line(run(event("START", 0, **dropped), event("COMPLETE", 1, **dropped))) == "nightly:/data/out | -> | COMPLETE"
    )


def test_schema_inference_reads_nothing() -> None:
    one = run(event("START", 0, outputs=[], **RDD))
    assert line(one) == "nightly.map_partitions_parallel_collection | -> | RUNNING"


def test_an_rdd_job_that_ends_or_writes_is_told_of() -> None:
    assert IN in run(event("START", 0, outputs=[], **RDD), event("COMPLETE", 1, outputs=[], **RDD)).said.inputs
    assert {*run(event("START", 0, **RDD)).said.outputs} == {OUT}


def test_an_application_is_a_parent_and_has_no_data() -> None:
    one = run(event("START", 0, plan="", kind="APPLICATION"), event("COMPLETE", 1, plan="", kind="APPLICATION"))
    assert line(one) == "nightly | -> | COMPLETE"


def test_a_job_is_the_same_whatever_the_plan_and_the_day() -> None:
    days = ({"outputs": files(f"/data/orders/dt=2026-11-0{day}")} for day in (1, 2))
    jobs = {run(event("START", 0, plan=plan, **day)).job for plan, day in zip((INSERT, AQE), days, strict=True)}
    assert jobs == {Name("n", "nightly:/data/orders/dt={}")}


def test_a_job_is_known_by_where_it_writes_and_not_by_the_last_parts_of_the_path() -> None:
    one, other = (run(event("START", 0, outputs=files(path))) for path in ("/dev/out/t", "/prod/out/t"))
    assert (one.job.name, other.job.name) == ("nightly:/dev/out/t", "nightly:/prod/out/t")
    bucket = [{"namespace": "s3://raw", "name": "orders"}]
    assert run(event("START", 0, outputs=bucket)).job.name == "nightly:s3://raw/orders"


def test_the_application_has_dots_in_its_name_or_another_parent() -> None:
    assert run(event("START", 0, parent={"name": "airflow.task"})).job.name == "nightly:/data/out"
    dotted = event("START", 0, parent={"name": "nightly.v2"}, plan=f"v2.{AQE}")
    assert run(dotted).job.name == "nightly.v2:/data/out"


def test_a_job_that_reads_very_much_has_a_name_that_can_be_read() -> None:
    many = files(*(f"/data/{letter}" for letter in "abcdef"))
    assert run(event("START", 0, inputs=many, outputs=[])).job.name == "nightly:read:/data/a,/data/b,/data/c,+3"


def test_columns_of_what_was_not_written_are_gone() -> None:
    fields = {"y": {"inputFields": [{"namespace": "file", "name": "/data/in", "field": "x"}]}}
    outputs = files("/data/out", columnLineage={"fields": fields})
    assert run(event("START", 0, outputs=outputs)).said.columns
    refused = run(event("START", 0, outputs=outputs), event("COMPLETE", 1, outputs=outputs))
    assert not refused.said.columns
    assert not refused.edges


def test_reports_of_iceberg_are_not_taken_for_a_version() -> None:
    report = {"icebergCommitReport": {"snapshotId": 8.518025130622147e18}}
    outputs = [{**files("/data/out")[0], "outputFacets": report}]
    assert run(event("START", 0, outputs=outputs)).said.outputs[OUT].version == ""


@pytest.mark.parametrize("broken", [None, 7, "x", [], {"jobType": 7}, {"jobType": {"jobType": ["SQL"]}}])
def test_facets_of_another_shape_are_passed_over(broken: object) -> None:
    told = event("COMPLETE", 1, outputs=[{"name": "/x"}, 7, *files("/data/out", lifecycleStateChange=broken)])
    told["job"]["facets"] = broken
    told["run"]["facets"] = broken
    assert OUT in run(told).said.outputs


@pytest.mark.parametrize(
    "producer",
    [
        "https://github.com/lineagekit/lineagekit/tree/0.1",
        "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/dbt",
        "https://example.com/integration/spark",
        "",
    ],
)
def test_events_of_others_are_read_as_they_are(producer: str) -> None:
    assert known_producer(producer) is None
    one = run(event("START", 0, producer=producer), event("COMPLETE", 1, producer=producer))
    assert line(one) == f"nightly.{INSERT} | /data/in -> /data/out | COMPLETE"
    assert read_edges(event("START", 0, producer=producer), time=0).note is None


@pytest.mark.parametrize(
    "number", [10**400, -(10**400), float("inf"), float("nan"), True], ids=lambda number: str(number)[:5]
)
def test_a_report_of_a_snapshot_that_cannot_be_one_is_passed_over(number: float) -> None:
    (read,) = files("/data/in", version={"datasetVersion": "5"})
    said = event("COMPLETE", 2, inputs=[read | {"inputFacets": {"icebergScanReport": {"snapshotId": number}}}])
    assert run(said).said.inputs[IN].version == "5"
