# SPDX-License-Identifier: Apache-2.0
"""Events that a real Airflow sent (3.3.2 and 2.11.2, provider 2.20.3), through a store and its index."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from lineagekit.events.said import Name
from lineagekit.store import query, walk
from lineagekit.store.index import open_index
from lineagekit.store.log import entry_of, open_store
from tests.store.pictures import picture

RECORDED = Path(__file__).parent.parent / "golden" / "airflow" / "airflow.jsonl.gz"
EVENTS = [json.loads(line) for line in gzip.decompress(RECORDED.read_bytes()).splitlines()]


def of(dag: str) -> list[dict]:
    return [event for event in EVENTS if event["job"]["name"].partition(".")[0] == dag]


def index_of(folder: Path, events: list[dict], *, portion: int = 10_000) -> dict:
    with open_store(folder) as store, open_index(store, folder) as index:
        for start in range(0, len(events), portion):
            store.append([entry_of(event) for event in events[start : start + portion]])
            index.catch_up()
        return picture(index)


def states(folder: Path, events: list[dict], *, portion: int = 10_000) -> dict[tuple[str, int], str]:
    index_of(folder, events, portion=portion)
    with open_store(folder) as store, open_index(store, folder) as index:
        found = query.runs(index.database, query.all_runs(index.database))
        return {(run.job, run.id): run.state for run in found.values()}


def test_a_killed_task_ends_as_its_dag_says(tmp_path: Path) -> None:
    told = states(tmp_path, of("lk_edge"))
    assert {state for (job, _), state in told.items() if job in ("lk_edge.kill_self", "lk_edge.sysexit")} == {"FAIL"}
    assert {state for (job, _), state in told.items() if job == "lk_edge.flaky"} == {"FAIL", "COMPLETE"}
    assert "RUNNING" not in told.values()


def test_without_the_end_of_the_dag_a_killed_task_goes_on(tmp_path: Path) -> None:
    events = [event for event in of("lk_edge") if event["job"]["name"] != "lk_edge"]
    assert {state for (job, _), state in states(tmp_path, events).items() if job == "lk_edge.kill_self"} == {"RUNNING"}


def test_a_task_that_was_mapped_or_tried_again_is_as_many_runs_and_one_that_was_deferred_is_one(tmp_path: Path) -> None:
    jobs = [job for job, _ in states(tmp_path, of("lk_edge"))]
    assert [jobs.count(f"lk_edge.{task}") for task in ("mapped", "flaky", "deferred")] == [3, 2, 1]


def test_an_attempt_after_which_there_may_be_another_one_is_not_closed_as_a_success(tmp_path: Path) -> None:
    events = json.loads(json.dumps(of("lk_edge")))
    (start,) = [event for event in events if event["job"]["name"] == "lk_edge.kill_self"]
    (end,) = [event for event in events if "airflowState" in event["run"]["facets"]]
    end["run"]["facets"]["airflowState"]["tasksState"]["kill_self"] = "success"

    def told(folder: Path) -> set[str]:
        return {state for (job, _), state in states(folder, events).items() if job == "lk_edge.kill_self"}

    assert told(tmp_path / "last") == {"COMPLETE"}
    start["run"]["facets"]["airflow"]["task"]["retries"] = 2
    assert told(tmp_path / "first") == {"RUNNING"}


def test_a_dag_may_have_dots_in_its_name(tmp_path: Path) -> None:
    text = json.dumps([*of("lk_edge"), *of("lk_main")]).replace("lk_edge", "team.edge").replace("lk_main", "team.main")
    events = json.loads(text)
    told = states(tmp_path, events)
    assert {state for (job, _), state in told.items() if job == "team.edge.kill_self"} == {"FAIL"}
    with open_store(tmp_path) as store, open_index(store, tmp_path) as index:
        assert query.find_dataset(index.database, Name("airflow:feas", "team.main/a")) is not None


def test_a_dag_that_ends_once_more_tells_its_tasks_anew(tmp_path: Path) -> None:
    events = of("lk_edge")
    (end,) = [event for event in events if "airflowState" in event["run"]["facets"]]
    again = json.loads(json.dumps(end)) | {"eventTime": "2026-11-21T07:00:00.000000+00:00", "eventType": "COMPLETE"}
    again["run"]["facets"]["airflowState"]["tasksState"]["kill_self"] = "success"
    assert index_of(tmp_path / "a", [*events, again], portion=5) == index_of(tmp_path / "b", [again, *events])


@pytest.mark.parametrize("seed", range(4))
def test_order_and_duplicates_change_nothing(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    shuffled = EVENTS + dice.sample(EVENTS, 10)
    dice.shuffle(shuffled)
    assert index_of(tmp_path / "a", shuffled, portion=7) == index_of(tmp_path / "b", EVENTS)


def test_tables_that_only_a_statement_names_are_of_their_dag(tmp_path: Path) -> None:
    index_of(tmp_path, of("lk_main"))
    with open_store(tmp_path) as store, open_index(store, tmp_path) as index:
        a, b = (query.find_dataset(index.database, Name("airflow:feas", f"lk_main/{name}")) for name in "ab")
        assert a is not None
        assert [flow.dst for flow in walk.flows_from(index.database, [a])] == [b]


def test_tables_that_the_provider_names_are_as_it_says(tmp_path: Path) -> None:
    index_of(tmp_path, of("lk_more"))
    with open_store(tmp_path) as store, open_index(store, tmp_path) as index:
        assert not [name for name in query.all_names(index.database) if name.namespace.startswith("airflow:")]
