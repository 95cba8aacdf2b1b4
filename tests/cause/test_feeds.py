# SPDX-License-Identifier: Apache-2.0
"""Feeds that are overwritten every day, told with their profiles: what they are accused of, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.store.log import Store, entry_of
from lineagekit.store.targets import find_target
from tests.cause.worlds import DAY, MODEL, grade, hashed
from tests.store.told import Event, dataset, run, told

ORDERS = "/data/orders.csv"
SCHEMA = {"schema": {"fields": [{"name": "amount", "type": "float64"}]}}


def story(
    store: Store, grades: Sequence[float], scale: Sequence[float], writers: Sequence[bool] = ()
) -> Iterator[Event]:
    """A model a day of a table that is new every day, written by a job if `writers` say so."""
    for day, auc in enumerate(grades):
        amounts = np.random.default_rng(day).normal(100, 10, 400) * scale[day]
        result = digest_table(from_arrow(pa.table({"amount": amounts})), TableOptions(profile=True))
        assert result.profile is not None
        table = str(result.digests[0])
        store.keep_object("profile", table, result.profile.to_bytes())
        at, orders = day * DAY, {"digest": hashed("orders", day), "lkt1": table, "facets": SCHEMA}
        if writers and writers[day]:
            yield from run("load.py", at, at + 5, writes=[dataset(ORDERS, "output", at=at + 4, **orders)])
        reads, model = [dataset(ORDERS, at=at + 11, **orders)], hashed("model", day)
        made = dataset(MODEL, "output", at=at + 19, digest=model, model="m")
        yield from run("train.py", at + 10, at + 20, reads=reads, writes=[made])
        graded = [dataset(MODEL, at=at + 31, digest=model)]
        yield from run("grade.py", at + 30, at + 31, run_facets=grade(auc), reads=graded)


def answer(folder: Path, grades: Sequence[float], scale: Sequence[float], writers: Sequence[bool] = ()) -> Blame:
    with told(folder) as (store, index):
        for event in list(story(store, grades, scale, writers)):
            store.append([entry_of(event)])
        index.catch_up()
        return blame(index.database, store, find_target(index.database, "m"), Question())


def good(days: int) -> list[float]:
    return [0.9 + (day % 3) / 1000 for day in range(days)]


def test_a_feed_that_changes_every_day_is_accused_from_the_day_on_that_it_was_unlike_itself(tmp_path: Path) -> None:
    grades = [*good(20), 0.85, 0.851, 0.849, 0.8, 0.801, 0.799]
    found = answer(tmp_path, grades, [1] * 20 + [100] * 6)
    assert found.steps == (21, 24)
    (first,) = found.accused
    assert (first.change.where, first.onset) == (ORDERS, 21)
    assert any("as never in 20 days" in reason for reason in first.reasons)


def test_a_feed_that_changes_as_ever_is_a_carrier(tmp_path: Path) -> None:
    found = answer(tmp_path, [*good(20), 0.8, 0.801, 0.799], [1] * 23)
    assert not found.accused
    assert [one.status for one in found.suspects if one.change.where == ORDERS] == ["carrier"]


def test_what_somebody_unrecorded_wrote_is_accused_though_the_feed_is_new_every_day(tmp_path: Path) -> None:
    grades = [*good(8), 0.8, 0.801]
    found = answer(tmp_path, grades, [1] * 10, writers=[True] * 8 + [False] * 2)
    assert next((one.change.kind, one.change.where) for one in found.accused) == ("out of band", ORDERS)


def test_where_history_is_short_the_size_of_a_difference_counts(tmp_path: Path) -> None:
    """Of two files that change now and then, the one whose amounts are a hundred times what they were."""
    found = answer(tmp_path, [*good(8), 0.8, 0.801], [1] * 8 + [100] * 2)
    (first,) = found.accused
    assert first.change.where == ORDERS
    assert "too little history to judge it by: 8 versions" in first.reasons


def test_a_feed_that_is_new_every_day_is_not_cleared_by_a_build_between_two_steps_down(tmp_path: Path) -> None:
    """Unlike itself only on the second bad day, as far as can be seen: what the first one read were other bytes."""
    grades = [*good(20), 0.70, 0.724, 0.62]
    found = answer(tmp_path, grades, [1] * 21 + [100, 100])
    assert found.steps == (21, 23)
    (only,) = found.suspects
    assert (only.onset, only.status) == (22, "suspect")
