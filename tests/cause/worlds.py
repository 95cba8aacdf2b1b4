# SPDX-License-Identifier: Apache-2.0
"""A pipeline told as events, day by day: raw and labels -> clean -> train -> model, and what is different on a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.store.targets import find_target
from tests.store.told import Event, dataset, run, told

RAW, LABELS, CLEAN, MODEL, EXAM = (
    "/data/raw.csv",
    "/data/labels.csv",
    "/data/clean.csv",
    "/models/m.pkl",
    "/data/exam.csv",
)
DAY = 1440.0


def hashed(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


@dataclass
class Day:
    """What is true on one day; what is not said is as on every day."""

    auc: float | None = 0.9
    raw: str = "r"
    labels: str = "l"
    code: str = "c"
    tree: str = ""
    params: Mapping[str, str] = field(default_factory=lambda: {"lr": "0.1"})
    packages: Mapping[str, str] = field(default_factory=lambda: {"sklearn": "1.5"})
    exam: str = "e"
    clean: str = ""
    """The digest of the cleaned data, where it is not a function of what it is made of."""
    clean_reason: str = ""
    """Why that is unknown."""
    is_seeded: bool = False
    """Training gives the same model for the same data; else each build has bytes of its own."""
    more: Mapping[str, float] = field(default_factory=dict)
    """Other metrics."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """`lkt1` of a dataset, by name."""


def facets(day: Day, job: str) -> dict[str, Any]:
    digests = [f"sha256:{hashed(day.code)}", *([f"ast1;python=3.11:{hashed(day.tree)}"] if day.tree else [])]
    return {
        "lineagekit_code": {"modules": [{"name": job, "path": f"/src/{job}", "digests": digests}]},
        "lineagekit_params": {"params": [{"name": k, "type": "str", "value": v} for k, v in day.params.items()]},
        "lineagekit_environment": {"python": "3.11", "packages": dict(day.packages)},
    }


def content(day: Day, name: str, digest: str) -> dict[str, Any]:
    table = day.tables.get(name)
    return {"digest": digest, **({"lkt1": f"lkt1:{hashed(table) * 4}"} if table else {})}


def story(days: Sequence[Day]) -> Iterator[Event]:
    for number, day in enumerate(days):
        at = number * DAY
        raw, labels = hashed("raw", day.raw), hashed("labels", day.labels)
        cleaned = hashed("clean", day.clean or (day.raw, day.labels))
        known = {} if day.clean_reason else content(day, CLEAN, cleaned)
        unknown = {"reason": day.clean_reason} if day.clean_reason else {}
        settings = day.code, sorted(day.params.items()), sorted(day.packages.items())
        model = hashed("model", cleaned, settings, 0 if day.is_seeded else number)
        yield from run(
            "clean.py",
            at,
            at + 10,
            run_facets=facets(Day(), "clean.py"),
            reads=[
                dataset(RAW, at=at + 1, **content(day, RAW, raw)),
                dataset(LABELS, at=at + 1, **content(day, LABELS, labels)),
            ],
            writes=[dataset(CLEAN, "output", at=at + 9, **known, **unknown)],
        )
        yield from run(
            "train.py",
            at + 20,
            at + 40,
            run_facets=facets(day, "train.py"),
            reads=[dataset(CLEAN, at=at + 21, **known, **unknown)],
            writes=[dataset(MODEL, "output", at=at + 39, digest=model, model="m")],
        )
        if day.auc is not None:
            exam = dataset(EXAM, at=at + 51, digest=hashed("exam", day.exam))
            reads = [dataset(MODEL, at=at + 51, digest=model), exam]
            yield from run("grade.py", at + 50, at + 55, run_facets=grade(day.auc, **day.more), reads=reads)


def grade(auc: float, **more: float) -> dict[str, Any]:
    about = {"of": MODEL, "on": EXAM, "higherIsBetter": True}
    values = {name: {"value": v} if isfinite(v) else {"text": "NaN"} for name, v in {"auc": auc, **more}.items()}
    return {"lineagekit_metrics": {"metrics": [{"name": name, **about, **value} for name, value in values.items()]}}


def good_days(count: int = 6) -> list[Day]:
    return [Day(auc=0.9 + (number % 3) / 1000) for number in range(count)]


@contextmanager
def asked(folder: Path, days: Sequence[Day], model: str = "m", **question: Any) -> Iterator[Blame]:
    with told(folder, list(story(days))) as (store, index):
        yield blame(index.database, store, find_target(index.database, model), Question(**question))


def answer(folder: Path, days: Sequence[Day], **question: Any) -> Blame:
    with asked(folder, days, **question) as found:
        return found
