# SPDX-License-Identifier: Apache-2.0
"""The profile: additive, the same on both engines, small, frozen, and able to name what changed without old bytes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, IncomparableError
from lineagekit.identity.profile import MAX_BYTES, ColumnProfile, Profile, count_moments, detail_of
from lineagekit.identity.profile_summary import (
    ColumnSummary,
    changed_columns,
    correlations,
    estimate_changed_rows,
    summarise,
)
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.engine import EngineName
from tests.identity.tables.test_digest import in_parts, vectors
from tests.strategies import tables

GOLDEN = Path(__file__).parents[1] / "golden" / "0.1" / "profiles.json"
QUIET = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def profile(table: pa.Table, *, parts: int = 1, threads: int = 1, engine: EngineName | None = None) -> Profile:
    options = TableOptions(profile=True, threads=threads, engine=engine)
    found = digest_table(in_parts(table, parts), options).profile
    assert found is not None
    return found


def summaries(table: pa.Table) -> dict[str, ColumnSummary]:
    result = digest_table(in_parts(table, 1), TableOptions(profile=True))
    assert result.profile is not None
    return summarise(result.profile, result.columns)


@pytest.mark.parametrize("name", list(vectors()))
@pytest.mark.parametrize("engine", ["pure", "fast"])
def test_golden_profiles_never_change(name: str, engine: EngineName) -> None:
    assert (
        base64.b64encode(profile(vectors()[name], engine=engine).to_bytes()).decode()
        == json.loads(GOLDEN.read_text())[name]
    )


@QUIET
@given(tables(), st.integers(1, 4), st.integers(1, 3))
def test_engines_parts_and_threads_do_not_change_a_profile(table: pa.Table, parts: int, threads: int) -> None:
    assert profile(table, engine="pure") == profile(table, parts=parts, threads=threads, engine="fast")


@QUIET
@given(tables(), st.integers(0, 12))
def test_profiles_of_parts_add_up_to_the_whole(table: pa.Table, cut: int) -> None:
    cut = min(cut, table.num_rows)
    a, b = table.slice(0, cut), table.slice(cut, table.num_rows - cut)
    assert profile(a) + profile(b) == profile(b) + profile(a) == profile(table)


@QUIET
@given(tables())
def test_a_profile_survives_its_bytes(table: pa.Table) -> None:
    before = profile(table)
    assert Profile.from_bytes(before.to_bytes()) == before


def random_table(rows: int, seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "amount": rng.lognormal(3, 1, rows),
            "age": rng.integers(18, 90, rows),
            "id": np.arange(rows),
            "label": rng.choice(["neg", "neutral", "pos"], rows, p=[0.5, 0.3, 0.2]),
            "score": pa.array(rng.normal(0, 1, rows), mask=rng.random(rows) < 0.25),
            "user": [f"user-{i}" for i in rng.integers(0, rows, rows)],
        }
    )


@pytest.mark.parametrize("engine", ["pure", "fast"])
def test_a_hundred_thousand_rows_are_profiled_alike_by_both_engines(engine: EngineName) -> None:
    table = random_table(100_000)
    assert profile(table, parts=7, threads=2, engine=engine) == profile(table, engine="fast")


@pytest.mark.parametrize("columns", [1, 12, 13, 60, 200, 600, 1100, 1300])
def test_a_profile_stays_within_sixteen_kibibytes_at_any_width(columns: int) -> None:
    rng = np.random.default_rng(3)
    table = pa.table({f"c{i}": rng.normal(size=2_000) * 10.0 ** (i % 60) for i in range(columns)})
    assert len(profile(table, engine="fast").to_bytes()) <= MAX_BYTES


def test_a_column_takes_at_most_seven_hundred_bytes() -> None:
    one, twelve = (pa.table({f"c{i}": np.random.default_rng(i).normal(size=50_000) for i in range(n)}) for n in (1, 12))
    per_column = (len(profile(twelve).to_bytes()) - len(profile(one).to_bytes())) / 11
    assert per_column <= 700


def test_statistics_are_close_to_the_exact_ones() -> None:
    table = random_table(50_000)
    found = summaries(table)
    amount = table["amount"].to_numpy()
    a_twentieth = 0.05 * amount.std()
    assert found["amount"].mean == pytest.approx(amount.mean(), abs=a_twentieth)
    assert found["amount"].deviation == pytest.approx(amount.std(), abs=a_twentieth)
    for share, estimate in found["amount"].quantiles:
        assert estimate == pytest.approx(np.quantile(amount, share), abs=a_twentieth)
    assert found["amount"].low == amount.min()
    assert found["amount"].high == amount.max()
    assert found["score"].null_share == pytest.approx(0.25, abs=0.01)
    assert found["score"].negative_share == pytest.approx(0.5, abs=0.02)
    assert found["label"].distinct == 3
    assert found["label"].modal_share == pytest.approx(0.5, abs=0.01)
    assert found["id"].repeated_share == 0
    assert found["user"].repeated_share == pytest.approx(1 - len(set(table["user"].to_pylist())) / 50_000, abs=0.15)


def test_three_weeks_later_it_names_the_column_and_the_number_of_rows_that_changed() -> None:
    table = random_table(200_000)
    labels = table["label"].to_pylist()
    flipped = np.random.default_rng(5).choice(len(labels), 4_000, replace=False)
    for i in flipped:
        labels[i] = "pos" if labels[i] != "pos" else "neg"
    after = profile(table.set_column(3, "label", pa.array(labels)))
    before = Profile.from_bytes(profile(table).to_bytes())
    assert changed_columns(before, after, sorted(table.column_names)) == ("label",)
    assert estimate_changed_rows(before, after) == pytest.approx(2 * 4_000, rel=0.2)  # 4,000 removed, 4,000 added


def test_unchanged_tables_show_no_change() -> None:
    table = random_table(1_000)
    assert changed_columns(profile(table), profile(table), sorted(table.column_names)) == ()
    assert estimate_changed_rows(profile(table), profile(table)) == 0


def test_columns_that_move_together_show_and_stop_showing_when_shuffled() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(100, 15, 20_000)
    table = pa.table(
        {"x": x, "up": x * 3 + rng.normal(0, 5, len(x)), "down": -x, "none": rng.permutation(x), "s": ["a"] * len(x)}
    )
    result = digest_table(in_parts(table, 3), TableOptions(profile=True))
    assert result.profile is not None
    found = correlations(result.profile, result.columns)
    assert found["up", "x"] > 0.9
    assert found["down", "x"] < -0.95
    assert abs(found["none", "x"]) < 0.05
    assert not any("s" in pair for pair in found)


def test_doubled_rows_show() -> None:
    table = random_table(5_000)
    result = profile(pa.concat_tables([table, table.slice(0, 2_500)]))
    doubled = [count for _, count in result.row_samples if count > 1]
    assert len(doubled) / len(result.row_samples) == pytest.approx(0.5, abs=0.25)


@pytest.mark.parametrize("columns", [12, 13, 32, 33, 90, 91, 250, 251, 700, 701, 1200, 1201])
def test_at_any_width_engines_agree_and_bytes_bring_back_the_profile(columns: int) -> None:
    values = [float("nan"), None, -1.5, 1e9, 0.0]
    cells = {f"c{i:04d}": pa.array(values if i % 2 else ["a", None, "b", "", "a"]) for i in range(columns)}
    found = profile(pa.table(cells), engine="pure")
    assert profile(pa.table(cells), engine="fast") == found
    assert Profile.from_bytes(found.to_bytes()) == found


@pytest.mark.parametrize("columns", [12, 32, 90, 250, 700, 1200])
def test_a_trillion_rows_fit_as_well(columns: int) -> None:
    detail, rows = detail_of(columns), 10**12
    bins = tuple((i << 26, rows // 64) for i in range(detail.bins))
    samples = tuple(((i + 1) << 58, rows // 64) for i in range(detail.samples))
    column = ColumnProfile(2**64 - 1, rows, rows, 0, 2**64 - 1, 32, bins, samples)
    rows_seen = tuple(((i + 1) << 57, rows // 64) for i in range(64))
    noise = (round((rows / 1024) ** 0.5) * 4,) * 1024
    moments = (-rows << 30,) * count_moments(columns)
    assert len(Profile(bytes(32), rows, (column,) * columns, noise, rows_seen, moments).to_bytes()) <= MAX_BYTES


def test_values_that_arithmetic_cannot_hold_leave_statistics_out() -> None:
    found = summaries(pa.table({"huge": [1e200, -1e200], "inf": [float("inf"), 1.0]}))
    assert (found["huge"].low, found["huge"].high, found["huge"].deviation) == (-1e200, 1e200, None)
    assert (found["inf"].high, found["inf"].mean, found["inf"].quantiles) == (float("inf"), None, ())


def test_wide_decimals_are_not_taken_for_numbers() -> None:
    found = summaries(pa.table({"d": pa.array([0, 1, 2, 3, 4]).cast(pa.decimal256(50, 2))}))["d"]
    assert (found.low, found.mean, found.distinct) == (None, None, 5)


def test_a_thousand_close_numbers_are_not_taken_for_few() -> None:
    found = summaries(pa.table({"id": range(10**12, 10**12 + 1000)}))["id"]
    assert found.modal_share is None
    assert found.distinct == pytest.approx(1000, rel=0.6)
    assert found.deviation == pytest.approx(289, rel=0.05)


def test_changed_columns_are_named_whatever_the_order_of_the_names() -> None:
    before, after = (profile(pa.table({"b": [1, x], "a": [1, 2]})) for x in (2, 3))
    assert changed_columns(before, after, ["b", "a"]) == changed_columns(before, after, ["a", "b"]) == ("b",)
    with pytest.raises(IncomparableError, match="keeps 2 columns: got 1 names"):
        changed_columns(before, after, ["b"])


def test_profiles_of_other_columns_do_not_add() -> None:
    with pytest.raises(IncomparableError):
        profile(pa.table({"a": [1]})) + profile(pa.table({"b": [1]}))


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_cut_profile_is_refused(cut: int) -> None:
    with pytest.raises(BadDataError):
        Profile.from_bytes(profile(pa.table({"a": [1]})).to_bytes()[:cut])
