# SPDX-License-Identifier: Apache-2.0
"""The ledger of one run in one process: which files it touched, each said when it is first read and when it is written.

    >>> ledger.read("/data/orders.csv", os.stat("/data/orders.csv"), "open")  # doctest: +SKIP

Evidence is taken at the first touch and at the writer's return, never at the end: a file whose evidence is the same
when it is hashed was not changed in between. Only what a writer may still change afterwards (a mapped array, a
database) is *in doubt*, and looked at once more when the run ends.
"""

from __future__ import annotations

import os
import stat as stat_module

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.keeping import TABLES, Keeper
from lineagekit.agent.listing import take_listing

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


READ, WRITTEN = 1, 2


class Ledger:
    """What is known of each path; the facts go to the journal as they become known."""

    __slots__ = ("_doubts", "_folders", "_keeper", "_links", "_run", "_said", "_seen", "asked")

    def __init__(self, run: Any) -> None:
        """Nothing yet."""
        self._run = run
        self._seen: dict[str, int] = {}
        self._doubts: dict[str, Evidence | None] = {}
        self._links: dict[str, str] = {}
        self._said: set[str] = set()
        self.asked: set[str] = set()  # variables of the environment
        self._folders: tuple[str, ...] = ()
        self._keeper = Keeper(run)

    def knows(self, path: str, role: int = READ | WRITTEN) -> bool:
        """Whether this was said already: of the path itself, or of the folder that is one dataset."""
        return bool(self._seen.get(path, 0) & role) or (bool(self._folders) and path.startswith(self._folders))

    def is_new(self, said: str) -> bool:
        """Whether something that is no path is said for the first time."""
        count = len(self._said)
        self._said.add(said)
        return len(self._said) > count

    def inputs(self) -> list[str]:
        """What was only read."""
        return [path for path, known in list(self._seen.items()) if known == READ]

    def outputs(self) -> list[str]:
        """What was written."""
        return [path for path, known in list(self._seen.items()) if known & WRITTEN]

    def read(self, path: str, found: os.stat_result | None, door: str, *, descriptor: int = -1, **more: Any) -> None:
        """A file is read, through this descriptor if it is known. What this run wrote itself is no input."""
        if self.knows(path) or (found is not None and not stat_module.S_ISREG(found.st_mode)):
            return
        self._seen[path] = self._seen.get(path, 0) | READ
        self._run.say(dict(more, fact="read", path=path, evidence=_evidence(found), door=door))
        if found is not None and (descriptor >= 0 or more.get("format") in TABLES):
            self._keeper.hold(path, found, descriptor)

    def read_folder(self, path: str, door: str, **more: Any) -> None:
        """A folder is read as one dataset; its files need not be said one by one."""
        if self.knows(path):
            return
        self._seen[path] = READ
        self._folders += (os.path.join(path, ""),)
        self._run.say(dict(more, fact="read", path=path, listing=take_listing(path), door=door))

    def before_writing(self, path: str, was: os.stat_result | None, mode: str) -> None:
        """A file is about to be opened for writing: of an input, or of one that is only changed, keep the old bytes."""
        known = self._seen.get(path, 0)
        if was is not None and not known & WRITTEN and (known & READ or mode in ("a", "r+")):
            self._keeper.keep(path, was)

    def writing(self, path: str, was: os.stat_result | None, mode: str, door: str) -> None:
        """A file was opened for writing; `was` is its stat before, None where there was none."""
        if was is not None and not stat_module.S_ISREG(was.st_mode):  # a pipe, a terminal
            return
        known = self._seen.get(path, 0)
        self._seen[path] = known | WRITTEN
        if not known & WRITTEN:
            self._run.say({"fact": "writing", "path": path, "was": _evidence(was), "mode": mode, "door": door})

    def written(self, path: str, found: os.stat_result | None, door: str, **more: Any) -> None:
        """The writer is done with this file, for now."""
        if found is not None and not stat_module.S_ISREG(found.st_mode):
            return
        self._seen[path] = self._seen.get(path, 0) | WRITTEN
        self._run.say(dict(more, fact="written", path=path, evidence=_evidence(found), door=door))

    def written_folder(self, path: str, door: str, **more: Any) -> None:
        """The writer is done with a folder that is one dataset."""
        self._seen[path] = self._seen.get(path, 0) | WRITTEN
        self._folders += (os.path.join(path, ""),)
        self._run.say(dict(more, fact="written", path=path, listing=take_listing(path), door=door))

    def doubt(self, path: str) -> None:
        """This may be written without anybody telling: look again when the run ends."""
        if path not in self._doubts:
            self._doubts[path] = _evidence(_stat(path))

    def is_in_doubt(self, path: str) -> bool:
        """Whether it may be written still without anybody telling."""
        return path in self._doubts

    def replacing(self, path: str) -> None:
        """Something is about to take this path's place, or to remove it; an input's old bytes are kept."""
        if self._seen.get(path, 0) & (READ | WRITTEN) == READ:
            self._keeper.keep(path, os.stat(path))

    def was(self, path: str) -> os.stat_result | None:
        """The stat of an input that is about to be moved or touched, so that what comes after can be told to be it."""
        return _stat(path) if self._seen.get(path, 0) & READ else None

    def moved(self, old: str, new: str, *, link: bool = False, was: os.stat_result | None = None) -> None:
        """A file or folder has another name now."""
        if link:
            self._links[old] = new
        else:
            self._seen.pop(old, None)
            self._doubts.pop(old, None)
            self._keeper.forget(old)
        self._seen[new] = self._seen.get(new, 0) | WRITTEN
        try:
            found = os.stat(new)
        except OSError:  # a link to nowhere
            return
        fact: dict[str, Any] = {"fact": "moved", "from": old, "path": new}
        if stat_module.S_ISDIR(found.st_mode):
            fact["listing"] = take_listing(new)
            self._move_below(os.path.join(old, ""), os.path.join(new, ""))
        else:
            fact["evidence"] = _evidence(found)
        if link:
            fact["link"] = True
        if was is not None:
            fact["was"] = _evidence(was)
        self._run.say(fact)

    def removed(self, path: str) -> None:
        """A file that this run touched is gone by its own hand."""
        if self._seen.pop(path, 0):
            self._run.say({"fact": "removed", "path": path})
        other = self._links.pop(path, "")
        if other and self._seen.get(other, 0):  # the one that is left has a new stamp
            self.changed(other)

    def changed(self, path: str, was: os.stat_result | None = None) -> None:
        """Its stat was moved by this run, not its bytes: chmod, utime."""
        if not self._seen.get(path, 0) & WRITTEN and was is None:
            return
        found = _stat(path)
        if found is not None:
            fact: dict[str, Any] = {"fact": "changed", "path": path, "evidence": _evidence(found)}
            if was is not None:
                fact["was"] = _evidence(was)
            self._keeper.forget(path)
            self._run.say(fact)

    def settle_doubts(self) -> None:
        """At the end: what is in doubt was written if its stat has moved; what was replaced is kept as it was."""
        self._keeper.keep_changed()
        for path, was in list(self._doubts.items()):  # other threads may go on
            found = _stat(path)
            if found is None or not (self._seen.get(path, 0) & WRITTEN or _evidence(found) != was):
                continue
            if stat_module.S_ISDIR(found.st_mode):
                self.written_folder(path, "end")
            else:
                self.written(path, found, "end")

    def _move_below(self, old: str, new: str) -> None:
        for path in [path for path in list(self._seen) if path.startswith(old)]:
            self._seen[new + path[len(old) :]] = self._seen.pop(path)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _evidence(found: os.stat_result | None) -> Evidence | None:
    return None if found is None else Evidence.of(found)
