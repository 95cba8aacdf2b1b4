# SPDX-License-Identifier: Apache-2.0
"""What a task of Airflow pays for its lineage: CPU of our listener and our transport, beside the provider's own.

    make airflow-env && .venv-airflow/bin/python benchmarks/airflow_task.py
    listener 2.5 ms a task, transport 1.2 ms an event: 4.9 ms a task; the provider itself: 112 ms a task

Each call is timed where it is made, in the task's process or in the child that the provider forks for an event: the
difference of two whole runs would drown in what Airflow itself does. The peer is the provider of OpenLineage. The body
of a task writes one file of 4 KiB, so that hashing is next to nothing.
"""

from __future__ import annotations

import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

TASKS = 30
DAG = """
import os
from pathlib import Path
from airflow.sdk import DAG, chain, task

with DAG("bench", schedule=None) as dag:

    @task
    def write(number: int) -> None:
        Path(os.environ["BENCH"], f"{number}.bin").write_bytes(bytes(4096))

    chain(*(write.override(task_id=f"write{number}")(number) for number in range(int(os.environ["TASKS"]))))

if __name__ == "__main__":
    dag.test()
"""


def main() -> None:
    """Run a DAG in a child, and sum up."""
    if len(sys.argv) > 1:
        _run_dag(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        told = {"type": "lineagekit_airflow.Transport", "store": f"{folder}/store"}
        environ = {
            **os.environ,
            "AIRFLOW_HOME": f"{folder}/home",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": f"{folder}/dags",
            "BENCH": folder,
            "TASKS": str(TASKS),
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(told),
            "CI": "",
        }
        Path(folder, "dags").mkdir()
        Path(folder, "dags", "bench.py").write_text(DAG)
        binary = Path(sys.executable).parent / "airflow"
        for words in ([str(binary), "db", "migrate"], [sys.executable, __file__, folder]):
            done = subprocess.run(words, env=environ, capture_output=True, text=True)
            if done.returncode:
                sys.exit((done.stdout + done.stderr)[-3000:])
        _sum_up(Path(folder) / "times")


def _run_dag(folder: Path) -> None:
    from airflow.providers.openlineage.plugins.listener import OpenLineageListener
    from lineagekit_airflow import tasks
    from lineagekit_airflow.transport import Transport

    log = os.open(folder / "times", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    named = ((tasks, "begin"), (tasks, "stop"), (tasks, "end"), (tasks, "say_digests"), (Transport, "emit"))
    for owner, name in named:
        setattr(owner, name, _timed(getattr(owner, name), name, log))
    for name in ("_on_task_instance_running", "_on_task_instance_success"):
        setattr(OpenLineageListener, name, _timed(getattr(OpenLineageListener, name), "provider", log, family=True))
    runpy.run_path(str(folder / "dags" / "bench.py"), run_name="__main__")


def _timed(function: Callable[..., Any], name: str, log: int, *, family: bool = False) -> Callable[..., Any]:
    """With the CPU of this thread written down; of the `family`, with that of the children which it has waited for."""

    def timed(*args: Any, **named: Any) -> Any:
        began = _family() if family else time.thread_time()
        try:
            return function(*args, **named)
        finally:
            took = (_family() if family else time.thread_time()) - began
            os.write(log, f"{name} {took}\n".encode())

    return timed


def _family() -> float:
    times = os.times()
    return sum(times[:4])


def _sum_up(path: Path) -> None:
    found = defaultdict(list)
    for line in path.read_text().splitlines():
        name, took = line.split()
        found[name].append(float(took) * 1e3)
    median = {name: statistics.median(_each_task(times)) for name, times in found.items()}
    median["emit"] = statistics.median(found["emit"])
    median["stop"] -= median["say_digests"]  # hashing is paid by the byte
    listener = median["begin"] + median["stop"] + median["end"]
    ours = listener + 2 * median["emit"]
    provider = sum(found["provider"]) / TASKS - 2 * median["emit"]
    steps = ", ".join(f"{name} {median[name]:.2f}" for name in ("begin", "stop", "end"))
    steps += f"; hashing {median['say_digests']:.2f} apart"
    print(
        f"listener {listener:.1f} ms a task ({steps}), transport {median['emit']:.1f} ms an event:"
        f" {ours:.1f} ms a task;"
        f" the provider itself: {provider:.0f} ms a task; medians of {len(found['begin'])} tasks"
    )


def _each_task(times: list[float]) -> list[float]:
    """What is called twice a task, the second time for nothing, is one."""
    calls = max(len(times) // TASKS, 1)
    return [sum(times[first : first + calls]) for first in range(0, len(times), calls)]


if __name__ == "__main__":
    main()
