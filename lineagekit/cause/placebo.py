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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lineagekit.cause.atoms import WINDOW
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.surgeon import Surgeon

Feeds = frozenset[str]

SHARE = 0.5
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


def judge(nets: Mapping[str, float], *, gap: float) -> str | None:
    """The one that is it: it repairs half of the gap, and no other one half as much."""
    first, second, *_ = sorted(nets, key=lambda one: -nets[one])
    return first if nets[first] >= SHARE * gap > 0 and nets[second] <= SHARE * nets[first] else None


@dataclass(frozen=True, slots=True)
class Separated:
    """Which feeds it is."""

    feeds: tuple[str, ...]
    """More than one where each explains what the others do not; none where it cannot be told."""
    why: str
    nets: Mapping[str, float]
    notes: tuple[str, ...] = ()


class TooNoisyError(Exception):
    """Rebuilds differ too much from each other."""


@dataclass(slots=True)
class Theatre:
    """Operates, each time once, and knows what every operation came to."""

    surgeon: Surgeon
    rebuilds: Rebuilds
    gap: float = 0.0
    nets: dict[Feeds, float] = field(default_factory=dict)
    """By the names of the feeds."""
    notes: list[str] = field(default_factory=list)
    hiding: list[str] = field(default_factory=list)
    """Operations that only hide what another feed did."""

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
            if SHARE * self.gap < _BEYOND * 2 * self.rebuilds.spread:  # a net repair is a sum of four scores
                raise TooNoisyError
        return self.nets[feeds] >= SHARE * self.gap > 0

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

    def is_known(self, operations: Iterable[str]) -> bool:
        """Whether just these were done."""
        return frozenset(map(self.where, operations)) in self.nets

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
            each = "together they account" if len(operations) > 1 else "accounts"
            why = (
                f"carried forward, with placebo: {each} for {self.net(operations):.4g} of the drop of {self.gap:.4g}, "
                f"and no other feed for half as much"
            )
            why += "".join(f", but {self.where(one)}, which hides it and repairs nothing else" for one in self.hiding)
        return Separated(tuple(map(self.where, operations)), why, single, tuple(self.notes))


def _named(feeds: Feeds) -> str:
    first, *more = sorted(feeds)
    return f"{first} and {len(more)} more" if more else first
