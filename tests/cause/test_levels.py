# SPDX-License-Identifier: Apache-2.0
"""Levels: what a partition's profile says in numbers, as far as the width of the table lets it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from lineagekit.cause.levels import KINDS, kind_of, levels_of
from lineagekit.errors import IncomparableError
from lineagekit.identity.profile import Profile
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import TableOptions, digest_table

Columns = Sequence[tuple[str, str]]


def profiled(table: pa.Table) -> tuple[Profile, Columns]:
    result = digest_table(from_arrow(table), TableOptions(profile=True))
    assert result.profile is not None
    return result.profile, result.columns


def day(seed: int = 1, rows: int = 2_000) -> pa.Table:
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(2, 1, rows)
    return pa.table(
        {
            "amount": amount,
            "change": rng.normal(0, 1, rows),
            "country": rng.choice(["de", "fr", "it"], rows, p=[0.6, 0.3, 0.1]),
            "label": np.where(amount > np.median(amount), "yes", "no"),
            "user": [f"u{i}" for i in rng.integers(0, 3_000, rows)],
        }
    )


def levels(table: pa.Table, before: Sequence[pa.Table] = ()) -> dict[str, float]:
    profile, columns = profiled(table)
    return dict(levels_of(profile, columns, before=[profiled(one)[0] for one in before]))


def test_a_partition_is_told_in_numbers_a_person_knows() -> None:
    found = levels(day())
    assert found["log rows"] == math.log(2_001)
    assert found["amount: mean"] == pytest.approx(12, rel=0.1)
    assert found["amount: quantile 0.5"] == pytest.approx(7.4, rel=0.1)
    assert found["change: share below 0"] == pytest.approx(0.5, abs=0.03)
    assert found["country: share of its most common value"] == pytest.approx(0.6, abs=0.03)
    assert found["country: null share"] == 0
    assert sorted(round(found[name], 1) for name in found if name.startswith("country: share of value")) == [
        0.1,
        0.3,
        0.6,
    ]


def test_a_category_that_goes_with_a_number_is_associated_with_it_and_scrambled_is_not() -> None:
    assert abs(levels(day())["amount ~ label: correlation"]) > 0.5
    table = day()
    labels = pa.array(np.random.default_rng(2).permutation(table["label"].to_pylist()))
    assert abs(levels(table.set_column(3, "label", labels))["amount ~ label: correlation"]) < 0.1


def test_against_the_days_before_it_tells_new_values_and_gone_ones() -> None:
    today = day(9)
    codes = ["xx" if country == "fr" else country for country in today["country"].to_pylist()]
    changed = today.set_column(2, "country", pa.array(codes))
    before = [day(seed) for seed in range(7)]
    usual, found = levels(today, before), levels(changed, before)
    assert usual["country: share of new values"] == usual["country: share of values gone"] == 0
    assert found["country: share of new values"] == pytest.approx(0.3, abs=0.03)
    assert found["country: share of values gone"] == pytest.approx(0.3, abs=0.03)
    assert found["country: distance to the last 7"] == pytest.approx(0.3, abs=0.03)


def test_keys_of_another_form_were_not_seen_before() -> None:
    today = day(9)
    keys = pa.array([f"0{user}" for user in today["user"].to_pylist()])
    before = [day(seed) for seed in range(7)]
    assert levels(today, before)["user: values seen in the last 7"] > 0.5
    assert levels(today.set_column(4, "user", keys), before)["user: values seen in the last 7"] == 0


def test_rows_of_yesterday_were_seen_and_doubled_rows_repeat() -> None:
    yesterday, today = day(1), day(2)
    mixed = pa.concat_tables([yesterday.slice(0, 1_000), today.slice(0, 1_000)])
    assert levels(today, [yesterday])["rows seen in the last 7"] == 0
    assert levels(mixed, [yesterday])["rows seen in the last 7"] == pytest.approx(0.5, abs=0.25)
    assert levels(today)["repeated rows"] == 0
    assert levels(pa.concat_tables([today, today.slice(0, 1_000)]))["repeated rows"] == pytest.approx(0.33, abs=0.15)


def test_without_days_before_nothing_is_said_of_what_is_new() -> None:
    found = levels(day())
    assert not any("last 7" in name or "new values" in name for name in found)


def test_profiles_of_another_schema_are_no_days_before() -> None:
    assert levels(day(), [pa.table({"a": [1]})]) == levels(day())


def test_only_the_last_seven_days_before_count() -> None:
    days = [day(seed) for seed in range(12)]
    assert levels(days[-1], days[:-1]) == levels(days[-1], days[4:-1])


def test_every_level_is_of_a_kind_that_can_be_judged() -> None:
    table = day().append_column("a: b ~ c", pa.array([math.nan, *[1.0] * 1_999]))
    for name in levels(table, [table]):
        assert kind_of(name) in KINDS


def test_not_a_number_infinity_and_empty_columns_leave_levels_out() -> None:
    found = levels(pa.table({"x": [math.nan, 1.0], "y": [math.inf, 1.0], "z": pa.array([None, None], pa.float64())}))
    assert all(map(math.isfinite, found.values()))
    assert found["x: NaN share"] == 0.5
    assert "y: mean" not in found
    assert "z: mean" not in found
    assert found["z: null share"] == 1


def test_an_empty_partition_has_no_rows_and_no_means() -> None:
    found = levels(day().slice(0, 0))
    assert found["log rows"] == 0
    assert "amount: mean" not in found


@pytest.mark.parametrize(("width", "kinds"), [(20, True), (60, False), (300, False), (800, False), (1_300, False)])
def test_wide_tables_say_less(width: int, kinds: bool) -> None:
    rng = np.random.default_rng(1)
    table = pa.table({f"c{i}": rng.normal(size=50) for i in range(width)})
    found = levels(table, [table])
    assert "log rows" in found
    assert ("c0: distance to the last 7" in found) == (width <= 90)
    assert ("c0: values seen in the last 7" in found) == kinds
    assert not any("correlation" in name for name in found)


def test_other_columns_than_the_profile_keeps_are_refused() -> None:
    profile, columns = profiled(day())
    with pytest.raises(IncomparableError, match="keeps 5 columns: got 4 names"):
        levels_of(profile, columns[1:])
