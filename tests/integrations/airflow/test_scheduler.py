# SPDX-License-Identifier: Apache-2.0
"""The real thing: scheduler, API server, a process for each task; and in the end, who made the model worse."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.integrations.airflow.world import Airflow

pytestmark = [pytest.mark.airflow, pytest.mark.slow]
PATIENCE = 180


@contextmanager
def serving(airflow: Airflow) -> Iterator[None]:
    """Scheduler and API server, until the end of the block."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    airflow.environ |= {
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": "https://airflow.example.com",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__CORE__PARALLELISM": "2",
    }
    words = (["api-server", "--apps", "execution", "--port", port], ["scheduler"])
    with (airflow.folder / "log").open("w") as log:
        started = [
            subprocess.Popen(
                [airflow.bin / "airflow", *one],
                env=airflow.environ,
                stdout=log,
                stderr=log,
                cwd=airflow.folder,
                start_new_session=True,
            )
            for one in words
        ]
        try:
            yield
        finally:
            for process in started:
                process.terminate()
            for process in started:  # a scheduler that is told to end in the midst of its loop may go on with it
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def run(airflow: Airflow, name: str) -> None:
    airflow.run("airflow", "dags", "trigger", "model", "--run-id", name)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with closing(sqlite3.connect(airflow.folder / "home" / "airflow.db", timeout=30)) as database:
            ((state,),) = database.execute("SELECT state FROM dag_run WHERE run_id = ?", (name,)).fetchall()
        if state in ("success", "failed"):
            break
        time.sleep(1)
    assert state == "success", (airflow.folder / "log").read_text()[-4000:]


def write_data(folder: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    for name, rows in (("orders", 2000), ("exam", 2000)):
        values = random.normal(size=(rows, 2))
        labels = (values @ [1.0, -1.0] + random.normal(scale=0.7, size=rows) > 0).astype(int)
        table = [f"{n},{a:.4f},{b:.4f}" for n, (a, b) in enumerate(values)]
        if name == "exam":
            table = [f"{line},{label}" for line, label in zip(table, labels, strict=True)]
        else:
            lines = [f"{n},{label}" for n, label in enumerate(labels)]
            (folder / "labels.csv").write_text("\n".join(["id,label", *lines]) + "\n")
        heads = "id,a,b,label" if name == "exam" else "id,a,b"
        (folder / f"{name}.csv").write_text("\n".join([heads, *table]) + "\n")


def flip_labels(path: Path) -> None:
    head, *lines = path.read_text().splitlines()
    flipped = [f"{line[:-1]}{1 - int(line[-1])}" if n % 5 < 3 else line for n, line in enumerate(lines)]
    path.write_text("\n".join([head, *flipped]) + "\n")


def test_blame_names_what_went_wrong_in_a_dag_of_the_real_scheduler(tmp_path: Path) -> None:
    airflow = Airflow(tmp_path)
    airflow.run("airflow", "db", "migrate")
    airflow.run("airflow", "dags", "reserialize")
    write_data(airflow.data, seed=7)
    with serving(airflow):
        for number in range(3):
            with (airflow.data / "orders.csv").open("a") as orders:
                orders.write(f"{9000 + number},0,0\n")
            run(airflow, f"good-{number}")
        flip_labels(airflow.data / "labels.csv")
        run(airflow, "bad")
    environ = {**os.environ, "LINEAGEKIT_STORE": str(airflow.store)}
    words = [sys.executable, "-m", "lineagekit", "blame", "model.train/model", "--json"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)["result"]
    assert "labels.csv" in json.dumps(result["suspects"][0])
    assert result["suspects"][0]["page"].startswith("https://airflow.example.com/dags/model/runs/bad/tasks/")
    log = subprocess.run([*words[:3], "log"], env=environ, capture_output=True, text=True, check=True).stdout
    assert [log.count(f"model.{task}") for task in ("prepare", "train", "grade")] == [4, 4, 4]
    assert "RUNNING" not in log
