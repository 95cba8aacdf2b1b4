# SPDX-License-Identifier: Apache-2.0
"""The transport that Airflow's provider emits through: each event is a fact of the journal, and that is all.

    AIRFLOW__OPENLINEAGE__TRANSPORT='{"type": "lineagekit_airflow.Transport", "store": "/var/lib/lineage"}'

The provider builds a transport in a forked child of the task for each event, and kills that child after ten seconds.
What `emit` has returned from survives that. Events of a task whose body is recorded are told of that very run, and
become one with what was recorded of it.
"""

from __future__ import annotations

import os
import stat

from lineagekit_python.transport import LineagekitTransport

from lineagekit.agent.border import border
from lineagekit.agent.foreign import as_mapping
from lineagekit.agent.process import is_disabled
from lineagekit_airflow import tasks

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


_MOST = 10_000
"""Files of a folder that are looked at for it."""


class Transport(LineagekitTransport):
    """Writes each event down; with it, what the files were that only the DAG speaks of (inlets, outlets, assets)."""

    def emit(self, event: Any) -> None:
        """Write it down, first of all."""
        with border("transport"):
            process = self._process
            if process is None or is_disabled():
                return
            told = as_mapping(event)
            task = tasks.recorded((told.get("run") or {}).get("runId"))
            if task is None or task.process is not process:
                process.say({"fact": "event", "event": told})
            elif process.say({"fact": "event", "run": task.run.id, "event": told}):
                with border("declared"):
                    _say_declared(task, told)


def _say_declared(task: tasks.Task, event: dict[str, Any]) -> None:
    """Evidence of files that the DAG names and nobody was seen to touch: as good as the time at which it is taken.

    What is read is looked at before the body runs. What is written is named before it, too, and means nothing then;
    afterwards downstream tasks may be at it already, for Airflow tells them before it tells us: so only what was
    changed while this task ran, and not since, is this task's.
    """
    from lineagekit.agent.targets import read_path, written_path

    is_start = event.get("eventType") == "START"
    for path in _files(event.get("inputs")):
        if not task.run.ledger.knows(path) and (is_start or 0 < _last_change(path) < task.began):
            read_path(task.run.ledger, path, "airflow.inlets")
    for path in () if is_start else _files(event.get("outputs")):
        if not task.run.ledger.knows(path, role=2) and task.began <= _last_change(path) <= task.ended:
            written_path(task.run.ledger, path, "airflow.outlets")


def _files(datasets: Any) -> list[str]:
    """Paths of those that are files of this machine."""
    named = [one for one in datasets or () if isinstance(one, dict) and one.get("namespace") == "file"]
    return [path for one in named if os.path.isabs(path := str(one.get("name") or "")) and os.path.exists(path)]


def _last_change(path: str) -> int:
    """When anything was done in it that leaves a stamp, renaming included; 0 where it is gone or has too many parts."""
    newest = 0
    waiting = [path]
    for count, one in enumerate(waiting):
        if count > _MOST:
            return 0
        try:
            found = os.stat(one)
            if stat.S_ISDIR(found.st_mode):
                waiting += [os.path.join(one, name) for name in os.listdir(one)]
        except OSError:
            return 0
        newest = max(newest, found.st_mtime_ns, found.st_ctime_ns)
    return newest
