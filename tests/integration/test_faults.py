# SPDX-License-Identifier: Apache-2.0
"""From a job's first fact to the log, with whatever can go wrong done to it for real."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineagekit.events.summary import RunSummary, summarize
from lineagekit.record.settle import settle
from lineagekit.store.log import open_store
from tests.agent.conftest import Job

WRITER = """
import lineagekit, sys
lineagekit.autolog()
number = 0
while True:
    with open(f"out-{number}.bin", "w") as file:
        file.write(str(number) * 50)
    print(number, flush=True)
    number += 1
"""

HOSTILE = [
    "quote'\"`$(x);|&.csv",
    "new\nline.csv",
    "tab\tand\rreturn.csv",
    "\u202ertl.csv",
    "emoji-\U0001f600.csv",
    "surrogate-\udcff\udcfe.csv",
    "percent%00#fragment?query.csv",
    "a" * 250 + ".csv",
    "-rf",
    " ",
    "..csv",
    "\x01\x7f.csv",
]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def runs(job: Job) -> list[RunSummary]:
    """Everything that the log knows after settling."""
    settle(str(job.store))
    with open_store(str(job.store)) as store:
        rows = store.recent_runs(10_000)
        events = {row.run: [one.event for one in store.run_events(row.run)] for row in rows}
    for of_run in events.values():
        ends = [event for event in of_run if event["eventType"] in ("COMPLETE", "FAIL", "ABORT")]
        assert len(ends) <= 1, "a run ended twice"
    return [summarize(of_run) for of_run in events.values()]


def kill_at_random(job: Job, chance: random.Random) -> int:
    """Start the writer, kill it somewhere, and return the last number that it acknowledged."""
    job.write("writer.py", WRITER)
    with subprocess.Popen(
        [sys.executable, "writer.py"], cwd=job.folder, env=job.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        acknowledged = [line for line in process.stdout.read().split("\n") if line]
    return int(acknowledged[-2]) if len(acknowledged) > 1 else 0


def check_killed(job: Job, last: int) -> None:
    (run,) = runs(job)
    assert run.state == "ABORT"
    assert run.facets["lineagekit_run"]["killed"]
    found = {Path(seen.name).name if seen.content.get("kind") != "directory" else "" for seen in run.outputs}
    parts = {part["path"] for seen in run.outputs for part in seen.content.get("parts", ())}
    files = {Path(name).name for name in found | parts}
    wanted = {f"out-{number}.bin" for number in range(last + 1)}
    grouped = [seen for seen in run.outputs if seen.content.get("kind") == "directory"]
    assert wanted <= files or (grouped and grouped[0].content["files"] >= len(wanted))
    assert settle(str(job.store)).runs == 0  # nothing is told twice


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_job_loses_nothing_that_it_had_said(job: Job, seed: int) -> None:
    check_killed(job, kill_at_random(job, random.Random(seed)))


@pytest.mark.faults
def test_a_thousand_killed_jobs_lose_nothing(tmp_path: Path) -> None:
    for seed in range(1000):
        folder = tmp_path / str(seed)
        folder.mkdir()
        job = Job(folder)
        check_killed(job, kill_at_random(job, random.Random(seed)))


def test_hostile_names_are_recorded_and_settled(job: Job) -> None:
    job.write("names.json", json.dumps(HOSTILE))
    job.run(
        """
        import json
        for name in json.load(open("names.json")):
            with open("./" + name, "w") as file:
                file.write(name.encode("utf-8", "surrogatepass").hex())
            lineagekit.params({name: name})
            lineagekit.metric(name, 1.0)
        lineagekit.input("s3://bucket/" + "k" * 65536)
        lineagekit.input("nul\\0byte")
        """
    )
    (run,) = runs(job)
    assert run.state == "COMPLETE"
    assert len(run.outputs) == len(HOSTILE) or any(seen.content.get("files") for seen in run.outputs)
    assert all(seen.content["state"] == "exact" for seen in run.outputs)
    assert len(run.metrics) == len(HOSTILE)


def test_a_fifo_is_never_opened_and_never_waited_for(job: Job) -> None:
    os.mkfifo(job.folder / "pipe")
    job.run(
        """
        import os, threading
        thread = threading.Thread(target=lambda: open("pipe", "w").write("x")); thread.start()
        open("pipe").read(); thread.join()
        open("out.csv", "w").write("1")
        lineagekit.input("pipe")
        """
    )
    (run,) = runs(job)
    assert [Path(seen.name).name for seen in run.outputs if seen.content["state"] == "exact"] == ["out.csv"]


def test_an_output_rewritten_by_another_job_is_unknown_to_the_first(job: Job) -> None:
    job.write(
        "first.py",
        "import lineagekit, sys; lineagekit.autolog()\nopen('out.csv', 'w').write('first')\n"
        "print('written', flush=True); sys.stdin.readline()\n",
    )
    with subprocess.Popen(
        [sys.executable, "first.py"],
        cwd=job.folder,
        env=job.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        first.stdout.readline()
        job.run("open('out.csv', 'w').write('second')\n", name="second.py")
        first.stdin.write("\n")
        first.stdin.flush()
        first.wait(20)
    told = {run.job: run.outputs[0].content for run in runs(job)}
    assert told["first.py"]["state"] == "unknown"
    assert told["second.py"]["state"] == "exact"


def test_a_writer_that_lives_is_left_alone(job: Job) -> None:
    job.write("writer.py", WRITER)
    with subprocess.Popen(
        [sys.executable, "writer.py"], cwd=job.folder, env=job.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert runs(job) == []
        process.kill()
        process.stdout.read()
    assert [run.state for run in runs(job)] == ["ABORT"]


def test_a_full_disk_stops_the_recording_and_not_the_job(job: Job) -> None:
    code = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        open("before.csv", "w").write("1")
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        for number in range(100):
            open(f"{number}.csv", "w").write("1")
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        """
    job.run(code, code_is=0)
    assert len(list(job.folder.glob("*.csv"))) == 101
    (run,) = runs(job)
    assert run.outputs


def test_two_hundred_jobs_at_once_are_all_in_the_log(job: Job) -> None:
    job.run(
        """
        import os
        pids = []
        for number in range(200):
            pid = os.fork()
            if pid == 0:
                with lineagekit.run(f"job-{number}"):
                    open(f"{number}.csv", "w").write(str(number))
                os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        """
    )
    told = {run.job: run for run in runs(job)}
    assert told.pop("job.py").outputs == ()  # which did no more than start them
    assert len(told) == 200
    assert all(run.state == "COMPLETE" and len(run.outputs) == 1 for run in told.values())
