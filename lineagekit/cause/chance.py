# SPDX-License-Identifier: Apache-2.0
"""Chance: how much a level moves from day to day because a partition has only so many rows, and nothing else.

>>> chance_of("amount: null share", {"amount: null share": 0.1}, rows=900)
0.01

A history of few days may look calmer than that by luck; its spread is not believed then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lineagekit.cause.levels import CORRELATION, kind_of

_SHARES = (
    "null share",
    "NaN share",
    "share below 0",
    "share of its most common value",
    "share of its fullest range",
    "share of value",
    "share of new values",
    "share of values gone",
)
_OF_DEVIATIONS = {"mean": 1.0, "deviation": 1.0}
_OF_QUANTILES = 1.5
_SAMPLED = {"repeated rows": 64, "rows seen in the last 7": 64, "values seen in the last 7": 12, "repeated values": 20}
"""About how many distinct values or rows a share is an estimate from."""
_OF_DISTANCE = 0.15


def chance_of(name: str, usual: Mapping[str, float], *, rows: float) -> float:
    """The standard deviation of a level by chance alone, given what is usual of all levels; 0 if that is not known."""
    kind, level = kind_of(name), usual[name]
    if kind in _SHARES:
        return _of_share(level, rows)
    if kind in _SAMPLED:
        return _of_share(level, _SAMPLED[kind])
    if kind == CORRELATION:
        return (1 - min(1.0, level**2)) / math.sqrt(rows)
    if kind == "distance to the last 7":
        return _OF_DISTANCE * abs(level)
    factor = _OF_QUANTILES if kind.startswith("quantile") else _OF_DEVIATIONS.get(kind, 0.0)
    return factor * abs(usual.get(f"{name.rpartition(': ')[0]}: deviation", 0.0)) / math.sqrt(rows)


def _of_share(share: float, count: float) -> float:
    return math.sqrt(max(0.0, share * (1 - share)) / count)
