# SPDX-License-Identifier: Apache-2.0
"""Tasks run by `airflow tasks test` where something goes wrong: with them, or with us."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.integrations.airflow.world import Airflow, content

pytestmark = pytest.mark.airflow
DATE = "2026-11-01"

ON_SMALL_DISK = """
mount -t tmpfs -o size=2m disk "$SHOP_STORE" || exit 99
if [ "$1" = full ]; then dd if=/dev/zero of="$SHOP_STORE/filler" 2> /dev/null; fi
airflow tasks test faults "$2" "$3" > log 2>&1
echo $? > code
rm -f "$SHOP_STORE/filler"
"$4" -m lineagekit settle > /dev/null 2>&1
"$4" -m lineagekit doctor --json > doctor
"$4" -m lineagekit doctor > doctor.txt
"$4" -m lineagekit log > runs
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that others are copied from: making one takes as long as a task."""
    airflow = Airflow(tmp_path_factory.mktemp("airflow"))
    airflow.run("airflow", "db", "migrate")
    return airflow.folder / "home"


def airflow_in(folder: Path, home: Path, **transport: Any) -> Airflow:
    airflow = Airflow(folder / "airflow", **transport)
    airflow.environ |= {"AIRFLOW_HOME": str(home), "SHOP_STORE": str(airflow.store)}
    return airflow


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_task_that_is_killed_is_closed_with_what_it_had_written(home: Path, tmp_path: Path) -> None:
    airflow = airflow_in(tmp_path, home)
    assert airflow.run("airflow", "tasks", "test", "faults", "killed", DATE, check=False).returncode != 0
    start, end = airflow.events()["faults.killed"]
    assert (start["eventType"], end["eventType"]) == ("START", "ABORT")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert content(end, "output")["before.csv"]["state"] == "exact"


def test_a_store_that_cannot_be_written_is_no_trouble_of_the_task(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    airflow = airflow_in(tmp_path, home, store=str(tmp_path / "file" / "store"))
    done = airflow.run("airflow", "tasks", "test", "faults", "works", DATE)
    assert (airflow.data / "works.csv").read_text() == "works"
    assert "lineagekit doctor" in done.stdout + done.stderr


def on_small_disk(airflow: Airflow, task: str, *, full: bool = False) -> dict[str, Any]:
    """What `doctor` says of a task whose store lies on a disk of two megabytes, in a name space of its own."""
    airflow.store.mkdir()
    words = ["full" if full else "free", task, DATE, sys.executable]
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", ON_SMALL_DISK, "sh", *words],
        env={**airflow.environ, "LINEAGEKIT_STORE": str(airflow.store)},
        cwd=airflow.folder,
        capture_output=True,
        text=True,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no name spaces here")
    assert (airflow.folder / "code").read_text() == "0\n", (airflow.folder / "log").read_text()[-4000:]
    said: dict[str, Any] = json.loads((airflow.folder / "doctor").read_text())["result"]
    return said


def test_a_store_on_a_full_disk_is_no_trouble_of_the_task(home: Path, tmp_path: Path) -> None:
    airflow = airflow_in(tmp_path, home)
    on_small_disk(airflow, "works", full=True)
    assert (airflow.data / "works.csv").read_text() == "works"
    log = (airflow.folder / "log").read_text()
    assert "No space left on device" in log
    assert "lineagekit doctor" in log


def test_what_a_full_disk_has_swallowed_is_counted_and_doctor_says_so(home: Path, tmp_path: Path) -> None:
    airflow = airflow_in(tmp_path, home)
    said = on_small_disk(airflow, "fills")
    assert (airflow.data / "after.csv").read_text() == "after"
    assert len(list(airflow.data.glob("part*.csv"))) == 20
    (trouble,) = (one for one in said["troubles"] if one["where"] == "journal")
    assert "No space left on device" in trouble["error"]
    assert trouble["count"] >= 20


def test_transports_beside_ours_that_raise_and_hang_take_nothing_from_us(
    home: Path, tmp_path: Path, silent: str
) -> None:
    """All are told by a connection, which nobody looks up before the task begins."""
    airflow = airflow_in(tmp_path, home)
    ours = json.loads(airflow.environ.pop("AIRFLOW__OPENLINEAGE__TRANSPORT"))
    others = [{"type": "http", "url": url, "retry": {"total": 0}} for url in ("http://127.0.0.1:9", silent)]
    extra = {"transport": {"type": "composite", "transports": [ours, *others]}}
    airflow.environ["AIRFLOW__OPENLINEAGE__CONFIG_CONN_ID"] = "lineage"
    airflow.environ["AIRFLOW_CONN_LINEAGE"] = json.dumps({"conn_type": "openlineage", "extra": extra})
    airflow.environ["AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT"] = "1"
    done = airflow.run("airflow", "tasks", "test", "faults", "works", DATE)
    assert "expired and will be terminated" in done.stdout + done.stderr
    start, end = airflow.events()["faults.works"]
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["run"]["facets"]["airflow"]["task"]["task_id"] == "works"
    assert content(end, "output")["works.csv"]["digest"] == f"blake3:{blake3(b'works').hexdigest()}"
