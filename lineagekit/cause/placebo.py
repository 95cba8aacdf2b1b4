# SPDX-License-Identifier: Apache-2.0
"""Which feed of a window that moved is the cause: carry its last good parts forward, and do the same to the good build.

What the operation costs the good build is added to what it repairs in the bad one: the sum is what was wrong with the
parts that came. Without that a healthy feed may look guilty: its part, too, took the fault along when it dropped out.

>>> judge({frozenset(["labels"]): 0.05, frozenset(["orders", "clicks"]): 0.01}, gap=0.06)
'labels'
>>> judge({frozenset(["labels"]): 0.05, frozenset(["orders"]): 0.04}, gap=0.06) is None
True
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lineagekit.cause.atoms import WINDOW
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.surgeon import Surgeon

Feeds = frozenset[str]

_SHARE = 0.5
"""Of the gap, what has to be repaired; and of that, what no other feed may repair."""
_BEYOND = 3
"""Standard deviations, of rebuilds that are not deterministic."""


def hybrids(operations: Feeds) -> tuple[Feeds, Feeds, Feeds, Feeds]:
    """The good build, the one with the window moved, and both with the operations."""
    moved = frozenset([WINDOW])
    return frozenset(), moved, operations, moved | operations


def net_repair(scores: Sequence[float]) -> float:
    """Of the four hybrids: what it repairs, and what it costs the good build; lower is worse."""
    good, bad, good_after, bad_after = scores
    return (bad_after - bad) + (good - good_after)


def judge(nets: Mapping[Feeds, float], *, gap: float) -> str | None:
    """The feed that is it, if it repairs half of the gap, and no others without it, alone or together, half as much."""
    single = [feeds for feeds in nets if len(feeds) == 1]
    if not single:
        return None
    first = max(single, key=lambda feeds: nets[feeds])
    others = [nets[feeds] for feeds in nets if not first <= feeds]
    stands_out = others and nets[first] >= _SHARE * gap > 0 and max(others) <= _SHARE * nets[first]
    return next(iter(first)) if stands_out else None


@dataclass(frozen=True, slots=True)
class Separated:
    """Which feed it is, or that it cannot be told."""

    feed: str | None
    why: str
    nets: Mapping[str, float]
    notes: tuple[str, ...] = ()


class _TooNoisyError(Exception):
    """Rebuilds differ too much from each other."""


@dataclass(slots=True)
class _Theatre:
    """Operates, each time once, and knows what every operation came to."""

    surgeon: Surgeon
    rebuilds: Rebuilds
    gap: float = 0.0
    nets: dict[Feeds, float] = field(default_factory=dict)
    """By the names of the feeds."""
    notes: list[str] = field(default_factory=list)

    def ready(self) -> list[str]:
        """Operations that can be done, on the likeliest feed first."""
        found = []
        for operation, feed in self.surgeon.feeds.items():
            if self.surgeon.prepare(operation):
                found.append(operation)
            else:
                self.notes.append(f"{feed.where}: no older part can stand in for what came")
        if count := len(self.surgeon.untried()):
            self.notes.append(f"{count:,} file{'s' * (count > 1)} of the window can be operated on in no feed")
        return found

    def repairs(self, operations: Iterable[str]) -> bool | None:
        """Whether it repairs half of the drop; None where that could not be built."""
        chosen = frozenset(operations)
        feeds = frozenset(map(self.where, chosen))
        if feeds not in self.nets:
            scores = self._scores(chosen, _named(feeds))
            if scores is None:
                self.notes.append(f"{_named(feeds)}: could not be built with older parts in place of what came")
                return None
            self.gap = scores[0] - scores[1]
            self.nets[feeds] = net_repair(scores)
            if _SHARE * self.gap < _BEYOND * 2 * self.rebuilds.spread:  # a net repair is a sum of four scores
                raise _TooNoisyError
        return self.nets[feeds] >= _SHARE * self.gap > 0

    def _scores(self, operations: Feeds, name: str) -> list[float] | None:
        """Of the four hybrids; higher is better."""
        why = ("", "", f"placebo: {name} carried forward in the good build", f"{name} carried forward")
        found = []
        for chosen, one in zip(hybrids(operations), why, strict=True):
            self.rebuilds.outcome(chosen, one)
            values = self.rebuilds.values(chosen)
            if not values:
                return None
            value = statistics.fmean(values)
            found.append(value if self.surgeon.higher_is_better else -value)
        return found

    def where(self, operation: str) -> str:
        """The feed that it is done to."""
        return self.surgeon.feeds[operation].where

    def net(self, operations: Iterable[str]) -> float:
        """What these came to, which were done."""
        return self.nets[frozenset(map(self.where, operations))]

    def separated(self, feed: str | None, why: str = "") -> Separated:
        """The end."""
        single = {next(iter(feeds)): net for feeds, net in self.nets.items() if len(feeds) == 1}
        if feed is not None:
            tried = " that could be tried" if self.surgeon.untried() or self.notes else ""
            why = (
                f"carried forward, with placebo: accounts for {single[feed]:.4g} of the drop of {self.gap:.4g}, "
                f"and no other feed{tried} for half as much"
            )
        return Separated(feed, why, single, tuple(self.notes))


def separate(surgeon: Surgeon, rebuilds: Rebuilds) -> Separated:
    """Operate on the likeliest feed; if that is not it, on half of the others at a time; at last on each.

    Of who repairs the drop, no other feed may repair half as much: an operation may hide what another feed did. The
    others are operated on together; only where that repairs too much by halves, down to the one that does so alone.
    """
    theatre = _Theatre(surgeon, rebuilds)
    try:
        found = _found(theatre, theatre.ready())
    except _TooNoisyError:
        return theatre.separated(None, "rebuilds differ too much from each other: say --repeat 5")
    return theatre.separated(found, "the feeds of the window that moved cannot be told apart")


def _found(theatre: _Theatre, ready: list[str]) -> str | None:
    for operation in _candidates(theatre, ready) if len(ready) > 1 else ():
        if theatre.repairs([operation]):
            others = [one for one in ready if one != operation]
            return None if _has_rival(theatre, theatre.net([operation]), others) else theatre.where(operation)
    return None


def _has_rival(theatre: _Theatre, most: float, others: list[str]) -> bool:
    """Whether one of these alone repairs more than half as much, or may."""
    if theatre.repairs(others) is None:
        return True
    if theatre.net(others) <= _SHARE * most:
        return False
    middle = len(others) // 2
    return middle == 0 or any(_has_rival(theatre, most, half) for half in (others[:middle], others[middle:]))


def _candidates(theatre: _Theatre, ready: list[str]) -> Iterator[str]:
    """The likeliest; then the one that is left by halves; then each, where halves lead astray."""
    yield ready[0]
    last = _halved(theatre, ready[1:])
    if last is not None:
        yield last
    yield from ready


def _halved(theatre: _Theatre, left: list[str]) -> str | None:
    """The one that is left; None where that could not be built."""
    while len(left) > 1:
        half = left[: (len(left) + 1) // 2]
        is_in = theatre.repairs(half)
        if is_in is None:
            return None
        left = half if is_in else left[len(half) :]
    return left[0]


def _named(feeds: Feeds) -> str:
    first, *more = sorted(feeds)
    return f"{first} and {len(more)} more" if more else first
