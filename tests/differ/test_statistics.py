# SPDX-License-Identifier: Apache-2.0
"""Statistics of columns that changed: exact where all rows were seen, with the sample's size where they were not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lineagekit.differ.changes import ColumnChange
from lineagekit.differ.difference import Difference
from lineagekit.differ.drift import Sample, binned, counted, ks_of, ks_of_counts, psi_of
from lineagekit.differ.scan import sample_rows
from tests.differ.tables import ORDERS, compare, with_cells, write


def column(found: Difference, name: str) -> ColumnChange:
    (change,) = (one for one in found.statistics or () if one.name == name)
    return change


def test_only_columns_that_changed_have_statistics(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    changed = with_cells(ORDERS, "amount", {3: None, 4: -7.0})
    found = compare(a, write(changed, tmp_path / "b.parquet"))
    assert [one.name for one in found.statistics or ()] == ["amount"]
    amount = column(found, "amount")
    assert (amount.before.nulls, amount.after.nulls) == (0, 1)
    assert (amount.before.low, amount.after.low) == (0.0, -7.0)
    values = [x for x in changed["amount"].to_pylist() if x is not None]
    assert amount.after.mean == pytest.approx(sum(values) / len(values))
    assert amount.after.distinct == len(set(values))
    assert amount.sample == (1000, 1000)
    assert amount.exact


def test_new_and_gone_categories_are_named_with_shares(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    status = [{"open": "closed"}.get(s, s) for s in ORDERS["status"].to_pylist()]
    found = compare(a, write(ORDERS.set_column(2, "status", pa.array(status)), tmp_path / "b.parquet"))
    change = column(found, "status")
    assert (change.new_categories, change.gone_categories) == (("closed",), ("open",))
    assert dict(change.after.shares)["closed"] == pytest.approx(1 / 3, abs=0.01)
    assert change.psi is not None
    assert change.psi > 1


def test_moments_are_shown_as_moments(tmp_path: Path) -> None:
    days = pa.array([date(2026, 1, day) for day in range(1, 29)])
    a = write(pa.table({"n": range(28), "day": days}), tmp_path / "a.parquet")
    later = pa.table({"n": range(28), "day": pa.array([*days.to_pylist()[:-1], date(2031, 5, 1)])})
    change = column(compare(a, write(later, tmp_path / "b.parquet")), "day")
    assert (change.before.high, change.after.high, change.after.mean) == ("2026-01-28", "2031-05-01", None)


def test_text_that_says_numbers_has_their_statistics(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.csv")
    change = column(compare(a, write(with_cells(ORDERS, "amount", {1: 5000.0}), tmp_path / "b.csv")), "amount")
    assert (change.type, change.after.high, change.sample) == ("utf8", 5000.0, (1000, 1000))


def test_drift_of_a_large_table_is_taken_from_a_sample_and_its_size_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sampled = sample_rows(2)
    rows = 5 * sampled
    table = pa.table({"id": np.arange(rows), "x": rng.normal(size=rows)})
    a = write(table, tmp_path / "a.parquet", row_group_size=sampled)
    shifted = table.set_column(1, "x", pa.array(table["x"].to_numpy() + 0.5))
    change = column(compare(a, write(shifted, tmp_path / "b.arrow")), "x")
    assert all(0.9 * sampled < size <= 2 * sampled for size in change.sample)
    assert change.ks == pytest.approx(0.197, abs=0.01)  # of two normal curves half a deviation apart
    assert change.psi == pytest.approx(0.25, abs=0.05)
    assert change.before.distinct == pytest.approx(rows, rel=0.1)


def test_infinities_and_nans_do_not_spoil_the_rest(tmp_path: Path) -> None:
    table = pa.table({"id": range(4), "x": [1.0, float("inf"), float("nan"), None]})
    found = compare(
        write(table, tmp_path / "a.parquet"), write(with_cells(table, "x", {0: -float("inf")}), tmp_path / "b.parquet")
    )
    change = column(found, "x")
    assert (change.before.nans, change.before.nulls, change.before.mean) == (1, 1, None)
    assert found.to_json()["statistics"][0]["after"]["low"] == "-inf"


def test_footers_answer_without_a_row_being_read(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet", row_group_size=100)
    b = write(with_cells(ORDERS, "amount", {3: 777.0}), tmp_path / "b.parquet", row_group_size=300)
    found = compare(a, b, rows=0)
    assert found.verdict == "changed (columns amount; rows were not read)"
    assert (column(found, "amount").before.high, column(found, "amount").after.high) == (48.0, 777.0)
    quiet = write(with_cells(ORDERS, "amount", {3: 2.0}), tmp_path / "c.parquet")
    unknown = compare(a, quiet, rows=0)
    assert (unknown.kind, unknown.differs, unknown.is_complete) == ("unknown", False, False)


def test_scores_are_zero_without_drift_and_grow_with_it() -> None:
    numbers = np.random.default_rng(1).normal(size=20_000)
    values, empty = Sample.of(numbers), Sample.of(np.full(9, np.nan))
    assert psi_of(*binned(values, values)) == 0
    assert ks_of(values, values) == 0
    small, large = (psi_of(*binned(values, Sample.of(numbers + shift))) for shift in (0.1, 1.0))
    assert small is not None
    assert large is not None
    assert 0 < small < 0.1 < 0.25 < large
    assert ks_of(values, empty) is None
    assert psi_of(*binned(values, empty)) is not None
    assert psi_of(*counted({"a": 5}, {"b": 5})) is not None
    assert ks_of_counts([1, 1], [2, 0]) == 0.5


def test_the_distance_of_two_samples_is_that_of_all_their_values() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=30_000).round(2), rng.normal(0.1, 1.2, size=20_000).round(2)
    places = np.union1d(one, other)
    shares = [np.searchsorted(np.sort(side), places, "right") / len(side) for side in (one, other)]
    exact = np.abs(shares[0] - shares[1]).max()
    assert ks_of(Sample.of(one), Sample.of(other)) == pytest.approx(exact, abs=1e-3)
