# SPDX-License-Identifier: Apache-2.0
"""What a profile shares with those of earlier parts: values seen before, new ones, gone ones, and shares of few values.

    >>> overlaps(today, last_week, [("country", "string")])["country"].new  # doctest: +SKIP
    0.31

New and gone are shares of cells in bins that the other side has none in: exact for up to 64 distinct values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineagekit.identity.profile import ColumnProfile, Counts, Profile, detail_of

_FEWEST_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Overlap:
    """One column against the same column of earlier parts; None where the profile cannot say."""

    new: float | None = None
    gone: float | None = None
    distance: float | None = None
    """Half the sum of differences between shares of bins, 0 to 1."""
    seen: float | None = None
    """Of the distinct values, the share that is in an earlier part."""


def overlaps(profile: Profile, before: Sequence[Profile], columns: Sequence[tuple[str, str]]) -> Mapping[str, Overlap]:
    """Overlaps by name with earlier parts of the same schema; empty without any."""
    alike = [one for one in before if one.schema_hash == profile.schema_hash]
    if not alike:
        return {}
    names = _names(columns)[: len(profile.columns)]
    return {
        name: _overlap(column, [one.columns[place] for one in alike])
        for place, (name, column) in enumerate(zip(names, profile.columns, strict=True))
    }


def seen_rows(profile: Profile, before: Sequence[Profile]) -> float | None:
    """Of the distinct rows, the share that is in an earlier part of the same schema."""
    alike = [one.row_samples for one in before if one.schema_hash == profile.schema_hash]
    return _share_seen(profile.row_samples, alike, len(profile.row_samples))


def repeated_rows(profile: Profile) -> float:
    """The share of rows that have an equal row before them, from a sample."""
    rows = sum(count for _, count in profile.row_samples)
    return 1 - len(profile.row_samples) / rows if rows else 0.0


def value_shares(profile: Profile, columns: Sequence[tuple[str, str]]) -> Mapping[str, Mapping[int, float]]:
    """Shares of a column's values by their hashes, of columns that have few enough to be kept one by one."""
    most, found = detail_of(len(profile.columns)).samples, {}
    for name, column in zip(_names(columns), profile.columns, strict=False):
        cells = sum(count for _, count in column.samples)
        if 0 < len(column.samples) < most:
            found[name] = {value: count / cells for value, count in column.samples}
    return found


def largest_bin(column: ColumnProfile) -> float | None:
    """The share of the fullest bin: a value that fills a column shows in it, whatever the value."""
    cells = sum(count for _, count in column.bins)
    return max(count for _, count in column.bins) / cells if cells else None


def _names(columns: Sequence[tuple[str, str]]) -> list[str]:
    return sorted((name for name, _ in columns), key=str.encode)


def _overlap(column: ColumnProfile, before: Sequence[ColumnProfile]) -> Overlap:
    seen = _share_seen(column.samples, [one.samples for one in before], len(column.samples))
    level = max(column.level, *(one.level for one in before))
    ours = _shares([column], level)
    theirs = _shares(before, level)
    if not ours or not theirs:
        return Overlap(seen=seen)
    return Overlap(
        new=sum(share for key, share in ours.items() if key not in theirs),
        gone=sum(share for key, share in theirs.items() if key not in ours),
        distance=sum(abs(ours.get(key, 0.0) - theirs.get(key, 0.0)) for key in ours.keys() | theirs.keys()) / 2,
        seen=seen,
    )


def _shares(columns: Iterable[ColumnProfile], level: int) -> dict[int, float]:
    counts: dict[int, float] = {}
    for column in columns:
        drop = level - column.level
        for key, count in column.bins:
            counts[key >> drop] = counts.get(key >> drop, 0) + count
    cells = sum(counts.values())
    return {key: count / cells for key, count in counts.items()}


def _share_seen(samples: Counts, before: Sequence[Counts], most: int) -> float | None:
    """Samples are the smallest hashes: up to the largest that *all* keep, what is not in one was not there."""
    full = [one[-1][0] for one in (samples, *before) if len(one) >= most > 0]
    limit = min(full, default=1 << 64)
    known = {value for one in before for value, _ in one}
    asked = [value in known for value, _ in samples if value <= limit]
    return sum(asked) / len(asked) if before and len(asked) >= min(_FEWEST_SAMPLES, most) > 0 else None
