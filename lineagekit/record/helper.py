# SPDX-License-Identifier: Apache-2.0
"""A helper: a second process that settles half of a large backlog, because threads of Python take turns.

    >>> helper = start_helper(found, bench, plan)  # doctest: +SKIP
    >>> finish(helper, bench)  # doctest: +SKIP

Two that settle at once do no harm (`batch.py`), so it needs to be told no more than which runs, and in which journals.
Where none can be started, or it dies, its half is settled like any other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from lineagekit.agent.process import DISABLED
from lineagekit.events.naming import run_id
from lineagekit.record.batch import settle_found
from lineagekit.record.bench import Bench, set_up
from lineagekit.record.plan import Budget, Plan
from lineagekit.record.rounds import look, remove
from lineagekit.record.survey import Called, Found, judge_runs

_PROGRAM = """
import json, sys
asked = json.load(sys.stdin)
sys.path[:] = asked["path"]
from lineagekit.record.helper import serve
json.dump(serve(asked), sys.stdout)
"""

Helper = subprocess.Popen[bytes]


def start_helper(found: Sequence[Found], bench: Bench, plan: Plan) -> Helper | None:
    """Let another process settle the second half of these; None where that would not pay off, or cannot be."""
    if len(found) <= plan.alone or plan.threads < 2 or plan.now is not time.time_ns or not _has_cores():
        return None
    command = [sys.executable, "-c", _PROGRAM]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    environ = {**os.environ, DISABLED: "1"}
    try:
        helper = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, env=environ, process_group=0)
    except OSError:
        return None
    with suppress(OSError):  # it may have died already
        assert helper.stdin is not None
        helper.stdin.write(json.dumps(_request(found[len(found) // 2 :], bench, plan)).encode())
        helper.stdin.close()
    return helper


def finish(helper: Helper, bench: Bench) -> None:
    """Wait for it, and count what it did."""
    assert helper.stdout is not None
    with helper, helper.stdout:
        said = helper.stdout.read()
    if helper.returncode == 0:
        told = json.loads(said)
        bench.done.update(told["done"])
        bench.unknown.update(told["unknown"])
        bench.done["helped"] += told["done"].get("ended", 0) + told["done"].get("killed", 0)


def serve(asked: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Settle what is asked for: the whole life of a helper."""
    plan = Plan(Budget(*asked["budget"]), asked["content"], cache_folder=asked["cache"], threads=asked["threads"])
    runs = set(asked["runs"])
    with ExitStack() as stack:
        bench = set_up(asked["store"], plan, stack)
        bench.names.known.update({run: Called(*called) for run, called in asked["names"].items()})
        round_ = look(bench, now=plan.now(), paths=asked["journals"])
        found = judge_runs(
            round_.surveys,
            now=plan.now(),
            age=asked["age"],
            is_settled=lambda run: bench.store.settled(run_id(run)),
        )
        settle_found([run for run in found if run.id in runs and run.stage != "open"], bench)
        remove(round_, bench)
        return {"done": bench.done, "unknown": bench.unknown}


def _request(found: Sequence[Found], bench: Bench, plan: Plan) -> dict[str, Any]:
    return {
        "path": [os.path.abspath(folder) for folder in sys.path],
        "store": os.path.dirname(bench.folder),
        "cache": plan.cache_folder,
        "content": plan.content,
        "threads": plan.threads,
        "budget": [plan.budget.seconds, plan.budget.bytes // 2],
        "age": int(plan.silent * 1e9),
        "runs": [run.id for run in found],
        "journals": list({member.path: None for run in found for member in run.members}),
        "names": bench.names.known,
    }


def _has_cores() -> bool:
    """Whether there is a second core, and an interpreter that can be started: an embedded one is another program."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores > 1 and "python" in os.path.basename(sys.executable or "")
