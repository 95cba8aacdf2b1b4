# SPDX-License-Identifier: Apache-2.0
"""What jobs wrote down is in the log exactly once, when it can be told, with the right digests or none."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from lineagekit.agent.journal import Journal, encode, new_id
from lineagekit.errors import StoreError
from lineagekit.record.lock import NAME
from lineagekit.store.log import open_store
from tests.record.jobs import World, contents, in_child, write_journal

MINUTE = 60 * 10**9


def digest(data: bytes) -> str:
    return f"blake3:{blake3(data).hexdigest()}"


def later(nanoseconds: int) -> Any:
    return lambda: time.time_ns() + nanoseconds


def test_a_run_is_told_with_the_digests_of_what_it_read_and_wrote(world: World) -> None:
    source = world.data / "in.bin"
    source.write_bytes(b"old")
    run = new_id(time.time_ns())

    def work() -> None:
        job = world.job(run)
        job.write(world.data / "out.bin", job.read(source) + b"new")
        job.end()

    in_child(work)
    settled = world.settle()
    assert (settled.runs, settled.events, settled.exact, settled.unknown, settled.removed) == (1, 2, 2, {}, 1)
    assert world.types(run) == ["START", "COMPLETE"]
    assert world.inputs(run)[str(source)]["digest"] == digest(b"old")
    assert world.outputs(run)[str(world.data / "out.bin")]["digest"] == digest(b"oldnew")
    assert world.names() == set()


def test_nothing_to_settle_makes_no_store(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.settle().runs == 0
    assert not (world.store / "lineage.db").exists()


def test_settling_twice_says_nothing_new(world: World) -> None:
    job = world.job()
    job.end()
    assert world.settle().events == 2
    assert world.settle().events == 0
    assert world.types(job.run) == ["START", "COMPLETE"]


def test_a_journal_stays_while_its_process_lives_and_its_runs_are_told_as_they_end(world: World) -> None:
    journal = Journal(str(world.journals))
    for _ in range(3):
        job = world.job(journal=journal)
        job.end()
        settled = world.settle()
        assert (settled.runs, settled.journals, settled.removed) == (1, 1, 0)
        assert world.types(job.run) == ["START", "COMPLETE"]


def test_a_run_inside_another_is_told_while_the_outer_goes_on(world: World) -> None:
    journal = Journal(str(world.journals))
    outer = world.job(journal=journal)
    inner = [world.job(journal=journal, parent=outer.run, job="inner").end() for _ in range(2)]
    assert (world.settle().runs, world.settle().runs) == (2, 0)
    assert world.end(inner[0])["run"]["facets"]["parent"]["job"]["name"] == "train.py"
    another = world.job(journal=journal).end()
    outer.write(world.data / "out", b"1")
    assert world.settle().runs == 1
    outer.end()
    assert world.settle().runs == 1
    assert list(world.outputs(outer.run)) == [str(world.data / "out")]
    assert [world.types(run) for run in (*inner, another, outer.run)] == [["START", "COMPLETE"]] * 4


def test_a_run_that_goes_on_is_left_alone(world: World) -> None:
    job = world.job()
    settled = world.settle()
    assert (settled.runs, settled.waiting) == (0, (job.run,))


def test_a_run_that_goes_on_starts_alone_after_a_while_if_that_is_wanted(world: World) -> None:
    source = world.data / "in"
    source.write_bytes(b"1")
    job = world.job()
    job.read(source)
    assert world.settle(live=True).started == 0
    assert world.settle(live=True, now=later(MINUTE)).started == 1
    assert world.settle(live=True, now=later(MINUTE)).started == 0
    (row,) = world.rows(job.run)
    assert (row.type, [one["name"] for one in row.event["inputs"]]) == ("START", [str(source)])
    job.end()
    assert world.settle().events == 1
    assert world.types(job.run) == ["START", "COMPLETE"]


def test_a_run_whose_process_was_killed_is_closed_as_that(world: World) -> None:
    run = new_id(time.time_ns())
    in_child(lambda: world.job(run).write(world.data / "out", b"1"))
    assert (world.settle().killed, world.types(run)) == (1, ["START", "ABORT"])
    facets = world.end(run)["run"]["facets"]
    assert facets["lineagekit_run"]["killed"] is True
    assert facets["errorMessage"]["message"] == "ended without saying so: killed, crashed, or os._exit"
    assert world.outputs(run)[str(world.data / "out")]["state"] == "exact"


def test_a_killed_run_is_closed_when_all_its_processes_are_dead(world: World) -> None:
    worker = world.job(begins=False)
    in_child(lambda: world.job(worker.run))
    worker.write(world.data / "out", b"1")
    assert world.settle(now=later(MINUTE)).waiting == (worker.run,)


def test_a_run_waits_for_workers_until_they_fall_silent(world: World) -> None:
    worker = world.job(begins=False)
    worker.write(world.data / "out", b"1")
    in_child(lambda: world.job(worker.run).end())
    assert world.settle().waiting == (worker.run,)
    assert world.settle(now=later(MINUTE)).runs == 1
    assert list(world.outputs(worker.run)) == [str(world.data / "out")]


def test_what_a_worker_says_after_the_end_is_told_as_what_it_is(world: World) -> None:
    worker = world.job(begins=False)
    worker.say("params", params={})
    in_child(lambda: world.job(worker.run).end())
    world.settle(now=later(MINUTE))
    for number in range(2):
        worker.write(world.data / str(number), b"1")
        assert (world.settle().late, world.settle(now=later(MINUTE)).late) == (0, 1)
    rows = world.rows(worker.run)
    assert [row.type for row in rows] == ["START", "COMPLETE", "OTHER", "OTHER"]
    assert [one["name"] for row in rows[2:] for one in row.event["outputs"]] == [str(world.data / n) for n in "01"]
    assert [row.event["run"]["facets"]["lineagekit_event"]["sequence"] for row in rows] == [0, 1, 2, 3]
    assert {row.event["job"]["name"] for row in rows} == {"train.py"}
    assert len({row.time for row in rows}) == 4


def test_facts_of_several_processes_are_told_in_the_order_of_time(world: World) -> None:
    parent = world.job()
    worker = world.job(parent.run, begins=False)
    path = worker.write(world.data / "a", b"1")
    parent.read(path)  # after the worker of the same run has written it
    parent.write(world.data / "b", b"2")
    worker.read(world.data / "b")
    parent.end()
    world.settle(now=later(MINUTE))
    assert (world.inputs(parent.run), len(world.outputs(parent.run))) == ({}, 2)


def test_the_best_founded_name_counts(world: World) -> None:
    command = world.job(job="python", rank=0, how="command")
    world.job(command.run, job="train", rank=2, namespace="risk", extra={"owner": "ann"})
    world.job(command.run, job="pipelines/train.py", rank=1, namespace="repository")
    command.end()
    world.settle(now=later(MINUTE))
    event = world.end(command.run)
    assert (event["job"]["namespace"], event["job"]["name"]) == ("risk", "train")
    assert event["job"]["facets"]["ownership"]["owners"][0]["name"] == "ann"


def test_journals_of_other_hosts_are_left_to_them(world: World) -> None:
    path = write_journal(world.journals, [{"fact": "end", "run": "r", "state": "COMPLETE"}], host="elsewhere")
    settled = world.settle()
    assert (settled.runs, settled.foreign, settled.journals, path.exists()) == (0, 1, 1, True)


def test_a_pid_that_was_given_to_another_process_does_not_keep_a_run_open(world: World) -> None:
    run = new_id(time.time_ns())
    write_journal(world.journals, [{"fact": "run", "run": run, "job": "j", "rank": 1}], pid=os.getpid(), start="1")
    settled = world.settle()
    assert (settled.killed, settled.removed) == (1, 1)


def test_a_torn_write_costs_that_fact_and_no_other(world: World) -> None:
    job = world.job()
    job.write(world.data / "a", b"1")
    (path,) = world.journals.glob("*.journal")
    with open(path, "ab") as file:
        file.write(encode({"fact": "metric", "run": job.run, "name": "lost", "value": 1.0})[:-5])
    job.write(world.data / "b", b"2")
    job.end()
    world.settle()
    assert world.outputs(job.run).keys() == {str(world.data / "a"), str(world.data / "b")}


def test_a_journal_that_ends_in_the_middle_of_a_record_gives_all_the_rest_and_goes(world: World) -> None:
    run = new_id(time.time_ns())
    end = {"fact": "end", "run": run, "state": "FAIL", "error": "ValueError: no"}
    path = write_journal(
        world.journals, [{"fact": "run", "run": run, "job": "j"}, end, {"fact": "trouble", "run": run}]
    )
    path.write_bytes(path.read_bytes()[:-7])
    settled = world.settle()
    assert (settled.runs, settled.removed, world.types(run)) == (1, 1, ["START", "FAIL"])


def test_a_file_without_a_header_is_counted_and_kept(world: World) -> None:
    path = world.journals / "x.journal"
    path.write_bytes(encode({"fact": "end", "run": "r", "state": "COMPLETE"}))
    assert (world.settle().headless, path.exists()) == (1, True)


def test_odd_facts_are_counted_and_the_run_is_told_without_them(world: World) -> None:
    job = world.job()
    job.say("read", path=7)
    job.say("metric", name="auc", value="high")
    job.say("from the future", anything=[1])
    job.say("metric", name="auc", value=0.9)
    job.end()
    assert world.settle().odd == 2
    facets = world.end(job.run)["run"]["facets"]
    assert [one["value"] for one in facets["lineagekit_metrics"]["metrics"]] == [0.9]
    assert {one["where"] for one in facets["lineagekit_run"]["troubles"]} == {"settle:read", "settle:metric"}


def test_a_run_that_nobody_began_is_given_up_after_a_day(world: World) -> None:
    run = new_id(time.time_ns())
    write_journal(world.journals, [{"fact": "params", "run": run, "params": {"C": 1}}])
    assert world.settle(now=later(60 * MINUTE)).waiting == (run,)
    assert world.settle(now=later(25 * 60 * MINUTE)).killed == 1


def test_only_the_runs_that_are_asked_for_are_settled_and_told(world: World) -> None:
    first, second = world.job(), world.job()
    first.write(world.data / "out", b"1")
    first.end()
    second.end()
    settled = world.settle(runs=[first.run])
    assert (settled.runs, [account.run for account in settled.accounts]) == (1, [first.run])
    assert [use.path for use in settled.accounts[0].outputs] == [str(world.data / "out")]
    assert world.types(second.run) == []


def test_what_a_run_started_is_settled_with_it(world: World) -> None:
    outer = world.job(new_id(1))
    inner = world.job(new_id(2), parent=outer.run)
    innermost, other = world.job(new_id(3), parent=inner.run), world.job(new_id(4))
    for job in (innermost, inner, outer, other):
        job.end()
    settled = world.settle(runs=[outer.run], silent=0.0)
    assert {account.run for account in settled.accounts} == {outer.run, inner.run, innermost.run}
    assert world.rows(other.run) == []


def test_who_finds_somebody_settling_leaves_it_to_them(world: World) -> None:
    job = world.job()
    job.end()
    with open(world.store / NAME, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert world.settle(wait=False).busy
    assert world.settle(wait=False).runs == 1


def test_who_settles_looks_once_more_after_letting_go(world: World) -> None:
    first = world.job()
    first.write(world.data / "out", b"1")
    first.end()
    others: list[str] = []

    def progress(size: int) -> None:  # while the first is hashed, another ends, and finds the lock taken
        if not others:
            others.append(world.job().end())

    assert world.settle(progress=progress).runs == 2
    assert world.types(others[0]) == ["START", "COMPLETE"]


def test_who_waits_for_one_run_does_not_wait_for_those_who_settle_all(world: World) -> None:
    job = world.job()
    job.end()
    with open(world.store / NAME, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert world.settle(runs=[job.run]).runs == 1


@pytest.mark.parametrize("late", [False, True])
def test_who_is_overtaken_tells_nothing_twice_and_loses_nothing(world: World, late: bool) -> None:
    job = world.job()
    if late:
        job.end()
        world.settle()
    job.write(world.data / "a", b"1")
    if not late:
        job.end()
    overtaken: list[int] = []

    def progress(size: int) -> None:  # while we hash, somebody else settles the same, and more is said
        if not overtaken:
            overtaken.append(world.settle(runs=[job.run], now=later(MINUTE)).events)
            job.write(world.data / "b", b"2")

    settled = world.settle(progress=progress, now=later(2 * MINUTE))
    assert (overtaken, settled.events, settled.late) == ([1 if late else 2], 1, 1)
    outputs = [path for row in world.rows(job.run) if row.type != "START" for path in contents(row.event, "output")]
    assert outputs == [str(world.data / "a"), str(world.data / "b")]


def test_a_job_that_goes_on_writing_does_not_keep_us(world: World) -> None:
    job, other = world.job(), world.job()
    other.write(world.data / "out", b"1")
    other.end()
    settled = world.settle(progress=lambda _: job.say("params", params={"i": 1}))
    assert (settled.runs, settled.waiting) == (1, (job.run,))


def test_a_process_that_dies_meanwhile_is_seen(world: World) -> None:
    run = new_id(time.time_ns())
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        world.job(run)
        os.write(ready[1], b"1")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    other = world.job()
    other.write(world.data / "out", b"1")
    other.end()

    def progress(_: int) -> None:
        os.write(go[1], b"1")
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    settled = world.settle(progress=progress)
    os.waitpid(pid, 0)
    assert (settled.runs, settled.killed) == (2, 1)


def test_events_that_a_process_made_itself_go_into_the_log_as_they_are(world: World) -> None:
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-01T00:00:00Z",
        "run": {"runId": new_id(time.time_ns())},
        "job": {"namespace": "dbt", "name": "orders"},
        "producer": "https://example.com/dbt",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }
    journal = Journal(str(world.journals))
    journal.append({"fact": "event", "event": event})
    journal.append({"fact": "event", "event": {"no": "event"}})
    settled = world.settle()
    assert (settled.events, settled.emitted, settled.refused) == (1, 2, 1)
    assert world.rows()[0].event == event
    assert [path.read_text() for path in (world.journals / "refused").iterdir()] == ['{"no": "event"}\n']
    journal.append({"fact": "event", "event": {**event, "eventTime": "2026-01-02T00:00:00Z"}})
    assert (world.settle().events, world.settle().events) == (1, 0)


def test_a_store_that_cannot_be_opened_loses_nothing(world: World) -> None:
    job = world.job()
    job.end()
    (world.store / "lineage.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError):
        world.settle()
    (world.store / "lineage.db").unlink()
    assert world.settle().runs == 1


def test_what_was_settled_is_marked_before_its_journal_goes(world: World) -> None:
    run = new_id(time.time_ns())
    path = write_journal(world.journals, [{"fact": "run", "run": run, "job": "j"}])
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # somebody keeps us from removing it
        assert (world.settle().killed, world.settle().killed) == (1, 0)
    with open_store(world.store) as store:
        assert store.mark(path.stem) == path.stat().st_size
    assert (world.settle().removed, path.exists()) == (1, False)
