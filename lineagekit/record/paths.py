# SPDX-License-Identifier: Apache-2.0
"""The paths of one run, fact by fact, and what that makes of each: an input, an output, both or neither.

    >>> paths = Paths()
    >>> paths.read({"path": "/in.csv", "evidence": [1, 2, 3, 4, 5]}, 10)
    >>> paths.written({"path": "/tmp/x", "evidence": [1, 2, 3, 6, 5]}, 20)
    >>> paths.moved({"from": "/tmp/x", "path": "/out.csv", "evidence": [1, 2, 4, 6, 5]}, 30)
    >>> [one.path for one in paths.inputs()], [one.path for one in paths.outputs()]
    (['/in.csv'], ['/out.csv'])

The first touch decides: what was read first is an input, what was written first is not, however often it is read back.
"""

from __future__ import annotations

import os
from dataclasses import replace

from lineagekit.agent.evidence import Evidence
from lineagekit.events.account import ModelName
from lineagekit.record import reasons
from lineagekit.record.facts import Fact, evidence, flag, listing, path, text
from lineagekit.record.touches import Read, Written


class Paths:
    """All paths of one run."""

    def __init__(self) -> None:
        """None yet."""
        self._reads: dict[str, Read] = {}
        self._writes: dict[str, Written] = {}
        self._places: dict[str, Read] = {}
        self._kept: dict[str, tuple[Evidence, str]] = {}
        self._moved_open: dict[str, Written] = {}
        self._models: dict[str, ModelName] = {}
        self._renamed: dict[str, str] = {}
        self._above: set[str] = set()
        self._folders: tuple[str, ...] = ()  # that this run has written as one dataset
        self.copies: list[str] = []
        """Files beside the journal that this run's facts speak of."""

    def inputs(self) -> list[Read]:
        """What was read, in the order of first touch; a file of a folder that was read whole is part of that."""
        folders = tuple(one.path + "/" for one in self._reads.values() if one.is_folder)
        return [one for one in self._reads.values() if not (folders and one.path.startswith(folders))]

    def outputs(self) -> list[Written]:
        """What was left behind, likewise."""
        found = [one for one in self._writes.values() if not one.is_unchanged]
        folders = tuple(one.path + "/" for one in found if one.is_folder)
        return [one for one in found if one.model or not (folders and one.path.startswith(folders))]

    def name_now(self, name: str) -> str:
        """What an output is called in the end that had this name once."""
        for _ in self._renamed:
            if name in self._writes or name not in self._renamed:
                break
            name = self._renamed[name]
        return name

    def read(self, fact: Fact, at: int) -> None:
        """The first touch of a file or folder as input."""
        name, found = path(fact), evidence(fact)
        if name in self._writes or (self._folders and name.startswith(self._folders)):
            return
        one = self._reads.get(name)
        if one is None:
            one = self._add_read(name, found, at, text(fact, "door"))
            one.listing, one.is_folder = listing(fact), "listing" in fact
        elif self._places.get(name) is one and found not in (None, one.seen):  # says another process of this run
            one.doubt = reasons.CHANGED_AFTER_READ
        one.shape.learn(fact)

    def kept(self, fact: Fact, at: int) -> None:
        """The old bytes were copied, because this run is about to overwrite them."""
        name, found, copy = path(fact), evidence(fact), text(fact, "copy")
        if found is None or not copy or os.path.basename(copy) != copy or copy in (".", ".."):
            return
        self.copies.append(copy)
        self._kept[name] = (found, copy)
        one = self._places.get(name)
        if one is not None and not self._attach(one):
            one.doubt = reasons.CHANGED_AFTER_READ

    def writing(self, fact: Fact, at: int) -> None:
        """Opened for writing: what stood there, and is changed rather than replaced, is an input too."""
        name, was, mode = path(fact), evidence(fact, "was"), text(fact, "mode")
        changes = was is not None and mode in ("a", "r+")
        one, place = self._writes.get(name), self._places.get(name)
        if one is None or one.is_unchanged:
            if changes and place is None and name not in self._reads:
                place = self._add_read(name, was, at, text(fact, "door"))
            elif place is not None and was is not None and was != place.seen:
                place.doubt = reasons.CHANGED_AFTER_READ
            one = self._add_written(Written(name, at, text(fact, "door"), before=was, changes=changes))
        one.is_open = True
        one.opened = was if changes else None
        if place is not None and not one.changes:
            self._lose(place, reasons.OVERWRITTEN)

    def written(self, fact: Fact, at: int) -> None:
        """The writer is done, for now."""
        name, found = path(fact), evidence(fact)
        one = self._writes.get(name) or self._find_moved(name, found)
        if one is None:
            place = self._places.get(name)
            before = place.seen if place else None
            one = self._add_written(Written(name, at, text(fact, "door"), before=before, changes=before is not None))
        if one.evidence is None or found != one.opened:  # else nothing was written: who left it so is another question
            one.evidence, one.listing, one.at, one.taken = found, listing(fact), at, ""
        one.is_open = False
        one.door, one.is_folder = text(fact, "door") or one.door, "listing" in fact
        self._note_folder(one)
        one.shape.learn(fact)
        if name in self._places and not one.is_unchanged:
            self._lose(self._places[name], reasons.OVERWRITTEN)

    def moved(self, fact: Fact, at: int) -> None:
        """A file or folder has another name now, or with `link` a second one."""
        old, new, found, is_link = path(fact, "from"), path(fact), evidence(fact), bool(flag(fact, "link"))
        here, was = listing(fact), evidence(fact, "was")
        if old == new:
            return
        if new in self._places:
            self._lose(self._places[new], reasons.OVERWRITTEN)
        self._writes.pop(new, None)
        below = self._move_below(old, new) if "listing" in fact else 0
        if old in self._places:
            self._carry(self._places[old], new, was, found, is_link)
        one = self._writes.get(old)
        if one is None and below and (here is None or here.files <= below):
            return  # all that is in the folder is known one by one
        arrived = replace(one) if one else Written(new, at, text(fact, "door") or "rename")
        arrived.path, arrived.at, arrived.evidence, arrived.listing = new, at, found, here
        arrived.is_folder = "listing" in fact
        if one and is_link:
            one.evidence = found  # another link moves the stamp
        elif one:
            self._leave(one, arrived)
        self._add_written(arrived)

    def removed(self, fact: Fact, at: int) -> None:
        """Gone by this run's own hand: no output, and an input without bytes."""
        name = path(fact)
        for gone in [name, *self._below(name)]:
            self._writes.pop(gone, None)
            if gone in self._places:
                self._lose(self._places[gone], reasons.GONE)
        self._folders = tuple(folder for folder in self._folders if folder != name + "/")

    def changed(self, fact: Fact, at: int) -> None:
        """The same file with a new stat, by this run: chmod, utime, truncate."""
        name, found, was = path(fact), evidence(fact), evidence(fact, "was")
        one, place = self._writes.get(name), self._places.get(name)
        if one is not None:
            one.evidence = found
        elif place is not None and place.seen is not None and found is not None:
            if found.size != place.seen.size:
                self._lose(place, reasons.OVERWRITTEN)
                self._add_written(Written(name, at, text(fact, "door"), evidence=found))
            elif was == place.seen:
                place.seen = found
            else:
                place.doubt = reasons.CHANGED_AFTER_READ

    def taken(self, fact: Fact, at: int) -> None:
        """The job has hashed what it wrote, as long as it was sure to be its own."""
        one = self._writes.get(path(fact))
        if one is not None and one.evidence is not None and one.evidence == evidence(fact):
            one.taken = text(fact, "digest")

    def model(self, name: str, model: ModelName) -> None:
        """What lies at this path is a model, wherever it is moved."""
        one = self._writes.get(name) or self._reads.get(name)
        if one is not None:
            one.model = model
        else:
            self._models[name] = model

    def models_elsewhere(self) -> dict[str, ModelName]:
        """Paths that were called models, and that this run neither read nor wrote as far as it is known."""
        return self._models

    def _add_read(self, name: str, found: Evidence | None, at: int, door: str) -> Read:
        one = self._reads[name] = Read(name, found, None, at, door, name, found)
        self._places[name] = one
        one.model = self._models.pop(name, None)
        self._note(name)
        self._attach(one)
        return one

    def _add_written(self, one: Written) -> Written:
        self._writes[one.path] = one
        one.model = self._models.pop(one.path, one.model)
        self._note(one.path)
        self._note_folder(one)
        return one

    def _note_folder(self, one: Written) -> None:
        if one.is_folder and one.path + "/" not in self._folders:
            self._folders += (one.path + "/",)

    def _leave(self, one: Written, arrived: Written) -> None:
        """An output has left its old name, maybe still open: then that is the name under which it will be closed."""
        del self._writes[one.path]
        self._renamed[one.path] = arrived.path
        self._folders = tuple(folder for folder in self._folders if folder != one.path + "/")
        if one.is_open:
            self._moved_open[one.path] = arrived
        arrived.is_open = arrived.changes = False

    def _attach(self, one: Read) -> bool:
        """Give an input its copy, if there is one; False if that has something else than what was read."""
        found, copy = self._kept.get(one.place, (one.seen, one.copy))
        if found == one.seen:
            one.copy = one.copy or copy
        return found == one.seen

    def _lose(self, one: Read, why: str) -> None:
        one.lost = why
        self._places.pop(one.place, None)

    def _carry(self, one: Read, new: str, was: Evidence | None, found: Evidence | None, is_link: bool) -> None:
        """The run gave an input another name, which moves its stamp: the new one is good if nothing came between."""
        proven = one.is_folder or (was is not None and was == one.seen and found is not None)
        if is_link:
            one.seen, one.doubt = (found, one.doubt) if proven else (one.seen, reasons.CHANGED_AFTER_READ)
        elif proven:
            self._places.pop(one.place, None)
            one.place, one.seen = new, found
            self._places[new] = one
        else:
            self._lose(one, reasons.GONE)

    def _move_below(self, old: str, new: str) -> int:
        """Take along what was in a folder; its evidence is untouched by that. How many outputs are below now."""
        count = 0
        for name in self._below(old):
            target = new + name[len(old) :]
            self._note(target)
            if name in self._writes:
                one = self._writes[target] = self._writes.pop(name)
                one.path = self._renamed[name] = target
                count += 1
            if name in self._places:
                place = self._places[target] = self._places.pop(name)
                place.place = target
        return count

    def _below(self, name: str) -> list[str]:
        """Paths in this folder, if it is one that this run has been in."""
        if name not in self._above:
            return []
        return [one for one in {**self._writes, **self._places} if one.startswith(name + "/")]

    def _note(self, name: str) -> None:
        """Remember the folders that a path lies in."""
        above = os.path.dirname(name)
        while above not in self._above:
            self._above.add(above)
            above = os.path.dirname(above)

    def _find_moved(self, name: str, found: Evidence | None) -> Written | None:
        """A file that was moved while it was open is closed under its first name."""
        one = self._moved_open.pop(name, None)
        if one is None or found is None or one.evidence is None or one.evidence.inode != found.inode:
            return None
        return one
