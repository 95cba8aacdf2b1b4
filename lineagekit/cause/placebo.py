# SPDX-License-Identifier: Apache-2.0
"""Which feed of a window that moved is the cause: carry its last good parts forward, and do the same to the good build.

What the operation costs the good build is added to what it repairs in the bad one: the sum is what was wrong with the
parts that came. Without that a healthy feed may look guilty: its part, too, took the fault along when it dropped out.

>>> judge({"labels": 0.05, "orders": 0.01}, gap=0.06)
'labels'
>>> judge({"labels": 0.05, "orders": 0.04}, gap=0.06) is None
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
_MOST, _BEYOND_THE_OTHER = 0.75, 0.3
"""Of the gap: what two feeds have to repair, or one if not all were tried; and each of the two beyond the other."""
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


def judge(nets: Mapping[str, float], *, gap: float) -> str | None:
    """The one that is it: it repairs half of the gap, and no other one half as much."""
    first, second, *_ = sorted(nets, key=lambda one: -nets[one])
    return first if nets[first] >= _SHARE * gap > 0 and nets[second] <= _SHARE * nets[first] else None


@dataclass(frozen=True, slots=True)
class Separated:
    """Which feeds it is."""

    feeds: tuple[str, ...]
    """More than one where each explains what the others do not; none where it cannot be told."""
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

    @property
    def is_all_tried(self) -> bool:
        """Whether everything that moved with the window can be operated on."""
        return not (self.notes or self.surgeon.untried())

    def separated(self, operations: Sequence[str], why: str) -> Separated:
        """The end; `why` where it is none."""
        single = {next(iter(feeds)): net for feeds, net in self.nets.items() if len(feeds) == 1}
        if operations:
            tried = "" if self.is_all_tried else " that could be tried"
            each = "together they account" if len(operations) > 1 else "accounts"
            why = (
                f"carried forward, with placebo: {each} for {self.net(operations):.4g} of the drop of {self.gap:.4g}, "
                f"and no other feed{tried} for half as much"
            )
        return Separated(tuple(map(self.where, operations)), why, single, tuple(self.notes))


def separate(surgeon: Surgeon, rebuilds: Rebuilds) -> Separated:
    """Operate on the likeliest feed; if that is not it, on half of the others at a time; at last on the fewest that do.

    Of who repairs the drop, no other feed may repair half as much: an operation may hide what another feed did. The
    others are operated on together; only where that repairs too much by halves, down to the one that does so alone.
    """
    theatre = _Theatre(surgeon, rebuilds)
    try:
        found = _found(theatre, theatre.ready())
    except _TooNoisyError:
        return theatre.separated([], "rebuilds differ too much from each other: say --repeat 5")
    return theatre.separated(found, "the feeds of the window that moved cannot be told apart")


def _found(theatre: _Theatre, ready: list[str]) -> list[str]:
    for chosen in _candidates(theatre, ready) if len(ready) > 1 else ():
        if not theatre.repairs(chosen):
            continue
        if len(chosen) == 1:
            rival = _rival(theatre, [], chosen, ready)
            if not rival:
                return chosen if theatre.is_all_tried or theatre.net(chosen) >= _MOST * theatre.gap else []
            chosen = [*chosen, *rival]
        return chosen if _are_both_it(theatre, chosen, ready) else []
    return []


def _are_both_it(theatre: _Theatre, chosen: list[str], ready: list[str]) -> bool:
    """Whether two account for most of the drop, and each for much that is left without it, as no third one does."""
    if len(chosen) != 2 or theatre.repairs(chosen) is None or theatre.net(chosen) < _MOST * theatre.gap:
        return False
    for base, one in ((chosen[:1], chosen[1:]), (chosen[1:], chosen[:1])):
        if theatre.repairs(base) is None or theatre.net(chosen) - theatre.net(base) < _BEYOND_THE_OTHER * theatre.gap:
            return False
        if _rival(theatre, base, one, ready):
            return False
    return True


def _rival(theatre: _Theatre, base: list[str], one: list[str], ready: list[str]) -> list[str]:
    """Who repairs more than half of what one does, where the base is operated on as well; an operation hides others.

    All others where that could not be built.
    """
    without = theatre.net(base) if base else 0.0
    limit = _SHARE * (theatre.net([*base, *one]) - without)
    others = [other for other in ready if other not in base + one]

    def among(some: list[str]) -> list[str]:
        if theatre.repairs([*base, *some]) is None:
            return some
        if theatre.net([*base, *some]) - without <= limit:
            return []
        middle = len(some) // 2
        return some if not middle else among(some[:middle]) or among(some[middle:])

    return among(others) if others else []


def _candidates(theatre: _Theatre, ready: list[str]) -> Iterator[list[str]]:
    """The likeliest; then the one that is left by halves; then the fewest that are needed, and each by itself."""
    yield ready[:1]
    last = _halved(theatre, ready[1:])
    if last is not None:
        yield [last]
    if theatre.repairs(ready):
        yield _fewest(theatre, [], ready)
    yield from ([one] for one in ready)


def _fewest(theatre: _Theatre, base: list[str], left: list[str]) -> list[str]:
    """Of these, what has to be operated on beside the base for the drop to be repaired: QuickXplain."""
    if base and theatre.repairs(base):
        return []
    if len(left) == 1:
        return left
    middle = len(left) // 2
    behind = _fewest(theatre, base + left[:middle], left[middle:])
    return _fewest(theatre, base + behind, left[:middle]) + behind


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
