# SPDX-License-Identifier: Apache-2.0
"""The build in which a change came is that of the run itself, whatever its older runs tell further up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lineagekit.cause.blame import Question, blame
from lineagekit.store.targets import find_target
from tests.cause.worlds import DAY, MODEL, Day, facets, grade, hashed
from tests.store.told import Event, dataset, run, told


def cached(day: int) -> str:
    return f"/cache/{hashed(day)}/output.pkl"


def story(grades: list[float], changed: int) -> Iterator[Event]:
    """A job that goes on with what its last run left in a cache."""
    for day, auc in enumerate(grades):
        at, model = day * DAY, hashed("model", day)
        code = facets(Day(code="other" if day >= changed else "c"), "train.py")
        reads = [dataset(cached(day - 1), at=at + 1, digest=hashed("state", day - 1))] if day else []
        state = dataset(cached(day), "output", at=at + 20, digest=hashed("state", day))
        made = dataset(MODEL, "output", at=at + 29, digest=model, model="m")
        yield from run("train.py", at, at + 30, reads=reads, writes=[state, made], run_facets=code)
        graded = [dataset(MODEL, at=at + 41, digest=model)]
        yield from run("grade.py", at + 40, at + 45, run_facets=grade(auc), reads=graded)


def test_a_change_of_code_came_with_the_run_that_had_it_first(tmp_path: Path) -> None:
    grades = [*(0.9 + day % 3 / 1000 for day in range(10)), 0.8, 0.7]
    with told(tmp_path, list(story(grades, 10))) as (store, index):
        found = blame(index.database, store, find_target(index.database, "m"), Question())
    assert found.steps == (11, 12)
    assert [(one.change.kind, one.onset) for one in found.accused if one.change.kind == "code"] == [("code", 11)]
