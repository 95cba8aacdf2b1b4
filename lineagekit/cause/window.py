# SPDX-License-Identifier: Apache-2.0
"""Feeds of a window that moves: which of their parts came, and which older ones can stand in for these.

A file that is written anew for each build is such a feed as well: its parts are what it was in one build after another.

>>> one, two, three = ((Part(f"/raw/a/{day}.csv", f"blake3:{day}"),) for day in (1, 2, 3))
>>> feed = Feed("/raw/a", {"1": one, "2": two}, {"2": two, "3": three})
>>> feed.entered, feed.stand_ins(in_bad=True), feed.stand_ins(in_bad=False)
(('3',), {'3': '2'}, {'2': '1'})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import NamedTuple

from lineagekit.cause.cadence import moment_in
from lineagekit.cause.files import Made
from lineagekit.events.roles import role_of

HISTORY = 4
"""Healthy runs before the bad one that tell what is written anew for each."""
_NEARLY_ALL = 0.75
_LEAST_SEEN = 2
"""Times that it has to have been seen to change, before the bad build."""


class Part(NamedTuple):
    """A file of a feed: where it lies, and its digest."""

    path: str
    digest: str


Came = tuple[Part, ...]
"""What came at one time: one file, or several."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Parts of one dataset, in both builds."""

    where: str
    """As changes name it: a folder, or what the names of its files have in common."""
    good: Mapping[str, Came]
    """By key: a date, or the place of a build in the order of time."""
    bad: Mapping[str, Came]

    @property
    def paths(self) -> set[str]:
        """Of all its parts, in both builds."""
        return {part.path for side in (self.good, self.bad) for came in side.values() for part in came}

    @property
    def entered(self) -> tuple[str, ...]:
        """Keys that only the bad build read."""
        return tuple(sorted(self.bad.keys() - self.good.keys()))

    def stand_ins(self, *, in_bad: bool) -> dict[str, str]:
        """For the parts that came, the last ones before; or for these, in the good build, the ones before them.

        The same operation at the same ages in both: what it does to the good build is what it costs by itself.
        """
        count, known = len(self.entered), sorted(self.good)
        newest, older = known[-count:], known[-2 * count : -count]
        if not count or not older:
            return {}
        if in_bad:
            return dict(zip(self.entered, newest, strict=True))
        return dict(zip(reversed(newest), cycle(reversed(older)), strict=False))


def anew_for_each(healthy: Sequence[Made], good: Made, bad: Made) -> list[Feed]:
    """Files that nearly all builds read with other bytes than the one before; the `healthy` ones in order of time.

    One alone is a change like any other. Two or more belong together: what one says of a day, the others say more of,
    and none of them fits those of another day.
    """
    feeds = []
    for path in _written_elsewhere(good, bad):
        told = [made.files[path] for made in (*healthy, bad) if made.files.get(path)]
        pair = good.files[path], bad.files[path]
        before = next((one for one in reversed(told) if one not in pair), "")
        if before and pair[0] != pair[1] and len(told) > _LEAST_SEEN + 1 and _moves(told):
            parts = {str(number): (Part(path, one),) for number, one in enumerate((before, *pair))}
            feeds.append(Feed(path, {key: parts[key] for key in "01"}, {key: parts[key] for key in "12"}))
    return feeds if len(feeds) + len(feeds_of(good, bad)) > 1 else []


def left_behind(healthy: Sequence[Made], good: Made, bad: Made) -> list[str]:
    """Files likewise written anew for nearly each healthy build, of which the bad build read what the good one had.

    What came with the others does not fit these, whichever of the others is put back.
    """
    same = (path for path in _written_elsewhere(good, bad) if good.files[path] == bad.files[path])
    told = {path: [made.files[path] for made in healthy if made.files.get(path)] for path in same}
    return [path for path, digests in told.items() if len(digests) > _LEAST_SEEN and _moves(digests)]


def _written_elsewhere(good: Made, bad: Made) -> list[str]:
    """Files that both read, and no run on the way has made."""
    return sorted(good.files.keys() & bad.files.keys() - good.written - bad.written)


def _moves(told: Sequence[str]) -> bool:
    moved = [one != other for one, other in pairwise(told)]
    return sum(moved) >= _NEARLY_ALL * len(moved)


def feeds_of(good: Made, bad: Made) -> list[Feed]:
    """Those of which parts came; not what runs on the way made of them, unless there is nothing else."""
    written = good.written | bad.written
    sides = [_parts(made, written) for made in (good, bad)]
    if not any(sides):
        sides = [_parts(made, set()) for made in (good, bad)]
    names = dict.fromkeys(sides[1])
    feeds = [Feed(name, sides[0].get(name, {}), sides[1][name]) for name in names]
    return [feed for feed in feeds if feed.entered]


def _parts(made: Made, without: set[str]) -> dict[str, dict[str, Came]]:
    """What came, by feed and time; the files of a time in the order of their names."""
    found: dict[str, dict[str, Came]] = {}
    for path, digest in sorted(made.files.items()):
        where, key = _place_of(made, path)
        if key and path not in without:
            came = found.setdefault(where, {})
            came[key] = (*came.get(key, ()), Part(path, digest))
    return found


def _place_of(made: Made, path: str) -> tuple[str, str]:
    part = made.parts.get(path)
    role = role_of(f"/{part.path}" if part else path)
    return part.folder if part else role.template, moment_in(role.key)
