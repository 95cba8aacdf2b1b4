# SPDX-License-Identifier: Apache-2.0
"""Where grades step, and whether a drop is real."""

from __future__ import annotations

import random

import pytest

from lineagekit.cause.builds import Build, Grade, Series, direction
from lineagekit.cause.choose import choose
from lineagekit.cause.step import beginning, exam_error, gate, shape, t_quantile
from lineagekit.errors import UsageError


@pytest.mark.parametrize(
    ("p", "freedom", "expected"),
    [
        (0.975, 10, 2.228139),
        (0.95, 4, 2.131847),
        (0.999, 3, 10.214532),
        (0.995, 1, 63.656741),
        (0.99, 1000, 2.330083),
    ],
)
def test_quantiles_are_those_of_the_tables(p: float, freedom: float, expected: float) -> None:
    assert t_quantile(p, freedom) == pytest.approx(expected, rel=1e-5)


def noisy(*levels: tuple[float, int], noise: float = 0.002, seed: int = 0) -> list[float]:
    dice = random.Random(seed)
    return [level + dice.gauss(0, noise) for level, count in levels for _ in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_a_step_is_found_where_it_is(seed: int) -> None:
    """Noise may show a second, small one; the large one is never missed."""
    assert 8 in shape(noisy((0.9, 8), (0.85, 4), seed=seed)).steps


def test_a_single_step_is_told_as_one_nearly_always() -> None:
    found = [shape(noisy((0.9, 8), (0.85, 4), seed=seed)).steps for seed in range(100)]
    assert found.count((8,)) >= 85


@pytest.mark.parametrize("seed", range(20))
def test_two_steps_are_two(seed: int) -> None:
    assert shape(noisy((0.9, 6), (0.85, 5), (0.8, 5), seed=seed)).steps == (6, 11)


def test_a_fall_begins_where_each_value_is_clearly_worse_than_the_one_before() -> None:
    quiet = [0.9, 0.901, 0.899, 0.9, 0.902, 0.9, 0.901]
    values = [*quiet, 0.89, 0.87, 0.6]
    assert beginning(values, 9, higher_is_better=True) == 7
    assert beginning([-one for one in values], 9, higher_is_better=False) == 7
    assert beginning([*quiet, 0.9, 0.6], 8, higher_is_better=True) == 8
    assert beginning([*quiet, 0.91, 0.6], 8, higher_is_better=True) == 8
    assert beginning(values[4:], 5, higher_is_better=True) == 5  # the noise of so few is not known
    assert beginning([0.9] * 8 + [0.8, 0.6], 9, higher_is_better=True) == 8


@pytest.mark.parametrize("seed", range(20))
def test_a_drift_is_no_step(seed: int) -> None:
    assert shape([value - place * 0.01 for place, value in enumerate(noisy((0.9, 12), seed=seed))]).kind == "trend"


def test_a_few_builds_cannot_tell() -> None:
    assert gate([0.9], 0.8, higher_is_better=True).verdict == "cannot tell"
    assert gate([0.9, 0.91, 0.9], 0.89, higher_is_better=True).verdict == "cannot tell"


def test_a_drop_is_real_in_whichever_direction_worse_is() -> None:
    good = noisy((0.9, 10))
    assert gate(good, 0.8, higher_is_better=True).verdict == "real"
    assert gate(good, 0.8, higher_is_better=False).verdict == "not real"
    assert gate([1 - value for value in good], 0.2, higher_is_better=False).verdict == "real"


def test_repeats_stand_in_for_many_builds() -> None:
    assert gate([0.9], 0.8, higher_is_better=True, noise=0.002).verdict == "real"


def test_the_error_of_an_exam_shrinks_with_its_rows() -> None:
    few, many = exam_error("auc", 0.87, 500), exam_error("auc", 0.87, 100_000)
    assert few == pytest.approx(0.016, abs=0.002)
    assert many < few / 10
    assert exam_error("accuracy", 0.9, 900) == pytest.approx(0.01)
    assert exam_error("rmse", 0.9, 900) == exam_error("auc", 1.0, 900) == 0.0  # nothing is known of these


def test_a_drop_within_the_luck_of_the_exam_is_no_regression() -> None:
    values = [0.8700, 0.87005, 0.87, 0.8700, 0.87005, 0.87, 0.87005, 0.87, 0.8695]
    assert choose(series(values)).gate.verdict == "real"  # type: ignore[union-attr]
    told = series(values)
    told.exam_noise = lambda good, bad, metric: 0.15 * exam_error(metric, 0.87, 2000)
    assert choose(told).gate.verdict == "not real"  # type: ignore[union-attr]


def series(values: list[float], name: str = "auc", better: bool | None = True) -> Series:
    builds = []
    for number, value in enumerate(values, 1):
        build = Build(number, number, f"run{number}", 1, f"blake3:{number:064x}", "", number)
        build.grades.append(Grade(name, value, "exam", 100 + number, better))
        builds.append(build)
    return Series("m", "train.py", builds)


@pytest.mark.parametrize("builds", [4, 8, 20])
def test_noise_is_hardly_ever_called_a_regression_also_when_the_newest_is_the_worst(builds: int) -> None:
    dice, alarms = random.Random(builds), 0
    for _ in range(300):
        values = [dice.gauss(0.87, 0.01) for _ in range(builds)]
        values.append(values.pop(values.index(min(values))))
        chosen = choose(series(values))
        alarms += chosen.gate is not None and chosen.gate.verdict == "real"
    assert alarms <= 0.03 * 300


def test_the_direction_of_a_known_metric_need_not_be_said() -> None:
    assert direction(series([1.0], "val_rmse", None), "val_rmse") is False
    assert direction(series([1.0], "auc", None), "auc") is True


def test_a_metric_of_unknown_direction_is_asked_about() -> None:
    with pytest.raises(UsageError, match="which way glow is better"):
        direction(series([1.0], "glow", None), "glow")


@pytest.mark.parametrize(("fall", "told"), [(0.05, "auc"), (0.0, "roc_auc_score")])
def test_of_metrics_that_both_fell_the_one_whose_exam_was_said_is_told(fall: float, told: str) -> None:
    found = series(noisy((0.9, 8), (0.9 - fall, 3)))
    for build, value in zip(found.builds, noisy((0.9, 8), (0.7, 3), noise=0.0002), strict=True):
        build.grades.append(Grade("roc_auc_score", value, "", build.run, True))
    chosen = choose(found)
    assert (chosen.metric, chosen.gate and chosen.gate.verdict) == (told, "real")
    assert {one.metric for one in chosen.others} == {"auc", "roc_auc_score"} - {told}


def test_a_rise_of_the_error_is_a_regression() -> None:
    chosen = choose(series(noisy((0.1, 8), (0.2, 3)), "rmse", None))
    assert (chosen.good.number, chosen.bad.number, chosen.gate and chosen.gate.verdict) == (8, 9, "real")
    assert "up at build 9" in chosen.rule
