# SPDX-License-Identifier: Apache-2.0
"""Reasons: what is surprising about a feed, as sentences that a person can check.

>>> say("amount: mean", 4.1, 391.0)
'amount: mean 4.1 -> 391'
>>> say("log rows", 7.09, 5.3)
'rows 1,199 -> 199'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from lineagekit.cause.fact import date_of
from lineagekit.cause.levels import ROWS, VALUE, Level, kind_of

_ONE_DAY = 1.5


class Told(NamedTuple):
    """A level over the days: of the history, of the recent days, and how far from usual each of these is."""

    before: Sequence[float]
    after: Sequence[float]
    distances: Sequence[float]


def tell(name: str, told: Told, recent: Sequence[Level]) -> str:
    """What is usual and what is there now: of the day that is furthest off if it stands out, else of all days."""
    usual = median(told.before)
    furthest = max(range(len(recent)), key=lambda day: abs(told.distances[day]))
    if abs(told.distances[furthest]) > _ONE_DAY * abs(fmean(told.distances)):
        return f"{say(name, usual, told.after[furthest])} on {date_of(recent[furthest].when)}"
    return say(name, usual, fmean(told.after))


def say(name: str, usual: float, found: float) -> str:
    """What a level was, and what it is."""
    if name == ROWS:
        name, usual, found = "rows", math.expm1(usual), math.expm1(found)
    elif kind_of(name) == VALUE:
        name = name[: name.rindex(VALUE)] + "share of one of its values"
    for digits in range(2, 7):
        was, now = number(usual, digits), number(found, digits)
        if was != now:
            break
    return f"{name} {was} -> {now}"


def number(value: float, digits: int) -> str:
    """A number with at least so many digits that count, and never an exponent where a person would not write one.

    >>> number(1234567.0, 3), number(0.0512, 2), number(1e-9, 2)
    ('1,234,567', '0.051', '1e-09')
    """
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.{max(digits, len(str(int(abs(value)))) if abs(value) < 1000 else digits)}g}"
