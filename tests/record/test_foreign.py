# SPDX-License-Identifier: Apache-2.0
"""Files of OpenLineage lines that other programs write beside the journals: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from lineagekit.agent.journal import new_id
from lineagekit.record.spark_bytes import Binder
from tests.record.jobs import World

HOUR = 3600 * 10**9


def event(number: int = 0, *, run: str = "", type_: str = "COMPLETE") -> dict[str, Any]:
    return {
        "eventType": type_,
        "eventTime": f"2026-01-01T00:00:{number:02}Z",
        "run": {"runId": run or new_id(time.time_ns())},
        "job": {"namespace": "spark", "name": "orders"},
        "producer": "https://example.com/spark",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }


def write(path: Path, *events: Any, end: str = "\n") -> Path:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in events]
    with open(path, "a") as file:
        file.write("\n".join(lines) + end)
    return path


def later(nanoseconds: int) -> Any:
    return lambda: time.time_ns() + nanoseconds


def told(world: World) -> list[Any]:
    return [row.event for row in world.rows()]


def test_lines_are_read_as_they_come_and_once(world: World) -> None:
    events = [event(number) for number in range(5)]
    path = write(world.journals / "spark.jsonl", *events[:2])
    assert world.settle().events == 2
    write(path, *events[2:4])
    write(path, json.dumps(events[4])[:30], end="")  # still being written
    assert world.settle().events == 2
    write(path, json.dumps(events[4])[30:])
    assert (world.settle().events, world.settle().events) == (1, 0)
    assert told(world) == events


def test_lines_that_are_no_events_are_counted_and_kept_aside(world: World) -> None:
    bad = ["{no json", "[1]", '{"run": 5}', "[" * 100_000]
    write(world.journals / "spark.jsonl", event(), *bad, event(1), "", "  ")
    settled = world.settle()
    assert (settled.events, settled.emitted, settled.refused) == (2, 6, 4)
    (aside,) = (world.journals / "refused").iterdir()
    assert aside.read_text().splitlines() == bad
    assert world.settle().refused == 0


def test_a_file_whose_runs_have_ended_is_renamed_drained_once_more_and_removed(world: World) -> None:
    path = write(world.journals / "spark.jsonl", event())
    world.settle()
    assert path.exists()
    writer = open(path, "a")  # noqa: SIM115 - it has the file open all along
    world.settle(now=later(HOUR))
    (renamed,) = world.journals.glob("*.done")
    with writer:
        writer.write(json.dumps(event(1)) + "\n" + json.dumps(event(2)))
    assert world.settle().events == 1
    assert world.settle(now=later(HOUR)).events == 1  # it will not be finished any more
    assert not renamed.exists()
    assert len(told(world)) == 3


def test_a_file_with_a_run_that_goes_on_stays(world: World) -> None:
    path = write(world.journals / "spark.jsonl", event(type_="START"))
    world.settle(now=later(HOUR))
    assert path.exists()
    world.settle(now=later(8 * 24 * HOUR))
    assert not path.exists()


def test_a_name_that_is_used_again_is_another_file(world: World) -> None:
    path = write(world.journals / "spark.jsonl", event(), event(1))
    world.settle()
    world.settle(now=later(HOUR))
    write(path, event(2))
    assert world.settle().events == 1
    assert world.settle(now=later(3 * HOUR)).events == 0
    assert len(list(world.journals.glob("*.done"))) == 1
    assert len(told(world)) == 3


def test_what_was_read_before_a_crash_is_not_told_twice(world: World) -> None:
    path = write(world.journals / "a.jsonl", event(), event(1))
    os.link(path, world.journals / "b.jsonl")  # the same lines with no mark
    assert (world.settle().events, len(told(world))) == (2, 2)


def test_a_line_with_nan_keeps_no_other_line_out(world: World) -> None:
    odd = json.dumps(event(1) | {"odd": 1.5}).replace("1.5", "NaN")
    path = write(world.journals / "spark.jsonl", event(0))
    path.write_text(path.read_text() + odd + "\n")
    world.settle()
    assert len(told(world)) == 2


@pytest.mark.parametrize(
    "error", [AttributeError, MemoryError, OverflowError, RecursionError, UnicodeError, ImportError]
)
def test_a_line_about_which_nothing_can_be_learned_goes_into_the_log_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def stumble(self: Binder, told: object) -> object:
        raise error("odd")

    monkeypatch.setattr(Binder, "bind", stumble)
    monkeypatch.setattr(Binder, "note", stumble)
    spark = event() | {"producer": "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"}
    write(world.journals / "spark.jsonl", spark, event(1))
    settled = world.settle()
    assert (settled.events, settled.odd) == (2, 3)
    assert told(world)[0] == spark
    assert world.settle().events == 0
