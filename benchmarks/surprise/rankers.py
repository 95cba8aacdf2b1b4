# SPDX-License-Identifier: Apache-2.0
"""Rankers: what would be suspected first, by rules that people use, and by lineagekit's.

>>> RANKERS["largest row change"](world)  # doctest: +SKIP
[0.1, 0.02, 0.4, ...]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from statistics import fmean

import numpy as np
from feeds import Array
from partitions import Partition
from worlds import HISTORY, World

from lineagekit.cause.exact import exact_facts
from lineagekit.cause.fact import DAY, Observation
from lineagekit.cause.levels import KINDS, ROWS, Level, kind_of
from lineagekit.cause.matrix import tabulate
from lineagekit.cause.surprise import common_moves, surprise

Scores = list[float]
"""By feed, the most suspected highest; those that did not change have minus infinity."""

_MONDAY = 20_514
_ENOUGH = 14  # of four a z-score is noise: with it, weekly feeds would always be first
_MORNING = DAY // 4
_TOP = 1e6


def all_changed(world: World) -> Scores:
    """Whatever changed, in no order."""
    return [0.0 if _changed(world, feed) else -np.inf for feed in range(len(world.feeds))]


def newest(world: World) -> Scores:
    """What changed last."""
    return [max((part.day for part in world.recent(feed)), default=-np.inf) for feed in range(len(world.feeds))]


def row_change(world: World) -> Scores:
    """The largest change of rows against as many partitions before."""
    return _by_feed(world, lambda old, new: abs(_log_rows(new) - _log_rows(old[-len(new) :])))


def psi(world: World) -> Scores:
    """The largest population stability index of any column on any new day."""
    return _by_feed(world, lambda old, new: max(part.psi for part in new))


def z_of_change(world: World) -> Scores:
    """Each level's change from day to day against its own changes before."""

    def score(old: Sequence[Partition], new: Sequence[Partition]) -> float:
        table = tabulate(_levels(old), _levels(new))
        steps = np.diff(np.concatenate([table.old.levels, table.new.levels]), axis=0)
        return _largest(steps[len(old) - 1 :], steps[: len(old) - 1], table.floors()) if len(old) >= _ENOUGH else 0.0

    return _by_feed(world, score)


def z_of_level(world: World) -> Scores:
    """Each level against the mean of its own levels before."""

    def score(old: Sequence[Partition], new: Sequence[Partition]) -> float:
        table = tabulate(_levels(old), _levels(new))
        before, after = table.old.levels, table.new.levels
        return _largest(after - before.mean(axis=0), before, table.floors()) if len(old) >= _ENOUGH else 0.0

    return _by_feed(world, score)


def ours(world: World, *, days: int = HISTORY, without: str = "", only: Collection[str] = ()) -> Scores:
    """Surprise alone: of new partitions, and of old ones that were rewritten though the feed does not do so."""
    feeds = range(len(world.feeds))
    common = common_moves({str(f): _levels([*world.history(f, days), *world.recent(f)]) for f in feeds})
    found = []
    for feed in feeds:
        new = world.recent(feed)
        if world.rewritten and feed == world.culprit:
            new = [*new, world.rewritten[2]]
        old = _levels(world.history(feed, days), without, only)
        found.append(surprise(old, _levels(new, without, only), common=common).score if new else -np.inf)
    return found


def with_facts(world: World, *, days: int = HISTORY) -> Scores:
    """Surprise, with what is unusual for certain on top."""
    scores = ours(world, days=days)
    return [score + _TOP * is_unusual(world, feed, days) for feed, score in enumerate(scores)]


RANKERS: Mapping[str, Callable[[World], Scores]] = {
    "all changed": all_changed,
    "newest": newest,
    "largest row change": row_change,
    "largest PSI": psi,
    "z of day-over-day change": z_of_change,
    "z of level": z_of_level,
    "ours": ours,
    "ours, facts on top": with_facts,
}


def is_unusual(world: World, feed: int, days: int) -> bool:
    """Whether an exact fact of the feed is more than it ever did."""
    first, last = world.new.start, world.new.stop
    builds = [_observe(world, feed, day) for day in range(first - days, last)]
    return any(fact.is_unusual for fact in exact_facts(builds[:days], builds[days:]))


def _observe(world: World, feed: int, today: int) -> Observation:
    """What the build of a morning after `today` reads: four weeks."""
    parts = {}
    for day, part in world.parts[feed].items():
        if today - 28 < day <= today:
            version = min(today - day, 2) if world.feeds[feed].restates else 0
            digest = f"{part.digest}/{version}"
            if (
                feed == world.culprit
                and world.rewritten
                and world.rewritten[:2] == (min(today, world.rewritten[0]), day)
            ):
                digest = f"{world.rewritten[2].digest}/{version}"
            parts[str(date(2026, 3, 2) + timedelta(days=day))] = digest
    return Observation((_MONDAY + today + 1) * DAY + _MORNING, parts)


def _changed(world: World, feed: int) -> bool:
    return bool(world.recent(feed)) or (world.rewritten is not None and feed == world.culprit)


def _by_feed(world: World, score: Callable[[Sequence[Partition], Sequence[Partition]], float]) -> Scores:
    found = []
    for feed in range(len(world.feeds)):
        old, new = world.history(feed), world.recent(feed)
        found.append(score(old, new) if new else -np.inf)
    return found


def _log_rows(parts: Sequence[Partition]) -> float:
    return fmean(part.levels[ROWS] for part in parts)


def _levels(parts: Sequence[Partition], without: str = "", only: Collection[str] = ()) -> list[Level]:
    def is_kept(name: str) -> bool:
        group = KINDS[kind_of(name)].group
        return group != without and (not only or group in only)

    return [
        Level((_MONDAY + part.day) * DAY, {n: level for n, level in part.levels.items() if is_kept(n)})
        for part in parts
    ]


def _largest(after: Array, before: Array, floors: Array) -> float:
    spreads = np.maximum(before.std(axis=0, ddof=1), floors)
    return float((np.abs(after).max(axis=0) / spreads).max())
