# SPDX-License-Identifier: Apache-2.0
"""Chance: how much levels of equal partitions differ, told beforehand, against what they do."""

from __future__ import annotations

import statistics

import numpy as np
import pyarrow as pa
import pytest

from lineagekit.cause.chance import chance_of
from lineagekit.cause.levels import KINDS, kind_of, levels_of
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import TableOptions, digest_table

ROWS = 1_000


def days(count: int) -> list[dict[str, float]]:
    profiles, found = [], []
    for day in range(count):
        rng = np.random.default_rng(day)
        amount = rng.lognormal(1, 0.6, ROWS)
        table = pa.table(
            {
                "amount": pa.array(amount, mask=rng.random(ROWS) < 0.2),
                "country": rng.choice(["de", "fr", "it"], ROWS, p=[0.6, 0.3, 0.1]),
                "rebate": amount * 0.5 + rng.normal(0, 1, ROWS) + 20,
                "user": [f"u{user}" for user in rng.integers(0, 2_000, ROWS)],
            }
        )
        result = digest_table(from_arrow(table), TableOptions(profile=True))
        assert result.profile is not None
        found.append(dict(levels_of(result.profile, result.columns, before=profiles[-7:])))
        profiles.append(result.profile)
    return found[7:]


LEVELS = days(67)


@pytest.mark.parametrize("name", [name for name in LEVELS[0] if all(name in day for day in LEVELS)])
def test_chance_is_of_the_size_of_what_happens_and_seldom_more(name: str) -> None:
    usual = {known: statistics.median(day.get(known, 0.0) for day in LEVELS) for known in LEVELS[0]}
    told, seen = chance_of(name, usual, rows=ROWS), statistics.stdev(day[name] for day in LEVELS)
    assert told <= 1.7 * seen + KINDS[kind_of(name)].floor


@pytest.mark.parametrize(
    "name",
    [
        "amount: mean",
        "amount: quantile 0.5",
        "amount: null share",
        "country: share of its most common value",
        "amount ~ rebate: correlation",
    ],
)
def test_chance_explains_most_of_what_equal_days_do(name: str) -> None:
    usual = {known: statistics.median(day.get(known, 0.0) for day in LEVELS) for known in LEVELS[0]}
    told, seen = chance_of(name, usual, rows=ROWS), statistics.stdev(day[name] for day in LEVELS)
    assert told == pytest.approx(seen, rel=0.55)


def test_what_has_no_known_chance_has_none() -> None:
    assert chance_of("log rows", {"log rows": 7.0}, rows=ROWS) == 0
    assert chance_of("x: mean", {"x: mean": 7.0}, rows=ROWS) == 0
