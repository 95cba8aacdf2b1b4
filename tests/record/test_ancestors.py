# SPDX-License-Identifier: Apache-2.0
"""Events of a run name the run that began it, and the one that began them all."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lineagekit.agent.journal import new_id
from lineagekit.events.account import RunName
from lineagekit.record.ancestors import ancestors_in_log
from lineagekit.record.bench import Bench
from lineagekit.store import entries
from lineagekit.store.log import Store, entry_of, open_store
from tests.events.schemas import validate_event
from tests.record.jobs import World, in_child, write_journal


def parent(event: dict[str, Any]) -> dict[str, Any] | None:
    facet: dict[str, Any] | None = event["run"]["facets"].get("parent")
    return facet


def root(event: dict[str, Any]) -> tuple[str, str] | None:
    told = (parent(event) or {}).get("root")
    return (told["run"]["runId"], told["job"]["name"]) if told else None


TOP = new_id(9)


def event_of(run: str, second: int, *, is_named: bool) -> dict[str, Any]:
    """An event that somebody else sent, with or without the parent facet."""
    job = {"namespace": "n", "name": "nightly"}
    facet = {"run": {"runId": TOP}, "job": job, "root": {"run": {"runId": TOP}, "job": job}}
    return {
        "eventType": "OTHER",
        "eventTime": f"2026-11-01T00:{second // 60:02}:{second % 60:02}Z",
        "run": {"runId": run, "facets": {"parent": facet} if is_named else {}},
        "job": {"namespace": "n", "name": "driver"},
    }


def tell_parent(world: World, *, events: int, named: int | None) -> str:
    """A run of which the log has so many events, and one of them, at this place, names its parent."""
    run = new_id(8)
    with open_store(world.store) as store:
        store.append([entry_of(event_of(run, place, is_named=place == named)) for place in range(events)])
    return run


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose events were asked for, from here on."""
    read: list[str] = []
    ask = Store.each_event
    monkeypatch.setattr(Store, "each_event", lambda self, run: read.append(run) or ask(self, run))
    return read


def test_the_top_of_the_chain_is_named_beside_the_parent(world: World) -> None:
    top = world.job(new_id(1), job="nightly.sh")
    middle = world.job(new_id(2), job="train.py", parent=top.run)
    bottom = world.job(new_id(3), job="eval.py", parent=middle.run)
    for job in (bottom, middle, top):
        job.end()
    world.settle(silent=0.0)
    assert (parent(world.end(bottom.run)) or {})["job"]["name"] == "train.py"
    assert root(world.end(bottom.run)) == root(world.end(middle.run)) == (top.run, "nightly.sh")
    assert parent(world.end(top.run)) is None
    for row in world.rows():
        validate_event(row.event)


def test_whose_journals_are_gone_are_known_by_the_log(world: World) -> None:
    runs = [new_id(time.time_ns()) for _ in range(4)]

    def work(place: int) -> None:
        world.job(runs[place], job=f"job{place}", parent=runs[place - 1] if place else "").end()

    for place in range(4):
        in_child(lambda place=place: work(place))  # type: ignore[misc]
        assert world.settle().removed == 1
    assert [root(world.end(run)) for run in runs] == [None, *[(runs[0], "job0")] * 3]


def test_a_parent_that_nobody_knows_has_no_root(world: World) -> None:
    job = world.job(parent=new_id(7))
    job.end()
    world.settle()
    assert (parent(world.end(job.run)) or {})["job"]["name"] == "unknown"
    assert root(world.end(job.run)) is None


def test_a_circle_of_parents_comes_to_an_end(world: World) -> None:
    one, other = new_id(1), new_id(2)
    for run, above in ((one, other), (other, one)):
        world.job(run, parent=above).end()
    world.settle(silent=0.0)
    assert root(world.end(one)) is None


def test_what_comes_late_names_the_same_parents(world: World) -> None:
    top, middle, bottom = (new_id(number) for number in (1, 2, 3))
    named = [("nightly.sh", top, ""), ("train.py", middle, top), ("eval.py", bottom, middle)]
    for job, run, above in named:
        world.job(run, job=job, parent=above).end()
    world.settle(silent=0.0)
    late = {"fact": "params", "run": bottom, "params": {"a": 1}}
    write_journal(world.journals, [late])
    world.settle(silent=0.0)
    end, other = (next(row.event for row in world.rows(bottom) if row.type == type_) for type_ in ("COMPLETE", "OTHER"))
    assert parent(other) == parent(end) is not None
    assert root(other) == (top, "nightly.sh")


def test_what_stands_above_a_parent_is_read_once_for_all_its_children(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = tell_parent(world, events=40, named=0)
    read = count_reads(monkeypatch)
    children = [world.job(parent=above) for _ in range(5)]
    for job in children:
        job.end()
    world.settle(silent=0.0)
    assert {root(world.end(job.run)) for job in children} == {(TOP, "nightly")}
    assert read[:1] == [above]
    assert len(read) == len(set(read))


def test_few_more_events_are_unpacked_than_it_takes_to_see_the_parent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = tell_parent(world, events=200, named=3)
    unpacked = []
    unpack = entries.unpack
    monkeypatch.setattr(entries, "unpack", lambda *of: unpacked.append(1) or unpack(*of))
    with open_store(world.store) as store:
        bench = Bench(store, None, None, None, "")  # type: ignore[arg-type]
        assert ancestors_in_log(above, bench).parent == RunName(TOP, "n", "nightly")
        assert 4 <= len(unpacked) < 40
        assert [row.seq for row in store.each_event(above)] == [row.seq for row in store.run_events(above)]


def test_what_a_parent_says_later_counts_as_soon_as_it_is_said(world: World) -> None:
    above = tell_parent(world, events=2, named=None)
    with open_store(world.store) as store:
        bench = Bench(store, None, None, None, "")  # type: ignore[arg-type]
        assert ancestors_in_log(above, bench).root is None
        store.append([entry_of(event_of(above, 99, is_named=True))])
        assert (ancestors_in_log(above, bench).root or RunName("", "", "")).run == TOP
