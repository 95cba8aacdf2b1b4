# SPDX-License-Identifier: Apache-2.0
"""A rolling window: twelve feeds with a part a day, of which the last seven are read, and two models made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.programs import shared
from benchmarks.faults.world import Feed, Shape, Step, World, random_for

Numbers = np.ndarray[Any, np.dtype[Any]]
FEEDS = tuple(f"s{number:02}" for number in range(11))
TARGETS = ("churned", "upsold")
WINDOW = 7
_A_DAY, _EXAM, _CITIES = 250, 6000, 12

_ASSEMBLE = """\
import lineagekit

lineagekit.autolog()

import argparse
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from transforms import matrix

parser = argparse.ArgumentParser()
parser.add_argument("--day", type=date.fromisoformat)
parser.add_argument("--window", type=int, default=7)
options = parser.parse_args()
lineagekit.params(day=str(options.day), window=options.window)
days = [options.day - timedelta(number) for number in range(options.window)]


def read(name):
    paths = [path for day in days if (path := Path(f"raw/{name}/day={day}/{name}.parquet")).exists()]
    return pa.concat_tables([parquet.read_table(path, partitioning=None) for path in paths], promote_options="default")


table = read("labels").join(parquet.read_table("raw/places.parquet"), "place")
for name in FEEDS:
    feed = read(name)
    if "value" in feed.column_names:
        table = table.join(feed.select(["row", "value"]).rename_columns(["row", name]), "row")
table = table.sort_by("row")
columns = {f"x{number:02}": values for number, values in enumerate(matrix(table))}
targets = {name: table[name].to_numpy() for name in ("churned", "upsold")}
parquet.write_table(pa.table({**columns, **targets}), "work/features.parquet")
"""


def _values(seed: int, feed: str, day: int, count: int) -> Numbers:
    """With a slow drift, as everything has."""
    drift = 0.1 * np.sin(day / 9 + len(feed) + int(feed[1:]))
    return np.round(random_for(seed, feed, day, count).normal(drift, 1, count), 4)


def _weights(seed: int, target: str) -> Numbers:
    random = random_for(seed, "weights", target)
    return np.asarray(random.choice([-1, 1], len(FEEDS)) * _importance(random))


def _importance(random: np.random.Generator) -> Numbers:
    """None matters so little that nobody would notice, and one matters most."""
    found = random.uniform(0.4, 0.7, len(FEEDS))
    found[random.integers(len(FEEDS))] = 1.6
    return found


def strongest(seed: int) -> str:
    """The feed that matters most to the first model."""
    return FEEDS[int(np.abs(_weights(seed, TARGETS[0])).argmax())]


def _odds(seed: int, target: str, day: int, count: int) -> Numbers:
    pairs = zip(_weights(seed, target), FEEDS, strict=True)
    odds = sum(weight * _values(seed, feed, day, count) for weight, feed in pairs)
    effects = random_for(seed, "cities", target).normal(0, 0.5, _CITIES)
    return np.asarray(odds + effects[_places_of(seed, day, count) % _CITIES])


def _places_of(seed: int, day: int, count: int) -> Numbers:
    return random_for(seed, "place", day, count).integers(0, 200, count)


def _label_of(seed: int, target: str, day: int, count: int) -> Numbers:
    chance = 1 / (1 + np.exp(-_odds(seed, target, day, count)))
    return (random_for(seed, target, day, count).random(count) < chance).astype(np.int64)


def _feed(feed: str) -> Callable[[int, int], pa.Table]:
    return partial(_table, feed)


def _rows(day: int) -> Numbers:
    return np.arange(day * _A_DAY, (day + 1) * _A_DAY)


def _table(feed: str, seed: int, day: int) -> pa.Table:
    return pa.table({"row": _rows(day), "value": _values(seed, feed, day, _A_DAY)})


def _labels(seed: int, day: int) -> pa.Table:
    targets = {target: _label_of(seed, target, day, _A_DAY) for target in TARGETS}
    return pa.table({"row": _rows(day), "place": _places_of(seed, day, _A_DAY), **targets})


def _places(seed: int, day: int) -> pa.Table:
    return pa.table({"place": np.arange(200), "city": np.arange(200) % _CITIES, "age": np.arange(200) % 67})


def _exam(seed: int) -> pa.Table:
    columns = {feed: _values(seed, feed, 10, _EXAM) for feed in FEEDS}
    targets = {target: _label_of(seed, target, 10, _EXAM) for target in TARGETS}
    return pa.table({**columns, "city": _places_of(seed, 10, _EXAM) % _CITIES, **targets})


def _train(target: str) -> Callable[[World], Sequence[str]]:
    return lambda world: ["--target", target, *world.argv.get("train.py", ())]


def _grade(target: str) -> Callable[[World], Sequence[str]]:
    return lambda world: ("--target", target)


ROLLING = Shape(
    "rolling",
    model="churned",
    metric="auc",
    days=33,
    bad_days=5,
    feeds=(
        Feed("places", "once", _places),
        *(Feed(feed, "dated", _feed(feed)) for feed in FEEDS),
        Feed("labels", "dated", _labels),
    ),
    programs={
        **shared([*FEEDS], [*FEEDS], "auc", higher=True),
        "assemble.py": _ASSEMBLE.replace("FEEDS", repr(FEEDS)),
    },
    steps=(
        Step("assemble.py", lambda world: ("--day", str(world.date()), *world.argv.get("assemble.py", ()))),
        *(Step("train.py", _train(target)) for target in TARGETS),
        *(Step("grade.py", _grade(target)) for target in TARGETS),
    ),
    exam=_exam,
)
