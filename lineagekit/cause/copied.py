# SPDX-License-Identifier: Apache-2.0
"""Workspaces where no cage can be built: a copy of the folder in which the command starts, and what else it is to read.

>>> home = Path("/home/ann/churn")  # doctest: +SKIP
>>> space = Copied(home / ".lineagekit/bisect/x/workspace", home, [Path("/data")])  # doctest: +SKIP
>>> space.place(home / "labels.csv", b"id,label")  # doctest: +SKIP
>>> space.real(home / "labels.csv")  # doctest: +SKIP
PosixPath('/home/ann/churn/.lineagekit/bisect/x/workspace/open/tree/home/ann/churn/labels.csv')

The command starts in the copy, and `warden` lets it write nowhere else: paths that are relative find what was placed.
Absolute ones lead to the user's own files, which can be read and not written; `seen` tells what was read of these.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from lineagekit.cause import caches, debris, layers
from lineagekit.cause.space import fill, told
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.store.log import FILE

MOST_BYTES, MOST_FILES = 10 << 30, 100_000
"""Of a folder that is copied for each rebuild."""
_SEEN_ONLY = (".git",)
_NOT_SEEN = ("__pycache__", ".lineagekit")
_MARKS = ("CACHEDIR.TAG", FILE)
"""What lies in caches, by their own standard, and in stores."""
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")


class Copied:
    """One of them; see `cage` for the command."""

    layers = ()

    def __init__(self, folder: Path, home: Path, recorded: Iterable[Path] = ()) -> None:
        """Make it new, with what lies in `home`; of the other `recorded` folders only what is placed is there."""
        self.folder, self.home = (Path(os.path.realpath(one)) for one in (folder, home))
        self.open = self.folder / "open"
        self.tree = self.open / "tree"
        self._copied = {self.home, *(Path(os.path.realpath(one)) for one in recorded)} - {Path("/")}
        self.remove_all()
        found = self._measured()
        is_made = False
        try:
            with told(f"{self.home} cannot be copied"):
                self._make(found)
            is_made = True
        finally:
            if not is_made:
                self.remove_all()

    def place(self, path: Path, source: Path | bytes) -> None:
        """Inside, these bytes lie at `path`, as new as can be; the mode is that of the file that lies there now."""
        with told(f"{path} cannot be placed in the workspace"):
            target = self._cleared(path)
            with target.open("x+b") as copy:
                fill(copy.fileno(), source)
            now = layers.file_at(path)
            if now:
                layers.own_like(now, target)
            target.chmod(stat.S_IMODE(now.st_mode) & 0o777 if now else layers.NEW_FILE)

    def remove(self, path: Path) -> None:
        """Inside, nothing lies at `path`, be it a file or a folder."""
        with told(f"{path} cannot be removed in the workspace"):
            if os.path.lexists(self.inside(path)):
                self._cleared(path)

    def remove_all(self) -> None:
        """Leave nothing, whatever the command left here."""
        with told(f"the workspace {self.folder} cannot be removed"):
            debris.remove(self.folder)

    def inside(self, path: Path) -> Path:
        """Where it lies in the copy."""
        if not path.is_absolute():
            raise UsageError(f"{path} is no absolute path of a file", advice="Name it from / on.")
        resolved = Path(os.path.realpath(path.parent), path.name)
        return self.tree / resolved.relative_to("/")

    def real(self, path: Path) -> Path:
        """The same: nothing is covered."""
        return path if path.is_relative_to(self.open) else self.inside(path)

    def _make(self, found: Iterable[os.DirEntry[str]]) -> None:
        (self.open / "tmp").mkdir(parents=True)
        caches.set_apart(self.open / "cache")
        self.folder.chmod(0o700)
        self.inside(self.home).mkdir(parents=True)
        for entry in found:
            self._copy(entry)
        self._show_repository()

    def _measured(self) -> list[os.DirEntry[str]]:
        """What is to be copied; raises UsageError where that is too much, before anything is."""
        if self.home == Path("/") or not self.home.is_dir():
            raise NotFoundError(f"no folder to copy: {self.home}", advice="Start in the folder of the project.")
        found, size, free = [], 0, shutil.disk_usage(self.home).free
        for entry in self._entries(self.home):
            found.append(entry)
            size += entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
            if len(found) > MOST_FILES:
                raise self._too_large(f"it holds more than {MOST_FILES:,} files")
        if size > min(MOST_BYTES, free // 2):
            raise self._too_large(f"it holds {size / 1e9:.1f} GB in {len(found):,} files, {free / 1e9:.1f} GB are free")
        return found

    def _too_large(self, why: str) -> UsageError:
        return UsageError(
            f"{self.home} is too large to be copied for each rebuild: {why}, {MOST_BYTES / 1e9:.1f} GB at most",
            advice="Start in a smaller folder, or run where user namespaces are allowed: nothing is copied there.",
        )

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        """Folders before what lies in them."""
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder and (entry.name in _NOT_SEEN or entry.path == str(self.folder) or _has(entry, _MARKS)):
                    continue
                yield entry
                if is_folder and not _is_seen_only(entry) and os.access(entry.path, os.R_OK | os.X_OK):
                    yield from self._entries(Path(entry.path))

    def _copy(self, entry: os.DirEntry[str]) -> None:
        path = Path(entry.path)
        target = self.tree / path.relative_to("/")
        if entry.is_symlink():
            target.symlink_to(self._led(Path(os.path.realpath(path))))
        elif entry.is_dir():
            if _is_seen_only(entry):
                target.symlink_to(path)
            else:
                layers.make_like(path, target)
        elif entry.is_file() and os.access(path, os.R_OK):
            with target.open("x+b") as copy:
                fill(copy.fileno(), path)
            found = entry.stat()
            layers.own_like(found, target)
            target.chmod(stat.S_IMODE(found.st_mode) & 0o777)
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _led(self, leads: Path) -> Path:
        """Links lead to copies where there are some, else to the user's own files, which can be read."""
        is_copied = any(leads.is_relative_to(one) or one.is_relative_to(leads) for one in self._copied)
        return self.tree / leads.relative_to("/") if is_copied else leads

    def _show_repository(self) -> None:
        """Of git it is seen, or programs would find the one around the workspace."""
        for folder in (self.home, *self.home.parents):
            place = self.tree / folder.relative_to("/") / ".git"
            if (folder / ".git").exists():
                if not os.path.lexists(place):
                    place.symlink_to(folder / ".git")
                return

    def _cleared(self, path: Path) -> Path:
        """Where it lies in the copy, with nothing there now, and nothing on the way that leads out of it."""
        target, place = self.inside(path), self.tree
        for part in target.relative_to(self.tree).parts[:-1]:
            place /= part
            if place.is_symlink():
                what = f"{path} cannot be put back: {place.name} is not copied"
                raise UsageError(what, advice="Run where user namespaces are allowed: all can be put back there.")
            if not place.is_dir():
                place.unlink(missing_ok=True)
                place.mkdir(layers.NEW_FOLDER)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        return target


def _is_seen_only(entry: os.DirEntry[str]) -> bool:
    """A folder to which a link leads: nobody trains on it, and it is large."""
    return entry.name in _SEEN_ONLY or _has(entry, _ENVIRONMENT)


def _has(entry: os.DirEntry[str], names: Iterable[str]) -> bool:
    return any(os.path.lexists(os.path.join(entry.path, name)) for name in names)
