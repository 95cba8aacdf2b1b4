# SPDX-License-Identifier: Apache-2.0
"""Surprise: a feed is judged by what it does itself, day after day; scores order, and sentences can be checked."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from lineagekit.cause.levels import ROWS, Level
from lineagekit.cause.surprise import Surprise, common_moves, surprise

DAY = 86_400_000_000
MONDAY = 20_514  # 2026-03-02
Change = Callable[[int, dict[str, float]], dict[str, float]]


def feed(days: int, change: Change = lambda _, levels: levels, *, seed: int = 1) -> list[Level]:
    rng = np.random.default_rng(seed)
    found = []
    for day in range(days):
        levels = {
            ROWS: 7 + 0.05 * rng.normal(),
            "amount: mean": 4 + 0.1 * rng.normal(),
            "amount: null share": 0.0,
            "country: share of its most common value": 0.5 + 0.02 * rng.normal(),
            "amount ~ label: correlation": 0.4 + 0.03 * rng.normal(),
        }
        found.append(Level((MONDAY + day) * DAY, change(day, levels)))
    return found


def judge(levels: list[Level], recent: int = 7, common: dict[int, float] | None = None) -> Surprise:
    return surprise(levels[:-recent], levels[-recent:], common=common)


def usual_scores() -> list[float]:
    return [judge(feed(35, seed=seed)).score for seed in range(40)]


def test_a_mean_that_was_never_so_high_goes_far_beyond_what_is_usual() -> None:
    found = judge(feed(35, lambda day, one: one | ({"amount: mean": 391.0} if day == 30 else {})))
    assert found.score > 10 * max(usual_scores())
    assert found.reasons[0] == "amount: mean 4 -> 391 on 2026-04-01, as never in 28 days"
    assert found.enough
    assert found.days == 28


def test_a_change_of_all_recent_days_is_told_by_their_mean() -> None:
    found = judge(feed(35, lambda day, one: one | ({"amount: mean": one["amount: mean"] + 0.3} if day >= 28 else {})))
    assert found.score > max(usual_scores())
    assert found.reasons[0].startswith("amount: mean 4 -> 4.3, as never in 28 days")


def test_one_bad_day_of_seven_counts_too() -> None:
    found = judge(feed(35, lambda day, one: one | ({"amount: null share": 0.2} if day == 31 else {})))
    assert found.score > max(usual_scores())
    assert found.reasons[0] == "amount: null share 0 -> 0.2 on 2026-04-02, as never in 28 days"


def test_what_comes_every_weekend_surprises_nobody() -> None:
    def weekend(day: int, one: dict[str, float]) -> dict[str, float]:
        return one | ({"amount: mean": one["amount: mean"] + 3} if day % 7 >= 5 else {})

    found = judge(feed(35, weekend))
    assert found.score < 1.5 * max(usual_scores())
    missed = judge(feed(35, lambda day, one: one if day >= 28 else weekend(day, one)))
    assert missed.score > 2 * found.score


def test_what_comes_every_tuesday_surprises_nobody() -> None:
    def tuesday(day: int, one: dict[str, float]) -> dict[str, float]:
        return one | ({"amount: mean": one["amount: mean"] + 3} if day % 7 == 1 else {})

    assert judge(feed(35, tuesday)).score < 1.5 * max(usual_scores())


def test_a_drift_is_less_surprising_than_a_step_of_the_same_size() -> None:
    drifting = judge(feed(35, lambda day, one: one | {"amount: mean": one["amount: mean"] + 0.03 * day}))
    stepped = judge(feed(35, lambda day, one: one | {"amount: mean": one["amount: mean"] + (1.0 if day >= 28 else 0)}))
    assert drifting.score < stepped.score / 2


def test_a_holiday_that_all_feeds_have_is_taken_out_of_the_rows() -> None:
    def holiday(day: int, one: dict[str, float]) -> dict[str, float]:
        return one | ({ROWS: one[ROWS] - 0.7} if day == 30 else {})

    feeds = {str(seed): feed(35, holiday, seed=seed) for seed in range(6)}
    common = dict(common_moves(feeds))
    assert common[MONDAY + 30] == pytest.approx(-0.7, abs=0.1)
    assert judge(feeds["1"], common=common).score < judge(feeds["1"]).score / 2
    assert judge(feeds["1"]).reasons[0].startswith("rows 1,")


def test_rows_alone_count_for_less_than_what_is_in_them() -> None:
    def only(name: str) -> Change:
        return lambda day, one: {name: one[ROWS] + (0.5 if day >= 28 else 0)}

    rows, mean = judge(feed(35, only(ROWS))), judge(feed(35, only("amount: mean")))
    assert rows.score == pytest.approx(0.6 * mean.score)


def test_below_fourteen_levels_there_is_too_little_history() -> None:
    short = judge(feed(20))
    assert (short.enough, short.days) == (False, 13)
    assert judge(feed(21)).enough
    assert judge(feed(9)) == Surprise(0.0, days=2)
    assert surprise([], feed(3)).score == 0


def test_with_nothing_recent_nothing_surprises() -> None:
    assert surprise(feed(28), []).score == 0


def test_levels_that_are_absent_or_no_numbers_are_passed_over() -> None:
    def holes(day: int, one: dict[str, float]) -> dict[str, float]:
        if day % 5 == 0:
            one = {name: level for name, level in one.items() if name != "amount: mean"}
        return (
            one | ({"amount: null share": math.nan} if day % 3 == 0 else {}) | ({"new: mean": 1e9} if day >= 28 else {})
        )

    found = judge(feed(35, holes))
    assert found.score < 2 * max(usual_scores())
    assert not any("new" in reason for reason in found.reasons)
    assert judge(feed(35, lambda *_: {})).score == 0


def test_a_category_that_vanishes_counts_as_none_of_it() -> None:
    def gone(day: int, one: dict[str, float]) -> dict[str, float]:
        shares = {"country: share of value 00a1": 0.1 + one["amount: mean"] / 100} if day < 28 else {}
        return one | {"country: share of value 00b2": 0.3} | shares

    found = judge(feed(35, gone))
    assert found.score > max(usual_scores())
    assert found.reasons[0] == "country: share of one of its values 0.14 -> 0, as never in 28 days"


def test_four_weeks_of_a_weekly_feed_are_too_few_and_are_judged_all_the_same() -> None:
    weekly = [
        one
        for one in feed(36, lambda d, one: one | ({"amount: mean": 391.0} if d >= 35 else {}))
        if (one.when // DAY - MONDAY) % 7 == 0
    ]
    found = judge(weekly, 1)
    assert found.score > 10
    assert (found.enough, found.days) == (False, 29)


def test_the_score_does_not_depend_on_the_unit() -> None:
    def cents(_: int, one: dict[str, float]) -> dict[str, float]:
        return one | {"amount: mean": one["amount: mean"] * 100}

    for seed in range(5):
        assert judge(feed(35, seed=seed)).score == pytest.approx(judge(feed(35, cents, seed=seed)).score)


def test_correlations_that_all_shrink_count_together_though_each_is_within_its_noise() -> None:
    def joined(factor: float) -> Change:
        def change(day: int, one: dict[str, float]) -> dict[str, float]:
            rng = np.random.default_rng(day)
            kept = factor if day >= 28 else 1.0
            pairs = {f"amount ~ c{i}: correlation": 0.4 * kept + 0.05 * rng.normal() for i in range(8)}
            return one | pairs

        return change

    usual, shrunk = judge(feed(35, joined(1.0))), judge(feed(35, joined(0.85)))
    assert shrunk.score > 1.5 * usual.score
    assert shrunk.reasons[0] == "amount: usual correlations 0.99 -> 0.88, as never in 28 days"


def test_the_rows_of_a_sentence_are_those_of_the_table_whatever_other_feeds_did() -> None:
    def short(day: int, one: dict[str, float]) -> dict[str, float]:
        return one | ({ROWS: math.log(101)} if day == 30 else {})

    found = judge(feed(35, short), common={MONDAY + 30: -0.3})
    assert any(reason.startswith("rows 1,") and "-> 100 on 2026-04-01" in reason for reason in found.reasons)


def test_two_feeds_have_no_move_in_common_and_a_weekday_seen_twice_has_no_usual() -> None:
    assert common_moves({"a": feed(35), "b": feed(35)}) == {}
    assert common_moves({name: feed(14) for name in "abc"}) == {}
    assert len(common_moves({name: feed(35) for name in "abc"})) == 35


def test_a_wide_table_of_which_only_rows_and_nulls_are_known_is_judged_by_these() -> None:
    def thin(day: int, _: dict[str, float]) -> dict[str, float]:
        rng = np.random.default_rng(day)
        nulls = {f"c{i}: null share": abs(rng.normal(0.01, 0.002)) for i in range(300)}
        return {ROWS: 8.0 + 0.02 * rng.normal()} | nulls | ({"c7: null share": 0.6} if day >= 33 else {})

    found = judge(feed(35, thin))
    assert found.reasons[0].startswith("c7: null share 0.0")
    assert found.score > 5


def test_a_constant_that_changes_by_a_hair_surprises_less_than_one_that_doubles() -> None:
    def constant(value: float) -> Change:
        return lambda day, one: one | {"fee: mean": value if day >= 28 else 5.0, "fee: deviation": 0.0}

    assert judge(feed(35, constant(5.0001))).score < 1.5 * max(usual_scores())
    assert judge(feed(35, constant(10.0))).score > 10 * max(usual_scores())


def test_days_that_repeat_one_another_count_for_fewer() -> None:
    def slow(day: int, _: dict[str, float]) -> dict[str, float]:
        return {"amount: mean": 4 + 0.1 * math.sin(day / 4.5) if day < 28 else 4.11}

    assert judge(feed(35, slow)).score < 1


def test_a_feed_that_has_such_a_day_in_every_week_is_not_surprised_by_one() -> None:
    def spikes(day: int, one: dict[str, float]) -> dict[str, float]:
        return {"amount: mean": one["amount: mean"] + (3 if day % 6 == 0 else 0)}

    assert judge(feed(35, spikes)).score < 1.2


def test_a_tuesday_without_what_comes_every_tuesday_is_surprising() -> None:
    def tuesday(day: int, one: dict[str, float]) -> dict[str, float]:
        return {"amount: mean": one["amount: mean"] + (3 if day % 7 == 1 and day < 28 else 0)}

    found = judge(feed(35, tuesday))
    assert found.score > 3
    assert "on 2026-03-31" in found.reasons[0]


def test_a_level_that_most_of_the_history_lacks_says_nothing() -> None:
    def new(day: int, one: dict[str, float]) -> dict[str, float]:
        return one | ({"fee: null share": 0.1 if day < 28 else 0.9} if day % 5 == 0 or day >= 28 else {})

    assert not any("fee" in reason for reason in judge(feed(35, new)).reasons)


def test_a_history_of_few_rows_is_not_believed_to_be_calmer_than_chance() -> None:
    def few(rows: int) -> Change:
        def change(day: int, _: dict[str, float]) -> dict[str, float]:
            return {ROWS: math.log(rows + 1), "amount: null share": 0.3 if day < 28 else 0.33}

        return change

    assert judge(feed(35, few(100))).score < 1 < 3 < judge(feed(35, few(100_000))).score
