# SPDX-License-Identifier: Apache-2.0
"""Feeds: data that changes with every build, judged by how it changed against its own history.

A feed is what a job reads in one role: one file that is overwritten, a folder of dated parts, files with dates in their
names. What happened to its parts is exact; how its contents moved is surprise, which orders and never convicts.

    >>> feed_evidence(views, changes, good_at)[change].reasons  # doctest: +SKIP
    ('amount: mean 4.1 -> 391, as never in 28 days',)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from lineagekit.cause.cadence import split_key
from lineagekit.cause.change import Change
from lineagekit.cause.exact import exact_facts, quiet_days
from lineagekit.cause.fact import Fact, Observation
from lineagekit.cause.levels import LOOK_BACK, Level, levels_of
from lineagekit.cause.pairing import columns_of, template_of
from lineagekit.cause.parts import keys_of
from lineagekit.cause.rank import UNUSUAL, Evidence
from lineagekit.cause.sizes import size_of, told
from lineagekit.cause.surprise import common_moves, surprise
from lineagekit.cause.views import Columns, Use, Views
from lineagekit.errors import BadDataError, IncomparableError
from lineagekit.events.roles import role_of
from lineagekit.identity.profile import Profile
from lineagekit.store import query

MOST_RUNS = 60
"""Runs of the reading job that a history is made of."""
_OF_PARTS = ("entered", "expired", "restated", "missing", "stale", "late")
_OF_DATA = (*_OF_PARTS, "source", "out of band", "schema")


Former = Callable[[str], Iterable[str]]
"""What something was called before."""


@dataclass(slots=True)
class Feed:
    """What a job read in one role, run by run, oldest first."""

    observations: list[Observation] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    came: list[tuple[int, str]] = field(default_factory=list)
    """When each level was first read, and of which part: it counts for the day that the part is of."""
    tables: dict[str, str] = field(default_factory=dict)
    """`lkt1` by digest of the bytes."""
    columns: Columns = ()
    schemas: list[Columns] = field(default_factory=list)
    """Columns as each run saw them."""
    written: list[bool] = field(default_factory=list)
    """Whether each run read what somebody known had written."""


class Moved(NamedTuple):
    """How unlike its history a feed is."""

    score: float = 0.0
    reasons: tuple[str, ...] = ()
    since: int = 0
    key: str = ""
    """The part with which it began."""
    is_known: bool = False
    """There is history enough."""


_UNMOVED = Moved()


class Feeds:
    """Feeds of the jobs of an alignment, each read once."""

    def __init__(self, views: Views, former: Former = lambda where: ()) -> None:
        """Nothing is read yet."""
        self.views, self._former = views, former
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._profiles: dict[str, Profile | None] = {}

    def of(self, change: Change) -> Feed:
        """The feed that a change is in, as its reader saw it up to then."""
        reader = query.find_runs(self.views.db, change.run)[0]
        key = f"{reader.namespace}/{reader.job}", change.where
        if key not in self._feeds:
            runs = query.job_runs(self.views.db, reader.namespace, reader.job, limit=4 * MOST_RUNS)
            past = [run for run in runs if run.began <= reader.began and run.state == "COMPLETE"][:MOST_RUNS]
            names = {change.where, *self._former(change.where)}
            self._feeds[key] = self._read(names, [run.id for run in reversed(past)])
        return self._feeds[key]

    def profile(self, table: str) -> Profile | None:
        """Of a table; None if it was never kept, or is damaged."""
        if table not in self._profiles:
            body = self.views.profile(table)
            try:
                self._profiles[table] = Profile.from_bytes(body) if body else None
            except BadDataError:
                self._profiles[table] = None
        return self._profiles[table]

    def _read(self, names: Set[str], runs: Sequence[int]) -> Feed:
        feed = Feed()
        known: dict[str, None] = {}
        last: list[Profile] = []
        for number in runs:
            view = self.views.of(number)
            uses = [use for use in view.inputs.values() if names & {use.title, template_of(use)}]
            parts = {key: (digest, table, use) for use in uses for key, digest, table in _parts(use)}
            if not parts:
                continue
            at = min(use.touch.at or view.run.began for *_, use in parts.values())
            feed.observations.append(Observation(at, {key: digest for key, (digest, *_) in parts.items()}))
            for key, (digest, table, use) in sorted(parts.items()):
                name = f"{key}/{digest}" if len(parts) > 1 or key else digest
                if name in known or (key and any(one.startswith(f"{key}/") for one in known)):
                    continue  # the levels of a part are those that it came with
                known[name] = None
                feed.tables[digest] = table
                feed.columns = use.columns or feed.columns
                if (profile := self.profile(table)) is not None and use.columns:
                    feed.levels.append(Level(split_key(key)[1] or at, _levels(profile, use.columns, last)))
                    feed.came.append((at, key))
                    last = [*last, profile][-LOOK_BACK:]
            for digest, table, _ in parts.values():
                feed.tables[digest] = table
            feed.schemas.append(columns_of(uses))
            feed.written.append(all(any(read.src for read in use.writers) for use in uses))
        return feed


def feed_evidence(views: Views, changes: Sequence[Change], good_at: int, former: Former) -> Mapping[Change, Evidence]:
    """What the history of each feed says of a change in it; `good_at` is when the good build was made."""
    feeds = Feeds(views, former)
    ours = [change for change in changes if change.kind in _OF_DATA and change.run]
    read = {change.where: feeds.of(change) for change in ours}
    common = common_moves({where: feed.levels for where, feed in read.items()})
    quiet = quiet_days({where: feed.observations for where, feed in read.items()})
    facts = {where: _facts(feed, good_at, quiet) for where, feed in read.items()}
    scores = {where: _moved(feed, good_at, common) for where, feed in read.items()}
    moved_by = _moved_by(ours, scores)
    found = {}
    for change in ours:
        feed = read[change.where]
        fact = facts[change.where].get(change.key)
        is_moved = not change.is_carrier or moved_by.get(change.where) is change
        moved = scores[change.where] if is_moved else _UNMOVED
        pair = [feeds.profile(feed.tables.get(digest, "")) for digest in (change.before, change.after)]
        known = (pair[0], pair[1], feed.columns) if pair[0] and pair[1] and feed.columns else None
        by_itself = tuple(told(known[0], known[1], [name for name, _ in feed.columns])) if known else ()
        found[change] = Evidence(
            rate=_rate(feed, change, good_at),
            surprise=moved.score,
            size=size_of(*known) if known and not moved.is_known else 0.0,
            since=0 if change.key else moved.since,
            reasons=(*((fact.sentence.strip(),) if fact else ()), *by_itself, *moved.reasons),
            unusual=fact is None or fact.is_unusual or change.kind == "schema",  # columns have a habit of their own
        )
    return found


def _moved_by(changes: Sequence[Change], scores: Mapping[str, Moved]) -> Mapping[str, Change]:
    """Where parts only come and go, the one with which it moved: a feed is one suspect, not one a day."""
    moved: dict[str, Change] = {}
    by_feed: dict[str, list[Change]] = {}
    for change in changes:
        by_feed.setdefault(change.where, []).append(change)
    for where, ours in by_feed.items():
        entered = sorted((one for one in ours if one.kind == "entered"), key=lambda one: one.key)
        since = [one for one in entered if one.key >= scores[where].key]
        if entered and all(one.is_carrier for one in ours):
            moved[where] = (since or entered)[0]
    return moved


def _parts(use: Use) -> Iterator[tuple[str, str, str]]:
    """Key, digest and table of each part; of one file its own, under the date in its name."""
    if use.touch.pieces:
        keys = keys_of(piece.path for piece in use.touch.pieces)
        yield from ((keys[piece.path], piece.digest, piece.table) for piece in use.touch.pieces)
    else:
        yield role_of(use.name.name).key, use.digest, use.table


def _levels(profile: Profile, columns: Columns, last: Sequence[Profile]) -> Mapping[str, float]:
    try:
        return levels_of(profile, columns, before=last)
    except IncomparableError:  # other columns than it was taken of
        return {}


def _facts(feed: Feed, good_at: int, quiet: frozenset[int]) -> Mapping[str, Fact]:
    old = [one for one in feed.observations if one.when <= good_at]
    new = [one for one in feed.observations if one.when > good_at]
    return {fact.key: fact for fact in exact_facts(old, new, quiet=quiet)}


def _moved(feed: Feed, good_at: int, common: Mapping[int, float]) -> Moved:
    came = sorted(zip(feed.levels, feed.came, strict=True), key=lambda one: one[0].when)
    old = [level for level, (at, _) in came if at <= good_at]
    after = [(level, *how) for level, how in came if how[0] > good_at]
    new = [level for level, *_ in after]
    found = surprise(old, new, common=common)
    if not found.enough:
        # Of sixty numbers one is a record among nine days, in every feed.
        few = f"too little history to judge it by: {len(old)} versions"
        return Moved(reasons=(few,)) if new and old else _UNMOVED
    if found.score < UNUSUAL:
        return Moved(found.score, found.reasons if found.score >= 1 else (), is_known=True)
    first = next(k for k in range(1, len(new) + 1) if surprise(old, new[:k], common=common).score >= UNUSUAL)
    return Moved(found.score, found.reasons, *after[first - 1][1:], is_known=True)


def _rate(feed: Feed, change: Change, good_at: int) -> float:
    """How often the like of a change came before: what parts do has facts of its own, which say so."""
    if change.kind == "out of band":
        past = [was for one, was in zip(feed.observations, feed.written, strict=True) if one.when <= good_at]
        return 1 - sum(past) / len(past) if past and not change.key else 0.0
    if change.kind in _OF_PARTS:
        return 0.0
    return habit_of(feed, good_at, of_schema=change.kind == "schema")


def habit_of(feed: Feed, good_at: int, *, of_schema: bool = False) -> float:
    """How often other bytes, or other columns, are read than by the run before."""
    seen = zip(feed.observations, feed.schemas, strict=True)
    old = [schema if of_schema else one.parts for one, schema in seen if one.when <= good_at]
    differ = [one != other for one, other in pairwise(old)]
    return sum(differ) / len(differ) if differ else 0.0
