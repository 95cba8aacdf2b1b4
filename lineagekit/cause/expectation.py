# SPDX-License-Identifier: Apache-2.0
"""Expectation: what a feed's levels should be on a day, and how far from that a day is, in units of its own spread.

    >>> history = Days(matrix, weekdays)  # doctest: +SKIP
    >>> standardised(history, recent, floors)[1].max()  # doctest: +SKIP
    2.3

The expected level is the median, or the weekday's (or workdays' and weekends') where that takes a fifth off the spread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Weekdays = npt.NDArray[np.int64]

CUT = 0.8
"""A weekday is expected to matter only where the spread becomes this much smaller."""
_MAD = 1.4826
_SHARE_OF_SD = 0.3
_FEWEST_ALIKE = 3


class Days(NamedTuple):
    """Levels by day (rows) and feature (columns), NaN where there is none."""

    levels: Matrix
    weekdays: Weekdays


def standardised(history: Days, recent: Days, floors: Vector) -> tuple[Matrix, Matrix]:
    """Residuals of both over the history's spread."""
    old, new = _residuals(history, recent, np.zeros_like(history.weekdays), np.zeros_like(recent.weekdays))
    spread = _spread(old)
    for group in (_weekend, _weekday):
        groups = group(history.weekdays), group(recent.weekdays)
        if not _is_known(*groups):
            continue
        old_by, new_by = _residuals(history, recent, *groups)
        spread_by = _spread(old_by)
        better = np.maximum(spread_by, floors) < CUT * np.maximum(spread, floors)
        old, new = np.where(better, old_by, old), np.where(better, new_by, new)
        spread = np.where(better, spread_by, spread)
    scale = np.maximum(spread, floors)
    return np.nan_to_num(old / scale), np.nan_to_num(new / scale)


def _weekend(weekdays: Weekdays) -> Weekdays:
    return (weekdays >= 5).astype(np.int64)


def _weekday(weekdays: Weekdays) -> Weekdays:
    return weekdays


def _is_known(old: Weekdays, new: Weekdays) -> bool:
    """Whether there are several groups, each with days enough to be expected from."""
    counts = np.bincount(old, minlength=7)
    return len(set(old)) > 1 and set(new) <= set(old) and bool((counts[old] >= _FEWEST_ALIKE).all())


def _residuals(history: Days, recent: Days, old: Weekdays, new: Weekdays) -> tuple[Matrix, Matrix]:
    """Differences from the median of the group's *other* days, so that groups of few days do not look calm."""
    before, after = np.zeros_like(history.levels), np.zeros_like(recent.levels)
    for group in range(7):
        rows = np.flatnonzero(old == group)
        if len(rows):
            alike = history.levels[rows]
            before[rows] = alike - _medians_of_others(alike)
            after[new == group] = recent.levels[new == group] - np.median(alike, axis=0)
    return before, after


def _medians_of_others(alike: Matrix) -> Matrix:
    """For each row the median of the other rows, from one sort."""
    count = len(alike)
    if count == 1:
        return alike
    ranked = np.sort(alike, axis=0)
    ranks = np.argsort(np.argsort(alike, axis=0), axis=0)
    middle = (count - 1) // 2  # of the count - 1 others
    above = ranked[np.where(ranks <= middle, middle + 1, middle), np.arange(alike.shape[1])]
    if (count - 1) % 2:
        return above
    below = ranked[np.where(ranks <= middle - 1, middle, middle - 1), np.arange(alike.shape[1])]
    return (above + below) / 2


def _spread(residuals: Matrix) -> Vector:
    robust = _MAD * np.median(np.abs(residuals), axis=0)
    spread: Vector = np.maximum(robust, _SHARE_OF_SD * np.sqrt(np.mean(residuals**2, axis=0)))
    return spread
