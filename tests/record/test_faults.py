# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to those who settle, each run is in the log once, with its end and the right digests."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.agent.journal import Journal, new_id
from tests.record.jobs import Facet, World, contents, evidence, in_child, write_journal

SETTLE = """
import sys
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
settled = settle(sys.argv[1], plan=Plan(cache_folder=sys.argv[2], silent=0))
print(settled.runs, settled.events)
"""

WRITERS = """
import os, sys, time
from lineagekit.agent.evidence import Evidence
from lineagekit.agent.journal import Journal, new_id
journals, data, shared = sys.argv[1:]
runs = [new_id(time.time_ns() + number) for number in range(150)]
pids = []
for number in range(200):
    pids.append(os.fork())
    if pids[-1] == 0:
        journal, run = Journal(journals), runs[number] if number < 150 else shared
        if run != shared:
            journal.append({"fact": "run", "run": run, "job": "j", "rank": 1})
        path = f"{data}/{number}"
        with open(path, "w") as file:
            file.write(str(number))
        journal.append({"fact": "written", "run": run, "path": path, "evidence": Evidence.of(os.stat(path))})
        if run != shared:
            journal.append({"fact": "end", "run": run, "state": "COMPLETE"})
        os._exit(0)
for pid in pids:
    os.waitpid(pid, 0)
print(*runs)
"""


