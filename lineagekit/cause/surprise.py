# SPDX-License-Identifier: Apache-2.0
"""Surprise: how unlike its own history a feed has been of late. It puts suspects in order, and convicts nobody.

    >>> surprise(history, recent).reasons[0]  # doctest: +SKIP
    'amount: mean 4.1 -> 391, as never in 28 days'

Each level is compared with what was expected of that day; what counts is one day's distance, or that of all days
together, against the same statistic over the feed's own past. A score near 1 is a usual bad day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from lineagekit.cause.expectation import Matrix, Vector, standardised
from lineagekit.cause.fact import day_of, weekday_of
from lineagekit.cause.levels import KINDS, ROWS, Level, kind_of
from lineagekit.cause.matrix import Table, tabulate
from lineagekit.cause.reasons import Told, tell

ENOUGH = 14
"""Levels; below that there is too little history, and the size of a difference says more."""
_FEWEST = 3
_ONE_DAY = 0.75
_USUAL = 0.9
_BY_CHANCE = 1.65, 0.2  # of calm days, one statistic in ten is larger: of one day, and more for each doubling of days
_FEW = 1.5  # what a history of few levels adds to its spread: times 1 + this / their number
_NEXT = 0.15
_MOST_REASONS = 3
_MOST_ALIKE = 0.9


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
    table = tabulate(history, recent)
    if not table.names:
        return Surprise(0.0, enough=len(history) >= ENOUGH, days=span)
    judged = table.less(common or {}, history, recent)
    before, after = standardised(judged.old, judged.new, judged.floors())
    past, now = _statistics(before, after)
    weights = np.array([KINDS[kind_of(name)].weight for name in table.names])
    least = _BY_CHANCE[0] + _BY_CHANCE[1] * math.log2(len(recent))
    usual = np.maximum(least, np.quantile(past, _USUAL, axis=0)) * (1 + _FEW / len(history))
    scores = weights * now / usual
    first = np.argsort(-scores, kind="stable")[:_MOST_REASONS]
    best, *next_ones = scores[first].tolist()
    reasons = tuple(
        f"{tell(table.names[i], _told(table, i, after), recent)}, as {_how_often(past[:, i], now[i])} in {span} days"
        for i in first
        if scores[i] >= 1
    )
    return Surprise(best + _NEXT * sum(next_ones), reasons, len(history) >= ENOUGH, span)


def _told(table: Table, place: int, distances: Matrix) -> Told:
    columns = (table.old.levels[:, place], table.new.levels[:, place], distances[:, place])
    return Told(*(column.tolist() for column in columns))


def _how_often(past: Vector, now: float) -> str:
    return "never" if (past < now).all() else "rarely"


def common_moves(feeds: Mapping[str, Sequence[Level]]) -> Mapping[int, float]:
    """How far the log rows of a day are from usual in all feeds together: a holiday is nobody's fault.

    The median over the feeds that have the day, of their differences from what they usually have on that weekday.
    """
    moves: dict[int, list[float]] = {}
    for levels in feeds.values():
        for when, move in _row_moves(levels):
            moves.setdefault(day_of(when), []).append(move)
    return {day: median(found) for day, found in moves.items() if len(found) >= _FEWEST}


def _row_moves(levels: Sequence[Level]) -> Iterator[tuple[int, float]]:
    """Of weekdays that came often enough to have a usual number of rows."""
    by_weekday: dict[int, list[tuple[int, float]]] = {}
    for one in levels:
        if ROWS in one.levels:
            by_weekday.setdefault(weekday_of(day_of(one.when)), []).append((one.when, one.levels[ROWS]))
    for same in by_weekday.values():
        if len(same) >= _FEWEST:
            usual = median(level for _, level in same)
            yield from ((when, level - usual) for when, level in same)


def _statistics(before: Matrix, after: Matrix) -> tuple[Matrix, Vector]:
    """The statistic of every window of as many days in the past, and of the days in question."""
    alike = _alike(before)
    length = min(len(after), len(before))
    past = np.lib.stride_tricks.sliding_window_view(before, length, axis=0).swapaxes(1, 2)
    return _statistic(past, alike), _statistic(after, alike)


def _statistic(days: Matrix, alike: Vector) -> Matrix:
    """What counts of some days: one of them, or all since one of them together, for as many as they are worth."""
    counts = np.arange(1, days.shape[-2] + 1)[:, None]
    together = np.abs(np.cumsum(days[..., ::-1, :], axis=-2) / counts)
    worth = np.maximum(1.0, counts * (1 - alike) / (1 + alike))
    found: Matrix = np.maximum(_ONE_DAY * np.abs(days).max(axis=-2), (together * np.sqrt(worth)).max(axis=-2))
    return found


def _alike(days: Matrix) -> Vector:
    """How much each day says of the next one, 0 to 1: days that repeat one another are worth fewer."""
    power = (days**2).sum(axis=0)
    lag: Vector = (days[1:] * days[:-1]).sum(axis=0) / np.where(power > 0, power, 1.0)
    return np.clip(lag, 0.0, _MOST_ALIKE)
