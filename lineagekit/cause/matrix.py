# SPDX-License-Identifier: Apache-2.0
"""Levels as two matrices, days down and features across: the history, and the days that are asked about.

    >>> table = tabulate(history, recent)  # doctest: +SKIP
    >>> table.names[0], table.old.levels.shape, table.new.levels.shape  # doctest: +SKIP
    ('amount: deviation', (28, 157), (7, 157))

What a column's correlations are worth together is added to them: each alone is noise where all of them shrink.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lineagekit.cause.chance import chance_of
from lineagekit.cause.expectation import Days, Matrix, Vector, Weekdays
from lineagekit.cause.fact import day_of, weekday_of
from lineagekit.cause.levels import CORRELATION, KINDS, ROWS, TOGETHER, Level, kind_of

_LEAST_TOGETHER = 0.02  # the sum of a column's squared correlations: below, there is nothing that could shrink
_LEVEL = 0.05  # of a level that has no deviation beside it, or none to speak of
_TINY = 1e-12


class Table(NamedTuple):
    """Features that most of the history has, and some recent day; a day without one has the usual."""

    names: tuple[str, ...]
    old: Days
    new: Days

    def less(self, common: Mapping[int, float], history: Sequence[Level], recent: Sequence[Level]) -> Table:
        """With moves that all feeds made taken out of the rows."""
        if not common or ROWS not in self.names:
            return self
        place = self.names.index(ROWS)
        old, new = (
            Days(_less(days.levels, place, [common.get(day_of(one.when), 0.0) for one in levels]), days.weekdays)
            for days, levels in ((self.old, history), (self.new, recent))
        )
        return Table(self.names, old, new)

    def floors(self) -> Vector:
        """For each feature the spread that even the calmest history is taken to have: chance, or what is nothing."""
        usual = np.maximum(*(np.abs(np.median(days.levels, axis=0)) for days in (self.old, self.new)))
        sizes = dict(zip(self.names, usual.tolist(), strict=True))
        before = dict(zip(self.names, np.median(self.old.levels, axis=0).tolist(), strict=True))
        rows = max(1.0, math.expm1(before.get(ROWS, math.inf)))
        return np.array([max(_nothing(name, sizes), chance_of(name, before, rows=rows)) for name in self.names])


def _nothing(name: str, sizes: Mapping[str, float]) -> float:
    """A difference of a level that is too small to mean anything."""
    kind = KINDS[kind_of(name)]
    deviation = sizes.get(f"{name.rpartition(': ')[0]}: deviation", 0.0)
    return kind.floor * (max(deviation, _LEVEL * sizes[name], _TINY) if kind.is_relative else 1.0)


def tabulate(history: Sequence[Level], recent: Sequence[Level]) -> Table:
    """The matrices of both; without names where they have nothing in common."""
    names = sorted({name for day in (*history, *recent) for name in day.levels})
    old, new = _matrix(history, names), _matrix(recent, names)
    kept = (2 * np.isfinite(old).sum(axis=0) > len(history)) & np.isfinite(new).any(axis=0)
    names = [name for name, is_kept in zip(names, kept, strict=True) if is_kept]
    old, new = old[:, kept], new[:, kept]
    if names:
        usual = np.nanmedian(old, axis=0)
        old, new = (np.where(np.isfinite(days), days, usual) for days in (old, new))
        for name, weights in _together(names, old):
            names.append(name)
            old, new = (np.column_stack([days, days[:, : len(weights)] @ weights]) for days in (old, new))
    return Table(tuple(names), Days(old, _weekdays(history)), Days(new, _weekdays(recent)))


def _matrix(days: Sequence[Level], names: Sequence[str]) -> Matrix:
    found = np.array([[day.get(name) for name in names] for day in days], np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def _weekdays(days: Sequence[Level]) -> Weekdays:
    return np.array([weekday_of(day_of(day.when)) for day in days], np.int64)


def _less(levels: Matrix, place: int, moves: Sequence[float]) -> Matrix:
    found = levels.copy()
    found[:, place] -= moves
    return found


def _together(names: Sequence[str], old: Matrix) -> Iterator[tuple[str, Vector]]:
    """For each column the weights that give 1 while all its correlations are as usual, 0 when there are none."""
    usual = np.median(old, axis=0)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        columns = name.removesuffix(f": {CORRELATION}").split(" ~ ")
        if kind_of(name) == CORRELATION and len(columns) == 2:
            for column in columns:
                places.setdefault(column, []).append(place)
    for column, theirs in places.items():
        weights = np.zeros(len(names))
        weights[theirs] = usual[theirs]
        power = float(weights @ weights)
        if power >= _LEAST_TOGETHER:
            yield f"{column}: {TOGETHER}", weights / power
