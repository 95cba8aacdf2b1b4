# SPDX-License-Identifier: Apache-2.0
"""What we recorded of a run and what another producer says of it are one run, with one beginning and one end."""

from __future__ import annotations

import json
import time
from typing import Any

from blake3 import blake3

from lineagekit.agent.journal import Journal, new_id
from tests.record.jobs import World, evidence, in_child
from tests.record.test_settle import MINUTE, later

AIRFLOW = "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3"


def event(run: str, type_: str, *, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "eventType": type_,
        "eventTime": f"2026-11-01T00:00:0{len(type_)}Z",
        "producer": AIRFLOW,
        "run": {"runId": run, "facets": {"airflow": {"taskInstance": {"try_number": 1}}}},
        "job": {"namespace": "prod", "name": "shop.train", "facets": {}},
        "inputs": [{"namespace": "file", "name": name, "facets": {}} for name in inputs],
        "outputs": [{"namespace": "file", "name": name, "facets": {}} for name in outputs],
    }


def emit(world: World, run: str, *events: dict[str, Any]) -> None:
    """As the provider does: each from a child of the task's process."""
    for one in events:
        in_child(lambda one=one: Journal(str(world.journals)).append({"fact": "event", "run": run, "event": one}))


def bodies(world: World, run: str) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in world.rows(run)]


def task(world: World, run: str, work: Any) -> None:
    in_child(lambda: work(world.job(run, job="shop.train", namespace="prod")))


def test_a_run_has_one_end_with_what_both_know_of_it(world: World) -> None:
    run, source, model = new_id(time.time_ns()), world.data / "in.csv", world.data / "model.json"
    source.write_bytes(b"x")

    def work(job: Any) -> None:
        emit(world, run, event(run, "START", outputs=(str(model),)))
        job.read(source)
        job.write(model, b"{}")
        emit(world, run, event(run, "COMPLETE", inputs=("/declared",), outputs=(str(model),)))
        job.end()

    task(world, run, work)
    assert world.settle().runs == 1
    start, end = bodies(world, run)
    assert (start["eventType"], end["eventType"], end["producer"]) == ("START", "COMPLETE", AIRFLOW)
    assert {one["name"] for one in end["inputs"]} == {str(source), "/declared"}
    assert world.outputs(run)[str(model)]["digest"] == f"blake3:{blake3(b'{}').hexdigest()}"
    assert {"airflow", "lineagekit_run", "lineagekit_event"} <= end["run"]["facets"].keys()
    assert end["eventTime"] == "2026-11-01T00:00:08Z"


def test_settling_again_says_nothing_new(world: World) -> None:
    run = new_id(time.time_ns())
    emit(world, run, event(run, "START"), event(run, "COMPLETE"))
    task(world, run, lambda job: job.end())
    assert world.settle().events == 2
    assert world.settle().events == 0


def test_a_killed_task_ends_with_what_it_had_touched(world: World) -> None:
    run, out = new_id(time.time_ns()), world.data / "out"
    emit(world, run, event(run, "START"))
    task(world, run, lambda job: job.write(out, b"half"))
    assert world.settle().killed == 1
    start, end = bodies(world, run)
    assert (start["eventType"], end["eventType"], end["job"]["name"]) == ("START", "ABORT", "shop.train")
    assert "killed" in end["run"]["facets"]["errorMessage"]["message"]
    assert str(out) in {one["name"] for one in end["outputs"]}


def test_an_end_that_the_provider_could_not_say_is_said(world: World) -> None:
    run = new_id(time.time_ns())
    emit(world, run, event(run, "START"))
    task(world, run, lambda job: job.end("FAIL", "ValueError: no"))
    world.settle()
    assert world.types(run) == ["START", "FAIL"]
    assert world.end(run)["run"]["facets"]["errorMessage"]["message"] == "ValueError: no"


def test_a_task_that_pauses_is_open_until_another_process_ends_it(world: World) -> None:
    run, out = new_id(time.time_ns()), world.data / "out"

    def first(job: Any) -> None:
        emit(world, run, event(run, "START"))
        job.say("pause")

    def second(job: Any) -> None:
        emit(world, run, event(run, "START"))
        job.write(out, b"done")
        emit(world, run, event(run, "COMPLETE"))
        job.end()

    task(world, run, first)
    assert (world.settle(now=later(10 * MINUTE)).runs, world.rows(run)) == (0, [])
    task(world, run, second)
    assert world.settle().runs == 1
    assert world.types(run).count("COMPLETE") == 1
    assert str(out) in world.outputs(run)


def test_a_task_that_never_goes_on_after_a_pause_is_given_up_after_a_day(world: World) -> None:
    run = new_id(time.time_ns())
    task(world, run, lambda job: job.say("pause"))
    assert world.settle(now=later(25 * 60 * MINUTE)).killed == 1


def test_what_the_job_hashed_itself_is_known_after_it_was_overwritten(world: World) -> None:
    run, out = new_id(time.time_ns()), world.data / "out"

    def work(job: Any) -> None:
        job.write(out, b"mine")
        job.say("taken", path=str(out), evidence=evidence(out), digest="sha256:" + "ab" * 32)
        job.end()

    task(world, run, work)
    out.write_bytes(b"somebody else's")
    world.settle()
    assert world.outputs(run)[str(out)]["digest"] == "sha256:" + "ab" * 32


def test_what_the_job_hashed_is_taken_anew_while_it_is_there(world: World) -> None:
    run, out = new_id(time.time_ns()), world.data / "out"

    def work(job: Any) -> None:
        job.write(out, b"mine")
        job.say("taken", path=str(out), evidence=evidence(out), digest="sha256:" + "ab" * 32)
        job.end()

    task(world, run, work)
    world.settle()
    assert world.outputs(run)[str(out)]["digest"] == f"blake3:{blake3(b'mine').hexdigest()}"


def test_a_digest_of_bytes_that_were_written_over_later_is_not_used(world: World) -> None:
    run, out = new_id(time.time_ns()), world.data / "out"

    def work(job: Any) -> None:
        job.write(out, b"first")
        job.say("taken", path=str(out), evidence=evidence(out), digest="sha256:" + "ab" * 32)
        job.write(out, b"second, longer")
        job.end()

    task(world, run, work)
    out.write_bytes(b"somebody else's")
    world.settle()
    assert world.outputs(run)[str(out)]["state"] == "unknown"
