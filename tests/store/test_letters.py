# SPDX-License-Identifier: Apache-2.0
"""Every destination has a cursor and letters of its own."""

from __future__ import annotations

import time

from lineagekit.store.log import Store
from tests.store.worlds import entries


def test_a_cursor_begins_at_nothing_and_goes_where_it_is_put(store: Store) -> None:
    assert store.cursor("marquez") == 0
    store.set_cursor("marquez", 7)
    store.set_cursor("kafka", 9)
    store.set_cursor("marquez", 3)
    assert (store.cursor("marquez"), store.cursor("kafka")) == (3, 9)


def test_a_letter_says_which_event_of_which_run_and_why(store: Store) -> None:
    store.append(entries(3))
    before = time.time_ns() // 1000
    store.add_letter("marquez", 2, status="422", reason="no producer \ud800")
    (letter,) = store.letters("marquez")
    assert (letter.destination, letter.seq, letter.run, letter.status) == ("marquez", 2, "run-000001", "422")
    assert letter.reason == "no producer \\ud800"
    assert before <= letter.at <= time.time_ns() // 1000


def test_a_letter_that_is_refused_again_keeps_its_first_time(store: Store) -> None:
    store.add_letter("marquez", 2, status="parked", reason="500 again and again")
    (first,) = store.letters()
    store.add_letter("marquez", 2, status="422", reason="no job")
    (second,) = store.letters()
    assert (second.status, second.reason, second.at) == ("422", "no job", first.at)


def test_letters_are_listed_by_destination_in_the_order_of_the_log(store: Store) -> None:
    for destination, seq in (("marquez", 9), ("kafka", 5), ("marquez", 2)):
        store.add_letter(destination, seq, status="422", reason="")
    assert [(letter.destination, letter.seq) for letter in store.letters()] == [
        ("kafka", 5),
        ("marquez", 2),
        ("marquez", 9),
    ]
    assert [letter.seq for letter in store.letters("marquez")] == [2, 9]
    assert [letter.run for letter in store.letters("kafka")] == [""]


def test_letters_are_removed_where_they_were_asked_for(store: Store) -> None:
    for destination in ("marquez", "kafka"):
        for seq in (1, 2, 3):
            store.add_letter(destination, seq, status="422", reason="")
    assert store.remove_letters("marquez", [1, 3, 77]) == 2
    assert [letter.seq for letter in store.letters("marquez")] == [2]
    assert len(store.letters("kafka")) == 3
