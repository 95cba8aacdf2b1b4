# SPDX-License-Identifier: Apache-2.0
"""Runs at a glance are the sum of their events, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.store import runs
from lineagekit.store.log import Entry, RunRow, Store, open_store
from tests.store.worlds import ENDS, MOMENT, entry


def test_a_run_is_running_until_its_end_is_heard(store: Store) -> None:
    store.append([entry("a", inputs=2)])
    (row,) = store.recent_runs()
    assert row == RunRow("a", "train", "shop", "RUNNING", MOMENT, None, 2, 0, 1)
    assert not store.settled("a")
    store.append([entry("a", "FAIL", time=MOMENT + 5, inputs=3, outputs=[{"name": "x"}])])
    (row,) = store.recent_runs()
    assert row == RunRow("a", "train", "shop", "FAIL", MOMENT, MOMENT + 5, 3, 1, 2)
    assert store.settled("a")
    assert not store.settled("b")


def test_what_comes_after_the_end_does_not_open_a_run_again(store: Store) -> None:
    store.append([entry("a", "COMPLETE"), entry("a", "OTHER", time=MOMENT + 9), entry("a", "START", time=MOMENT - 9)])
    (row,) = store.recent_runs()
    assert (row.state, row.began, row.ended, row.seq) == ("COMPLETE", MOMENT - 9, MOMENT, 3)


@pytest.mark.parametrize("order", list(permutations(("START", "FAIL", "COMPLETE"))))
def test_a_run_that_failed_has_failed_whatever_it_says_later(store: Store, order: tuple[str, ...]) -> None:
    times = {"START": 0, "FAIL": 5, "COMPLETE": 9}
    store.append([entry("at once", type_, time=MOMENT + times[type_]) for type_ in order])
    for type_ in order:
        store.append([entry("by and by", type_, time=MOMENT + times[type_])])
    for row in store.recent_runs():
        assert (row.state, row.began, row.ended) == ("FAIL", MOMENT, MOMENT + 9)


def test_a_run_that_was_taken_for_killed_may_still_come_to_its_end(store: Store) -> None:
    store.append([entry("a", "ABORT")])
    store.append([entry("a", "COMPLETE", time=MOMENT + 5)])
    assert store.recent_runs()[0].state == "COMPLETE"


def test_the_ends_of_a_run_are_found_without_a_look_at_its_other_events(store: Store) -> None:
    store.append([entry("a", "OTHER", time=MOMENT + n) for n in range(9)])
    assert store.ends_of("a") == []
    store.append([entry("a", "FAIL", time=MOMENT), entry("b", "COMPLETE"), entry("a", "COMPLETE", time=MOMENT + 5)])
    assert [(end.seq, end.type) for end in store.ends_of("a")] == [(10, "FAIL"), (12, "COMPLETE")]
    plan = store._database.rows(f"EXPLAIN QUERY PLAN {runs._ENDS}", ("a",))
    assert [step for *_, step in plan] == ["SEARCH event USING INDEX event_end (run=?)"]


some_events = st.lists(
    st.builds(
        lambda type_, time, job, inputs: entry("a", type_, time=MOMENT + time, job=job, inputs=inputs),
        st.sampled_from(["START", "RUNNING", "OTHER", *ENDS]),
        st.integers(0, 3),
        st.sampled_from(["train", "train.py"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda entry: entry.key,
)


@given(events=some_events, data=st.data())
@settings(max_examples=20)
def test_any_order_of_arrival_gives_the_same_row(
    tmp_path_factory: pytest.TempPathFactory, events: list[Entry], data: Any
) -> None:
    rows = []
    for order in (events, data.draw(st.permutations(events + events[:2]))):
        with open_store(tmp_path_factory.mktemp("order")) as store:
            for one in order:
                store.append([one])
            rows.append(replace(store.recent_runs()[0], seq=0))
    assert rows[0] == rows[1]


def test_runs_are_listed_newest_first_by_job_and_since(store: Store) -> None:
    store.append([entry(f"run-{n}", time=MOMENT + n, job=("train", "clean")[n % 2]) for n in (3, 1, 5, 2, 4)])
    assert [row.run for row in store.recent_runs(2)] == ["run-5", "run-4"]
    assert [row.run for row in store.recent_runs(job="train")] == ["run-4", "run-2"]
    assert [row.run for row in store.recent_runs(job="train", since=MOMENT + 3)] == ["run-4"]
    assert [row.run for row in store.recent_runs(since=MOMENT + 4)] == ["run-5", "run-4"]
    assert store.recent_runs(job="nothing") == []


def test_a_run_is_found_by_the_first_letters_of_its_id_and_by_its_job(store: Store) -> None:
    store.append([entry("abc-1", job="train"), entry("abd-2", job="abc", time=MOMENT + 1), entry("ABC-3")])
    assert [row.run for row in store.find_runs("ab")] == ["abd-2", "abc-1"]
    assert [row.run for row in store.find_runs("abc")] == ["abd-2", "abc-1"]
    assert [row.run for row in store.find_runs("abc-1")] == ["abc-1"]
    assert [row.run for row in store.find_runs("train")] == ["abc-1", "ABC-3"]
    assert [row.run for row in store.find_runs("ab", limit=1)] == ["abd-2"]
    assert store.find_run("abc-1") == store.find_runs("train")[0]
    assert store.find_run("abc") is store.find_run("") is None
    assert store.find_runs("%") == store.find_runs("") == store.find_runs("ab_") == []


def test_an_event_without_a_run_is_no_run(store: Store) -> None:
    store.append([Entry(b"0" * 16, "", "dataset", "", MOMENT, {"dataset": {"name": "x"}})])
    assert store.recent_runs() == []
    assert store.last_seq() == 1


@pytest.mark.parametrize("body", [{}, {"job": None}, {"job": "train", "inputs": 7}, {"job": {"name": None}}])
def test_an_event_of_an_odd_shape_is_kept_all_the_same(store: Store, body: dict[str, Any]) -> None:
    assert store.append([Entry(b"0" * 16, "a", "run", "COMPLETE", MOMENT, body)]) == 1
    assert store.recent_runs()[0].inputs == 0
