# SPDX-License-Identifier: Apache-2.0
"""Feeds of a made-up company: tables by day that drift, have weekdays, holidays, surges and bad days, all harmless.

    >>> feed = Feed.make(seed=1, number=3, calendar=Calendar.make(1))  # doctest: +SKIP
    >>> feed.table(12).num_rows  # doctest: +SKIP
    1204

Every row has a hidden trait; numbers and the label follow it, each feed's in its own way: columns move together.
What a day adds to each column is a slow drift, its weekday, and noise of that day with heavy tails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DAYS = 70
"""Fifty-six of history, seven before it for what was seen before, seven that are new."""
WEEKLY_ON = 0  # a Monday; day 0 is one

Array = npt.NDArray[Any]
_NUMBERS = ("amount", "balance", "visits", "rate")


@dataclass(frozen=True, slots=True)
class Calendar:
    """What all feeds have in common: by day, how many rows more or less, as a logarithm."""

    moves: Array

    @classmethod
    def make(cls, seed: int) -> Calendar:
        """Three holidays or so in ten weeks."""
        rng = np.random.default_rng([seed, 99])
        moves = np.zeros(DAYS)
        for day in rng.choice(DAYS, rng.integers(2, 5), replace=False):
            moves[day] = rng.uniform(-0.9, -0.3)
        return cls(moves)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's parameters by day."""

    name: str
    kind: str
    location: Array
    scale: Array
    loading: Array
    """How much it follows the hidden trait."""
    null_share: Array
    weights: Array
    """Of categories, by day."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed."""

    seed: int
    number: int
    is_weekly: bool
    restates: bool
    """It rewrites its last three days: what comes at first lacks some rows."""
    log_rows: Array
    users: int
    popularity: float
    text_keys: bool
    text_labels: bool
    columns: tuple[Column, ...]

    @classmethod
    def make(cls, seed: int, number: int, calendar: Calendar, *, is_weekly: bool, restates: bool) -> Feed:
        """A feed of its own habits."""
        rng = np.random.default_rng([seed, number])
        rows = np.log(rng.uniform(500, 1_600)) + _of_days(rng, 0.15, noise=0.04) + calendar.moves
        for _ in range(rng.poisson(1.5)):
            first = rng.integers(DAYS)
            rows[first : first + rng.integers(1, 4)] += rng.uniform(0.2, 0.6)
        numbers = [str(name) for name in rng.choice(_NUMBERS, rng.integers(2, 5), replace=False)]
        columns = [_column(rng, name, "number") for name in numbers]
        columns += [_column(rng, f"kind{i}", "category") for i in range(rng.integers(1, 3))]
        columns.append(_column(rng, "label", "label"))
        users = int(rng.uniform(1, 5) * 1_000)
        key = float(rng.uniform(0.5, 3)), bool(rng.random() < 0.6), bool(rng.random() < 0.5)
        return cls(seed, number, is_weekly, restates, rows, users, *key, tuple(columns))

    @property
    def days(self) -> list[int]:
        """On which a partition comes."""
        return [day for day in range(DAYS) if not self.is_weekly or day % 7 == WEEKLY_ON]

    def table(self, day: int) -> pa.Table:
        """The partition of a day as it comes at first."""
        rng = np.random.default_rng([self.seed, self.number, day])
        rows = int(np.exp(self.log_rows[day]) * (rng.uniform(0.85, 0.95) if self.restates else 1.0))
        trait = rng.normal(size=rows)
        users = (self.users * rng.random(rows) ** self.popularity).astype(np.int64) + 10_000
        cells: dict[str, Any] = {"user": [f"u{user}" for user in users] if self.text_keys else users}
        for column in self.columns:
            values = _values(rng, column, day, trait)
            if column.kind == "label":
                values = np.where(values > 0, "yes", "no") if self.text_labels else (values > 0).astype(np.int64)
            missing = rng.random(rows) < column.null_share[day]
            cells[column.name] = pa.array(values, mask=missing if missing.any() else None)
        return pa.table(cells)


def _of_days(rng: np.random.Generator, weekday: float, *, noise: float) -> Array:
    """A level by day around zero: drift, weekdays (in half of all cases) and the day's own noise, which lasts a bit."""
    days = np.arange(DAYS)
    drift = rng.normal(0, 0.25) * noise * (days - DAYS) / 7 * (rng.random() < 0.4)
    walk = np.cumsum(rng.normal(0, 0.12, DAYS)) * noise
    week = rng.normal(0, weekday, 7)[days % 7] if rng.random() < 0.5 else 0.0
    shocks = rng.standard_t(4, DAYS) * noise
    lasting = rng.uniform(0, 0.5)
    for day in range(1, DAYS):
        shocks[day] += lasting * shocks[day - 1]
    level: Array = drift + walk + week + shocks
    return level


def _column(rng: np.random.Generator, name: str, kind: str) -> Column:
    noise = float(rng.uniform(0.02, 0.07))
    often = rng.random() < 0.35 and kind != "label"
    nulls = 1 / (1 + np.exp(rng.uniform(2, 4) - 3 * _of_days(rng, 0.05, noise=0.06))) if often else np.zeros(DAYS)
    size = int(rng.integers(3, 13))
    weights = np.array([rng.normal(0, 1) + _of_days(rng, 0.1, noise=noise) for _ in range(size)]).T
    return Column(
        name,
        kind,
        location=rng.uniform(-1, 1) + _of_days(rng, 0.15, noise=noise),
        scale=np.exp(_of_days(rng, 0.03, noise=noise / 2)),
        loading=rng.choice([-1, 1]) * rng.uniform(0.35, 0.9) + _of_days(rng, 0.02, noise=noise / 3),
        null_share=nulls,
        weights=np.exp(weights) / np.exp(weights).sum(axis=1, keepdims=True),
    )


def _values(rng: np.random.Generator, column: Column, day: int, trait: Array) -> Array:
    follows = np.clip(column.loading[day], -0.95, 0.95)
    value = follows * trait + np.sqrt(1 - follows**2) * rng.normal(size=len(trait))
    value = column.location[day] + column.scale[day] * value
    if column.kind == "category":
        names = np.array([f"{column.name}-{i}" for i in range(column.weights.shape[1])])
        return names[rng.choice(len(names), len(trait), p=column.weights[day])]
    if column.name == "amount":
        value = np.exp(2.5 + 0.8 * value)
    elif column.name == "visits":
        value = rng.poisson(np.exp(1.2 + 0.4 * value))
    elif column.name == "rate":
        value = 1 / (1 + np.exp(-value))
    return value
