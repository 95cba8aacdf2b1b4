# SPDX-License-Identifier: Apache-2.0
"""Windows of a server's history: what was read last is what is known, and none of it twice."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.store.log import Store, Window, open_store
from lineagekit.store.windows import NOTHING, add_keys


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


class TestKeeping:
    def test_sources_know_nothing_of_each_other(self, store: Store) -> None:
        store.keep_window("a", Window(0, 10, 3), merge=0)
        assert store.windows("a") == [Window(0, 10, 3, NOTHING)]
        assert store.windows("b") == []

    def test_a_window_that_is_read_again_takes_its_own_place(self, store: Store) -> None:
        for count in (3, 4):
            store.keep_window("a", Window(0, 10, count, key(count)), merge=0)
        assert store.windows("a") == [Window(0, 10, 4, key(4))]

    @pytest.mark.parametrize(("since", "until"), [(0, 5), (5, 10), (3, 6), (-5, 3), (8, 20)])
    def test_of_one_that_was_read_in_part_the_rest_is_known_no_more(self, store: Store, since: int, until: int) -> None:
        store.keep_window("a", Window(0, 10, 3), merge=0)
        store.keep_window("a", Window(since, until, 2), merge=0)
        assert store.windows("a") == [Window(since, until, 2)]

    def test_neighbours_with_few_events_become_one(self, store: Store) -> None:
        store.keep_window("a", Window(0, 10, 3, key(5)), merge=5)
        store.keep_window("a", Window(10, 20, 2, key(6)), merge=5)
        store.keep_window("a", Window(20, 30, 1, key(7)), merge=5)
        store.keep_window("a", Window(31, 40, 1, key(8)), merge=5)
        assert store.windows("a") == [
            Window(0, 20, 5, key(11)),
            Window(20, 30, 1, key(7)),
            Window(31, 40, 1, key(8)),
        ]

    def test_sums_of_keys_do_not_care_for_order_and_do_not_overflow(self) -> None:
        largest = b"\xff" * 16
        assert add_keys(largest, key(3)) == add_keys(key(3), largest) == key(2)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 4)), max_size=15), st.integers(0, 6))
def test_what_is_known_is_what_was_read_last(
    tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[int, int, int]], merge: int
) -> None:
    with open_store(tmp_path_factory.mktemp("store")) as store:
        for since, width, count in reads:
            store.keep_window("a", Window(since, since + width, count), merge=merge)
            found = store.windows("a")
            assert all(left.until <= right.since for left, right in pairwise(found))
            assert any(one.since <= since and since + width <= one.until and one.count >= count for one in found)
            assert all(one.count <= max(merge, count, 4) for one in found)
