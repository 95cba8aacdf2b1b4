# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from lineagekit.events.said import Name
from lineagekit.store.index import Rules, open_index
from lineagekit.store.log import entry_of, open_store
from tests.store.histories import Event, World
from tests.store.pictures import picture

FEW, MANY = 40, 1500


def drawn(folder: Path, portions: Iterable[Sequence[Event]], rules: Rules | None = None):
    """The index after these portions came in one after the other, with a look at it after each."""
    with open_store(folder) as store, open_index(store, folder, rules=rules) as index:
        for portion in portions:
            store.append(map(entry_of, portion))
            index.catch_up()
        return picture(index)


def portions_of(events: Sequence[Event], dice: random.Random) -> list[Sequence[Event]]:
    shuffled = list(events) + dice.sample(list(events), min(3, len(events)))
    dice.shuffle(shuffled)
    cuts = sorted(dice.sample(range(len(shuffled) + 1), min(3, len(shuffled))))
    return [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def check(folder: Path, seed: int) -> None:
    events = World(seed).events(10)
    whole = drawn(folder / "whole", [events])
    dice = random.Random(seed)
    for time in range(2):
        again = drawn(folder / str(time), portions_of(events, dice))
        for table in whole:
            assert again[table] == whole[table], f"{table} of history {seed}"


@pytest.mark.parametrize("seed", range(FEW))
def test_order_of_arrival_and_duplicates_do_not_change_the_index(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


@pytest.mark.slow
def test_thousands_of_histories_give_one_index_each(tmp_path: Path) -> None:
    for seed in range(FEW, MANY):
        check(tmp_path / str(seed), seed)


LEFT, RIGHT = Name("file", "/d"), Name("file", "/x")


@pytest.mark.parametrize("seed", range(8))
def test_rules_that_come_later_give_the_index_that_they_would_have_given_at_once(tmp_path: Path, seed: int) -> None:
    events = World(seed).events(8)
    rules = Rules(
        ((Name("file", "/d/a.csv"), Name("file", "/x/dt=1/f")), (Name("hive", "db.c"), Name("file", "/d/b.csv")))
    )
    at_once = drawn(tmp_path / "at once", [events], rules)
    drawn(tmp_path / "later", [events])
    assert drawn(tmp_path / "later", [[]], rules) == at_once


@pytest.mark.parametrize("seed", range(8))
def test_rules_taken_back_leave_nothing_behind(tmp_path: Path, seed: int) -> None:
    events = World(seed).events(8)
    plain = drawn(tmp_path / "plain", [events])
    drawn(tmp_path / "joined", [events], Rules(((LEFT, RIGHT),)))
    parted = drawn(tmp_path / "joined", [[]], Rules())
    assert {table: parted[table] for table in plain if table != "around"} == {
        t: plain[t] for t in plain if t != "around"
    }
