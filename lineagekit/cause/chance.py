# SPDX-License-Identifier: Apache-2.0
"""Chance: how much a level moves from day to day because a partition has only so many rows, and nothing else.

>>> round(chance_of("amount: null share", {"amount: null share": 0.1}, rows=900), 3)
0.01

A history of few days may look calmer than that by luck; its spread is not believed then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lineagekit.cause.levels import CORRELATION, MODAL, VALUE, kind_of

_SHARES = (
    "null share",
    "NaN share",
    "share below 0",
    "share of its fullest range",
    "share of new values",
    "share of values gone",
    MODAL,
    VALUE,
)
_OF_DEVIATIONS = {"mean": 1.0, "deviation": 1.0}
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SAMPLED = {"repeated rows": 64, "rows seen in the last 7": 64, "values seen in the last 7": 12, "repeated values": 20}
"""About how many distinct values or rows a share is an estimate from."""
_OF_DISTANCE = 0.15


def chance_of(name: str, usual: Mapping[str, float], *, rows: float) -> float:
    """The standard deviation of a level by chance alone, given what is usual of all levels; 0 if that is not known."""
    kind, level = kind_of(name), usual[name]
    if kind in _SHARES:
        return _of_share((level * rows + 0.5) / (rows + 1), rows)  # what was never seen is not impossible
    if kind in _SAMPLED:
        return _of_share(level, _SAMPLED[kind])
    if kind == CORRELATION:
        return (1 - min(1.0, level**2)) / math.sqrt(rows)
    if kind == "distance to the last 7":
        return _OF_DISTANCE * abs(level)
    if kind.startswith("quantile"):
        return _of_quantile(name, usual, rows)
    deviation = usual.get(f"{name.rpartition(': ')[0]}: deviation", 0.0)
    return _OF_DEVIATIONS.get(kind, 0.0) * abs(deviation) / math.sqrt(rows)


def _of_share(share: float, count: float) -> float:
    return math.sqrt(max(0.0, share * (1 - share)) / count)


def _of_quantile(name: str, usual: Mapping[str, float], rows: float) -> float:
    """By how steep the distribution is there, which the quantiles beside it tell."""
    stem, _, text = name.rpartition(" ")
    place = _QUANTILES.index(float(text))
    low, high = (_QUANTILES[min(4, max(0, place + step))] for step in (-1, 1))
    between = usual.get(f"{stem} {high:g}", 0.0) - usual.get(f"{stem} {low:g}", 0.0)
    share = _QUANTILES[place]
    return math.sqrt(share * (1 - share) / rows) * abs(between) / (high - low)
