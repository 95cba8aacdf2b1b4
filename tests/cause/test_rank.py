# SPDX-License-Identifier: Apache-2.0
"""Order: what makes a change a suspect, a carrier, or clears it."""

from __future__ import annotations

import pytest

from lineagekit.cause.change import Change
from lineagekit.cause.rank import UNUSUAL, Evidence, rank

FEED = Change("source", "/data/orders.csv", before="a", after="b", dataset=1)
CODE = Change("code", "train.py", key="features.py", before="a", after="b")
NEW, OTHER = (Change("params", "train.py", key=k, before=v, after="2") for k, v in (("new", ""), ("lr", "1")))
LEVEL = Change("environment", "train.py", key="LOG_LEVEL", before="unset", after="DEBUG")


@pytest.mark.parametrize(
    ("surprise", "is_explained", "status"),
    [
        (UNUSUAL - 0.1, False, "carrier"),
        (UNUSUAL, False, "suspect"),
        (UNUSUAL, True, "carrier"),  # another exam explains as much
        (2 * UNUSUAL, True, "suspect"),
    ],
)
def test_a_feed_that_always_moves_is_accused_by_how_it_moved(surprise: float, is_explained: bool, status: str) -> None:
    [found] = rank([FEED], {FEED: Evidence(rate=1.0, surprise=surprise)}, steps=[], is_explained=is_explained)
    assert found.status == status


def test_a_parameter_that_is_new_stands_behind_one_that_has_another_value_and_behind_code() -> None:
    assert [one.change for one in rank([NEW, OTHER, CODE], {}, steps=[])] == [CODE, OTHER, NEW]


def test_of_two_packages_the_one_that_may_behave_otherwise_is_first() -> None:
    bumps = [
        Change("packages", "train.py", key=name, before="1.4.0", after=after)
        for name, after in (("a", "1.4.1"), ("b", "1.5.0"))
    ]
    assert [one.change.key for one in rank(bumps, {}, steps=[])] == ["b", "a"]


def test_a_large_difference_stands_ahead_of_a_setting_where_history_is_short() -> None:
    known = {FEED: Evidence(rate=0.25, size=1.0, unusual=False), LEVEL: Evidence()}
    assert [one.change for one in rank([LEVEL, FEED], known, steps=[])] == [FEED, LEVEL]
    known[FEED] = Evidence(rate=0.25, size=0.1, unusual=False)
    assert [one.change for one in rank([LEVEL, FEED], known, steps=[])] == [LEVEL, FEED]


def test_what_every_window_brings_is_a_carrier_also_where_a_probe_would_clear_it() -> None:
    entered = Change("entered", "/data/orders", key="2026-05-01", after="b", dataset=1)
    [found] = rank([entered], {entered: Evidence(cleared="build 3 had it")}, steps=[])
    assert found.status == "carrier"
