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

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from lineagekit.cause.atoms import WINDOW
from lineagekit.cause.files import Made
from lineagekit.cause.graft import columns_of, graft, rows_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.rank import Suspect
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.supply import Supply
from lineagekit.cause.window import Feed, feeds_of

if TYPE_CHECKING:
    import pyarrow as pa

CARRY = "carry:"
"""Before a feed's name: the id of the operation, among those of atoms."""

_SHARE = 0.5
"""Of the gap, what has to be repaired; and of that, what no other feed may repair."""
_BEYOND = 3
"""Standard deviations, of rebuilds that are not deterministic."""


class Surgeon:
    """Makes the parts that operations need, in a folder of its own."""

    def __init__(
        self, plan: Plan, supply: Supply, folder: Path, suspects: Sequence[Suspect], *, higher_is_better: bool
    ) -> None:
        """Nothing is made yet; `suspects` are those of the window, the likeliest first."""
        self._plan, self.supply, self._folder = plan, supply, folder
        self.higher_is_better = higher_is_better
        self._sentences = {one.change.where: one.change.sentence for one in reversed(suspects)}
        places = {where: place for place, where in enumerate(dict.fromkeys(one.change.where for one in suspects))}
        feeds = sorted(feeds_of(plan.good, plan.bad), key=lambda feed: places.get(feed.where, len(places)))
        self.feeds = {CARRY + feed.where: feed for feed in feeds}
        """By operation, the likeliest first."""
        self._keys: dict[str, pa.Table | None] = {}
        self._columns: dict[str, set[str]] | None = None

    def label(self, where: str) -> str:
        """What blame says of this feed."""
        return self._sentences.get(where, f"{where}: the parts that came")

    def prepare(self, operation: str) -> bool:
        """Add an operation to the plan; False where there is nothing that could stand in."""
        feed = self.feeds[operation]
        if operation not in self._plan.operations:
            sides = [self._side(feed, in_bad=side) for side in (False, True)]
            if not all(sides):
                return False
            self._plan.operations[operation] = (sides[0], sides[1])
        return True

    def _side(self, feed: Feed, *, in_bad: bool) -> dict[str, str]:
        made = self._plan.bad if in_bad else self._plan.good
        parts = feed.bad if in_bad else feed.good
        found: dict[str, str] = {}
        for key, donor in feed.stand_ins(in_bad=in_bad).items():
            path, other = parts[key], feed.good[donor]
            own = self.supply.find(path, made.files[path])
            stand_in = self.supply.find(other, self._plan.good.files[other])
            if own is None or stand_in is None:
                return {}
            body = graft(own, stand_in, path, self._shared(feed), list(self._rows(feed, key, made)))
            if body is None:
                return {}
            found[path] = self._kept(path, body)
        return found

    def _rows(self, feed: Feed, key: str, made: Made) -> Iterator[pa.Table]:
        """What identifies the rows of that day in other feeds."""
        for other in self.feeds.values():
            path = (other.bad if made is self._plan.bad else other.good).get(key)
            if other is feed or path is None:
                continue
            if path not in self._keys:
                source = self.supply.find(path, made.files[path])
                self._keys[path] = None if source is None else rows_of(source, path)
            if (rows := self._keys[path]) is not None:
                yield rows

    def _kept(self, path: str, body: bytes) -> str:
        hex_ = blake3(body).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / hex_
        place.write_bytes(body)
        digest = f"blake3:{hex_}"
        self.supply.add(path, digest, place)
        return digest

    def _shared(self, feed: Feed) -> set[str]:
        """Columns that other files have as well: by these they are joined."""
        if self._columns is None:
            self._columns = self._all_columns(self._plan.good)
        others = [names for where, names in self._columns.items() if where != feed.where]
        return set().union(*others)

    def _all_columns(self, made: Made) -> dict[str, set[str]]:
        newest = {feed.good[max(feed.good)]: feed.where for feed in self.feeds.values() if feed.good}
        dated = {path for feed in self.feeds.values() for path in feed.good.values()}
        found = {}
        for path, digest in made.files.items():
            if path in made.written or (path in dated and path not in newest):
                continue
            source = self.supply.find(path, digest) if os.path.splitext(path)[1] in (".csv", ".parquet") else None
            found[newest.get(path, path)] = columns_of(source, path) if source is not None else set()
        return found


def hybrids(operation: str) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    """The good build, the one with the window moved, and both with the operation."""
    moved = frozenset([WINDOW])
    return frozenset(), moved, frozenset([operation]), moved | {operation}


def net_repair(scores: Sequence[float]) -> float:
    """Of the four hybrids: what it repairs, and what it costs the good build; lower is worse."""
    good, bad, good_after, bad_after = scores
    return (bad_after - bad) + (good - good_after)


def judge(nets: Mapping[str, float], *, gap: float) -> str | None:
    """The feed that is it, if it repairs half of the gap and no other one half as much as it."""
    if len(nets) < 2:
        return None
    first, second, *_ = sorted(nets, key=lambda feed: -nets[feed])
    stands_out = nets[first] >= _SHARE * gap > 0 and nets[second] <= _SHARE * nets[first]
    return first if stands_out else None


@dataclass(frozen=True, slots=True)
class Separated:
    """Which feed it is, or that it cannot be told."""

    feed: str | None
    why: str
    nets: Mapping[str, float]
    notes: tuple[str, ...] = ()


def separate(surgeon: Surgeon, rebuilds: Rebuilds) -> Separated:
    """Operate on one feed after the other, the likeliest first, until one stands out."""
    nets: dict[str, float] = {}
    notes: list[str] = []
    gap = 0.0
    for operation, feed in surgeon.feeds.items():
        if not surgeon.prepare(operation):
            notes.append(f"{feed.where}: no older part can stand in for what came")
            continue
        scores = _scores(surgeon, rebuilds, operation)
        if scores is None:
            notes.append(f"{feed.where}: could not be built with older parts in place of what came")
            continue
        gap = scores[0] - scores[1]
        nets[feed.where] = net_repair(scores)
        if _SHARE * gap < _BEYOND * 2 * rebuilds.spread:  # a net repair is a sum of four scores
            return Separated(None, "rebuilds differ too much from each other: say --repeat 5", nets, tuple(notes))
        if (found := judge(nets, gap=gap)) is not None:
            return Separated(found, _said(nets, found, gap), nets, tuple(notes))
    return Separated(None, "the feeds of the window that moved cannot be told apart", nets, tuple(notes))


def _scores(surgeon: Surgeon, rebuilds: Rebuilds, operation: str) -> list[float] | None:
    """Of the four hybrids; higher is better."""
    where = surgeon.feeds[operation].where
    why = ("", "", f"placebo: {where} carried forward in the good build", f"{where} carried forward")
    found = []
    for chosen, one in zip(hybrids(operation), why, strict=True):
        rebuilds.outcome(chosen, one)
        values = rebuilds.values(chosen)
        if not values:
            return None
        value = statistics.fmean(values)
        found.append(value if surgeon.higher_is_better else -value)
    return found


def _said(nets: Mapping[str, float], found: str, gap: float) -> str:
    other = max((net for feed, net in nets.items() if feed != found), default=0.0)
    return (
        f"carried forward, with placebo: accounts for {nets[found]:.4g} of the drop of {gap:.4g}, "
        f"the next feed for {max(other, 0.0):.4g}"
    )
