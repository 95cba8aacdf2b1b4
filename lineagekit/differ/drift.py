# SPDX-License-Identifier: Apache-2.0
"""Drift scores of one column: PSI and KS, from samples or from counts in bins that both sides share.

>>> a, b = Sample.of(np.arange(1000.0)), Sample.of(np.arange(1000.0) + 300)
>>> round(ks_of(a, b), 2), psi_of(*binned(a, b)) > 0.25, psi_of(*binned(a, a))
(0.3, True, 0.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = tuple[Sequence[float], Sequence[float]]

_BINS = 10
_POINTS = 4096
"""Places of a sample at which two distributions are compared: finer than any sample of this size can tell."""
_NOTHING = 0.5
"""Added to each bin: an empty one is unlikely, not impossible."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Values in their order, and how many more were null."""

    values: Floats
    missing: int = 0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Of values in any order, among which NaN stands for null."""
        ordered = np.sort(values)  # NaN comes last
        there = int(np.searchsorted(ordered, np.nan)) if len(ordered) and np.isnan(ordered[-1]) else len(ordered)
        return cls(ordered[:there], len(ordered) - there)

    def __len__(self) -> int:
        """Values and nulls."""
        return len(self.values) + self.missing

    def quantiles(self, shares: Sequence[float]) -> tuple[float, ...]:
        """The values below which these shares lie."""
        last = len(self.values) - 1
        return tuple(float(self.values[round(share * last)]) for share in shares) if last >= 0 else ()


def binned(before: Sample, after: Sample) -> Counts:
    """Counts between the deciles of the first sample; nulls are a bin of their own."""
    edges = sorted(set(before.quantiles([share / _BINS for share in range(1, _BINS)])))
    counts = []
    for side in (before, after):
        ends = [0, *np.searchsorted(side.values, edges, "right"), len(side.values)]
        counts.append([float(count) for count in np.diff(ends)] + [float(side.missing)])
    if not (before.missing or after.missing):
        return counts[0][:-1], counts[1][:-1]
    return counts[0], counts[1]


def counted(before: Mapping[str, int], after: Mapping[str, int], nulls: tuple[int, int] = (0, 0)) -> Counts:
    """Counts of categories that either side has."""
    names = sorted({*before, *after})
    a, b = ([side.get(name, 0) for name in names] for side in (before, after))
    return ([*a, nulls[0]], [*b, nulls[1]]) if any(nulls) else (a, b)


def psi_of(before: Iterable[float], after: Iterable[float]) -> float | None:
    """Population stability index: 0 is no drift, from 0.1 it shows, above 0.25 it is another population."""
    a, b = np.array(list(before), np.float64), np.array(list(after), np.float64)
    if not a.sum() or not b.sum():
        return None
    a, b = ((side + _NOTHING) / (side.sum() + _NOTHING * len(side)) for side in (a, b))
    return round(float(((b - a) * np.log(b / a)).sum()), 6) + 0.0


def ks_of(before: Sample, after: Sample) -> float | None:
    """Kolmogorov-Smirnov: the largest distance of the two distributions, 0 to 1; nulls aside."""
    a, b = before.values, after.values
    if not len(a) or not len(b):
        return None
    places = np.concatenate([side[:: max(1, len(side) // _POINTS)] for side in (a, b)] + [a[-1:], b[-1:]])
    shares = (np.searchsorted(side, places, "right") / len(side) for side in (a, b))
    return round(float(np.abs(np.subtract(*shares)).max()), 6)


def ks_of_counts(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The same of counts in bins in the order of values: at least so much."""
    a, b = np.cumsum(before), np.cumsum(after)
    if not len(a) or not a[-1] or not b[-1]:
        return None
    return round(float(np.abs(a / a[-1] - b / b[-1]).max()), 6)
