# SPDX-License-Identifier: Apache-2.0
"""Room for kept bytes: how many there are, how many there may be, and whether the disk has enough for others.

    >>> Room("/data/.lineagekit/objects", 10 << 30).takes(1 << 20)  # doctest: +SKIP
    True

The sum stands in a file that is changed under a lock, so that nobody counts all files to add one, and several at once
stay below the limit. It may be too large, after a kill, and is never too small: before anything is refused for the
limit, all is counted.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

FOLDER = "objects"
SPARE = 1 << 30
"""Bytes of the disk that are left to others."""

_SUM, _REFUSED = "sum", "refused"
_ENDLESS = 1 << 63


class KeptFile(NamedTuple):
    """One file, as it lies there."""

    hex: str
    size: int
    used: int
    """When it was used last, in nanoseconds."""
    path: str


class Room:
    """What one user of the folder knows of it."""

    def __init__(self, folder: str, most: int | None) -> None:
        """Nothing is looked at yet."""
        self._folder, self._most = folder, _ENDLESS if most is None else most
        self._left = -1
        """What still went in when it was looked at, less what has been promised since."""
        self._too_large = _ENDLESS
        """The smallest that was refused: nobody looks again for another one as large."""

    def takes(self, size: int) -> bool:
        """Whether so many more seem to go in; if not, that is noted. `admit` has the last word. Raises OSError."""
        if size > self._left and size < self._too_large:
            self._left = self._look(size)
        if size > self._left:
            self._too_large = min(size, self._too_large)
            return False
        self._left -= size
        return True

    def admit(self, sizes: Sequence[int]) -> list[bool]:
        """Which of these go in, one after the other; those are counted from now on. Under the lock."""
        self._left, total = -1, self._sum()
        if total + sum(sizes) > self._most:
            total = self._count()
        admitted = []
        for size in sizes:
            admitted.append(total + size <= self._most)
            total += size if admitted[-1] else 0
        self.set(total)  # before they lie there: killed in between, it is too large, which the next count mends
        if not all(admitted):
            self._refuse("limit", min(size for size, went in zip(sizes, admitted, strict=True) if not went))
        return admitted

    def set(self, total: int) -> None:
        """Say how many there are. Under the lock."""
        scratch = os.path.join(self._folder, f"{_SUM}.new")
        with open(scratch, "w", encoding="ascii") as file:
            file.write(str(total))
        os.replace(scratch, os.path.join(self._folder, _SUM))

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """One at a time, of all processes and threads."""
        make_folder(self._folder)
        descriptor = os.open(os.path.join(self._folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self
        finally:
            os.close(descriptor)

    def refused(self) -> str:
        """Why something was refused that would be today as well: "limit", "disk"; "" if nothing was. Raises OSError."""
        why, size = self._note()
        if why == "limit":
            return why if self._sum() + size > self._most else ""
        return why if why and _free(self._folder) - SPARE < size else ""

    def forgive(self) -> None:
        """There is room again."""
        self._left, self._too_large = -1, _ENDLESS
        with suppress(OSError):
            os.unlink(os.path.join(self._folder, _REFUSED))

    def _look(self, size: int) -> int:
        by_disk = _free(self._folder) - SPARE
        by_limit = self._most - self._sum()
        if by_limit < size:
            by_limit = self._most - self._count()
        if size > min(by_disk, by_limit):
            self._refuse("limit" if by_limit < size else "disk", size)
        return min(by_disk, by_limit)

    def _sum(self) -> int:
        try:
            with open(os.path.join(self._folder, _SUM), encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return self._count()

    def _count(self) -> int:
        return sum(one.size for one in kept_files(self._folder))

    def _refuse(self, why: str, size: int) -> None:
        """Note it, if it says more than what is noted."""
        noted = self._note()
        if noted[0] != why or noted[1] > size:
            with suppress(OSError):
                make_folder(self._folder)
                with open(os.path.join(self._folder, _REFUSED), "w", encoding="ascii") as file:
                    file.write(f"{why} {size}")

    def _note(self) -> tuple[str, int]:
        try:
            with open(os.path.join(self._folder, _REFUSED), encoding="ascii") as file:
                why, size = file.read().split()
                return why, int(size)
        except (OSError, ValueError):
            return "", 0


def make_folder(path: str) -> None:
    """A folder that is its user's alone, as what lies in it. Raises OSError."""
    with suppress(FileExistsError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mkdir(path, 0o700)


def kept_files(folder: str) -> Iterator[KeptFile]:
    """All that are kept in this folder; one that goes meanwhile is left out."""
    with suppress(OSError), os.scandir(folder) as fans:
        for fan in fans:
            if len(fan.name) == 2:
                yield from _files_in(fan)


def _files_in(fan: os.DirEntry[str]) -> Iterator[KeptFile]:
    with suppress(OSError), os.scandir(fan.path) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                yield KeptFile(fan.name + entry.name, found.st_size, found.st_mtime_ns, entry.path)


def _free(folder: str) -> int:
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
