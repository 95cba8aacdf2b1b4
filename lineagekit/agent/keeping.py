# SPDX-License-Identifier: Apache-2.0
"""Keeping: the old bytes of small inputs, copied beside the journal before they are lost.

    >>> keeper.hold("/data/prices.csv", os.fstat(3), 3)  # when it is opened  # doctest: +SKIP
    >>> keeper.keep_changed()  # when the run ends: somebody has put another file in its place  # doctest: +SKIP

What the run itself overwrites is copied just before. What somebody else replaces is noticed when it is too late, so
very small files are remembered as they were when they were opened: in memory, for a descriptor that is kept open would
hold locks, mounts and removed files of the job.
"""

from __future__ import annotations

import os
import stat as stat_module

from lineagekit.agent.evidence import Evidence

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

KEPT = 16 << 20
"""Bytes: the old content of a smaller input is copied before the run overwrites it, in about 5 ms at most."""

KEPT_IN_ALL = 1 << 30
"""Bytes of all old contents that a run keeps in one process: a job that rewrites a lake does not fill the disk."""

HELD = 1 << 20
"""Bytes: a smaller input is remembered from its first opening on."""

HELD_IN_ALL = 4 << 20
"""Bytes that a run remembers in one process: 2 ms of copying in its whole life."""

_HELD_FILES = 256

TABLES = frozenset({"arrow", "csv", "feather", "json", "orc", "parquet"})
"""Formats that libraries open where no door is, and that nobody locks: to close a file drops the process's locks."""


class Keeper:
    """The old bytes that one run keeps in one process."""

    __slots__ = ("_copies", "_held", "_held_room", "_room", "_run")

    def __init__(self, run: Any) -> None:
        """None yet."""
        self._run = run
        self._copies = 0
        self._room, self._held_room = KEPT_IN_ALL, HELD_IN_ALL
        self._held: dict[str, tuple[Evidence, bytes]] = {}

    def hold(self, path: str, found: os.stat_result, descriptor: int) -> None:
        """Remember a small file that the job opens to read; its own place in the file does not move."""
        if found.st_size > min(HELD, self._held_room) or len(self._held) >= _HELD_FILES:
            return
        seen = Evidence.of(found)
        try:
            data = _look(path, seen) if descriptor < 0 else _read(descriptor, seen)
        except (OSError, AttributeError):  # opened in a way in which it cannot be read so; no pread on Windows
            return
        if data is not None:
            self._held_room -= len(data)
            self._held[path] = seen, data

    def forget(self, path: str) -> None:
        """This run has moved it, or its stamp."""
        self._held.pop(path, None)

    def keep_changed(self) -> None:
        """At the end: what does not stand there any more as it was opened."""
        held, self._held = self._held, {}
        for path, (seen, data) in list(held.items()):
            if _evidence(path) != seen:
                self._keep(path, seen, data)

    def keep(self, path: str, was: os.stat_result) -> None:
        """Copy the old bytes of what is about to change, if they are few and nobody changes them meanwhile."""
        if stat_module.S_ISREG(was.st_mode):
            seen, data = self._held.pop(path, (Evidence.of(was), None))
            self._keep(path, seen, data)

    def _keep(self, path: str, seen: Evidence, data: bytes | None) -> None:
        if seen.size > min(KEPT, self._room):
            return
        self._room -= seen.size
        folder = os.path.join(self._run.process.journal.folder, "kept")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._copies += 1
        name = f"{self._run.id}-{os.getpid()}-{self._copies}"
        copy = os.path.join(folder, name)
        is_whole = False
        try:
            is_whole = _copy(path, copy, seen) if data is None else _write(copy, data)
        finally:
            if not is_whole and os.path.exists(copy):  # no room for it, or somebody changed it meanwhile
                os.unlink(copy)
        if is_whole:
            self._run.say({"fact": "kept", "path": path, "evidence": seen, "copy": name})


def _look(path: str, seen: Evidence) -> bytes | None:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        return _read(descriptor, seen)
    finally:
        os.close(descriptor)


def _read(descriptor: int, seen: Evidence) -> bytes | None:
    """All bytes; None where they are not those that were seen."""
    data = os.pread(descriptor, seen.size, 0)
    return data if len(data) == seen.size and Evidence.of(os.fstat(descriptor)) == seen else None


def _copy(path: str, copy: str, evidence: Evidence) -> bool:
    """Copy, and say whether the original stayed what it was."""
    source = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        target = _create(copy)
        try:
            while block := os.read(source, 1 << 20):
                _write_all(target, block)
        finally:
            os.close(target)
        return Evidence.of(os.fstat(source)) == evidence
    finally:
        os.close(source)


def _write(copy: str, data: bytes) -> bool:
    target = _create(copy)
    try:
        _write_all(target, data)
    finally:
        os.close(target)
    return True


def _create(copy: str) -> int:
    return os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write_all(target: int, block: bytes) -> None:
    while block:  # a disk that is nearly full takes a part of it
        block = block[os.write(target, block) :]


def _evidence(path: str) -> Evidence | None:
    try:
        return Evidence.of(os.stat(path))
    except OSError:
        return None
