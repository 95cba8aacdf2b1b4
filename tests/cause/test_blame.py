# SPDX-License-Identifier: Apache-2.0
"""Which change is blamed, which is cleared, and what is said where that cannot be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineagekit.cause.blame import Blame
from lineagekit.errors import NotFoundError, UsageError
from tests.cause.worlds import CLEAN, EXAM, LABELS, RAW, Day, answer, good_days


def accused(found: Blame) -> list[tuple[str, str, str]]:
    return [(one.change.kind, one.change.where, one.change.key) for one in found.accused]


def status(found: Blame, where: str) -> set[str]:
    return {one.status for one in found.suspects if one.change.where == where}


def test_a_source_whose_bytes_changed_with_the_first_bad_build_is_first(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(0.8, labels="flipped"), Day(0.8, labels="flipped")])
    assert accused(found) == [("source", LABELS, "")]
    assert (found.verdict, found.onset, found.chosen.gate.verdict) == ("suspects", 7, "real")
    assert found.suspects[0].change.path == ("shop/train.py", "shop/clean.py")


def test_what_is_equal_on_the_way_clears_all_that_is_above_it(tmp_path: Path) -> None:
    days = [*good_days(), Day(0.8, raw="other", clean="same", params={"lr": "9"})]
    days[:6] = [Day(day.auc, clean="same") for day in days[:6]]
    found = answer(tmp_path, days)
    assert accused(found) == [("params", "shop/train.py", "lr")]


def test_code_parameters_and_packages_that_came_together_are_a_tie(tmp_path: Path) -> None:
    worse = Day(0.8, code="new", params={"lr": "9"}, packages={"sklearn": "1.6"})
    found = answer(tmp_path, [*good_days(), worse])
    assert {kind for kind, *_ in accused(found)} == {"code", "params", "packages"}
    assert {one.tie for one in found.accused} == {7}


def test_a_comment_in_the_code_is_inert(tmp_path: Path) -> None:
    days = [Day(day.auc, code="a", tree="t") for day in good_days()]
    found = answer(tmp_path, [*days, Day(0.8, code="b", tree="t", params={"lr": "9"})])
    assert accused(found) == [("params", "shop/train.py", "lr")]
    assert status(found, "shop/train.py") == {"suspect", "inert"}


def test_the_same_table_in_other_bytes_is_inert(tmp_path: Path) -> None:
    days = [Day(day.auc, tables={RAW: "t"}) for day in good_days()]
    found = answer(tmp_path, [*days, Day(0.8, raw="encoded anew", tables={RAW: "t"}, labels="flipped")])
    assert accused(found) == [("source", LABELS, "")]
    assert status(found, RAW) == {"inert"}


def test_a_feed_that_changes_every_day_is_a_carrier_beside_one_that_never_did(tmp_path: Path) -> None:
    days = [Day(day.auc, raw=f"day {number}") for number, day in enumerate(good_days(8))]
    found = answer(tmp_path, [*days, Day(0.8, raw="day 9", labels="flipped")])
    assert accused(found) == [("source", LABELS, "")]
    assert status(found, RAW) == {"carrier"}


def test_a_feed_that_stays_as_it_was_though_it_always_changed_is_stale(tmp_path: Path) -> None:
    days = [Day(day.auc, raw=f"day {number}") for number, day in enumerate(good_days(9))]
    found = answer(tmp_path, [*days, Day(0.8, raw="day 8")])
    assert accused(found)[0] == ("stale", RAW, "")
    assert found.accused[0].change.path == ("shop/train.py", "shop/clean.py")
    assert found.accused[0].score > 3 * found.accused[1].score  # training, which is not known to repeat itself


def test_what_a_good_build_had_already_is_cleared(tmp_path: Path) -> None:
    days = [*good_days(4), Day(0.901, raw="new"), Day(0.9, raw="new"), Day(0.8, raw="new", labels="flipped")]
    found = answer(tmp_path, days, good="4", bad="7")
    assert accused(found) == [("source", LABELS, "")]
    assert status(found, RAW) == {"cleared"}


def test_what_came_after_the_first_bad_build_is_cleared(tmp_path: Path) -> None:
    later = Day(0.8, labels="flipped", params={"lr": "2"})
    found = answer(tmp_path, [*good_days(), Day(0.8, labels="flipped"), later, later], good="6", bad="9")
    assert accused(found) == [("source", LABELS, "")]
    assert ("cleared", "params") in {(one.status, one.change.kind) for one in found.suspects}


def test_equal_inputs_and_settings_with_another_output_are_hidden_causes(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(0.8, clean="otherwise")])
    assert accused(found) == [("hidden", "shop/clean.py", "")]
    assert "gave the same for the same 5 times before" in found.accused[0].reasons


def test_a_job_that_never_gives_the_same_twice_hides_nothing(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(0.8)])
    assert accused(found) == []
    assert status(found, "shop/train.py") == {"carrier"}


def test_unknown_bytes_neither_accuse_nor_clear(tmp_path: Path) -> None:
    days = [Day(day.auc, clean_reason="gone") for day in good_days()]
    found = answer(tmp_path, [*days, Day(0.8, clean_reason="gone", labels="flipped")])
    assert accused(found) == [("source", LABELS, "")]
    assert found.alignment.unknown == {CLEAN: "gone"}
    quiet = answer(tmp_path / "quiet", [*days, Day(0.8, clean_reason="gone")])
    assert accused(quiet) == []
    assert quiet.alignment.unknown == {CLEAN: "gone"}


def test_a_drop_within_the_noise_is_no_regression(tmp_path: Path) -> None:
    values = [0.90, 0.88, 0.91, 0.87, 0.92, 0.89, 0.90, 0.885]
    found = answer(tmp_path, [Day(value, raw=f"day {number}") for number, value in enumerate(values)])
    assert found.verdict == "no regression"


def test_grades_that_drift_towards_better_are_no_regression(tmp_path: Path) -> None:
    found = answer(tmp_path, [Day(0.8 + day / 100, raw=str(day)) for day in range(12)])
    assert (found.verdict, found.chosen.gate.drop < 0) == ("no regression", True)


def test_small_steps_among_good_builds_do_not_make_a_large_drop_less_sure(tmp_path: Path) -> None:
    good = [0.81021, 0.81013, 0.81060, 0.81063, 0.81054, 0.81050, 0.81027]
    found = answer(tmp_path, [*map(Day, good), *(Day(v, labels="flipped") for v in (0.67083, 0.67307, 0.67540))])
    assert (found.chosen.gate.verdict, found.chosen.gate.builds, found.onset) == ("real", 7, 8)


def test_two_builds_cannot_tell_and_are_ranked_all_the_same(tmp_path: Path) -> None:
    found = answer(tmp_path, [Day(0.9), Day(0.8, labels="flipped")], good="1", bad="2")
    assert found.chosen.gate.verdict == "cannot tell"
    assert (found.verdict, accused(found)) == ("suspects", [("source", LABELS, "")])


def test_a_changed_exam_is_named_and_the_ranking_goes_on(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(0.8, exam="harder", labels="flipped")])
    assert (found.exam.state, found.exam.name) == ("changed", EXAM)
    assert accused(found) == [("source", LABELS, "")]


def test_only_the_exam_changed(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(0.8, exam="harder")])
    assert (found.verdict, accused(found)) == ("evaluation changed", [])


def test_equal_bytes_of_two_runs_are_one_build(tmp_path: Path) -> None:
    days = [Day(0.9, is_seeded=True), Day(0.902, is_seeded=True), Day(0.8, labels="flipped", is_seeded=True)]
    found = answer(tmp_path, days)
    first, second = found.series.builds
    assert (len(first.repeats), first.values("auc"), second.values("auc")) == (1, [0.9, 0.902], [0.8])


def test_of_runs_that_made_the_same_bytes_the_last_one_before_the_bad_build_is_compared(tmp_path: Path) -> None:
    def day(auc: float, raw: str, labels: str, clean: str) -> Day:
        return Day(auc, is_seeded=True, raw=raw, labels=labels, clean=clean)

    days = [
        day(0.9, "r", "l", "c"),
        day(0.9, "R", "l", "c"),
        day(0.8, "R", "flipped", "d"),
        day(0.9, "later", "l", "c"),
    ]
    found = answer(tmp_path, days, good="1", bad="2")
    assert [(one.change.kind, one.change.where) for one in found.suspects] == [("source", "/data/labels.csv")]


def test_a_fall_that_goes_on_build_by_build_is_told_from_where_it_began(tmp_path: Path) -> None:
    falling = [Day(auc, labels="flipped") for auc in (0.89, 0.87, 0.8, 0.6)]
    days = [*(Day(0.9 + n % 3 / 1000) for n in range(12)), *falling]
    found = answer(tmp_path, days)
    assert (found.chosen.good.number, found.chosen.bad.number) == (12, 16)
    assert found.chosen.rule.startswith("the grades get worse from build 13 on, and step down at build ")
    assert [(one.change.where, one.onset) for one in found.accused] == [("/data/labels.csv", 13)]


def test_two_steps_down_are_told_apart_with_what_came_with_each(tmp_path: Path) -> None:
    days = [*good_days(), *(Day(0.85 + d / 1000, labels="flipped") for d in range(4))]
    days += [Day(0.8 + d / 1000, labels="flipped", params={"lr": "9"}) for d in range(4)]
    found = answer(tmp_path, days)
    assert found.steps == (7, 11)
    assert {one.change.kind: one.onset for one in found.accused} == {"source": 7, "params": 11}


def test_of_several_metrics_the_one_that_fell_furthest_out_of_its_noise_is_told(tmp_path: Path) -> None:
    days = [*good_days(), Day(0.9, more={"f1": 0.5}, labels="flipped")]
    days[:6] = [Day(day.auc, more={"f1": 0.9 + n / 1000}) for n, day in enumerate(days[:6])]
    found = answer(tmp_path, days)
    assert (found.chosen.metric, [one.metric for one in found.chosen.others]) == ("f1", ["auc"])
    assert found.chosen.others[0].gate.verdict == "not real"


def test_without_any_metric_what_changed_is_told_and_no_verdict(tmp_path: Path) -> None:
    found = answer(tmp_path, [Day(None), Day(None, labels="flipped")])
    assert (found.chosen.metric, found.chosen.gate) == ("", None)
    assert accused(found) == [("source", LABELS, "")]


def test_nan_is_no_grade(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(float("nan"), raw="x"), Day(0.8, labels="flipped", raw="x")])
    assert [build.grade("auc") for build in found.series.builds][-2:] == [None, 0.8]
    assert ("source", LABELS, "") in accused(found)


def test_where_the_newest_builds_score_no_number_nothing_is_said_of_these(tmp_path: Path) -> None:
    """NaN is worse than any number, and within no noise."""
    broken = Day(float("nan"), labels="flipped")
    found = answer(tmp_path, [*good_days(), broken, broken])
    assert [build.number for build in found.series.since_no_number("auc")] == [7, 8]
    assert (found.verdict, found.chosen.bad.number) == ("cannot tell", 6)
    assert found.chosen.rule == "no step in the grades: the newest that has one and the one before"
    named = answer(tmp_path / "named", [*good_days(), broken, broken], bad="7")
    assert (named.verdict, named.chosen.gate, accused(named)) == ("suspects", None, [("source", LABELS, "")])


def test_a_build_without_a_number_that_is_followed_by_ones_with_numbers_is_over(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good_days(), Day(float("nan"), raw="x"), *good_days()])
    assert found.series.since_no_number("auc") == []
    assert found.verdict == "no regression"


def test_one_build_alone_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="built once"):
        answer(tmp_path, [Day()])


def test_a_metric_that_nobody_reported_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one of auc"):
        answer(tmp_path, good_days(), metric="rmse")


def test_a_build_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no build of m"):
        answer(tmp_path, [*good_days(), Day(0.8, labels="x")], good="99")
