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
from lineagekit.cause.graft import Held, columns_of, graft, keys_among, rows_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.supply import Supply
from lineagekit.cause.tables import format_of
from lineagekit.cause.window import Came, Feed, feeds_of

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
        came = sorted(suspects, key=lambda one: one.change.kind == "expired")  # what went is never what is wrong
        self._sentences = {one.change.where: one.change.sentence for one in reversed(came)}
        places = {where: place for place, where in enumerate(dict.fromkeys(one.change.where for one in suspects))}
        feeds = [*feeds_of(plan.good, plan.bad), *window.anew]
        feeds.sort(key=lambda feed: places.get(feed.where, len(places)))
        self.feeds = {CARRY + feed.where: feed for feed in feeds}
        """By operation, the likeliest first."""
        self._keys: dict[Came, pa.Table | None] = {}
        self._columns: dict[str, set[str]] | None = None
        self._of_files: set[str] = set()

    def label(self, where: str) -> str:
        """What blame says of this feed."""
        return self._sentences.get(where, f"{where}: the parts that came")

    def untried(self) -> set[str]:
        """Files that moved with the window and are of no feed."""
        known = set().union(*(feed.paths for feed in self.feeds.values()))
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

    def _side(self, feed: Feed, *, in_bad: bool) -> dict[str, str | None]:
        parts = feed.bad if in_bad else feed.good
        found: dict[str, str | None] = {}
        for key, donor in feed.stand_ins(in_bad=in_bad).items():
            own, stand_in = self._held(parts[key]), self._held(feed.good[donor])
            if not own or not stand_in:
                return {}
            bodies = graft(own, stand_in, self._shared(feed), list(self._rows(feed, key, in_bad=in_bad)))
            if bodies is None:
                return {}
            found |= {part.path: None for part in parts[key] if _is_note(part.path)}
            found |= {held.path: self._kept(held.path, body) for held, body in zip(own, bodies, strict=True)}
        return found

    def _held(self, came: Came) -> list[Held]:
        """The bytes of all; nothing where some are gone."""
        data = [part for part in came if not _is_note(part.path)]
        found = [Held(part.path, body) for part in data if (body := self.supply.find(*part)) is not None]
        return found if len(found) == len(data) else []

    def _rows(self, feed: Feed, key: str, *, in_bad: bool) -> Iterator[pa.Table]:
        """What identifies the rows of that day in other feeds."""
        for other in self.feeds.values():
            came = (other.bad if in_bad else other.good).get(key)
            if other is feed or came is None:
                continue
            if came not in self._keys:
                self._keys[came] = rows_of(self._held(came))
            if (rows := self._keys[came]) is not None:
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
        """Columns by which it may be joined: other feeds have them as well, or they identify the rows of a file."""
        if self._columns is None:
            self._columns = self._of_feeds()
            self._of_files = self._identifying(set().union(*self._columns.values()))
        return self._of_files.union(*(names for where, names in self._columns.items() if where != feed.where))

    def _of_feeds(self) -> dict[str, set[str]]:
        newest = {feed.where: feed.good[max(feed.good)] for feed in self.feeds.values() if feed.good}
        held = {where: self._held(came) for where, came in newest.items()}
        return {where: columns_of(came[-1].source, came[-1].path) for where, came in held.items() if came}

    def _identifying(self, names: set[str]) -> set[str]:
        good = self._plan.good
        of_feeds = set().union(*(feed.paths for feed in self.feeds.values()))
        tables = [path for path in good.files if format_of(path)]
        found: set[str] = set()
        for path in tables:
            if path not in good.written | of_feeds and (source := self.supply.find(path, good.files[path])) is not None:
                found |= keys_among(source, path, names)
        return found


def _is_note(path: str) -> bool:
    """What readers pass over: sums of the files beside it, marks that all is written."""
    return os.path.basename(path).startswith(("_", "."))
