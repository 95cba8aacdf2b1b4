# SPDX-License-Identifier: Apache-2.0
"""What lies elsewhere than it did is compared all the same; what is in doubt is left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.cause.files import Made, Place
from lineagekit.cause.moved import follow, moved_roles
from lineagekit.store.targets import find_target
from tests.cause.worlds import DAY, EXAM, MODEL, grade, hashed
from tests.store.told import Event, dataset, digest, run, told

DAYS, MOVED = 12, 10


def role(name: str) -> tuple[str, str]:
    return "file", name


def test_what_is_gone_is_found_by_its_bytes_and_else_by_the_end_of_its_path() -> None:
    before = {role("/old/a.csv"): {"1"}, role("/old/b.csv"): {"2"}, role("/same.csv"): {"3"}}
    after = {role("/new/z.csv"): {"1"}, role("/new/b.csv"): {"9"}, role("/same.csv"): {"4"}}
    assert moved_roles(before, after) == {
        role("/old/a.csv"): role("/new/z.csv"),
        role("/old/b.csv"): role("/new/b.csv"),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"/old/a.csv": "1", "/old/b.csv": "1"}, {"/new/z.csv": "1"}),  # which of both
        ({"/old/x/part.csv": "1", "/old/y/part.csv": "2"}, {"/new/x/part.csv": "3", "/new/y/part.csv": "4"}),
        ({"/old/a.csv": "1"}, {"/new/b.csv": "2"}),
        ({"/old/{}/a.csv": "1"}, {"/new/a.csv": "2"}),
        ({}, {"/new/a.csv": "2"}),
    ],
)
def test_what_is_in_doubt_is_left_as_it_is(before: dict[str, str], after: dict[str, str]) -> None:
    marks = [{role(name): {one} for name, one in side.items()} for side in (before, after)]
    assert moved_roles(*marks) == {}


def test_a_build_of_before_is_told_where_it_would_lie_now() -> None:
    good = Made(files={"/p/labels/dt=2026-05-01/a": "1", "/p/2026-05-01.csv": "2", "/p/same.csv": "3"})
    bad = Made(files={"/q/labels/dt=2026-05-02/a": "4", "/q/2026-05-02.csv": "5", "/p/same.csv": "3"})
    for made, top, day in ((good, "/p", "2026-05-01"), (bad, "/q", "2026-05-02")):
        made.parts[f"{top}/labels/dt={day}/a"] = Place(f"{top}/labels", f"dt={day}/a", day)
        made.sources[f"{top}/src/helper.py"] = "sha256:1"
        made.written.add(f"{top}/{day}.csv")
    moved, former = follow(good, bad)
    assert moved.files == {"/q/labels/dt=2026-05-01/a": "1", "/q/2026-05-01.csv": "2", "/p/same.csv": "3"}
    assert moved.parts == {"/q/labels/dt=2026-05-01/a": Place("/q/labels", "dt=2026-05-01/a", "2026-05-01")}
    assert (moved.sources, moved.written) == ({"/q/src/helper.py": "sha256:1"}, {"/q/2026-05-01.csv"})
    assert former["/q/labels/dt=2026-05-01/a"] == "/p/labels/dt=2026-05-01/a"
    assert good.files.keys() == {"/p/labels/dt=2026-05-01/a", "/p/2026-05-01.csv", "/p/same.csv"}


def story(*, flipped: int, both: bool = False) -> Iterator[Event]:
    """Prices change each day, labels once; on one day both lie in another folder."""
    for day in range(DAYS):
        at, top = day * DAY, "/old" if day < MOVED else "/new"
        labels = digest(hashed("flipped" if day >= flipped else "labels"))
        reads = [dataset(f"{top}/prices.csv", at=at + 1, digest=digest(hashed("prices", day)))]
        reads += [
            dataset(f"{one}/labels.csv", at=at + 1, digest=labels) for one in (("/old", "/new") if both else (top,))
        ]
        model = hashed("model", day)
        written = [dataset(MODEL, "output", at=at + 29, digest=model, model="m")]
        yield from run("train.py", at, at + 30, reads=reads, writes=written)
        value = (0.8 if day >= flipped else 0.9) + day % 3 / 1000
        exam = [dataset(MODEL, at=at + 41, digest=model), dataset(EXAM, at=at + 41, digest="e")]
        yield from run("grade.py", at + 40, at + 45, run_facets=grade(value), reads=exam)


def answer(folder: Path, *, flipped: int) -> Blame:
    with told(folder, list(story(flipped=flipped))) as (store, index):
        return blame(index.database, store, find_target(index.database, "m"), Question())


@pytest.mark.parametrize("flipped", [MOVED, MOVED + 1])
def test_data_that_was_moved_is_compared_with_what_it_was(tmp_path: Path, flipped: int) -> None:
    found = answer(tmp_path, flipped=flipped)
    assert [(one.change.kind, one.change.where) for one in found.accused] == [("source", "/new/labels.csv")]
    assert not found.alignment.unknown
    assert [one.change.where for one in found.suspects if one.status == "carrier"] == ["/new/prices.csv"]
    if flipped == MOVED:
        assert "it was /old/labels.csv" in found.accused[0].reasons


def test_data_that_was_only_moved_is_no_change(tmp_path: Path) -> None:
    found = answer(tmp_path, flipped=DAYS)
    assert all(one.change.where == "/new/prices.csv" for one in found.suspects)
