# SPDX-License-Identifier: Apache-2.0
"""Partitions as lineagekit sees them: hashed and profiled for real, then kept as levels, since tables are large.

>>> parts = profile_feed(feed)  # doctest: +SKIP
>>> parts[12].levels["amount: mean"]  # doctest: +SKIP
16.2
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from faults import Fault
from feeds import Feed

from lineagekit.cause.levels import LOOK_BACK, levels_of
from lineagekit.identity.profile import ColumnProfile, Profile
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import TableOptions, digest_table

_EMPTY = 1e-4


@dataclass(frozen=True, slots=True)
class Partition:
    """What is known of one partition."""

    day: int
    digest: str
    rows: int
    levels: Mapping[str, float]
    psi: float
    """The largest of its columns against the seven partitions before."""
    profile: Profile | None = None
    """Of the last eight: what later ones are compared with."""


def profile_feed(feed: Feed) -> dict[int, Partition]:
    """Every partition of a feed without faults."""
    parts: dict[int, Partition] = {}
    for day in feed.days:
        parts[day] = profile_part(feed.table(day), day, list(parts.values()))
    return parts


def with_fault(feed: Feed, parts: Mapping[int, Partition], fault: Fault, days: Sequence[int]) -> dict[int, Partition]:
    """The feed's partitions, those of some days with a fault; later ones are compared with what came before."""
    found = dict(parts)
    hit = [day for day in feed.days if day in days]
    if fault.kind == "stale" and hit:
        source = max(day for day in feed.days if day < hit[0])
    for day in (day for day in feed.days if hit and day >= hit[0]):
        before = [found[earlier] for earlier in feed.days if earlier < day]
        table = feed.table(source if fault.kind == "stale" and day in hit else day)
        found[day] = profile_part(fault.apply(table, day) if day in hit else table, day, before)
    return found


def profile_part(table: pa.Table, day: int, before: Sequence[Partition]) -> Partition:
    """Hash and profile a table, as `record` does."""
    result = digest_table(from_arrow(table), TableOptions(profile=True))
    last = [part.profile for part in before[-LOOK_BACK:] if part.profile is not None]
    if result.profile is None:
        raise RuntimeError("a profile was asked for")
    levels = levels_of(result.profile, result.columns, before=last)
    return Partition(
        day, str(result.digests[0]), result.rows, levels, _largest_psi(result.profile, last), result.profile
    )


def _largest_psi(profile: Profile, before: Sequence[Profile]) -> float:
    alike = [one for one in before if one.schema_hash == profile.schema_hash]
    columns = enumerate(profile.columns) if alike else ()
    return max((_psi(column, [one.columns[place] for one in alike]) for place, column in columns), default=0.0)


def _psi(column: ColumnProfile, before: Sequence[ColumnProfile]) -> float:
    """Population stability index over ten bins of about equal share."""
    level = max(column.level, *(one.level for one in before))
    ours, theirs = _shares([column], level), _shares(before, level)
    found = edge = a = b = 0.0
    for key in sorted(ours.keys() | theirs.keys()):
        a, b, edge = a + ours.get(key, 0.0), b + theirs.get(key, 0.0), edge + theirs.get(key, 0.0)
        if b >= 0.1:
            found += _term(a, b)
            a = b = 0.0
    return found + (_term(a, b) if a + b else 0.0)


def _term(a: float, b: float) -> float:
    a, b = max(a, _EMPTY), max(b, _EMPTY)
    return (a - b) * math.log(a / b)


def _shares(columns: Iterable[ColumnProfile], level: int) -> dict[int, float]:
    counts: dict[int, float] = {}
    for column in columns:
        for key, count in column.bins:
            counts[key >> level - column.level] = counts.get(key >> level - column.level, 0) + count
    total = sum(counts.values())
    return {key: count / total for key, count in counts.items()}
