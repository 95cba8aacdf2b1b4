# SPDX-License-Identifier: Apache-2.0
"""Operations on the feeds of a window: what of a feed came is replaced by its last good parts, or these by older ones.

>>> surgeon = Surgeon(plan, supply, folder, atoms, higher_is_better=True)  # doctest: +SKIP
>>> surgeon.prepare("carry:/raw/labels"), plan.operations["carry:/raw/labels"]  # doctest: +SKIP
(True, ({'/raw/labels/day=05-03/p': 'blake3:1c...'}, {'/raw/labels/day=05-04/p': 'blake3:77...'}))
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from lineagekit.cause.atoms import WINDOW, Atoms
from lineagekit.cause.files import Made
from lineagekit.cause.graft import columns_of, graft, rows_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.supply import Supply
from lineagekit.cause.window import Feed, Part, feeds_of

if TYPE_CHECKING:
    import pyarrow as pa

CARRY = "carry:"
"""Before a feed's name: the id of the operation, among those of atoms."""


class Surgeon:
    """Makes the parts that operations need, in a folder of its own."""

    def __init__(self, plan: Plan, supply: Supply, folder: Path, window: Atoms, *, higher_is_better: bool) -> None:
        """Nothing is made yet."""
        suspects = window.of_window
        self._plan, self.supply, self._folder = plan, supply, folder
        self.higher_is_better = higher_is_better
        self._sentences = {one.change.where: one.change.sentence for one in reversed(suspects)}
        places = {where: place for place, where in enumerate(dict.fromkeys(one.change.where for one in suspects))}
        feeds = [*feeds_of(plan.good, plan.bad), *window.anew]
        feeds.sort(key=lambda feed: places.get(feed.where, len(places)))
        self.feeds = {CARRY + feed.where: feed for feed in feeds}
        """By operation, the likeliest first."""
        self._keys: dict[Part, pa.Table | None] = {}
        self._columns: dict[str, set[str]] | None = None

    def label(self, where: str) -> str:
        """What blame says of this feed."""
        return self._sentences.get(where, f"{where}: the parts that came")

    def untried(self) -> set[str]:
        """Files that moved with the window and are of no feed: several for one day, mostly."""
        known = {part.path for feed in self.feeds.values() for side in (feed.good, feed.bad) for part in side.values()}
        return {path for atom in self._plan.atoms if atom.id == WINDOW for path in atom.files} - known

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
        parts = feed.bad if in_bad else feed.good
        found: dict[str, str] = {}
        for key, donor in feed.stand_ins(in_bad=in_bad).items():
            part = parts[key]
            own, stand_in = self.supply.find(*part), self.supply.find(*feed.good[donor])
            if own is None or stand_in is None:
                return {}
            body = graft(own, stand_in, part.path, self._shared(feed), list(self._rows(feed, key, in_bad=in_bad)))
            if body is None:
                return {}
            found[part.path] = self._kept(part.path, body)
        return found

    def _rows(self, feed: Feed, key: str, *, in_bad: bool) -> Iterator[pa.Table]:
        """What identifies the rows of that day in other feeds."""
        for other in self.feeds.values():
            part = (other.bad if in_bad else other.good).get(key)
            if other is feed or part is None:
                continue
            if part not in self._keys:
                source = self.supply.find(*part)
                self._keys[part] = None if source is None else rows_of(source, part.path)
            if (rows := self._keys[part]) is not None:
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
        newest = {feed.good[max(feed.good)].path: feed.where for feed in self.feeds.values() if feed.good}
        dated = {part.path for feed in self.feeds.values() for part in feed.good.values()}
        found = {}
        for path, digest in made.files.items():
            if path in made.written or (path in dated and path not in newest):
                continue
            source = self.supply.find(path, digest) if os.path.splitext(path)[1] in (".csv", ".parquet") else None
            found[newest.get(path, path)] = columns_of(source, path) if source is not None else set()
        return found
