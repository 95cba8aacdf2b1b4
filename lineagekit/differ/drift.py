# SPDX-License-Identifier: Apache-2.0
"""Drift scores of one column: PSI and KS, from samples or from counts in bins that both sides share.

>>> a, b = np.arange(1000.0), np.arange(1000.0) + 300
>>> round(ks_of(a, b), 2), psi_of(*binned(a, b)) > 0.25, psi_of(*binned(a, a))
(0.3, True, 0.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = tuple[Sequence[float], Sequence[float]]

_BINS = 10
_NOTHING = 0.5
"""Added to each bin: an empty one is unlikely, not impossible."""


def binned(before: Floats, after: Floats) -> Counts:
    """Counts between the deciles of the first sample; NaN, which stands for null, is a bin of its own."""
    a, b = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(a) or not len(b):
        return (len(a), len(before) - len(a)), (len(b), len(after) - len(b))
    edges = np.unique(np.quantile(a, np.arange(1, _BINS) / _BINS, method="lower"))
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (a, b)]
    missing = len(before) - len(a), len(after) - len(b)
    if any(missing):
        counts = [np.append(count, number) for count, number in zip(counts, missing, strict=True)]
    return tuple(map(float, counts[0])), tuple(map(float, counts[1]))


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


def ks_of(before: Floats, after: Floats) -> float | None:
    """Kolmogorov-Smirnov: the largest distance of the two distributions, 0 to 1; nulls aside."""
    a, b = np.sort(before[~np.isnan(before)]), np.sort(after[~np.isnan(after)])
    if not len(a) or not len(b):
        return None
    values = np.concatenate([a, b])
    shares = (np.searchsorted(side, values, "right") / len(side) for side in (a, b))
    return round(float(np.abs(np.subtract(*shares)).max()), 6)


def ks_of_counts(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The same of counts in bins in the order of values: at least so much."""
    a, b = np.cumsum(before), np.cumsum(after)
    if not len(a) or not a[-1] or not b[-1]:
        return None
    return round(float(np.abs(a / a[-1] - b / b[-1]).max()), 6)
