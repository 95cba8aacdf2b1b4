# SPDX-License-Identifier: Apache-2.0
"""Worlds: twelve feeds of a company, all of which changed between two builds, and one of which has a fault.

    >>> world = make_world(pools, CELLS["7 days apart"], kind="nulls", seed=5)  # doctest: +SKIP
    >>> world.culprit, len(world.feeds)  # doctest: +SKIP
    (7, 12)

Feeds come from pools that share a calendar; a world takes three that restate, seven that do not and two weekly ones.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from faults import STRONG, WEAK, Fault
from feeds import DAYS, Calendar, Feed
from partitions import Partition, profile_feed, profile_part, with_fault

import lineagekit.cause.levels
import lineagekit.identity.profile_overlap
import lineagekit.identity.profile_summary

FIRST_NEW = DAYS - 7
HISTORY = 28
_PLAIN, _RESTATING, _WEEKLY = 14, 6, 4
_TAKEN = (7, 3, 2)

Parts = Mapping[int, Partition]


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of the table: which days are new, and how much is wrong with how many."""

    name: str
    apart: int = 7
    one_day: bool = False
    share: tuple[float, float] = STRONG


CELLS = [
    Cell("7 days apart"),
    Cell("adjacent", apart=1),
    Cell("weak fault", share=WEAK),
    Cell("one-day fault", one_day=True),
]


@dataclass(frozen=True, slots=True)
class Pool:
    """Feeds of one calendar, profiled."""

    feeds: tuple[Feed, ...]
    parts: tuple[Parts, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What a ranker may look at, and the truth."""

    feeds: tuple[Feed, ...]
    parts: tuple[Parts, ...]
    new: range
    """Days that the bad build has and the good one has not."""
    kind: str
    culprit: int
    """-1 for none."""
    rewritten: tuple[int, int, Partition] | None = None
    """Of a restated fault: the day of writing, the part's day, and the part as it is now."""

    def recent(self, feed: int) -> list[Partition]:
        """Partitions of a feed that are new."""
        return [part for day, part in sorted(self.parts[feed].items()) if day in self.new]

    def history(self, feed: int, days: int = HISTORY) -> list[Partition]:
        """Partitions of a feed in so many days before."""
        first = self.new.start
        return [part for day, part in sorted(self.parts[feed].items()) if first - days <= day < first]


def make_pools(seed: int, count: int) -> list[Pool]:
    """Pools of 24 feeds, each profiled once and kept in a cache folder."""
    with ProcessPoolExecutor(2) as workers:
        return list(workers.map(_load_pool, range(seed * 1_000, seed * 1_000 + count)))


def make_world(pools: Sequence[Pool], cell: Cell, *, kind: str, seed: int) -> World:
    """A world of its own for each seed; "" is no fault."""
    rng = np.random.default_rng([seed, len(kind)])
    pool = pools[rng.integers(len(pools))]
    groups = [
        [i for i, f in enumerate(pool.feeds) if not f.is_weekly and not f.restates],
        [i for i, f in enumerate(pool.feeds) if f.restates],
        [i for i, f in enumerate(pool.feeds) if f.is_weekly],
    ]
    chosen = [int(i) for group, n in zip(groups, _TAKEN, strict=True) for i in rng.choice(group, n, replace=False)]
    feeds, parts = tuple(pool.feeds[i] for i in chosen), tuple(pool.parts[i] for i in chosen)
    culprit = int(rng.integers(len(feeds)))
    first = FIRST_NEW if feeds[culprit].is_weekly or cell.apart > 1 else DAYS - 1
    world = World(feeds, parts, range(first, first + cell.apart), kind, culprit if kind else -1)
    return _break(world, cell, rng) if kind else world


def _break(world: World, cell: Cell, rng: np.random.Generator) -> World:
    feed, parts = world.feeds[world.culprit], world.parts[world.culprit]
    fault = Fault(world.kind, float(rng.uniform(*cell.share)), int(rng.integers(1 << 30)))
    first, last = world.new.start, world.new.stop
    onset = first if feed.is_weekly or cell.apart == 1 else int(rng.integers(first, last - 2))
    if world.kind == "restated":
        old = [day for day in feed.days if first - 20 <= day <= first - 8]  # both builds read it
        day = int(rng.choice(old))
        before = [parts[earlier] for earlier in feed.days if earlier < day]
        part = profile_part(fault.apply(feed.table(day), day), day, before)
        return replace(world, rewritten=(onset, day, part))
    broken = with_fault(feed, parts, fault, range(onset, onset + 1 if cell.one_day else last))
    changed = tuple(broken if i == world.culprit else old for i, old in enumerate(world.parts))
    return replace(world, parts=changed)


def _load_pool(seed: int) -> Pool:
    folder = Path(tempfile.gettempdir()) / f"lineagekit-surprise-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{_version()}-{seed}.pickle"
    if not file.exists():
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_bytes(pickle.dumps(_make_pool(seed)))
        partial.rename(file)
    pool: Pool = pickle.loads(file.read_bytes())  # our own, in a folder of our own
    return pool


def _make_pool(seed: int) -> Pool:
    calendar = Calendar.make(seed)
    makings = [(False, False)] * _PLAIN + [(False, True)] * _RESTATING + [(True, False)] * _WEEKLY
    feeds = [
        Feed.make(seed, number, calendar, is_weekly=is_weekly, restates=restates)
        for number, (is_weekly, restates) in enumerate(makings)
    ]
    return Pool(tuple(feeds), tuple(_slim(profile_feed(feed)) for feed in feeds))


def _slim(parts: Parts) -> Parts:
    """Profiles are needed only of partitions that a broken one may be compared with."""
    first = FIRST_NEW - 32
    weekly = len(parts) < DAYS // 2
    return {day: part if weekly or day >= first else replace(part, profile=None) for day, part in parts.items()}


def _version() -> str:
    """Of all that makes a pool: code of ours and of the profiler's summaries."""
    files = [Path(__file__).with_name(f"{name}.py") for name in ("feeds", "partitions")]
    modules = (lineagekit.cause.levels, lineagekit.identity.profile_overlap, lineagekit.identity.profile_summary)
    files += [Path(str(module.__file__)) for module in modules]
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=6).hexdigest()
