# SPDX-License-Identifier: Apache-2.0
"""Row hashes on a disk, in any order of pieces; and which of them one side has and the other has not."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.differ.partitions import Hashed, NotUniqueError, as_multisets, by_key, is_unique
from lineagekit.differ.places import begins_as, by_place
from lineagekit.differ.spool import Spool

MANY = 1 << 62
KEYED = st.dictionaries(st.integers(0, MANY), st.integers(0, 3))
HASHES = st.lists(st.integers(0, 5).map(lambda n: n * MANY // 5), max_size=20)


def spooled(stack: ExitStack, numbers: list[int]) -> Spool:
    spool = stack.enter_context(Spool())
    spool.append(0, 0, np.array(numbers, np.uint64))
    return spool


@given(st.permutations([(part, piece) for part in range(3) for piece in range(3)]), st.integers(1, 5))
def test_pieces_come_back_in_the_order_of_the_table(order: list[tuple[int, int]], size: int) -> None:
    with Spool() as spool:
        for part, piece in order:
            first = piece * size
            spool.append(part, first, np.arange(first, first + size, dtype=np.uint64) + np.uint64(1000 * part))
        (block,) = (block for _, block in spool.blocks())
        expected = [1000 * part + row for part in range(3) for row in range(3 * size)]
        assert block.tolist() == expected
        assert spool.at(np.array([0, 4 * size - 1, 9 * size - 1])).tolist() == [
            expected[0],
            expected[4 * size - 1],
            expected[-1],
        ]


@given(HASHES, HASHES)
def test_multisets_differ_by_what_one_side_has_more_often(before: list[int], after: list[int]) -> None:
    with ExitStack() as stack:
        left, right = spooled(stack, before), spooled(stack, after)
        found = as_multisets(Hashed(left, left), Hashed(right, right), most_rows=100)
    gone, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    assert Counter(before[row] for row in found.gone) == gone
    assert Counter(after[row] for row in found.new) == new
    assert (found.removed, found.added) == (gone.total(), new.total())


def rows_of(side: dict[int, int]) -> list[int]:
    """Hashes of rows, which hold their keys."""
    return [hash((key, value)) % 2**64 for key, value in side.items()]


@given(KEYED, KEYED)
def test_keys_pair_rows(before: dict[int, int], after: dict[int, int]) -> None:
    with ExitStack() as stack:
        sides = [Hashed(spooled(stack, list(side)), spooled(stack, rows_of(side))) for side in (before, after)]
        found = by_key(*sides, most_pairs=100, most_rows=100)
    changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    left, right = found.paired()
    assert {list(before)[row] for row in left} == {list(after)[row] for row in right} == changed
    assert {list(before)[row] for row in found.gone} == before.keys() - after.keys()
    assert {list(after)[row] for row in found.new} == after.keys() - before.keys()


def test_a_row_that_is_there_a_million_times_is_counted_and_not_kept() -> None:
    with Spool() as left, Spool() as right:
        left.append(0, 0, np.full(6_000_000, 7, np.uint64))
        right.append(0, 0, np.concatenate([np.full(5_999_990, 7, np.uint64), np.array([9], np.uint64)]))
        found = as_multisets(Hashed(left, left), Hashed(right, right), most_rows=3)
    assert (found.removed, found.added) == (10, 1)
    assert (found.gone.tolist(), found.new.tolist()) == ([0, 1, 2], [5_999_990])


def test_a_key_that_stands_twice_is_refused() -> None:
    with ExitStack() as stack:
        keys, rows = spooled(stack, [7, 7]), spooled(stack, [1, 2])
        other = Hashed(spooled(stack, [7]), spooled(stack, [1]))
        assert not is_unique(keys)
        with pytest.raises(NotUniqueError):
            by_key(Hashed(keys, rows), other, most_pairs=1, most_rows=1)


@pytest.mark.slow
def test_more_rows_than_are_held_at_a_time_are_taken_in_slices() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2**64, 9_000_000, dtype=np.uint64)
    other = rows[rng.permutation(len(rows))].copy()
    with Spool() as left, Spool() as right, Spool() as keys:
        left.append(0, 0, rows)
        other[::3] = rng.integers(0, 2**64, len(other[::3]), dtype=np.uint64)
        right.append(0, 0, other)
        found = as_multisets(Hashed(left, left), Hashed(right, right), most_rows=5)
        keys.append(0, 0, np.concatenate([rows, rows[:1]]))
        assert is_unique(left)
        assert not is_unique(keys)
    assert found.added == found.removed == len(other[::3])
    assert len(found.gone) == 5


def test_places_are_compared_up_to_the_end_of_the_shorter_side() -> None:
    with ExitStack() as stack:
        left, longer = spooled(stack, [1, 2, 3]), spooled(stack, [1, 2, 3, 4])
        assert begins_as(left, longer)
        assert not begins_as(left, spooled(stack, [1, 5]))
        count, places = by_place(left, spooled(stack, [1, 9, 9]), most=1)
        assert (count, len(places)) == (2, 1)
