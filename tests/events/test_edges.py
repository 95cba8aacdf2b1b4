# SPDX-License-Identifier: Apache-2.0
"""What is read out of events, and what of an event that is not as it should be."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineagekit.events.combine import combine
from lineagekit.events.edges import job_output, read_edges
from lineagekit.events.lenient import microseconds
from lineagekit.events.said import Column, Name, Said
from tests.store.told import PRODUCER, dataset, digest, run

RECORDINGS = Path(__file__).parent.parent.parent / "../shared/reference/events"
A, B, C, D = (Name("file", f"/{letter}") for letter in "abcd")


def said(*events: dict[str, Any]) -> Said:
    return combine((bytes([place]), read_edges(event, time=place)) for place, event in enumerate(events)).said


def end(**more: Any) -> dict[str, Any]:
    return run("job", 1, 5, **more)[-1]


def recorded() -> list[dict[str, Any]]:
    paths = [RECORDINGS / "airflow.jsonl.gz", *sorted((RECORDINGS / "spark").glob("*.gz"))]
    texts = [gzip.decompress(path.read_bytes()).decode() for path in paths if path.exists()]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    return [line.get("event", line) if isinstance(line.get("event"), dict) else line for line in lines]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of real producers are not here")
def test_every_recorded_event_of_spark_and_airflow_is_read() -> None:
    read = [read_edges(event, time=1) for event in recorded()]
    assert len(read) > 400
    assert sum(bool(one.inputs or one.outputs) for one in read) > 100
    assert any(one.columns for one in read)
    assert {touch.version for one in read for touch in one.outputs.values()} - {""}
    assert any(touch.links for one in read for touch in (*one.inputs.values(), *one.outputs.values()))


def spoiled(value: Any, dice: random.Random) -> Any:
    """The same with something in it that does not belong there."""
    if dice.random() < 0.04:
        return dice.choice([None, 7, 1.5, True, "", "x", [], {}, [None], [[1]], {"a": None}, float("1e300")])
    if isinstance(value, dict):
        return {key: spoiled(one, dice) for key, one in value.items()}
    return [spoiled(one, dice) for one in value] if isinstance(value, list) else value


def whole_events() -> Iterator[dict[str, Any]]:
    entry = {"type": "DATASET", "namespace": "file", "name": "/b", "inputs": [{"namespace": "file", "name": "/a"}]}
    yield end(
        reads=[dataset("/a", at=2, digest="a", parts=[{"path": "p", "digest": digest("1")}], realpath="/r")],
        writes=[
            dataset(
                "/b", "output", at=3, model="m", facets={"symlinks": {"identifiers": [{"namespace": "n", "name": "x"}]}}
            )
        ],
        job_facets={"lineage": {"entries": [entry]}, "ownership": {"owners": [{"name": "ann"}]}},
        run_facets={
            "parent": {"run": {"runId": "r"}, "job": {"namespace": "n", "name": "p"}},
            "lineagekit_metrics": {"metrics": [{"name": "auc", "value": 0.5}]},
            "lineagekit_params": {"params": [{"name": "C", "value": "1"}]},
        },
    )
    yield {
        "dataset": {
            "namespace": "v",
            "name": "view",
            "facets": {"lineage": {"inputs": [entry], "fields": {"y": {"inputs": [entry]}}}},
        }
    }


@pytest.mark.parametrize("seed", range(300))
def test_an_event_that_is_spoiled_anywhere_is_read_without_a_word(seed: int) -> None:
    dice = random.Random(seed)
    for event in whole_events():
        read = spoiled(event, dice)
        if isinstance(read, dict):
            assert isinstance(read_edges(read, time=0), Said)


def test_inputs_go_into_all_outputs_where_nothing_else_is_said() -> None:
    told = combine([(b"", read_edges(end(reads=["/a", "/b"], writes=["/c", "/d"]), time=1))])
    assert told.edges is None
    assert (set(told.said.inputs), set(told.said.outputs)) == ({A, B}, {C, D})


def test_the_lineage_facet_comes_before_columns_and_all_else() -> None:
    entry = {"type": "DATASET", **C._asdict(), "inputs": [{"type": "DATASET", **A._asdict()}]}
    lineage = {"columnLineage": {"fields": {"x": {"inputFields": [{**B._asdict(), "field": "y"}]}}}}
    event = end(
        reads=["/a", "/b"],
        writes=[dataset("/c", "output", facets=lineage)],
        job_facets={"lineage": {"entries": [entry]}},
    )
    assert combine([(b"", read_edges(event, time=1))]).edges == {(A, C)}


def test_column_lineage_narrows_but_an_input_that_no_column_came_from_counts_for_all() -> None:
    lineage = {"columnLineage": {"fields": {"x": {"inputFields": [{**A._asdict(), "field": "y"}]}}}}
    other = {"columnLineage": {"fields": {"x": {"inputFields": [{**B._asdict(), "field": "z"}]}}}}
    event = end(
        reads=["/a", "/b", "/e"],
        writes=[dataset("/c", "output", facets=lineage), dataset("/d", "output", facets=other)],
    )
    e = Name("file", "/e")
    assert combine([(b"", read_edges(event, time=1))]).edges == {(A, C), (B, D), (e, C), (e, D)}
    assert read_edges(event, time=1).columns[C] == (Column(A, "y", C, "x", ""),)


def test_a_job_that_hands_to_another_without_a_dataset_is_an_edge_too() -> None:
    other = {"type": "JOB", "namespace": "n", "name": "upstream"}
    entry = {"type": "DATASET", **C._asdict(), "inputs": [other]}
    event = end(writes=["/c"], job_facets={"lineage": {"entries": [entry]}})
    assert read_edges(event, time=1).explicit == {(job_output(Name("n", "upstream")), C)}


def test_a_dataset_that_is_said_to_come_of_nothing_has_no_source() -> None:
    entry = {"type": "DATASET", **C._asdict(), "inputs": []}
    event = end(reads=["/a"], writes=["/c"], job_facets={"lineage": {"entries": [entry]}})
    assert read_edges(event, time=1).explicit == {(None, C)}


def test_events_of_a_run_add_up_and_unknown_never_hides_exact() -> None:
    exact = end(reads=[dataset("/a", at=2, digest="a")])
    unknown = end(reads=[dataset("/a", at=2), "/b"])
    for order in ((exact, unknown), (unknown, exact)):
        inputs = said(*order).inputs
        assert (inputs[A].digest, set(inputs)) == (digest("a"), {A, B})


def test_a_deleted_facet_says_nothing() -> None:
    event = end(reads=[dataset("/a", facets={"version": {"datasetVersion": "1", "_deleted": True}})])
    assert said(event).inputs[A].version == ""


def test_numbers_that_went_through_a_server_are_the_same() -> None:
    one = end(reads=[dataset("/a", facets={"version": {"datasetVersion": 12}})])
    other = end(reads=[dataset("/a", facets={"version": {"datasetVersion": 12.0}})])
    assert said(one).inputs[A].version == said(other).inputs[A].version == "12"


def test_our_own_digest_as_version_is_no_pin() -> None:
    event = end(reads=[dataset("/a", digest="a", version=digest("a"))])
    assert (said(event).inputs[A].version, said(event).inputs[A].identity) == ("", ("content", digest("a")))


def test_a_pin_stands_beside_the_digest() -> None:
    event = end(reads=[dataset("/a", digest="a", version=digest("a"), pins=[{"system": "delta", "version": "7"}])])
    assert (said(event).inputs[A].version, said(event).inputs[A].digest) == ("7", digest("a"))


def test_only_symlinks_of_others_are_names_for_good() -> None:
    ids = [{"namespace": "hive", "name": "db.t"}]
    ours = {"symlinks": {"_producer": "https://github.com/lineagekit/lineagekit/tree/0.1.0", "identifiers": ids}}
    theirs = {"symlinks": {"_producer": PRODUCER, "identifiers": ids}}
    event = end(reads=[dataset("/a", facets=ours), dataset("/b", facets=theirs)])
    assert (said(event).inputs[A].links, said(event).inputs[B].links) == ((), (Name("hive", "db.t"),))


def test_a_start_of_ours_adds_no_data_that_its_end_left_out() -> None:
    head = {"lineagekit_event": {"journal": "j", "sequence": 0}}
    start, last = run("job", 1, 5, reads=["/a"], run_facets=head)
    start["inputs"] = [dataset("/tmp/scratch"), dataset("/a")]
    assert set(said(start, last).inputs) == {A}
    assert set(said(start).inputs) == {A, Name("file", "/tmp/scratch")}


def test_a_dataset_by_design_says_what_it_is_made_of() -> None:
    facets = {"columnLineage": {"fields": {"x": {"inputFields": [{**A._asdict(), "field": "y"}]}}}}
    told = read_edges({"dataset": {**C._asdict(), "facets": facets}}, time=1)
    assert (told.kind, told.explicit) == ("dataset", {(A, C)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:01.123456789Z", 1_123_456),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00", 0),
        ("soon", None),
        ("1970-13-01T00:00:00.5Z", None),
    ],
)
def test_moments_are_read_in_all_spellings(text: str, expected: int | None) -> None:
    assert microseconds(text) == expected
