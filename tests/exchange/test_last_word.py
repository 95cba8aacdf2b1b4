# SPDX-License-Identifier: Apache-2.0
"""A run that has ended is never turned back to running in a server that believes what it heard last."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from lineagekit.events.summary import summarize
from lineagekit.exchange.backlog import put_back
from lineagekit.exchange.destinations import find_destinations
from lineagekit.exchange.outbox import REFUSED
from lineagekit.settings import DestinationSettings, Settings
from lineagekit.store.log import Store, entry_of, open_store
from tests.exchange.run_board import DONE, Run, RunBoard
from tests.exchange.servers import Reply, Request, serve
from tests.exchange.worlds import append_runs, destination, make_event, push, run_id

RECORDED = [json.loads(line) for line in Path(__file__).with_name("recorded_runs.jsonl").read_text().splitlines()]


def told(type_: str, second: int, **more: Any) -> dict[str, Any]:
    """An event of run 1, with a facet and a dataset that no other has."""
    facets = {f"facet_{type_}_{second}": {"_producer": "https://a.example", "_schemaURL": "https://a.example/s"}}
    event = make_event(1, type_, eventTime=f"2026-11-01T00:00:{second:02}Z", **more)
    event["run"]["facets"] = facets
    event["inputs"] = [{"namespace": "file", "name": f"/data/{type_}_{second}.csv"}]
    return event


def log(store: Store, *events: dict[str, Any]) -> None:
    for event in events:
        store.append([entry_of(event)])


def shown(store: Store, folder: Path, board: RunBoard) -> Run:
    """What the server shows of run 1 after a push."""
    with serve(board.answer) as server:
        assert push(store, folder, server.url).state == "done"
    return board.runs[run_id(1)]


def sent(store: Store, folder: Path, path: str = "") -> list[str]:
    with serve() as server:
        assert push(store, folder, server.url + path).state == "done"
    return [request.event["eventType"] for request in server.requests]


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def test_the_stand_in_says_of_runs_what_a_real_server_said() -> None:
    board = RunBoard()
    answered = []
    for one in RECORDED:
        if one["method"] == "POST":
            board.hear(one["request"])
        else:
            answered += one["response"].get("runs") or [one["response"]]
    for real in answered:
        ours = board.runs[real["id"]]
        assert (ours.state, moment(ours.began)) == (real["state"], moment(real["startedAt"]))
        assert moment(ours.ended) == moment(real["endedAt"])
        assert set(ours.facets) == set(real["facets"])
        for side in ("input", "output"):
            names = {one["datasetVersionId"]["name"] for one in real[f"{side}DatasetVersions"]}
            assert names == getattr(ours, f"{side}s")
    assert len(answered) == 2


def test_a_second_complete_leaves_the_state_the_start_the_facets_and_the_datasets_of_the_first() -> None:
    """So the real server answered: the later COMPLETE brought no facets and the same data."""
    posts = [one["request"] for one in RECORDED if one.get("note") == "COMPLETE again, later time"]
    (real,) = [one["response"] for one in RECORDED if one["path"].endswith(posts[0]["run"]["runId"])]
    assert not posts[0]["run"]["facets"]
    assert (real["state"], moment(real["endedAt"])) == ("COMPLETED", moment(posts[0]["eventTime"]))
    assert set(real["facets"]) == {"parent", "lineagekit_metrics"}
    assert [one["datasetVersionId"]["name"] for one in real["inputDatasetVersions"]] == ["/data/features.parquet"]


@pytest.mark.parametrize("end", ["COMPLETE", "FAIL", "ABORT"])
@pytest.mark.parametrize("late", ["OTHER", "RUNNING"])
def test_what_comes_late_leaves_the_run_ended_and_brings_its_facets(
    store: Store, folder: Path, end: str, late: str
) -> None:
    log(store, told("START", 1), told(end, 2), told(late, 3))
    run = shown(store, folder, RunBoard())
    assert (run.state, run.began, run.ended) == (DONE[end], "2026-11-01T00:00:01Z", "2026-11-01T00:00:02Z")
    assert f"facet_{late}_3" in run.facets
    assert f"/data/{late}_3.csv" in run.inputs


def test_what_comes_late_in_another_pass_too(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("COMPLETE", 2))
    board = RunBoard()
    shown(store, folder, board)
    log(store, told("OTHER", 3))
    run = shown(store, folder, board)
    assert (run.state, run.ended) == ("COMPLETED", "2026-11-01T00:00:02Z")


@pytest.mark.parametrize("ends", [("COMPLETE",), ("FAIL", "COMPLETE"), ("ABORT", "COMPLETE")])
def test_in_whatever_order_the_log_has_them_the_state_is_that_of_the_log(tmp_path: Path, ends: tuple[str, ...]) -> None:
    events = [told("START", 1), told("RUNNING", 2), told("OTHER", 9)]
    events += [told(end, 3 + place) for place, end in enumerate(ends)]
    for number, order in enumerate(permutations(events)):
        with open_store(tmp_path / str(number)) as store:
            log(store, *order)
            run = shown(store, tmp_path / str(number), RunBoard())
            right = summarize(row.event for row in store.events())
            end = max(event["eventTime"] for event in events if event["eventType"] == right.state)
            assert (run.state, run.ended) == (DONE[right.state], end), [event["eventType"] for event in order]
            assert set(run.facets) - {"lineagekit_said"} == set(right.facets)
            assert run.began is not None


def test_what_happened_before_the_end_does_not_move_the_end(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("COMPLETE", 5), told("RUNNING", 3))
    run = shown(store, folder, RunBoard())
    assert (run.state, run.began, run.ended) == ("COMPLETED", "2026-11-01T00:00:01Z", "2026-11-01T00:00:05Z")


def test_a_start_without_its_repeated_end_is_not_there_yet(store: Store, folder: Path) -> None:
    log(store, told("COMPLETE", 2), told("START", 1))
    board = RunBoard()

    def answer(request: Request) -> Reply:
        board.hear(request.event)
        return Reply(cut=True) if board.runs[run_id(1)].ended and len(server.requests) > 2 else Reply()

    with serve(answer) as server:
        push(store, folder, server.url)
        assert store.cursor("there") == 1
    with serve(board.answer) as server:
        push(store, folder, server.url)
    assert (board.runs[run_id(1)].state, store.cursor("there")) == ("COMPLETED", 2)


def test_what_was_refused_and_put_back_leaves_the_run_ended(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("RUNNING", 2), told("COMPLETE", 3))
    board = RunBoard()

    def picky(request: Request) -> Reply:
        return Reply(422) if request.event["eventType"] == "RUNNING" else board.answer(request)

    with serve(picky) as server:
        push(store, folder, server.url)
    put_back(store, "there")
    run = shown(store, folder, board)
    assert (run.state, run.began, run.ended) == ("COMPLETED", "2026-11-01T00:00:01Z", "2026-11-01T00:00:03Z")


def test_whoever_listens_elsewhere_gets_one_end(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("COMPLETE", 2), told("OTHER", 3))
    assert sent(store, folder, "/openlineage") == ["START", "COMPLETE", "OTHER"]


def test_the_log_keeps_what_was_said(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("COMPLETE", 2), told("OTHER", 3))
    assert sent(store, folder) == ["START", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert [row.type for row in store.events()] == ["START", "COMPLETE", "OTHER"]


def test_what_happened_in_the_moment_of_the_end_needs_no_second_end(store: Store, folder: Path) -> None:
    log(store, told("START", 1), told("COMPLETE", 2), told("OTHER", 2))
    assert sent(store, folder) == ["START", "COMPLETE", "COMPLETE"]


def test_an_end_counts_from_the_moment_when_it_is_there(store: Store, folder: Path) -> None:
    """What waits with an event that fails is sent in order, and only what comes behind the end says the end."""
    log(store, told("START", 1), told("RUNNING", 2), told("COMPLETE", 3), told("OTHER", 4))
    append_runs(store, [5], types=("START",))  # which is taken: so it is the event, not the server

    def picky(request: Request) -> Reply:
        return Reply(500) if request.event["eventType"] == "RUNNING" else Reply()

    with serve(picky) as server:
        push(store, folder, server.url)
    assert [letter.seq for letter in store.letters()] == [2, 3, 4]
    assert sent(store, folder) == ["RUNNING", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert store.letters() == []


@pytest.mark.parametrize("waits", [False, True])
def test_an_end_that_is_refused_is_told_by_what_comes_after_it(store: Store, folder: Path, waits: bool) -> None:
    """In its turn, or as a letter."""
    log(store, told("START", 1), told("RUNNING", 2), told("COMPLETE", 3), told("OTHER", 4))
    append_runs(store, [5], types=("START",))
    board, fails = RunBoard(), {"RUNNING"} if waits else set()

    def picky(request: Request) -> Reply:
        if request.event["eventType"] in fails:
            return Reply(500)
        return Reply(422) if request.event["eventTime"].endswith(":03Z") else board.answer(request)

    with serve(picky) as server:
        push(store, folder, server.url)
        fails = set()
        push(store, folder, server.url)
    assert [(letter.seq, letter.status) for letter in store.letters()] == [(3, REFUSED)]
    assert board.runs[run_id(1)].state == "COMPLETED"


def test_letters_are_not_read_anew_for_each_event(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_runs(store, range(10, 30), types=("START", "COMPLETE", "OTHER"))
    asked: list[int] = []
    letters = Store.letters
    monkeypatch.setattr(Store, "letters", lambda self, *of: asked.append(1) or letters(self, *of))
    assert len(sent(store, folder)) == 60
    assert len(asked) < 6


@pytest.mark.parametrize(
    ("url", "believes"),
    [
        ("http://localhost:5000", True),
        ("http://localhost:5000/api/v1/lineage", True),
        ("http://localhost:5000/api/v1/lineage/", True),
        ("https://hub.example.com/openapi/openlineage/api/v1/lineage", False),
        ("https://hub.example.com/openlineage", False),
        ("https://hub.example.com/lineage", False),
    ],
)
def test_a_marquez_is_known_by_where_it_listens_unless_the_settings_know_better(url: str, believes: bool) -> None:
    assert destination(url).believes_last is believes
    assert destination(url, marquez=True).believes_last
    assert not destination(url, marquez=False).believes_last


def test_a_marquez_may_be_reached_by_a_transport() -> None:
    transport = {"type": "http", "url": "https://hub.example.com", "endpoint": "marquez/api/v1/lineage"}
    for marquez, believes in ((None, False), (True, True)):
        one = DestinationSettings(transport=transport, marquez=marquez)
        (found,) = find_destinations(Settings(destination=[one]), {})
        assert found.believes_last is believes
