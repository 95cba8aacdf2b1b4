# SPDX-License-Identifier: Apache-2.0
"""What a profile says in words that a person uses: quantiles, shares, repeats; and what two profiles say together.

    >>> summarise(profile, [("amount", "float64")])["amount"].quantiles  # doctest: +SKIP
    ((0.05, 3.9), (0.25, 10.2), (0.5, 20.1), (0.75, 39.4), (0.95, 104.0))

Quantiles, mean and deviation are read off the bins: estimates, good to a twentieth of the standard deviation. Nulls,
NaNs, smallest, largest and, for fewer than twenty distinct values, their number and shares are exact.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from lineagekit.errors import IncomparableError
from lineagekit.identity.profile import KEY_BITS, SKETCH_COUNTERS, ColumnProfile, Counts, Detail, Profile, detail_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MOST_DIGITS = 38  # of a decimal of 128 bits
_NUMERIC = ("int", "uint", "float", "decimal", "date", "time", "timestamp", "duration")


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column in plain numbers; None where the profile of so wide a table does not keep it or it has no meaning."""

    null_share: float
    nan_share: float
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: tuple[tuple[float, float], ...] = ()
    negative_share: float | None = None
    modal_share: float | None = None
    distinct: int | None = None
    repeated_share: float | None = None


def summarise(profile: Profile, columns: Sequence[tuple[str, str]]) -> dict[str, ColumnSummary]:
    """Summaries by name; `columns` are names and logical types in any order."""
    kept = _as_profiled(columns)[: len(profile.columns)]
    detail = detail_of(len(profile.columns))
    return {
        name: _summary(column, profile.rows, logical, detail)
        for column, (name, logical) in zip(profile.columns, kept, strict=True)
    }


def correlations(
    profile: Profile, columns: Sequence[tuple[str, str]], *, categories: bool = False
) -> dict[tuple[str, str], float]:
    """How ordered columns move together, -1 to 1, by pairs of names; empty for wide tables.

    Of order keys, which keep the order of values and tame their tails, as ranks do; unlike ranks they add up. A null
    counts as zero. A constant column moves with none. With `categories`, columns of few values join in, each value at a
    place of its own on the line: the sign says nothing, a change from day to day does.
    """
    kept = _as_profiled(columns)
    width, rows = len(kept), max(1, profile.rows)
    if not profile.moments:
        return {}
    detail = detail_of(width)
    joins = [
        _is_ordered(logical) or (categories and _is_few(column, detail))
        for column, (_, logical) in zip(profile.columns, kept, strict=True)
    ]
    means, products = [m / rows for m in profile.moments[:width]], profile.moments[width:]
    pairs = list(combinations_with_replacement(range(width), 2))
    covariance = {pair: m / rows - means[pair[0]] * means[pair[1]] for pair, m in zip(pairs, products, strict=True)}
    found = {}
    for (a, b), shared in covariance.items():
        scale = covariance[a, a] * covariance[b, b]
        if a != b and scale > 0 and joins[a] and joins[b]:
            found[kept[a][0], kept[b][0]] = shared / math.sqrt(scale)
    return found


def changed_columns(before: Profile, after: Profile, names: Sequence[str]) -> tuple[str, ...]:
    """Those of a table's column names whose cells are not the same multiset."""
    _require_alike(before, after)
    if len(names) != len(before.columns):
        raise IncomparableError(f"the profile keeps {len(before.columns)} columns: got {len(names)} names")
    pairs = zip(sorted(names, key=str.encode), before.columns, after.columns, strict=True)
    return tuple(name for name, a, b in pairs if a.total != b.total)


def estimate_changed_rows(before: Profile, after: Profile) -> int:
    """About how many rows were removed plus added (standard error 4 to 6 %); 0 means none, as far as this sees."""
    _require_alike(before, after)
    return sum((a - b) ** 2 for a, b in zip(before.sketch, after.sketch, strict=True))


def value_of(order_key: int, logical: str) -> float:
    """The number behind an order key, in the column's unit (a decimal in its own scale)."""
    bits = order_key & ~(1 << 63) if order_key >> 63 else ~order_key & (1 << 64) - 1
    (number,) = struct.unpack("<d", struct.pack("<Q", bits))
    scale = int(logical.rstrip(")").split(",")[1]) if logical.startswith("decimal") else 0
    return float(number) / 10.0**scale


