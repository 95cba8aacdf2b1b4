# SPDX-License-Identifier: Apache-2.0
"""Levels: what one partition looks like, in numbers that can be compared from day to day.

    >>> levels_of(profile, [("amount", "float64")], before=last_week)["amount: mean"]  # doctest: +SKIP
    4.1

The name of a level is a column (or two) and one of the kinds below; `log rows` has no column. A narrow table gives
about fifteen a column, a wide one nulls only: as much as its profile keeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lineagekit.errors import IncomparableError
from lineagekit.identity.profile import Profile
from lineagekit.identity.profile_overlap import (
    Overlap,
    largest_bin,
    overlaps,
    repeated_rows,
    seen_rows,
    value_shares,
)
from lineagekit.identity.profile_summary import ColumnSummary, correlations, smooth_quantiles, summarise

LOOK_BACK = 7
"""Earlier partitions that values are compared with."""
ROWS = "log rows"
MODAL = "share of its most common value"
VALUE = "share of value"
CORRELATION = "correlation"
TOGETHER = "usual correlations"
"""How much is left of all correlations of a column: 1 as a rule. Not of a profile, but of a history of them."""


@dataclass(frozen=True, slots=True)
class Level:
    """The levels of one partition, as it was when it came: later versions of it are fuller, and are not alike."""

    when: int
    """The time that the partition is *of*, in microseconds since 1970."""
    levels: Mapping[str, float]

    def get(self, name: str) -> float | None:
        """A level, None if there is none; a value that is not among a column's few has no share."""
        found = self.levels.get(name)
        if found is None and kind_of(name) == VALUE and f"{name.rpartition(': ')[0]}: {MODAL}" in self.levels:
            return 0.0
        return found


class Kind(NamedTuple):
    """How a level of this kind is judged: what is left out of an experiment with it, and what is too small to count."""

    group: str
    floor: float
    """A smaller difference is none, however calm the history."""
    is_relative: bool = False
    """To the column's deviation."""
    weight: float = 1.0


_QUANTILE = Kind("quantiles", 0.02, is_relative=True)
KINDS: Mapping[str, Kind] = {
    ROWS: Kind("rows", 0.02, weight=0.6),
    "repeated rows": Kind("keys", 0.01),
    "rows seen in the last 7": Kind("keys", 0.02),
    "null share": Kind("nulls", 0.005),
    "NaN share": Kind("nulls", 0.005),
    "mean": _QUANTILE,
    "deviation": _QUANTILE,
    "quantile 0.05": _QUANTILE,
    "quantile 0.25": _QUANTILE,
    "quantile 0.5": _QUANTILE,
    "quantile 0.75": _QUANTILE,
    "quantile 0.95": _QUANTILE,
    "share below 0": Kind("quantiles", 0.01),
    MODAL: Kind("modal share", 0.01),
    "share of its fullest range": Kind("modal share", 0.01),
    VALUE: Kind("categories", 0.01),
    "share of new values": Kind("categories", 0.01),
    "share of values gone": Kind("categories", 0.01),
    "distance to the last 7": Kind("shape", 0.01),
    "values seen in the last 7": Kind("keys", 0.04),
    "repeated values": Kind("keys", 0.02),
    CORRELATION: Kind("association", 0.02),
    TOGETHER: Kind("association", 0.02),
}


def kind_of(name: str) -> str:
    """The kind of a level, by its name; a column's name may hold anything."""
    kind = name.rpartition(": ")[2]
    return VALUE if kind.startswith(VALUE) else kind


def levels_of(
    profile: Profile, columns: Sequence[tuple[str, str]], *, before: Sequence[Profile] = ()
) -> Mapping[str, float]:
    """The levels of a partition; `before` are the profiles of the partitions just before it, the last seven count."""
    if profile.columns and len(columns) != len(profile.columns):
        raise IncomparableError(f"the profile keeps {len(profile.columns)} columns: got {len(columns)} names")
    last = list(before)[-LOOK_BACK:]
    found = {ROWS: math.log(profile.rows + 1), "repeated rows": repeated_rows(profile)}
    seen = seen_rows(profile, last)
    if seen is not None:
        found["rows seen in the last 7"] = seen
    if profile.columns:
        found.update(_of_columns(profile, columns, last))
    return {name: level for name, level in found.items() if math.isfinite(level)}


def _of_columns(
    profile: Profile, columns: Sequence[tuple[str, str]], last: Sequence[Profile]
) -> Iterator[tuple[str, float]]:
    shared = overlaps(profile, last, columns)
    quantiles = smooth_quantiles(profile, columns)
    for (name, summary), column in zip(summarise(profile, columns).items(), profile.columns, strict=True):
        for share, value in quantiles.get(name, ()):
            yield f"{name}: quantile {share:g}", value
        fullest = largest_bin(column) if summary.modal_share is None else None
        for kind, level in _of_column(summary, shared.get(name, Overlap()), fullest):
            if level is not None:
                yield f"{name}: {kind}", level
    for name, shares in value_shares(profile, columns).items():
        yield from ((f"{name}: {VALUE} {value:016x}", share) for value, share in shares.items())
    for (a, b), together in correlations(profile, columns, categories=True).items():
        yield f"{a} ~ {b}: {CORRELATION}", together


def _of_column(summary: ColumnSummary, shared: Overlap, fullest: float | None) -> Iterator[tuple[str, float | None]]:
    yield "null share", summary.null_share
    yield "NaN share", summary.nan_share
    yield "mean", summary.mean
    yield "deviation", summary.deviation
    yield "share below 0", summary.negative_share
    yield MODAL, summary.modal_share
    yield "share of its fullest range", fullest
    yield "share of new values", shared.new
    yield "share of values gone", shared.gone
    yield "distance to the last 7", shared.distance
    yield "values seen in the last 7", shared.seen
    yield "repeated values", summary.repeated_share
