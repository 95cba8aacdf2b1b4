# SPDX-License-Identifier: Apache-2.0
"""A digest is told only of bytes that are proven; otherwise it is unknown, with the reason why."""

from __future__ import annotations

import os
import time

import pytest
from blake3 import blake3

from lineagekit.agent.journal import new_id
from lineagekit.record import reasons
from lineagekit.record.plan import Budget
from tests.record.jobs import World, evidence, in_child, write_journal


def digest(data: bytes) -> str:
    return f"blake3:{blake3(data).hexdigest()}"


def test_an_output_that_another_job_rewrote_before_it_was_hashed_is_unknown(world: World) -> None:
    first, second = world.job(), world.job()
    out = first.write(world.data / "out", b"first")
    first.end()
    second.keeps = False
    second.write(out, b"other")
    second.end()
    world.settle()
    assert world.outputs(first.run)[str(out)]["reason"] == reasons.CHANGED_AFTER_WRITE
    assert world.outputs(second.run)[str(out)]["digest"] == digest(b"other")


def test_an_input_that_changed_after_it_was_read_is_unknown(world: World) -> None:
    source = world.data / "in"
    source.write_bytes(b"1")
    job = world.job()
    job.read(source)
    source.write_bytes(b"2")
    job.end()
    assert world.settle().unknown == {reasons.CHANGED_AFTER_READ: 1}
    assert "digest" not in world.inputs(job.run)[str(source)]


@pytest.mark.parametrize("keeps", [True, False])
def test_an_input_that_the_run_overwrites_is_known_by_its_copy(world: World, keeps: bool) -> None:
    path = world.data / "table"
    path.write_bytes(b"old")
    job = world.job()
    job.keeps = keeps
    job.read(path)
    job.write(path, b"new")
    job.end()
    assert world.settle().unknown == ({} if keeps else {reasons.OVERWRITTEN: 1})
    assert world.inputs(job.run)[str(path)].get("digest") == (digest(b"old") if keeps else None)
    assert world.outputs(job.run)[str(path)]["digest"] == digest(b"new")
    assert not list(world.kept.iterdir())


def test_a_copy_that_is_not_whole_proves_nothing(world: World) -> None:
    path = world.data / "table"
    path.write_bytes(b"old")
    job = world.job()
    job.read(path)
    job.write(path, b"new")
    job.end()
    (copy,) = world.kept.iterdir()
    copy.write_bytes(b"ol")
    assert world.settle().unknown == {reasons.OVERWRITTEN: 1}


def test_copies_that_nobody_speaks_of_are_removed_when_they_are_old(world: World) -> None:
    job = world.job()
    mine, old, new = (world.kept / name for name in (f"{job.run}-1-1", f"{new_id(1)}-1-1", f"{new_id(2)}-1-1"))
    for path in (mine, old, new):
        path.touch()
    for path in (mine, old):
        os.utime(path, (1, 1))
    world.settle()
    assert set(world.kept.iterdir()) == {mine, new}


def test_a_file_that_was_being_written_when_its_process_died_is_unfinished(world: World) -> None:
    out = world.data / "out"
    run = new_id(time.time_ns())

    def work() -> None:
        job = world.job(run)
        out.write_bytes(b"hal")
        job.say("writing", path=str(out), was=None, mode="w", door="open")

    in_child(work)
    assert world.settle().unknown == {reasons.UNFINISHED: 1}


def test_a_temporary_file_that_is_gone_is_no_output_and_an_input_that_is_gone_is_unknown(world: World) -> None:
    for name in ("in", "scratch"):
        (world.data / name).write_bytes(b"1")
    job = world.job()
    job.read(world.data / "in")
    job.write(world.data / "scratch", b"2")
    job.end()
    for name in ("in", "scratch"):
        (world.data / name).unlink()
    world.settle()
    assert (world.inputs(job.run)[str(world.data / "in")]["reason"], world.outputs(job.run)) == (reasons.GONE, {})


def test_what_is_no_regular_file_is_not_opened(world: World) -> None:
    fifo, folder, link = world.data / "fifo", world.data / "folder", world.data / "link"
    os.mkfifo(fifo)
    folder.mkdir()
    (world.data / "real").write_bytes(b"1")
    link.symlink_to("real")
    job = world.job()
    for path in (fifo, folder, link):
        job.say("read", path=str(path), evidence=evidence(path), door="open")
    job.end()
    world.settle()
    inputs = world.inputs(job.run)
    assert inputs.keys() == {str(fifo), str(link)}
    assert inputs[str(fifo)]["reason"] == reasons.NOT_REGULAR
    assert (inputs[str(link)]["state"], inputs[str(link)]["realpath"]) == ("exact", str(world.data / "real"))


def test_what_exceeds_the_budget_is_unknown_and_the_small_come_first(world: World) -> None:
    job = world.job()
    for name, size in (("large", 1000), ("small", 10)):
        job.write(world.data / name, b"x" * size)
    job.end()
    assert world.settle(budget=Budget(bytes=100)).unknown == {reasons.OVER_BUDGET: 1}
    assert world.outputs(job.run)[str(world.data / "small")]["state"] == "exact"


def test_a_run_from_before_the_last_start_of_this_machine_is_closed_and_claims_nothing_that_is_not_there(
    world: World,
) -> None:
    there, run = world.data / "there", new_id(time.time_ns())
    there.write_bytes(b"1")
    facts = [
        {"fact": "run", "run": run, "job": "j", "rank": 1},
        {"fact": "read", "run": run, "path": str(there), "evidence": evidence(there)},
        {"fact": "read", "run": run, "path": "/not/mounted", "evidence": [1, 2, 3, 4, 5]},
    ]
    path = write_journal(world.journals, facts, boot="an earlier one")
    assert world.settle().foreign == 1  # written just now: by another machine of our name
    os.utime(path, (1, 1))
    assert world.settle().killed == 1
    inputs = world.inputs(run)
    assert (inputs[str(there)]["state"], inputs["/not/mounted"]["reason"]) == ("exact", reasons.FOREIGN_HOST)
