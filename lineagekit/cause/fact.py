# SPDX-License-Identifier: Apache-2.0
"""What builds saw of a feed's parts, and what is said of that: values only.

>>> Fact("stale", "2026-06-03", 1, True, "2026-06-03 has the content of 2026-06-02; never in 30 parts").kind
'stale'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_MONDAY = 3  # the weekday of the epoch

FactKind = Literal["entered", "expired", "restated", "missing", "stale", "late"]


@dataclass(frozen=True, slots=True)
class Observation:
    """A feed as one build read it: the digest of each part by its key, "" where none is known."""

    when: int
    """Of the reading, in microseconds since 1970."""
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to one part."""

    kind: FactKind
    key: str
    age: int | None
    """Days from the time that the part is of to what happened; of a stale part, to the part that it repeats."""
    is_unusual: bool
    """More than this feed ever did: it goes first, whatever the scores."""
    sentence: str


def day_of(when: int) -> int:
    """The number of a day, since 1970."""
    return when // DAY


def weekday_of(day: int) -> int:
    """0 for a Monday."""
    return (day + _MONDAY) % 7


def date_of(when: int) -> date:
    """The day as people write it."""
    return _EPOCH + timedelta(days=day_of(when))


def days(span: int) -> str:
    """A span of time in days.

    >>> days(3 * DAY), days(DAY // 2)
    ('3 days', '0.5 days')
    """
    count = span / DAY
    return f"{count:.0f} day{'' if count == 1 else 's'}" if count >= 3 or count == int(count) else f"{count:.1f} days"
