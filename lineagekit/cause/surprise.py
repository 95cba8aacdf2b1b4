# SPDX-License-Identifier: Apache-2.0
"""Surprise: how unlike its own history a feed has been of late. It puts suspects in order, and convicts nobody.

    >>> surprise(history, recent).reasons[0]  # doctest: +SKIP
    'amount: mean 4.1 -> 391, as never in 28 days'

Each level is compared with what was expected of that day; what counts is one day's distance, or that of all days
together, against the same statistic over the feed's own past. A score near 1 is a usual bad day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from lineagekit.cause.expectation import Days, Matrix, Vector, Weekdays, standardised, windows
from lineagekit.cause.levels import KINDS, ROWS, Level, kind_of
from lineagekit.cause.reasons import tell

ENOUGH = 14
"""Levels; below that there is too little history, and the size of a difference says more."""
_FEWEST = 3
_DAY = 86_400_000_000
_MONDAY = 3  # the weekday of 1970-01-01
_ONE_DAY_WEIGHT = 0.8
_USUAL = 0.9
_LEAST_USUAL = 1.5
_NEXT_WEIGHT = 0.15
_MOST_REASONS = 3
_MOST_ALIKE = 0.9
_LEVEL = 0.05  # of a level that has no deviation beside it, or none to speak of
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Surprise:
    """How far out of its history a feed is; only the order of scores means something."""

    score: float
    reasons: tuple[str, ...] = ()
    enough: bool = False
    days: int = 0
    """That the history covers."""


def surprise(
    history: Sequence[Level], recent: Sequence[Level], *, common: Mapping[int, float] | None = None
) -> Surprise:
    """Compare partitions since the onset with those before, each as it was when it came.

    `common` are moves that all feeds made on a day (`common_moves`): they are taken out of the rows.
    """
    span = 1 + day_of(history[-1].when) - day_of(history[0].when) if history else 0
    if len(history) < _FEWEST or not recent:
        return Surprise(0.0, enough=False, days=span)
    names, old, new = _matrices(history, recent, common or {})
    if not names:
        return Surprise(0.0, enough=len(history) >= ENOUGH, days=span)
    floors = smallest_spreads(names, old.levels, new.levels)
    before, after = standardised(old, new, floors)
    past, now = _statistics(before, after)
    weights = np.array([KINDS[kind_of(name)].weight for name in names])
    scores = weights * now / np.maximum(_LEAST_USUAL, np.quantile(past, _USUAL, axis=0))
    first = np.argsort(-scores, kind="stable")[:_MOST_REASONS]
    best, *next_ones = scores[first].tolist()
    reasons = tuple(
        f"{tell(names[i], history, recent, after[:, i].tolist())}, as {_how_often(past[:, i], now[i])} in {span} days"
        for i in first
        if scores[i] >= 1
    )
    return Surprise(best + _NEXT_WEIGHT * sum(next_ones), reasons, len(history) >= ENOUGH, span)


def _how_often(past: Vector, now: float) -> str:
    return "never" if (past < now).all() else "rarely"


def day_of(when: int) -> int:
    """The number of a day, since 1970."""
    return when // _DAY


def common_moves(feeds: Mapping[str, Sequence[Level]]) -> Mapping[int, float]:
    """How far the log rows of a day are from usual in all feeds together: a holiday is nobody's fault.

    The median over the feeds that have the day, of their differences from what they usually have on that weekday.
    """
    moves: dict[int, list[float]] = {}
    for levels in feeds.values():
        for when, move in _row_moves(levels):
            moves.setdefault(day_of(when), []).append(move)
    return {day: median(found) for day, found in moves.items() if len(found) >= _FEWEST}


def _row_moves(levels: Sequence[Level]) -> list[tuple[int, float]]:
    rows = [(one.when, one.levels[ROWS]) for one in levels if ROWS in one.levels]
    by_weekday: dict[int, list[float]] = {}
    for when, level in rows:
        by_weekday.setdefault(_weekday(when), []).append(level)
    return [(when, level - median(by_weekday[_weekday(when)])) for when, level in rows]


def _weekday(when: int) -> int:
    return (day_of(when) + _MONDAY) % 7


def _matrices(
    history: Sequence[Level], recent: Sequence[Level], common: Mapping[int, float]
) -> tuple[list[str], Days, Days]:
    """Levels that most of the history and some recent day have; a day without one gets the usual."""
    names = sorted({name for day in (*history, *recent) for name in day.levels})
    old, new = _matrix(history, names, common), _matrix(recent, names, common)
    kept = (2 * np.isfinite(old).sum(axis=0) > len(history)) & np.isfinite(new).any(axis=0)
    names = [name for name, is_kept in zip(names, kept, strict=True) if is_kept]
    old, new = old[:, kept], new[:, kept]
    if names:
        usual = np.nanmedian(old, axis=0)
        old, new = (np.where(np.isfinite(days), days, usual) for days in (old, new))
    return names, Days(old, _weekdays(history)), Days(new, _weekdays(recent))


def _matrix(days: Sequence[Level], names: Sequence[str], common: Mapping[int, float]) -> Matrix:
    found = np.array([[day.get(name) for name in names] for day in days], np.float64)
    found[~np.isfinite(found)] = np.nan
    if ROWS in names:
        found[:, names.index(ROWS)] -= [common.get(day_of(day.when), 0.0) for day in days]
    return found


def _weekdays(days: Sequence[Level]) -> Weekdays:
    return np.array([_weekday(day.when) for day in days], np.int64)


def smallest_spreads(names: Sequence[str], before: Matrix, after: Matrix) -> Vector:
    """For each level the spread that even the calmest history is taken to have."""
    usual = np.maximum(*(np.abs(np.median(levels, axis=0)) for levels in (before, after)))
    sizes = dict(zip(names, usual.tolist(), strict=True))
    found = []
    for name in names:
        kind = KINDS[kind_of(name)]
        deviation = sizes.get(f"{name.rpartition(': ')[0]}: deviation", 0.0)
        found.append(kind.floor * (max(deviation, _LEVEL * sizes[name], _TINY) if kind.is_relative else 1.0))
    return np.array(found)


def _statistics(before: Matrix, after: Matrix) -> tuple[Matrix, Vector]:
    """The statistic of every window of as many days in the past, and of the days in question."""
    worth = np.sqrt(_worth(before, len(after)))
    past = [_statistic(before[window], worth) for window in windows(min(len(after), len(before)), len(before))]
    return np.array(past), _statistic(after, worth)


def _statistic(days: Matrix, worth: Vector) -> Vector:
    """What counts of some days: one of them, or all of them together, for as many as they are worth."""
    found: Vector = np.maximum(_ONE_DAY_WEIGHT * np.abs(days).max(axis=0), np.abs(days.mean(axis=0)) * worth)
    return found


def _worth(days: Matrix, count: int) -> Vector:
    """So many days, of which each says something of the next, are worth fewer that do not."""
    power = (days**2).sum(axis=0)
    lag = (days[1:] * days[:-1]).sum(axis=0) / np.where(power > 0, power, 1.0)
    lag = np.clip(lag, 0.0, _MOST_ALIKE)
    worth: Vector = np.maximum(1.0, count * (1 - lag) / (1 + lag))
    return worth
