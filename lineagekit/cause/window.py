# SPDX-License-Identifier: Apache-2.0
"""Feeds of a window that moves: which of their parts came, and which older ones can stand in for these.

>>> feed = Feed("/raw/a", {"05-01": "1", "05-02": "2", "05-03": "3"}, {"05-02": "2", "05-03": "3", "05-04": "4"})
>>> feed.entered, feed.stand_ins(in_bad=True), feed.stand_ins(in_bad=False)
(('05-04',), {'05-04': '05-03'}, {'05-03': '05-02'})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lineagekit.cause.files import Made
from lineagekit.cause.parts import key_of
from lineagekit.events.roles import role_of


@dataclass(frozen=True, slots=True)
class Feed:
    """Dated parts of one dataset, in both builds."""

    where: str
    """As changes name it: a folder, or what the names of its files have in common."""
    good: Mapping[str, str]
    """Paths by key."""
    bad: Mapping[str, str]

    @property
    def entered(self) -> tuple[str, ...]:
        """Keys that only the bad build read."""
        return tuple(sorted(self.bad.keys() - self.good.keys()))

    def stand_ins(self, *, in_bad: bool) -> dict[str, str]:
        """For the parts that came, the last ones before; or for these, in the good build, the ones before them.

        The same operation at the same ages in both: what it does to the good build is what it costs by itself.
        """
        count, known = len(self.entered), sorted(self.good)
        if not count or len(known) < 2 * count:
            return {}
        newest = known[-count:]
        older = known[-2 * count : -count]
        return dict(zip(self.entered, newest, strict=True) if in_bad else zip(newest, older, strict=True))


def feeds_of(good: Made, bad: Made) -> list[Feed]:
    """Those of which parts came; not what runs on the way made of them, unless there is nothing else."""
    written = good.written | bad.written
    sides = [_parts(made, written) for made in (good, bad)]
    if not any(sides):
        sides = [_parts(made, set()) for made in (good, bad)]
    names = dict.fromkeys(sides[1])
    feeds = [Feed(name, sides[0].get(name, {}), sides[1][name]) for name in names]
    return [feed for feed in feeds if feed.entered]


def _parts(made: Made, without: set[str]) -> dict[str, dict[str, str]]:
    """Paths by feed and key; a feed with several files for one key has no parts that could stand for each other."""
    found: dict[str, dict[str, str]] = {}
    for path in made.files:
        where, key = _place_of(made, path)
        if key and path not in without:
            parts = found.setdefault(where, {})
            parts[key] = path if key not in parts else ""
    return {where: parts for where, parts in found.items() if all(parts.values())}


def _place_of(made: Made, path: str) -> tuple[str, str]:
    if path in made.parts:
        folder, part = made.parts[path]
        return folder, key_of(part) if role_of(f"/{part}").key else ""
    role = role_of(path)
    return role.template, role.key