def start_settler(world: World) -> subprocess.Popen[str]:
    """Started and waiting for a line: imports take longer than what it does."""
    command = [sys.executable, "-c", SETTLE, str(world.store), str(world.cache)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def make_backlog(world: World, count: int) -> dict[str, tuple[str, bytes]]:
    """Journals of dead processes, some of them killed; the output and its bytes for each run."""
    made = {}
    for number in range(count):
        run, path = new_id(time.time_ns()), world.data / f"{number}.bin"
        path.write_bytes(b"%d" % number)
        facts = [
            {"fact": "run", "run": run, "job": "j", "rank": 1},
            {"fact": "written", "run": run, "path": str(path), "evidence": evidence(path), "door": "open"},
            {"fact": "end", "run": run, "state": "COMPLETE", "error": "", "exit": 0},
        ]
        write_journal(world.journals, facts[: 2 if number % 5 == 0 else 3])
        made[run] = str(path), path.read_bytes()
    return made


def check(world: World, made: dict[str, tuple[str, bytes]]) -> None:
    """Each run once, from START to end, and its digest right."""
    rows: dict[str, list[str]] = {}
    for row in world.rows():
        rows.setdefault(row.run, []).append(row.type)
        for output in row.event["outputs"] if row.type != "START" else ():
            path, data = made[row.run]
            content = output["outputFacets"]["lineagekit_outputContent"]
            assert (output["name"], content["digest"]) == (path, f"blake3:{blake3(data).hexdigest()}")
    assert rows.keys() == made.keys()
    assert {tuple(types) for types in rows.values()} <= {("START", "COMPLETE"), ("START", "ABORT")}


def kill_settlers(world: World, rounds: int) -> int:
    """Kill one after another at random points; how many were killed before they had finished."""
    rng = random.Random(4)
    killed = 0
    for _ in range(rounds):
        child = start_settler(world)
        go(child)
        time.sleep(rng.random() * 0.15)
        child.send_signal(signal.SIGKILL)
        killed += child.communicate()[0] == ""
    return killed


def test_settlers_that_are_killed_lose_and_double_nothing(world: World) -> None:
    made = make_backlog(world, 300)
    assert kill_settlers(world, 2) > 0
    world.settle()
    check(world, made)
    assert world.names() == set()


@pytest.mark.faults
def test_many_settlers_that_are_killed_lose_and_double_nothing(world: World) -> None:
    made: dict[str, tuple[str, bytes]] = {}
    killed = 0
    for number in range(20):
        world.data = world.data.parent / f"data{number}"
        world.data.mkdir()
        made |= make_backlog(world, 400)
        killed += kill_settlers(world, 10)
    assert killed > 50
    world.settle()
    check(world, made)
    assert world.names() == set()


@pytest.mark.parametrize("settlers", [2, pytest.param(8, marks=pytest.mark.faults)])
def test_several_settlers_at_once_do_each_run_once(world: World, settlers: int) -> None:
    made = make_backlog(world, 150 if settlers == 2 else 3_000)
    children = [start_settler(world) for _ in range(settlers)]
    for child in children:
        go(child)
    told = [child.communicate()[0].split() for child in children]
    assert sum(int(events) for _, events in told) == 2 * len(made)
    check(world, made)
    assert world.names() == set()


def test_several_settlers_without_a_lock_that_works_do_each_run_once(world: World) -> None:
    """A network disk may not know locks: then the first commit wins."""
    made = make_backlog(world, 100)
    children = [start_settler(world) for _ in range(2)]
    go(children[0])
    deadline = time.monotonic() + 10
    lock = world.store / "settle.lock"
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    lock.unlink(missing_ok=True)  # the second makes, and takes, a lock of its own
    go(children[1])
    for child in children:
        child.communicate()
    check(world, made)


def parts_of(event: Facet) -> list[Facet]:
    return [part for use in contents(event, "output").values() for part in use.get("parts", [use])]


def test_two_hundred_processes_at_once(world: World) -> None:
    """Three in four have a run of their own, the others a part in one; and somebody settles all the time."""
    shared = world.job()
    command = [sys.executable, "-c", WRITERS, str(world.journals), str(world.data), shared.run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writers:
        while writers.poll() is None:
            world.settle()
            time.sleep(0.05)
        assert writers.stdout is not None
        runs = writers.stdout.read().split()
    shared.end()
    world.settle()
    ends = [row for row in world.rows() if row.type == "COMPLETE"]
    assert sorted(row.run for row in ends) == sorted([*runs, shared.run])
    parts = {
        row.run: [p for use in contents(row.event, "output").values() for p in use.get("parts", [use])] for row in ends
    }
    assert [len(parts[run]) for run in (*runs, shared.run)] == [1] * 150 + [50]
    assert all(part["digest"] for of in parts.values() for part in of)
    assert len(world.names()) == 1  # our own


def test_a_settler_beside_a_writer_that_goes_on_tells_each_run_once(world: World) -> None:
    journal = Journal(str(world.journals))
    runs = []
    with start_settler(world) as child:
        go(child)
        for number in range(150):
            job = world.job(journal=journal)
            job.say("params", params={"number": number})
            runs.append(job.end())
        child.communicate()
    world.settle()
    assert [row.type for row in world.rows()].count("COMPLETE") == len(runs)
    assert {row.run for row in world.rows()} == set(runs)


def test_a_full_disk_loses_nothing(world: World, tmp_path: Path) -> None:
    made = make_backlog(world, 50)
    code = """
import resource, signal, sys
from lineagekit.errors import StoreError
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    settle(sys.argv[1], plan=Plan(cache_folder=sys.argv[2]))
except StoreError as error:
    print(error.exit_code)
"""
    command = [sys.executable, "-c", code, str(world.store), str(world.cache)]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "7\n"
    assert len(world.names()) == 50
    world.settle()
    check(world, made)


def test_a_journal_that_cannot_be_read_stops_nobody(world: World) -> None:
    made = make_backlog(world, 3)
    (world.journals / "a.journal").mkdir()
    (world.journals / "b.journal").symlink_to("nowhere")
    world.settle()
    check(world, made)


def test_a_child_that_dies_before_its_parent_has_begun_does_not_end_the_run(world: World) -> None:
    run = new_id(time.time_ns())
    in_child(lambda: world.job(run, begins=False).write(world.data / "a", b"1"))
    assert world.settle().runs == 0
    world.job(run).end()
    assert world.settle().runs == 1
    assert list(world.outputs(run)) == [str(world.data / "a")]
