# SPDX-License-Identifier: Apache-2.0
"""How far destinations are, and what people do about what was not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineagekit.errors import StoreError
from lineagekit.exchange.backlog import backlog, drop, put_back, start_over
from lineagekit.exchange.claim import claim
from lineagekit.store.log import Store
from tests.exchange.servers import serve
from tests.exchange.worlds import append_runs, push


@pytest.fixture
def half(store: Store) -> Store:
    """Six events, four of them offered: one refused, one parked, one behind it."""
    append_runs(store, range(3))
    store.set_cursor("there", 4)
    for seq, status in ((1, "refused"), (3, "parked"), (4, "behind")):
        store.add_letter("there", seq, status=status, reason=f"because of {seq}")
    return store


def test_all_that_is_still_to_be_sent_is_counted(half: Store) -> None:
    state = backlog(half, "there")
    assert (state.sent_up_to, state.last, state.waiting, len(state.letters)) == (4, 6, 4, 3)
    state = backlog(half, "another")
    assert (state.sent_up_to, state.last, state.waiting, state.letters) == (0, 6, 6, ())


def test_what_is_put_back_waits_and_keeps_its_reason(half: Store) -> None:
    assert put_back(half, "there") == 1
    letter = backlog(half, "there").letters[0]
    assert (letter.status, letter.reason) == ("retry", "because of 1")
    assert backlog(half, "there").waiting == 5


def test_what_is_dropped_is_said(half: Store) -> None:
    assert [letter.seq for letter in drop(half, "there")] == [1, 3]
    assert [letter.seq for letter in half.letters("there")] == [4]
    assert drop(half, "there") == []


def test_starting_over_sends_everything(half: Store, folder: Path) -> None:
    start_over(half, "there", str(folder))
    with serve() as server:
        assert push(half, folder, server.url).sent == 6
    assert half.letters("there") == []


def test_starting_over_waits_for_who_is_delivering(half: Store, folder: Path) -> None:
    with claim(str(folder), "there"), pytest.raises(StoreError, match="another process is delivering to there"):
        start_over(half, "there", str(folder), queue=0)
    assert half.cursor("there") == 4
