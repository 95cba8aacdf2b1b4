# SPDX-License-Identifier: Apache-2.0
"""What a diff says of rows is what was done to them, whatever that was."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineagekit.differ.changes import RowChanges
from lineagekit.differ.difference import Difference
from lineagekit.errors import NotFoundError
from tests.differ.tables import ORDERS, compare, with_cells, write

SCHEMA = pa.schema([("id", pa.int64()), ("x", pa.float64()), ("s", pa.string()), ("n", pa.int8())])
CELLS = {
    "x": st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, None]),
    "s": st.sampled_from(["", "a", "b", "é" * 30, None]),
    "n": st.integers(0, 2) | st.none(),
}
ROWS = st.fixed_dictionaries(CELLS)
Row = dict[str, Any]


def rows_of(found: Difference) -> RowChanges:
    assert found.rows is not None
    return found.rows


def table_of(rows: list[Row], *, with_id: bool) -> pa.Table:
    names = SCHEMA.names if with_id else SCHEMA.names[1:]
    return pa.table({name: pa.array([row[name] for row in rows], SCHEMA.field(name).type) for name in names})


def compare_tables(before: pa.Table, after: pa.Table, suffixes: tuple[str, str], **options: Any) -> Difference:
    with tempfile.TemporaryDirectory() as folder:
        a = write(before, Path(folder) / f"a{suffixes[0]}")
        b = write(after, Path(folder) / f"b{suffixes[1]}")
        return compare(a, b, **options)


def spelled(value: Any) -> str:
    return repr(value)  # tells -0.0 from 0.0, and NaN is NaN


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.dictionaries(st.integers(-(2**63), 2**63 - 1), ROWS, max_size=12),
    edits=st.dictionaries(st.integers(0, 11), ROWS, max_size=6),
    removed=st.sets(st.integers(0, 11), max_size=4),
    added=st.dictionaries(st.integers(1000, 1010), ROWS, max_size=3),
    order=st.randoms(use_true_random=False),
    suffix=st.sampled_from([".parquet", ".arrow"]),
)
def test_keyed_rows_are_counted_as_they_were_edited(
    before: dict[int, Row], edits: dict[int, Row], removed: set[int], added: dict[int, Row], order: Any, suffix: str
) -> None:
    keys = list(before)
    after = {key: dict(row) for key, row in before.items()}
    for place, row in edits.items():
        if place < len(keys):
            after[keys[place]] = row
    for place in removed:
        if place < len(keys):
            after.pop(keys[place], None)
    after |= {key: row for key, row in added.items() if key not in before}
    listed = list(after.items())
    order.shuffle(listed)
    one = table_of([{"id": key, **row} for key, row in before.items()], with_id=True)
    two = table_of([{"id": key, **row} for key, row in listed], with_id=True)
    found = compare_tables(one, two, (".parquet", suffix), key=("id",))
    changed = {name: 0 for name in CELLS}
    differing = 0
    for key in before.keys() & after.keys():
        names = [name for name in CELLS if spelled(before[key][name]) != spelled(after[key][name])]
        differing += bool(names)
        for name in names:
            changed[name] += 1
    if found.kind == "identical":
        assert (differing, before.keys()) == (0, after.keys())
        return
    rows = rows_of(found)
    assert (rows.before, rows.after) == (len(before), len(after))
    assert (rows.added, rows.removed) == (len(after.keys() - before.keys()), len(before.keys() - after.keys()))
    assert rows.changed == differing
    assert dict(rows.columns) == {name: count for name, count in changed.items() if count}


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.lists(ROWS, max_size=12), after=st.lists(ROWS, max_size=12))
def test_rows_without_a_key_are_multisets(before: list[Row], after: list[Row]) -> None:
    one, two = (Counter(tuple(spelled(row[name]) for name in CELLS) for row in side) for side in (before, after))
    found = compare_tables(
        table_of(before, with_id=False), table_of(after, with_id=False), (".parquet", ".arrow"), key=("n",)
    )
    rows = rows_of(found)
    lost, won = (one - two).total(), (two - one).total()
    if rows.how == "given":  # n happened to be unique
        assert rows.changed + rows.removed == lost
        assert rows.changed + rows.added == won
    elif rows.how == "position":
        assert rows.changed == lost == won
    else:
        assert (rows.added, rows.removed, rows.changed) == (won, lost, 0)
    assert rows.differ == (one != two)


def test_a_key_is_guessed_and_the_guess_is_said(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    b = write(with_cells(ORDERS, "amount", {7: 700.0, 8: None}), tmp_path / "b.parquet")
    found = compare(a, b)
    rows = rows_of(found)
    assert (rows.how, rows.key, rows.changed, rows.columns) == ("guessed", ("id",), 2, (("amount", 2),))
    assert found.verdict == "changed (2 rows, columns amount)"
    first, second = rows.examples
    assert (first.key, first.cells) == ((("id", "7"),), (("amount", "3.5", "700.0"),))
    assert second.cells == (("amount", "4.0", "null"),)


def test_a_key_of_two_columns_tells_rows_apart(tmp_path: Path) -> None:
    table = pa.table({"day": [1, 1, 2, 2], "shop": ["a", "b", "a", "b"], "sold": [1, 2, 3, 4]})
    a = write(table, tmp_path / "a.parquet")
    b = write(with_cells(table, "sold", {3: 9}).take([3, 1, 0, 2]), tmp_path / "b.parquet")
    rows = rows_of(compare(a, b, key=("day", "shop")))
    assert (rows.changed, rows.added, rows.removed) == (1, 0, 0)
    assert rows.examples[0].key == (("day", "2"), ("shop", '"b"'))


def test_a_key_that_is_not_unique_is_said_and_rows_become_multisets(tmp_path: Path) -> None:
    table = pa.table({"k": [1, 1, 2], "v": [1, 2, 3]})
    a = write(table, tmp_path / "a.parquet")
    b = write(pa.table({"k": [1, 2, 2, 3], "v": [1, 3, 4, 5]}), tmp_path / "b.parquet")
    rows = rows_of(compare(a, b, key=("k",)))
    assert (rows.how, rows.note) == ("none", "k is not unique before and after")
    assert (rows.added, rows.removed) == (2, 1)


def test_a_missing_key_column_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    b = write(ORDERS.slice(1), tmp_path / "b.parquet")
    with pytest.raises(NotFoundError, match=r"--key statsu.*Did you mean status"):
        compare(a, b, key=("statsu",))


def test_without_a_key_rows_of_one_place_are_pairs_where_all_others_are_equal(tmp_path: Path) -> None:
    table = pa.table({"x": [0.5] * 6 + [1.5] * 6, "y": [1.0, 2.0] * 6})
    a = write(table, tmp_path / "a.parquet")
    b = write(with_cells(table, "y", {4: 9.0}), tmp_path / "b.parquet")
    rows = rows_of(compare(a, b))
    assert (rows.how, rows.changed, rows.columns) == ("position", 1, (("y", 1),))
    assert rows.examples[0].key == (("row", "5"),)


@pytest.mark.parametrize("groups", [70_000, 200_000])
def test_many_row_groups_and_both_orders_of_parts_say_the_same(tmp_path: Path, groups: int) -> None:
    rng = np.random.default_rng(1)
    table = pa.table({"id": np.arange(300_000), "x": rng.normal(size=300_000), "k": rng.integers(0, 9, 300_000)})
    places = rng.choice(300_000, 40, replace=False)
    x = table["x"].to_numpy().copy()
    x[places] += 1
    changed = table.set_column(1, "x", pa.array(x)).slice(10)
    shuffled = changed.take(pa.array(rng.permutation(len(changed))))
    a = write(table, tmp_path / "a.parquet", row_group_size=groups)
    b = write(shuffled, tmp_path / "b.parquet", row_group_size=90_000)
    rows = rows_of(compare(a, b))
    assert (rows.changed, rows.removed, rows.added) == (int((places >= 10).sum()), 10, 0)
    assert rows.columns == (("x", rows.changed),)


def test_all_rows_changed_is_counted_whole_and_its_columns_too(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    scaled = ORDERS.set_column(1, "amount", pa.array([x * 100 + 1 for x in ORDERS["amount"].to_pylist()]))
    rows = rows_of(compare(a, write(scaled, tmp_path / "b.parquet")))
    assert (rows.changed, rows.columns, rows.examined) == (1000, (("amount", 1000),), 1000)


def test_no_examples_are_read_where_no_rows_are_wanted(tmp_path: Path) -> None:
    a = write(ORDERS, tmp_path / "a.parquet")
    found = compare(a, write(ORDERS.slice(3), tmp_path / "b.parquet"), rows=0)
    assert found.rows is None
    assert found.verdict == "changed (1,000 -> 997 rows, columns id, status; rows were not read)"
    assert not found.is_complete
