# SPDX-License-Identifier: Apache-2.0
"""Fan-in: twelve feeds that are written anew each day, one file each, and places that seldom change; labels as well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.programs import shared
from benchmarks.faults.world import Feed, Shape, Step, random_for

Numbers = np.ndarray[Any, np.dtype[Any]]
FEEDS = tuple(f"f{number:02}" for number in range(12))
_ENTITIES, _EXAM, _CITIES = 1500, 6000, 12

_ASSEMBLE = """\
import lineagekit

lineagekit.autolog()

import pyarrow as pa
from pyarrow import parquet
from transforms import matrix

table = parquet.read_table("raw/labels.parquet").join(parquet.read_table("raw/places.parquet"), "entity")
for name in FEEDS:
    feed = parquet.read_table(f"raw/{name}.parquet")
    if "value" in feed.column_names:
        feed = feed.select(["entity", "value"]).rename_columns(["entity", name])
        table = table.join(feed, "entity")
table = table.sort_by("entity")
columns = {f"x{number:02}": values for number, values in enumerate(matrix(table))}
parquet.write_table(pa.table({**columns, "label": table["label"].to_numpy()}), "work/features.parquet")
"""


def values_of(seed: int, feed: str, day: int, count: int) -> Numbers:
    """Half of what a feed says of an entity stays, half is of the day."""
    lasting = random_for(seed, feed, count).normal(0, 1, count)
    return np.round(0.6 * lasting + 0.8 * random_for(seed, feed, count, day).normal(0, 1, count), 4)


def weights(seed: int) -> Numbers:
    """How much each feed matters, and which way."""
    random = random_for(seed, "weights")
    return random.choice([-1, 1], len(FEEDS)) * _importance(random)


def _importance(random: np.random.Generator) -> Numbers:
    """None matters so little that nobody would notice, and one matters most."""
    found = random.uniform(0.4, 0.7, len(FEEDS))
    found[random.integers(len(FEEDS))] = 1.6
    return found


def strongest(seed: int) -> str:
    """The feed that matters most."""
    return FEEDS[int(np.abs(weights(seed)).argmax())]


def _cities(seed: int, count: int) -> Numbers:
    return random_for(seed, "places", count).integers(0, _CITIES, count)


def _labels_of(seed: int, day: int, count: int) -> Numbers:
    odds = sum(w * values_of(seed, feed, day, count) for w, feed in zip(weights(seed), FEEDS, strict=True))
    odds = odds + random_for(seed, "cities").normal(0, 0.5, _CITIES)[_cities(seed, count)]
    drawn = random_for(seed, "labels", day, count).random(count)
    return np.asarray(drawn < 1 / (1 + np.exp(-odds)), np.int64)


def _feed(feed: str) -> Callable[[int, int], pa.Table]:
    return partial(_table, feed)


def _table(feed: str, seed: int, day: int) -> pa.Table:
    return pa.table({"entity": np.arange(_ENTITIES), "value": values_of(seed, feed, day, _ENTITIES)})


def _labels(seed: int, day: int) -> pa.Table:
    return pa.table({"entity": np.arange(_ENTITIES), "label": _labels_of(seed, day, _ENTITIES)})


def _places(seed: int, day: int) -> pa.Table:
    age = random_for(seed, "age").integers(1, 90, _ENTITIES)
    return pa.table({"entity": np.arange(_ENTITIES), "city": _cities(seed, _ENTITIES), "age": age})


def _exam(seed: int) -> pa.Table:
    columns = {feed: values_of(seed, feed, -1, _EXAM) for feed in FEEDS}
    return pa.table({**columns, "city": _cities(seed, _EXAM), "label": _labels_of(seed, -1, _EXAM)})


FANIN = Shape(
    "fanin",
    model="label",
    metric="auc",
    days=20,
    bad_days=3,
    feeds=(
        Feed("places", "once", _places),
        *(Feed(feed, "daily", _feed(feed)) for feed in FEEDS),
        Feed("labels", "daily", _labels),
    ),
    programs={
        **shared([*FEEDS], [*FEEDS], "auc", higher=True),
        "assemble.py": _ASSEMBLE.replace("FEEDS", repr(FEEDS)),
    },
    steps=(
        Step("assemble.py"),
        Step("train.py", lambda world: world.argv.get("train.py", ())),
        Step("grade.py"),
    ),
    exam=_exam,
)
