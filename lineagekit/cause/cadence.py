# SPDX-License-Identifier: Apache-2.0
"""Cadence: when a feed's parts come, how late, how often they are rewritten or repeated: learned from its own past.

>>> split_key("eu/2026-05-01")
('eu/{}', 1777593600000000)
>>> split_key("part-0.parquet")
('part-0.parquet', None)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from statistics import median

from lineagekit.cause.fact import DAY, Observation, day_of, weekday_of

_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:"
    r"-?W(?P<week>[0-5]\d)"
    r"|(?P<gap>[-_/.]?)(?P<month>0[1-9]|1[0-2])(?:(?P=gap)(?P<day>0[1-9]|[12]\d|3[01]))?"
    r"(?:[T_/ -]?(?P<hour>[01]\d|2[0-3])(?:[:_-]?(?P<minute>[0-5]\d))?)?"
    r")(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The dated parts of one stream in one observation: by their time, key and digest."""

    when: int
    parts: Mapping[int, tuple[str, str]]


@lru_cache(maxsize=65_536)
def split_key(key: str) -> tuple[str, int | None]:
    """What a part is a part of, and the time it is of in microseconds, None if its key has no date."""
    found = _DATE.search(key)
    if found is None:
        return key, None
    year, week, month, day = (int(found[part] or 0) for part in ("year", "week", "month", "day"))
    try:
        on = date.fromisocalendar(year, week, 1) if week else date(year, month, day or 1)
    except ValueError:
        return key, None
    time = datetime(on.year, on.month, on.day, int(found["hour"] or 0), int(found["minute"] or 0), tzinfo=UTC)
    return f"{key[: found.start()]}{{}}{key[found.end() :]}", int(time.timestamp()) * 1_000_000


def moment_in(key: str) -> str:
    """The date in a part's key, as it is written there; all of the key where it has none."""
    found = _DATE.search(key)
    return found[0] if found and split_key(key)[1] is not None else key


@dataclass(frozen=True, slots=True)
class Habits:
    """What a stream of dated parts has done so far."""

    builds: int
    """That read it."""
    parts: int
    """Ever seen."""
    weekdays: frozenset[int]
    """On which a daily stream has a part; empty for other cadences."""
    longest_gap: int
    """Between the times of two parts that follow one another."""
    holes: int
    """Days without a part that should have had one."""
    lag: int
    """The longest that a part was ever waited for, from the time it is of."""
    rewritten: int | None
    """The age of the oldest part that was ever rewritten; None for never."""
    repeats: int
    """The longest row of parts that each had the content of an earlier one."""
    reach: int
    """How far back every build read, at least."""
    rhythm: int
    """Usual time between two builds."""


def learn(history: Sequence[Seen]) -> Habits:
    """The habits of a stream, from at least one observation of it."""
    times = sorted({time for seen in history for time in seen.parts})
    gaps = [after - before for before, after in pairwise(times)]
    weekdays = _weekdays(times) if gaps and DAY // 2 < median(gaps) < 3 * DAY // 2 else frozenset()
    ages = [age for before, after in pairwise(history) for _, _, age in rewrites(before, after)]
    return Habits(
        builds=len(history),
        parts=len(times),
        weekdays=weekdays,
        longest_gap=max(gaps, default=0),
        holes=len(missing_days(times, weekdays, (day_of(times[0]), day_of(times[-1])))) if times else 0,
        lag=_longest_lag(history),
        rewritten=max(ages, default=None),
        repeats=max(repeats(versions(history)).values(), default=0),
        reach=min(reach(seen) for seen in history),
        rhythm=int(median([after.when - before.when for before, after in pairwise(history)] or [DAY])),
    )


def _weekdays(times: Sequence[int]) -> frozenset[int]:
    """Those on which at least half of the days have a part."""
    days = {day_of(time) for time in times}
    had = Counter(weekday_of(day) for day in days)
    might = Counter(weekday_of(day) for day in range(min(days), max(days) + 1))
    return frozenset(weekday for weekday, count in might.items() if 2 * had[weekday] >= count)


def missing_days(times: Sequence[int], weekdays: frozenset[int], span: tuple[int, int]) -> list[int]:
    """Days of a span, both ends included, that should have a part and have none."""
    days = {day_of(time) for time in times}
    return [day for day in range(span[0], span[1] + 1) if day not in days and weekday_of(day) in weekdays]


def reach(seen: Seen) -> int:
    """How far back a build read."""
    return seen.when - min(seen.parts, default=seen.when)


def rewrites(before: Seen, after: Seen) -> Iterator[tuple[int, int, int]]:
    """Time of each part that was rewritten between two builds, and its age then: at least, at most."""
    for time, (_, digest) in after.parts.items():
        old = before.parts.get(time, ("", ""))[1]
        if old and digest and old != digest:
            yield time, before.when - time, after.when - time


def repeats(versions: Mapping[int, Sequence[str]]) -> dict[int, int]:
    """For parts that came with the content that an earlier part had once: how many in a row did, up to this one."""
    seen: set[str] = set()
    found, row = {}, 0
    for time, digests in sorted(versions.items()):
        row = row + 1 if digests[0] and digests[0] in seen else 0
        if row:
            found[time] = row
        seen.update(digests)
    return found


def versions(builds: Iterable[Seen]) -> dict[int, list[str]]:
    """All contents that each part ever had, the one that it came with first."""
    found: dict[int, list[str]] = {}
    for seen in builds:
        for time, (_, digest) in seen.parts.items():
            theirs = found.setdefault(time, [])
            if not theirs or theirs[-1] != digest:
                theirs.append(digest)
    return found


def _longest_lag(history: Sequence[Seen]) -> int:
    """Of parts that were seen to come; if none was, the age of the newest in the last build."""
    known, lags = set(history[0].parts), []
    for seen in history[1:]:
        newest = max(known, default=0)
        lags += [seen.when - time for time in seen.parts if time not in known and time > newest]
        known |= set(seen.parts)
    newest = max(history[-1].parts, default=history[-1].when)
    return max(lags, default=history[-1].when - newest)


def streams(observations: Sequence[Observation]) -> tuple[dict[str, list[Seen]], list[Observation]]:
    """The dated parts of each stream, and the parts without a date, build by build."""
    dated: dict[str, list[Seen]] = {}
    undated = []
    for place, one in enumerate(observations):
        rest, here = {}, dict[str, dict[int, tuple[str, str]]]()
        for key, digest in one.parts.items():
            stream, time = split_key(key)
            if time is None:
                rest[key] = digest
            else:
                here.setdefault(stream, {})[time] = key, digest
        undated.append(Observation(one.when, rest))
        for stream in here.keys() - dated.keys():
            dated[stream] = [Seen(earlier.when, {}) for earlier in observations[:place]]
        for stream, row in dated.items():
            row.append(Seen(one.when, here.get(stream, {})))
    return dated, undated