def _as_profiled(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(columns, key=lambda column: column[0].encode())


def _summary(column: ColumnProfile, rows: int, logical: str, detail: Detail) -> ColumnSummary:
    share = 1 / rows if rows else 0.0
    cells = sum(count for _, count in column.samples)
    is_few = _is_few(column, detail)
    shown = ColumnSummary(
        null_share=column.nulls * share,
        nan_share=column.nans * share,
        modal_share=max(count for _, count in column.samples) / cells if is_few else None,
        distinct=len(column.samples) if is_few else _estimate_distinct(column.samples),
        repeated_share=1 - len(column.samples) / cells if cells else None,
    )
    if not _is_ordered(logical) or column.low > column.high:
        return shown
    low, high = value_of(column.low, logical), value_of(column.high, logical)
    return _with_numbers(replace(shown, low=low, high=high), column, logical)


def _is_few(column: ColumnProfile, detail: Detail) -> bool:
    """Then the samples are all distinct values that there are."""
    return 0 < len(column.samples) < detail.samples


def _is_ordered(logical: str) -> bool:
    """Wider decimals than 128 bits are profiled by their hashes."""
    return logical.startswith(_NUMERIC) and not (logical.startswith("decimal") and _digits(logical) > _MOST_DIGITS)


def _digits(logical: str) -> int:
    return int(logical[len("decimal(") :].partition(",")[0])


def _with_numbers(shown: ColumnSummary, column: ColumnProfile, logical: str) -> ColumnSummary:
    bins = list(edges(column, logical))
    seen = sum(count for *_, count in bins)
    if not seen:
        return shown
    negative = sum(count for key, count in column.bins if not key >> (KEY_BITS - 1 - column.level))
    shown = replace(shown, negative_share=negative / seen)
    if not all(map(math.isfinite, (shown.low or 0, shown.high or 0))):
        return shown  # with an infinity among the values these have no meaning
    mean = sum((low / 2 + high / 2) * (count / seen) for low, high, count in bins)
    return replace(
        shown,
        mean=mean,
        deviation=_deviation(bins, mean, seen),
        quantiles=tuple((q, _quantile(bins, q * seen)) for q in QUANTILES),
    )


def _deviation(bins: list[tuple[float, float, int]], mean: float, seen: int) -> float | None:
    """Between the bins and, as if values lay evenly there, within them; None where squares overflow."""
    spread = 0.0
    for low, high, count in bins:
        distance, width = low / 2 + high / 2 - mean, high - low
        spread += (distance * distance + width * width / 12) * (count / seen)
    return math.sqrt(spread) if math.isfinite(spread) else None


def edges(column: ColumnProfile, logical: str) -> Iterator[tuple[float, float, int]]:
    """Each bin's smallest and largest value, no wider than what the column holds, and its count."""
    drop = 64 - KEY_BITS + column.level
    for key, count in column.bins:
        low, high = max(key << drop, column.low), min((key + 1 << drop) - 1, column.high)
        yield value_of(low, logical), value_of(high, logical), count


def _quantile(bins: list[tuple[float, float, int]], rank: float) -> float:
    for low, high, count in bins:
        if rank <= count:
            return low + (high - low) * rank / count
        rank -= count
    return bins[-1][1]


def smooth_quantiles(
    profile: Profile, columns: Sequence[tuple[str, str]]
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Quantiles between the middles of bins: of a count that is 2 or 3 they move a little each day, and never jump.

    For comparing parts with one another; `summarise` tells what a quantile is.
    """
    kept = zip(profile.columns, _as_profiled(columns), strict=False)
    return {name: _smooth(column, logical) for column, (name, logical) in kept if _is_ordered(logical) and column.bins}


def _smooth(column: ColumnProfile, logical: str) -> tuple[tuple[float, float], ...]:
    middles = [(low / 2 + high / 2, count) for low, high, count in edges(column, logical)]
    seen, below, ranks = sum(count for _, count in middles), 0.0, []
    for _, count in middles:
        ranks.append((below + count / 2) / seen)
        below += count
    return tuple((q, _between([value for value, _ in middles], ranks, q)) for q in QUANTILES)


def _between(values: Sequence[float], ranks: Sequence[float], rank: float) -> float:
    above = bisect_left(ranks, rank)
    if above in (0, len(ranks)):
        return values[min(above, len(ranks) - 1)]
    share = (rank - ranks[above - 1]) / (ranks[above] - ranks[above - 1])
    return values[above - 1] + share * (values[above] - values[above - 1])


def _estimate_distinct(samples: Counts) -> int | None:
    """From the largest of the smallest hashes; samples are a fair choice of the distinct values."""
    return round((len(samples) - 1) * (1 << 64) / (samples[-1][0] or 1)) if samples else None


def _require_alike(before: Profile, after: Profile) -> None:
    if before.schema_hash != after.schema_hash or len(before.sketch) != SKETCH_COUNTERS:
        raise IncomparableError("cannot compare profiles of tables with different columns or types")
