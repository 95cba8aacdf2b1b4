# SPDX-License-Identifier: Apache-2.0
"""A column under another name is known by its content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from lineagekit.differ.changes import Renamed
from lineagekit.differ.difference import Difference
from tests.differ.tables import ORDERS, compare, with_cells, write


def renamed(found: Difference) -> tuple[Renamed, ...]:
    assert found.schema is not None
    return found.schema.renamed


def test_two_renamed_columns_are_told_apart_and_their_rows_compared(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    b = write(ORDERS.rename_columns(["id", "b", "a"]), tmp_path / "b.parquet")
    found = compare(a, b)
    assert renamed(found) == (Renamed("amount", "b"), Renamed("status", "a"))
    assert found.kind == "schema only"


def test_a_renamed_column_with_edits_is_known_by_the_values_that_stayed(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=1000)
    table = ORDERS.set_column(1, "amount", pa.array(values))
    a = write(table, tmp_path / "a.parquet")
    edited = with_cells(table, "amount", {row: 0.5 for row in range(50)}).rename_columns(["id", "sum", "status"])
    found = compare(a, write(edited, tmp_path / "b.parquet"))
    (one,) = renamed(found)
    assert (one.before, one.after) == ("amount", "sum")
    assert 0.8 < one.alike < 1
    assert found.verdict == "changed (50 rows, columns sum, schema: renamed)"


def test_columns_that_could_be_either_are_dropped_and_added(tmp_path: Path) -> None:
    zeros = pa.array([0] * 10)
    a = write(pa.table({"id": range(10), "x": zeros, "y": zeros}), tmp_path / "a.parquet")
    found = compare(a, write(pa.table({"id": range(10), "p": zeros, "q": zeros}), tmp_path / "b.parquet"))
    assert renamed(found) == ()
    assert found.verdict == "schema only (columns added, dropped)"
