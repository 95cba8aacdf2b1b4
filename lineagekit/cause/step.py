# SPDX-License-Identifier: Apache-2.0
"""Where in a row of grades something happened: nothing, a trend, one step or two; and whether a drop is real.

>>> found = shape([0.87, 0.871, 0.869, 0.87, 0.81, 0.812, 0.809])
>>> found.kind, found.steps
('step', (4,))
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

MOST = 30
"""Builds that are looked at: the last ones."""
PRIOR = 4
"""Builds' worth of belief in the noise that is known from elsewhere."""
_ALARM = 0.01
_ONE_STEP, _TWO_STEPS = 4, 8
"""Parameters that these count for: levels, and more than one for each place, which was chosen among many."""
_TINY = 1e-12
_CLEARLY = 4
"""Times the noise by which each build of a fall that goes on is worse than the one before."""
_LEAST = 6
"""Values before it whose noise is known."""
_SHARES = ("acc", "precision", "recall", "f1")
"""Metrics that are shares of rows."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a row of grades looks like. `steps` are the places of the first builds after each step."""

    kind: Literal["none", "trend", "step", "steps"]
    steps: tuple[int, ...] = ()
    noise: float = 0.0
    margin: float = 0.0
    """By how much (BIC) it is likelier than the next place for the step; below about 2 it is not separable."""


def shape(values: Sequence[float]) -> Shape:
    """By the Bayesian information criterion."""
    n = len(values)
    if n < 3:
        return Shape("none")
    floor = max(_spread(values) * 1e-3, _TINY) ** 2
    candidates: list[tuple[float, Shape]] = [(_bic(_flat(values), n, 1, floor), Shape("none"))]
    candidates.append((_bic(_line(values), n, 2, floor), Shape("trend")))
    ones = [
        (_bic(_flat(values[:k]) + _flat(values[k:]), n, _ONE_STEP, floor), Shape("step", (k,))) for k in range(1, n)
    ]
    candidates += ones
    candidates += [
        (_bic(_flat(values[:a]) + _flat(values[a:b]) + _flat(values[b:]), n, _TWO_STEPS, floor), Shape("steps", (a, b)))
        for a in range(1, n - 1)
        for b in range(a + 1, n)
        if n >= 6
    ]
    best, found = min(candidates, key=lambda one: one[0])
    rivals = [score for score, other in candidates if other.kind == found.kind and other.steps != found.steps]
    margin = min(rivals) - best if rivals else math.inf
    return Shape(found.kind, found.steps, noise_of(values), margin)


def beginning(values: Sequence[float], first: int, *, higher_is_better: bool) -> int:
    """Where a fall began that leads to this step build by build: a window takes in one more bad day with each."""
    limit = max(_CLEARLY * noise_of(values[:first]), _TINY)
    sign = 1 if higher_is_better else -1
    while first > _LEAST and sign * (values[first - 2] - values[first - 1]) > limit:
        first -= 1
    return first


def noise_of(values: Sequence[float]) -> float:
    """How much neighbours differ, robustly: a step touches one difference, a trend hardly any."""
    differences = [abs(b - a) for a, b in pairwise(values)]
    return 1.4826 * statistics.median(differences) / math.sqrt(2) if differences else 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a drop is more than noise."""

    verdict: Literal["real", "not real", "cannot tell"]
    drop: float
    """How much worse, positive."""
    band: float
    """What the drop has to exceed."""
    builds: int
    """That the noise was learned from."""


def gate(
    reference: Sequence[float], bad: float, *, higher_is_better: bool, looked_at: int = 0, noise: float = 0.0
) -> Gate:
    """Compare with all builds of the regime before; `noise` is what is known of it otherwise (repeats, the exam).

    `looked_at` builds were there to choose the bad one from: the more, the worse the worst one is by chance alone.
    """
    n = len(reference)
    middle = statistics.fmean(reference)
    drop = middle - bad if higher_is_better else bad - middle
    spread = max(noise, _robust(reference))
    if n < 2 and not noise:
        return Gate("cannot tell", drop, math.inf, n)
    # A few builds that happen to agree are no proof of little noise: the t distribution of so few is wide.
    freedom = max(n - 1, 1) + (PRIOR if noise else 0)
    band = spread * math.sqrt(1 + 1 / n) * t_quantile(1 - _ALARM / (max(n, looked_at) + 1), freedom)
    if drop > max(band, _TINY):
        return Gate("real" if n >= 3 or noise else "cannot tell", drop, band, n)
    return Gate("not real" if n > PRIOR else "cannot tell", drop, band, n)


def t_quantile(p: float, freedom: float) -> float:
    """Student's t: where a share `p` lies below; found by halving, to nine digits."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_below(middle, freedom) < p else (low, middle)
        if high - low < 1e-9 * max(high, 1.0):
            break
    return high


def exam_error(metric: str, value: float, rows: int) -> float:
    """Standard error of a grade on an exam of so many rows; 0 where it is not known how such a metric comes about."""
    name = metric.lower()
    if not 0 < value < 1 or rows < 2:
        return 0.0
    if "auc" in name:
        return _auc_error(value, rows / 2)
    return math.sqrt(value * (1 - value) / rows) if any(word in name for word in _SHARES) else 0.0


def _auc_error(value: float, half: float) -> float:
    """By Hanley and McNeil, with half of the rows positive: fewer make it larger."""
    q1, q2 = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (half - 1) * (q1 - value**2) + (half - 1) * (q2 - value**2)
    return math.sqrt(max(spread, 0.0)) / half


def _robust(values: Sequence[float]) -> float:
    """The larger of the usual and the robust deviation: neither an outlier nor agreement by chance may shrink it."""
    if len(values) < 2:
        return 0.0
    middle = statistics.median(values)
    robust = 1.4826 * statistics.median(abs(value - middle) for value in values)
    return max(robust, statistics.stdev(values))


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _flat(values: Sequence[float]) -> float:
    middle = statistics.fmean(values)
    return sum((value - middle) ** 2 for value in values)


def _line(values: Sequence[float]) -> float:
    n = len(values)
    slope, start = statistics.linear_regression(range(n), values)
    return sum((value - start - slope * place) ** 2 for place, value in enumerate(values))


def _bic(squares: float, n: int, parameters: int, floor: float) -> float:
    return n * math.log(squares / n + floor) + parameters * math.log(n)


def _t_below(t: float, freedom: float) -> float:
    """The share of Student's t below a positive number, by the incomplete beta function."""
    return 1 - 0.5 * _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta, by Lentz's continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    f, c, d = 1.0, 1.0, 0.0
    for i in range(400):
        m = i // 2
        if i == 0:
            numerator = 1.0
        elif i % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + numerator * d or 1e-300)
        c = 1 + numerator / c or 1e-300
        f *= c * d
        if abs(1 - c * d) < 1e-14:
            break
    return front * (f - 1)
