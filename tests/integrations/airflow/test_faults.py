# SPDX-License-Identifier: Apache-2.0
"""Tasks run by `airflow tasks test` where something goes wrong: with them, or with us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrations.airflow.world import Airflow, content

pytestmark = pytest.mark.airflow
DATE = "2026-11-01"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that others are copied from: making one takes as long as a task."""
    airflow = Airflow(tmp_path_factory.mktemp("airflow"))
    airflow.run("airflow", "db", "migrate")
    return airflow.folder / "home"


def test_a_task_that_is_killed_is_closed_with_what_it_had_written(home: Path, tmp_path: Path) -> None:
    airflow = Airflow(tmp_path / "airflow")
    airflow.environ["AIRFLOW_HOME"] = str(home)
    assert airflow.run("airflow", "tasks", "test", "faults", "killed", DATE, check=False).returncode != 0
    start, end = airflow.events()["faults.killed"]
    assert (start["eventType"], end["eventType"]) == ("START", "ABORT")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert content(end, "output")["before.csv"]["state"] == "exact"


def test_a_store_that_cannot_be_written_is_no_trouble_of_the_task(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    airflow = Airflow(tmp_path / "airflow", store=str(tmp_path / "file" / "store"))
    airflow.environ["AIRFLOW_HOME"] = str(home)
    done = airflow.run("airflow", "tasks", "test", "faults", "works", DATE)
    assert (airflow.data / "works.csv").read_text() == "works"
    assert "lineagekit doctor" in done.stdout + done.stderr
