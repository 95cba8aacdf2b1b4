# SPDX-License-Identifier: Apache-2.0
"""States of table digests: they add, subtract, travel, and refuse what they cannot say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, IncomparableError
from lineagekit.identity.tables.engine import Hashes
from lineagekit.identity.tables.states import LEAF_ROWS, Leaves, TableState, sorted_hex

SCHEMA, ORDER = bytes(32), bytes(range(32))


def hashes(rows: int, seed: int = 0) -> Hashes:
    return np.random.default_rng(seed).integers(0, 1 << 64, (rows, 4), np.uint64)


def state(of: Hashes) -> TableState:
    return TableState(SCHEMA).plus(of)


@given(st.lists(st.integers(0, 50), max_size=5), st.integers(0, 9))
def test_states_of_parts_add_up_in_any_order(sizes: list[int], seed: int) -> None:
    rows = hashes(sum(sizes), seed)
    parts = [state(part) for part in np.split(rows, np.cumsum(sizes)[:-1])] if sizes else []
    assert sum(reversed(parts), TableState(SCHEMA)) == state(rows)


@given(st.integers(0, 50), st.integers(0, 50))
def test_subtracting_a_part_leaves_the_other(first: int, second: int) -> None:
    a, b = hashes(first, 1), hashes(second, 2)
    assert state(np.concatenate([a, b])) - state(b) == state(a)


def test_a_state_survives_its_forty_bytes() -> None:
    before = state(hashes(7))
    assert len(before.to_bytes()) == 40
    assert TableState.from_bytes(SCHEMA, before.to_bytes()) == before


def test_states_of_different_schemas_do_not_add() -> None:
    with pytest.raises(IncomparableError):
        state(hashes(1)) + TableState(ORDER)


def test_a_cut_state_is_refused() -> None:
    with pytest.raises(BadDataError, match="got 39 bytes, expected 40"):
        TableState.from_bytes(SCHEMA, bytes(39))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3 * LEAF_ROWS), max_size=4, unique=True), st.randoms())
def test_leaves_do_not_depend_on_cuts_nor_on_who_came_first(cuts: list[int], rnd: object) -> None:
    rows = hashes(3 * LEAF_ROWS + 5)
    whole, parts = Leaves(), []
    whole.add(0, rows)
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
        part = Leaves()
        part.add(first, rows[first:last])
        parts.append(part)
    rnd.shuffle(parts)  # type: ignore[attr-defined]
    merged = Leaves()
    for part in parts:
        merged.merge(part)
    assert merged.hex(SCHEMA, ORDER, len(rows)) == whole.hex(SCHEMA, ORDER, len(rows))


def test_a_missing_row_is_not_hashed_over() -> None:
    leaves = Leaves()
    leaves.add(0, hashes(10))
    leaves.add(11, hashes(10))
    with pytest.raises(BadDataError, match="missing or doubled"):
        leaves.hex(SCHEMA, ORDER, 21)


def test_sorting_sees_all_thirty_two_bytes() -> None:
    rows = np.array([[7, 0, 0, 2], [7, 0, 0, 1], [7, 0, 0, 2]], np.uint64)
    assert sorted_hex(SCHEMA, [rows]) == sorted_hex(SCHEMA, [rows[[1, 0, 2]]])
    assert sorted_hex(SCHEMA, [rows]) != sorted_hex(SCHEMA, [rows[[1, 0]]])
