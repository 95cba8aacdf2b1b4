# SPDX-License-Identifier: Apache-2.0
"""Exact facts: what happened to the parts of a feed between two builds, and whether it ever did so before.

    >>> [fact.sentence for fact in exact_facts(history, recent) if fact.is_unusual]  # doctest: +SKIP
    ['2026-04-22 was rewritten 40 days later; before, up to 3 days']

Parts that come and go on cadence are carriers, not suspects. No profile is needed, only keys and digests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from lineagekit.cause.cadence import Seen, learn, missing_days, reach, repeats, rewrites, streams, versions
from lineagekit.cause.fact import DAY, Fact, Observation, date_of, day_of, days
from lineagekit.cause.undated import undated_facts

_A_WEEK = 7 * DAY
_SOME_HOLES = 0.05


def exact_facts(
    history: Sequence[Observation], recent: Sequence[Observation], *, quiet: Collection[int] = ()
) -> tuple[Fact, ...]:
    """Facts of the last recent build against the last of the history, the good one; what is usual is learned before.

    All builds in between belong to `recent`: they tell when something happened. `quiet` are days on which other feeds
    have nothing either (`quiet_days`).
    """
    if not history or not recent:
        return ()
    dated, undated = streams([*history, *recent])
    found: list[Fact] = []
    for seen in dated.values():
        old, new = seen[: len(history)], seen[len(history) :]
        old = old[next((place for place, one in enumerate(old) if one.parts), len(old)) :]
        found += _Stream(old, new, frozenset(quiet)).facts() if old else _first_facts(new[-1])
    found += undated_facts(undated[: len(history)], undated[len(history) :])
    return tuple(sorted(found, key=lambda fact: (not fact.is_unusual, fact.key)))


def quiet_days(feeds: Mapping[str, Sequence[Observation]]) -> frozenset[int]:
    """Days on which at least half of the feeds that should have a part have none: a holiday."""
    expected: dict[int, int] = {}
    absent: dict[int, int] = {}
    for observations in feeds.values():
        for seen in streams(observations)[0].values():
            times = sorted({time for one in seen for time in one.parts})
            weekdays = learn([one for one in seen if one.parts]).weekdays
            span = day_of(times[0]), day_of(times[-1])
            for day in range(*span):
                expected[day] = expected.get(day, 0) + bool(missing_days([], weekdays, (day, day)))
            for day in missing_days(times, weekdays, span):
                absent[day] = absent.get(day, 0) + 1
    return frozenset(day for day, count in absent.items() if count > 1 and 2 * count >= expected.get(day, 0))


class _Stream:
    """One stream of dated parts between the last build of its history and the last recent one."""

    def __init__(self, history: Sequence[Seen], recent: Sequence[Seen], quiet: frozenset[int]) -> None:
        self.history, self.quiet = history, quiet
        self.steps = list(pairwise([history[-1], *recent]))
        self.good, self.bad = history[-1], recent[-1]
        self.habits = learn(history)

    def facts(self) -> Iterator[Fact]:
        yield from self._entered()
        yield from self._expired()
        yield from self._restated()
        yield from self._missing()

    def _entered(self) -> Iterator[Fact]:
        contents = versions([*self.history, *(after for _, after in self.steps)])
        rows = repeats(contents)
        for time in self.bad.parts.keys() - self.good.parts.keys():
            key = self.bad.parts[time][0]
            if time in rows:
                yield self._stale(time, key, rows[time], contents)
            elif (waited := self._waited_for(time)) > self.habits.lag:
                how_long = f"came later than {days(waited)} after; before, at most {days(self.habits.lag)}"
                yield Fact("late", key, waited // DAY, True, f"{key} {how_long}")
            else:
                yield Fact("entered", key, (self.bad.when - time) // DAY, False, f"{key} is new")

    def _stale(self, time: int, key: str, row: int, contents: Mapping[int, Sequence[str]]) -> Fact:
        digest = contents[time][0]
        twin = max(other for other, theirs in contents.items() if digest in theirs and other < time)
        most = self.habits.repeats
        before = f"before, {_times(most)}" if most else f"before, never in {self.habits.parts} parts"
        sentence = f"{key} has the content of {date_of(twin)}, {_times(row)}; {before}"
        return Fact("stale", key, (time - twin) // DAY, row > most, sentence)

    def _waited_for(self, time: int) -> int:
        """The age that a part would have had in the last build that did not have it; older ones are filled in."""
        if time < min(self.good.parts, default=time):
            return 0
        return max((before.when - time for before, _ in self.steps if time not in before.parts), default=0)

    def _expired(self) -> Iterator[Fact]:
        oldest = min(self.bad.parts, default=0)
        now, ever = reach(self.bad), self.habits.reach
        is_unusual = now + self.habits.longest_gap + self.habits.rhythm // 2 < ever
        less = f"; the oldest left is of {days(now)} ago, before never less than {days(ever)}" if is_unusual else ""
        for time, (key, _) in self.good.parts.items():
            if time < oldest:
                yield Fact("expired", key, (self.bad.when - time) // DAY, is_unusual, f"{key} is no longer read{less}")

    def _restated(self) -> Iterator[Fact]:
        ages: dict[int, tuple[int, int]] = {}
        for before, after in self.steps:
            ages.update({time: (least, most) for time, least, most in rewrites(before, after)})
        for time, (least, most) in ages.items():
            key, digest = self.bad.parts.get(time, ("", ""))
            if time in self.good.parts and digest not in ("", self.good.parts[time][1]):
                age = min(most, least + self.habits.rhythm)
                yield Fact("restated", key, age // DAY, self._is_old(age, least), self._rewritten(key, age))

    def _is_old(self, age: int, least: int) -> bool:
        if self.habits.builds < 2:
            return least >= _A_WEEK
        return self.habits.rewritten is None or age > self.habits.rewritten + self.habits.rhythm // 2

    def _rewritten(self, key: str, age: int) -> str:
        if self.habits.builds < 2:
            before = "no earlier build tells whether that is usual"
        elif self.habits.rewritten is None:
            before = f"before, never in {self.habits.builds} builds"
        else:
            before = f"before, up to {days(self.habits.rewritten)}"
        return f"{key} was rewritten {days(age)} later; {before}"

    def _missing(self) -> Iterator[Fact]:
        oldest = min(self.bad.parts, default=0)
        for time, (key, _) in self.good.parts.items():
            if time not in self.bad.parts and time > oldest:
                sentence = f"{key} is gone: the good build had it"
                yield Fact("missing", key, (self.bad.when - time) // DAY, True, sentence)
        if self.habits.weekdays:
            yield from self._missing_days()
        elif self.habits.parts > 2 and self.bad.parts:
            yield from self._missing_after()

    def _missing_days(self) -> Iterator[Fact]:
        """Days that the habits of a daily feed promise; the last ones only when they were waited for long enough."""
        newest = max(self.good.parts, default=self.bad.when)
        due = day_of(self.bad.when - self.habits.lag - 1)
        for day in missing_days([*self.bad.parts], self.habits.weekdays, (day_of(newest) + 1, due)):
            key, is_quiet = str(date_of(day * DAY)), day in self.quiet
            is_unusual = not is_quiet and self.habits.holes <= _SOME_HOLES * self.habits.parts
            why = "as in other feeds" if is_quiet else f"before, {self.habits.holes} such days in {self.habits.parts}"
            yield Fact("missing", key, day_of(self.bad.when) - day, is_unusual, f"{key} is missing; {why}")

    def _missing_after(self) -> Iterator[Fact]:
        """A gap longer than any before, after a part that the good build knew or a newer one."""
        times = sorted(time for time in self.bad.parts if time >= max(self.good.parts, default=0))
        gaps = [(after - before, before) for before, after in pairwise(times)]
        newest = max(self.bad.parts)
        longest = self.habits.longest_gap
        found = [(gap, before) for gap, before in gaps if gap > longest]
        if self.bad.when - newest > longest + self.habits.lag:
            found.append((self.bad.when - newest, newest))
        for gap, before in found:
            key = self.bad.parts[before][0]
            sentence = f"no part came for {days(gap)} after {key}; before, at most {days(longest)}"
            yield Fact("missing", key, (self.bad.when - before) // DAY, True, sentence)


def _first_facts(seen: Seen) -> list[Fact]:
    ages = {key: (seen.when - time) // DAY for time, (key, _) in seen.parts.items()}
    return [Fact("entered", key, age, False, f"{key} is new") for key, age in ages.items()]


def _times(row: int) -> str:
    return "once" if row == 1 else f"{row} in a row"
