# SPDX-License-Identifier: Apache-2.0
"""What changed from build to build along a series: when a change came, how often its like comes, which builds had it.

>>> history = History.of(views, series.builds)  # doctest: +SKIP
>>> history.onset(change, good, bad), history.rate(change)  # doctest: +SKIP
(42, 0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lineagekit.cause.align import Alignment, align
from lineagekit.cause.builds import Build
from lineagekit.cause.change import Change
from lineagekit.cause.views import Views

MOST = 16
"""Steps from build to build that are looked at before the good one."""

Id = tuple[str, str, str]


@dataclass(slots=True)
class History:
    """Changes between each two neighbours."""

    steps: dict[int, Alignment] = field(default_factory=dict)
    """By the number of the later build."""

    @classmethod
    def of(cls, views: Views, builds: Sequence[Build], good: Build, bad: Build) -> History:
        """From some way before the good build to the bad one."""
        chain = [build for build in builds if build.number <= bad.number]
        first = max(0, next((k for k, b in enumerate(chain) if b.number >= good.number), 0) - MOST)
        steps = {later.number: align(views, earlier.run, later.run) for earlier, later in pairwise(chain[first:])}
        return cls(steps)

    def onset(self, change: Change, good: Build, bad: Build) -> int | None:
        """The build in which this very change came; None where it is not told by neighbours."""
        between = [number for number in sorted(self.steps) if good.number < number <= bad.number]
        found = {n: [one for one in self.steps[n].changes if _is_it(one, change)] for n in between}
        exact = [n for n in between if found[n]]
        # A job that reads what its older runs left meets their changes once more, further up.
        nearest = [n for n in exact if any(one.path == change.path for one in found[n])] or exact
        return nearest[-1] if nearest else next((n for n in between if self._has(n, change.id)), None)

    def rate(self, change: Change, good: Build) -> float:
        """In what share of the steps before something of the kind changed there too: 1 is habit."""
        before = [number for number in self.steps if number <= good.number]
        if not before:
            return 0.0
        kin = {_kin(one) for one in (change, *(replace(change, where=name) for name in self.former(change.where)))}
        return sum(any(_kin(one) in kin for one in self.steps[n].changes) for n in before) / len(before)

    def former(self, where: str) -> list[str]:
        """What it was called before, the latest first."""
        found = [where]
        for number in sorted(self.steps, reverse=True):
            found += [old for new, old in self.steps[number].moved.items() if new == found[-1] and old not in found]
        return found[1:]

    def _has(self, number: int, id_: Id) -> bool:
        return any(one.id == id_ for one in self.steps[number].changes)


def _is_it(one: Change, change: Change) -> bool:
    return one.id == change.id and one.after == change.after


def _kin(change: Change) -> tuple[str, str, str]:
    """Of a part of a feed: any part of it."""
    kind, where, key = change.id
    return (
        (kind, where, "")
        if change.kind in ("entered", "expired", "restated", "missing", "stale", "late")
        else (kind, where, key)
    )
