# SPDX-License-Identifier: Apache-2.0
"""A world: a folder with raw data, programs and packages, and what comes in and happens from day to day.

    >>> world = World(Path("/tmp/case"), LINEAR, seed=0)  # doctest: +SKIP
    >>> world.begin_day()  # doctest: +SKIP

Data is a function of seed, feed and day: a copy of the world goes on exactly as the original would have.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

FIRST_DAY = date(2026, 3, 2)
Surgery = Callable[[pa.Table], pa.Table]
Act = Callable[["World"], None]


@dataclass(frozen=True, slots=True)
class Feed:
    """A source. `once`: one file, written on the first day; `daily`: written anew each day; `dated`: a part a day."""

    name: str
    cadence: Literal["once", "daily", "dated"]
    make: Callable[[int, int], pa.Table]
    """From the seed and the day."""
    format: Literal["csv", "parquet"] = "parquet"


@dataclass(frozen=True, slots=True)
class Step:
    """A job of the pipeline."""

    script: str
    argv: Callable[[World], Sequence[str]] = lambda world: ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A pipeline: what it is made of, and how long it is watched."""

    name: str
    model: str
    metric: str
    days: int
    """Builds of a case."""
    bad_days: int
    """How many of them are after the fault."""
    feeds: tuple[Feed, ...]
    programs: Mapping[str, str]
    steps: tuple[Step, ...]
    exam: Callable[[int], pa.Table]
    """From the seed: stays as it is."""
    higher_is_better: bool = True


@dataclass(slots=True)
class World:
    """One pipeline at one moment."""

    root: Path
    shape: Shape
    seed: int
    day: int = -1
    twists: dict[str, Surgery] = field(default_factory=dict)
    """What is done to all that comes in of a feed."""
    stopped: set[str] = field(default_factory=set)
    """Feeds that go on with what they had."""
    after: dict[str, Act] = field(default_factory=dict)
    """What somebody does between two jobs, by the script of the first."""
    argv: dict[str, list[str]] = field(default_factory=dict)
    """More arguments of a script."""
    env: dict[str, str] = field(default_factory=dict)

    def set_up(self) -> Self:
        """Write the programs."""
        for name, text in self.shape.programs.items():
            self.write(name, text)
        for folder in ("raw", "work"):
            (self.root / folder).mkdir(exist_ok=True)
        parquet.write_table(self.shape.exam(self.seed), self.root / "exam.parquet")
        return self

    def copy(self, root: Path) -> World:
        """The same in another folder; both go on alike until something is done to one of them."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns(".lineagekit"))
        return World(
            root,
            self.shape,
            self.seed,
            self.day,
            dict(self.twists),
            set(self.stopped),
            dict(self.after),
            {script: list(words) for script, words in self.argv.items()},
            dict(self.env),
        )

    def begin_day(self) -> None:
        """The next day: what comes in."""
        self.day += 1
        for feed in self.shape.feeds:
            if feed.cadence == "once" and self.day > 0:
                continue
            source = self.day - 1 if feed.name in self.stopped else self.day
            if feed.cadence == "daily" and feed.name in self.stopped:
                continue
            table = feed.make(self.seed, source)
            self.write_feed(feed.name, self.twists.get(feed.name, lambda whole: whole)(table))

    def feed(self, name: str) -> Feed:
        """The feed of this name."""
        return next(feed for feed in self.shape.feeds if feed.name == name)

    def path(self, name: str, day: int | None = None) -> Path:
        """The file of a feed, of today if it is dated."""
        feed = self.feed(name)
        if feed.cadence != "dated":
            return self.root / "raw" / f"{name}.{feed.format}"
        return self.root / "raw" / name / f"day={self.date(day)}" / f"{name}.{feed.format}"

    def date(self, day: int | None = None) -> date:
        """The date of a day, or of today."""
        return FIRST_DAY + timedelta(self.day if day is None else day)

    def read_feed(self, name: str, day: int | None = None) -> pa.Table:
        """What lies there."""
        path = self.path(name, day)
        return csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path, partitioning=None)

    def write_feed(self, name: str, table: pa.Table, day: int | None = None, compression: str = "snappy") -> None:
        """Write it."""
        path = self.path(name, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            csv.write_csv(table, path)
        else:
            parquet.write_table(table, path, compression=compression)

    def write(self, name: str, text: str) -> None:
        """A program, or another text."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a text where it says `old`."""
        path = self.root / name
        text = path.read_text()
        if old not in text:
            raise ValueError(f"{name} does not say {old!r}")
        path.write_text(text.replace(old, new, 1))


def random_for(seed: int, *words: object) -> np.random.Generator:
    """Numbers that are the same for the same words."""
    return np.random.default_rng([seed, *(abs(hash_of(word)) for word in words)])


def hash_of(word: object) -> int:
    """A number for a word, the same in every process."""
    return zlib.crc32(repr(word).encode())
