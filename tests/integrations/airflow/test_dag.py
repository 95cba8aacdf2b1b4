# SPDX-License-Identifier: Apache-2.0
"""A DAG that nobody changed, run by Airflow with one option set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.integrations.airflow.world import DAGS, Airflow, content

pytestmark = pytest.mark.airflow
PAGES = "https://airflow.example.com"


@pytest.fixture(scope="module", params=[".venv-airflow", pytest.param(".venv-airflow2", marks=pytest.mark.slow)])
def airflow(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Airflow:
    """Airflow 3, and 2.11; where events are to go in the end nobody answers."""
    away = {"type": "http", "url": "http://127.0.0.1:9"}
    airflow = Airflow(tmp_path_factory.mktemp("airflow"), environment=request.param, transport=away)
    airflow.environ["AIRFLOW__API__BASE_URL"] = airflow.environ["AIRFLOW__WEBSERVER__BASE_URL"] = PAGES
    airflow.migrate()
    airflow.run("python", DAGS / "shop.py", check=False)
    return airflow


@pytest.fixture(scope="module")
def told(airflow: Airflow) -> dict[str, list[dict[str, Any]]]:
    return airflow.events()


def end(told: dict[str, list[dict[str, Any]]], job: str) -> dict[str, Any]:
    (end,) = (event for event in told[job] if event["eventType"] in ("COMPLETE", "FAIL", "ABORT"))
    return end


def test_each_task_has_one_beginning_and_one_end_of_one_run(told: dict[str, list[dict[str, Any]]]) -> None:
    for task in ("extract", "features", "train", "copy", "load", "fails"):
        events = told[f"shop.{task}"]
        assert [event["eventType"] for event in events][:1] == ["START"]
        assert len({event["run"]["runId"] for event in events}) == 1
        assert end(told, f"shop.{task}")["run"]["facets"]["airflow"]["task"]["task_id"] == task


def test_what_a_body_reads_and_writes_is_told_by_its_bytes(
    airflow: Airflow, told: dict[str, list[dict[str, Any]]]
) -> None:
    for task, source, target in (("extract", "raw.csv", "orders.csv"), ("features", "orders.csv", "features.parquet")):
        event = end(told, f"shop.{task}")
        for role, name in (("input", source), ("output", target)):
            expected = f"blake3:{blake3((airflow.data / name).read_bytes()).hexdigest()}"
            assert content(event, role)[name]["digest"] == expected


def test_a_task_has_none_of_what_another_one_read_in_the_same_process(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    assert content(end(told, "shop.features"), "input").keys() == {"orders.csv"}
    assert [content(event, "input") for event in told["shop.part"]] == [{}] * 4


def test_params_of_the_dag_and_of_the_body_are_known_and_so_is_its_code(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    facets = end(told, "shop.extract")["run"]["facets"]
    params = {one["name"]: one["value"] for one in facets["lineagekit_params"]["params"]}
    assert params == {"C": "0.5", "rows": "50"}
    modules = {Path(one["path"]).name: one for one in facets["lineagekit_code"]["modules"]}
    assert modules["shop.py"]["digests"]


def test_a_program_that_a_task_starts_hangs_below_it(airflow: Airflow, told: dict[str, list[dict[str, Any]]]) -> None:
    (script,) = {job for job in told if job.endswith("train.py")}
    parent = end(told, script)["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == end(told, "shop.train")["run"]["runId"]
    assert content(end(told, script), "output")["model.json"]["state"] == "exact"


def test_files_that_only_the_dag_names_are_hashed_too(airflow: Airflow, told: dict[str, list[dict[str, Any]]]) -> None:
    event = end(told, "shop.copy")
    expected = f"blake3:{blake3((airflow.data / 'orders.csv').read_bytes()).hexdigest()}"
    assert content(event, "input")["orders.csv"]["digest"] == expected
    assert content(event, "output")["copy.csv"]["digest"] == expected


def test_a_file_that_a_task_only_names_and_did_not_write_is_not_its_own(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    assert content(end(told, "shop.idle"), "output") == {"old.csv": {}}


def test_mapped_tasks_are_runs_of_one_job_and_a_deferred_one_is_one_run(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    assert len({event["run"]["runId"] for event in told["shop.part"]}) == 2
    assert {name for event in told["shop.part"] for name in content(event, "output")} == {"part1.csv", "part2.csv"}
    assert len({event["run"]["runId"] for event in told["shop.wait"]}) == 1
    assert [event["eventType"] for event in told["shop.wait"]].count("COMPLETE") == 1


def test_a_body_that_raises_has_read_and_written_what_it_has(told: dict[str, list[dict[str, Any]]]) -> None:
    event = end(told, "shop.fails")
    assert event["eventType"] == "FAIL"
    assert event["run"]["facets"]["errorMessage"]["message"] == "no"
    assert content(event, "input")["orders.csv"]["state"] == "exact"
    assert content(event, "output")["half.csv"]["state"] == "exact"


@pytest.mark.parametrize(("task", "name", "written"), [("tells", "told.csv", b"told"), ("fails", "half.csv", b"half")])
def test_what_a_callback_reads_and_writes_is_not_the_body_s(
    airflow: Airflow, told: dict[str, list[dict[str, Any]]], task: str, name: str, written: bytes
) -> None:
    assert (airflow.data / name).read_text() == "over"
    event = end(told, f"shop.{task}")
    assert content(event, "input").keys() == ({"orders.csv"} if task == "fails" else set())
    assert content(event, "output").keys() == {name}
    assert content(event, "output")[name]["digest"] == f"sha256:{sha256(written).hexdigest()}"


def test_impact_names_the_tasks_and_where_airflow_shows_them(
    airflow: Airflow, told: dict[str, list[dict[str, Any]]]
) -> None:
    environ = {**os.environ, "LINEAGEKIT_STORE": str(airflow.store)}
    words = [sys.executable, "-m", "lineagekit", "impact", str(airflow.data / "orders.csv")]
    shown = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
    assert f"\nlatest run of prod/shop.features\n  page {PAGES}/" in shown
    done = subprocess.run([*words, "--json"], env=environ, capture_output=True, text=True, check=True)
    pages = {one["jobs"][0]: one["page"] for one in json.loads(done.stdout)["result"]["consumers"]}
    assert pages["prod/shop.features"].startswith(PAGES)
    assert "shop" in pages["prod/shop.features"]


def test_airflow_s_own_database_is_no_data_of_a_task(told: dict[str, list[dict[str, Any]]]) -> None:
    names = {name for events in told.values() for event in events for name in content(event, "input")}
    assert not {name for name in names if name.startswith(("airflow.", "simple_auth"))}


def test_the_model_is_traced_to_the_raw_data(airflow: Airflow, told: dict[str, list[dict[str, Any]]]) -> None:
    environ = {**os.environ, "LINEAGEKIT_STORE": str(airflow.store)}
    words = [sys.executable, "-m", "lineagekit", "trace", "shop-model"]
    shown = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
    places = [shown.index(one) for one in ("train.py", "shop.features", "shop.extract", "data/raw.csv")]
    assert places == sorted(places)
    assert "3 runs; 3 inputs: 3 by content" in shown


def test_a_server_that_is_away_gets_nothing_and_loses_nothing(
    airflow: Airflow, told: dict[str, list[dict[str, Any]]]
) -> None:
    environ = {**os.environ, "LINEAGEKIT_STORE": str(airflow.store)}
    done = subprocess.run([sys.executable, "-m", "lineagekit", "push"], env=environ, capture_output=True, text=True)
    count = sum(map(len, told.values()))
    assert count >= 20
    assert (done.returncode, f"http://127.0.0.1:9: {count} events waiting" in done.stderr) == (7, True)
