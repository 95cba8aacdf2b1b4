# SPDX-License-Identifier: Apache-2.0
"""What a profile says in words that a person uses: quantiles, shares, repeats; and what two profiles say together.

    >>> summarise(profile, [("amount", "float64")])["amount"].quantiles  # doctest: +SKIP
    ((0.05, 3.9), (0.25, 10.2), (0.5, 20.1), (0.75, 39.4), (0.95, 104.0))

Quantiles, mean and deviation are read off the bins: estimates, good to a twentieth of the standard deviation. Nulls,
NaNs, smallest, largest, sums and, for few distinct values, shares are exact.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lineagekit.errors import IncomparableError
from lineagekit.identity.profile import KEY_BITS, SKETCH_COUNTERS, ColumnProfile, Counts, Profile

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
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
    kept = sorted(columns, key=lambda column: column[0].encode())[: len(profile.columns)]
    return {
        name: _summary(column, profile.rows, logical)
        for column, (name, logical) in zip(profile.columns, kept, strict=True)
    }


def changed_columns(before: Profile, after: Profile, names: Sequence[str]) -> tuple[str, ...]:
    """Names (sorted as in the profile) of the columns whose cells are not the same multiset."""
    _require_alike(before, after)
    pairs = zip(names, before.columns, after.columns, strict=True)
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


def _summary(column: ColumnProfile, rows: int, logical: str) -> ColumnSummary:
    share = 1 / rows if rows else 0.0
    seen = sum(count for _, count in column.bins)
    shown = ColumnSummary(
        null_share=column.nulls * share,
        nan_share=column.nans * share,
        modal_share=max(count for _, count in column.bins) / seen if seen and not column.level else None,
        distinct=_distinct(column),
        repeated_share=_repeated_share(column.samples),
    )
    if not logical.startswith(_NUMERIC) or column.low > column.high:
        return shown
    return _with_numbers(shown, column, logical)


def _with_numbers(shown: ColumnSummary, column: ColumnProfile, logical: str) -> ColumnSummary:
    bins = [(low, high, count) for low, high, count in _edges(column, logical)]
    seen = sum(count for *_, count in bins)
    middle = [((low + high) / 2, count) for low, high, count in bins]
    mean = sum(value * count for value, count in middle) / seen if seen else None
    spread = sum((value - mean) ** 2 * count for value, count in middle) / seen if mean is not None else None
    negative = sum(count for key, count in column.bins if not key >> (KEY_BITS - 1 - column.level))
    return ColumnSummary(
        shown.null_share,
        shown.nan_share,
        low=value_of(column.low, logical),
        high=value_of(column.high, logical),
        mean=mean,
        deviation=math.sqrt(spread) if spread is not None else None,
        quantiles=tuple((q, _quantile(bins, q * seen)) for q in QUANTILES) if seen else (),
        negative_share=negative / seen if seen else None,
        modal_share=shown.modal_share,
        distinct=shown.distinct,
        repeated_share=shown.repeated_share,
    )


def _edges(column: ColumnProfile, logical: str) -> Iterator[tuple[float, float, int]]:
    """Each bin's smallest and largest value, no wider than what the column holds."""
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


def _distinct(column: ColumnProfile) -> int | None:
    """Exact where all values have a bin of their own, else estimated from the largest of the smallest hashes."""
    if not column.level and column.bins:
        return max(len(column.bins), len(column.samples))
    if not column.samples:
        return None
    return round((len(column.samples) - 1) * (1 << 64) / (column.samples[-1][0] or 1))


def _repeated_share(samples: Counts) -> float | None:
    """Share of cells that repeat an earlier one; samples are a fair choice of the distinct values."""
    cells = sum(count for _, count in samples)
    return 1 - len(samples) / cells if cells else None


def _require_alike(before: Profile, after: Profile) -> None:
    if before.schema_hash != after.schema_hash or len(before.sketch) != SKETCH_COUNTERS:
        raise IncomparableError("cannot compare profiles of tables with different columns or types")
