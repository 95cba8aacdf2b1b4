# SPDX-License-Identifier: Apache-2.0
"""Which files are told as one dataset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.events.account import Use
from lineagekit.identity.digest import Digest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.group import ENOUGH, find_groups, merge


def files(folder: str, count: int, suffix: str = ".csv") -> list[str]:
    return [f"{folder}/{number}{suffix}" for number in range(count)]


@pytest.mark.parametrize(
    ("paths", "roots"),
    [
        (files("/data/orders", 16), {"/data/orders"}),
        (files("/data/orders", 15), set()),
        (files("/data/orders", 8) + files("/data/orders", 8, ".json"), set()),
        (files("/data/orders", 20, ""), {"/data/orders"}),
        (files("/data/orders", 20, ".csv.gz"), {"/data/orders"}),
        ([f"/data/images/{n}/one.png" for n in range(20)], {"/data/images"}),
        ([f"/d/images/{n}/{m}/one.png" for n in range(5) for m in range(5)], {"/d/images"}),
        ([f"/d/images/{n}/{m}/deep/one.png" for n in range(5) for m in range(5)], set()),
        (files("/data/a", 16) + files("/data/b", 16), {"/data/a", "/data/b"}),
        ([f"/{n}/one.png" for n in range(40)], set()),
        ([f"/home/{n}/one.png" for n in range(40)], set()),
        (["/d/t/day=1/part.parquet"], {"/d/t"}),
        (["/d/t/day=1/h=2/part.parquet", "/d/u/day=1/part.parquet"], {"/d/t", "/d/u"}),
        (["/runs/lr=0.1/model.pkl"], set()),
        (["/day=1/part.parquet"], set()),
        (["/d/a=b.parquet"], set()),
        ([], set()),
    ],
)
def test_files_belong_together_by_folder_and_suffix_or_by_partition(paths: list[str], roots: set[str]) -> None:
    assert set(find_groups(paths).values()) == roots


names = st.sampled_from(["a", "b", "k=1", "k=2"])
paths = st.builds(
    lambda parts, n, end: "/" + "/".join([*parts, f"{n}{end}"]),
    st.lists(names, max_size=4),
    st.integers(0, 40),
    st.sampled_from([".csv", ".png", ""]),
)


def test_two_feeds_that_lie_side_by_side_stay_two() -> None:
    feeds = [f"/p/{feed}/2026-06-{day:02}.parquet" for feed in ("clean/orders", "raw/labels") for day in range(1, 13)]
    assert find_groups(feeds) == {}
    assert set(find_groups([*feeds, *(f"/p/raw/labels/2026-05-{day}.parquet" for day in range(10, 20))]).values()) == {
        "/p/raw/labels"
    }


def test_folders_named_by_dates_are_one_feed() -> None:
    paths = [f"/p/clicks/2026/{month:02}/{day:02}.csv" for month in (1, 2) for day in range(1, 11)]
    assert set(find_groups(paths).values()) == {"/p/clicks/2026"}


@given(st.lists(paths, unique=True, max_size=120))
def test_every_group_is_a_folder_above_its_files_and_large_or_partitioned(given_: list[str]) -> None:
    groups = find_groups(given_)
    for path, root in groups.items():
        assert path.startswith(root + "/")
        members = [other for other, above in groups.items() if above == root]
        assert len(members) >= ENOUGH or any("=" in other[len(root) :] for other in members)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["row value", "row value"], "row value"),
        (["row value", "row val"], "row value val"),  # a column that is called otherwise from one day on
        (["row value", "", "row"], "row value"),
        (["row value", "value row"], ""),  # in which order a profile of the whole keeps them cannot be said
        (["row value", "row value:string"], ""),
    ],
)
def test_columns_of_a_group_are_those_that_any_part_has(parts: list[str], expected: str) -> None:
    def columns(told: str) -> tuple[tuple[str, str], ...]:
        return tuple((name.partition(":")[0], name.partition(":")[2] or "int64") for name in told.split())

    uses = [
        Use("file", f"/d/{i}.csv", f"/d/{i}.csv", reason="not hashed", columns=columns(told))
        for i, told in enumerate(parts)
    ]
    assert merge("/d", uses).columns == columns(expected)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([reasons.OVER_BUDGET] * 3 + [""], reasons.OVER_BUDGET),
        ([reasons.OVER_BUDGET] * 3 + [reasons.CHANGED_TOO_SHORTLY], reasons.CHANGED_TOO_SHORTLY),
        ([reasons.GONE, *[reasons.UNREADABLE] * 2, *[reasons.OVER_BUDGET] * 3], reasons.UNREADABLE),
    ],
)
def test_a_group_is_over_budget_only_if_time_is_all_that_was_missing(parts: list[str], expected: str) -> None:
    digests = (Digest("blake3", "00" * 32),)
    uses = [
        Use("file", path, path, None if reason else Snapshot(path, "file", digests, bytes=1), reason)
        for number, reason in enumerate(parts)
        for path in [f"/d/{number}.csv"]
    ]
    assert merge("/d", uses).reason == expected
