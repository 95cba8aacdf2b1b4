# SPDX-License-Identifier: Apache-2.0
"""Events of DAG runs come from a process of the scheduler's that lives for weeks: they are heard while it lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from lineagekit.cli.settling import settle
from lineagekit.record.journals import find_journals
from lineagekit.store.log import open_store

SCHEDULER = """
import sys
from concurrent.futures import ProcessPoolExecutor

def emit(kind, run):
    global transport
    from lineagekit_airflow.transport import Transport
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    if "transport" not in globals():
        transport = Transport()
    job = Job(namespace="prod", name="daily")
    transport.emit(RunEvent(eventType=RunState[kind], eventTime="2026-11-01T06:00:00Z", run=Run(runId=run), job=job))

if __name__ == "__main__":
    with ProcessPoolExecutor(max_workers=1) as pool:
        for line in sys.stdin:
            pool.submit(emit, *line.split()).result()
            print("done", flush=True)
"""


class Scheduler:
    """Emits what it is told to, and lives on."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin, self._stdout = stdin, stdout

    def emit(self, kind: str, run: str) -> None:
        self._stdin.write(f"{kind} {run}\n")
        self._stdin.flush()
        assert self._stdout.readline() == "done\n"


@contextmanager
def living(folder: Path) -> Iterator[Scheduler]:
    (folder / "scheduler.py").write_text(SCHEDULER)
    environ = {**os.environ, "LINEAGEKIT_STORE": str(folder / "store"), "LINEAGEKIT_SETTLE": "off"}
    words = [sys.executable, str(folder / "scheduler.py")]
    with subprocess.Popen(words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Scheduler(process.stdin, process.stdout)
        assert process.poll() is None
        process.stdin.close()
        process.wait()


def told(store: Path) -> list[tuple[str, str]]:
    """Type and run of each event in the log."""
    settle(str(store))
    with open_store(str(store)) as opened:
        events = [json.loads(row.body) for row in opened.events(after=0, limit=1000)]
    return [(event["eventType"], event["run"]["runId"]) for event in events]


def test_each_event_of_a_dag_run_is_settled_while_the_scheduler_lives(tmp_path: Path) -> None:
    store, expected = tmp_path / "store", []
    with living(tmp_path) as scheduler:
        for run in (str(uuid4()), str(uuid4())):
            for kind in ("START", "COMPLETE"):
                scheduler.emit(kind, run)
                expected.append((kind, run))
                assert told(store) == expected
        assert len(find_journals(str(store / "journal"))) == 1
    assert told(store) == expected
    assert find_journals(str(store / "journal")) == []
