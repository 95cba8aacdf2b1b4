# SPDX-License-Identifier: Apache-2.0
"""Workspaces: what differs for a command that runs in a cage, laid out before as the upper layers of its overlays.

>>> home = Path("/home/ann/churn")  # doctest: +SKIP
>>> space = Workspace(home / ".lineagekit/bisect/x/workspace", [home])  # doctest: +SKIP
>>> space.place(home / "labels.csv", b"id,label")  # doctest: +SKIP
>>> space.remove(home / "model.bin")  # doctest: +SKIP
>>> space.real(home / "labels.csv")  # doctest: +SKIP
PosixPath('/home/ann/churn/.lineagekit/bisect/x/workspace/layers/0/upper/labels.csv')

Nothing of the user's is touched: all of it lies in one private folder, which a command inside sees as empty.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from lineagekit.cause import caches, debris, layers, mounts
from lineagekit.cause.layers import Layer
from lineagekit.cause.space import fill, told
from lineagekit.errors import NotFoundError, UsageError

_LINKS = 40
"""Symbolic links that are followed on the way to a file, as the kernel does."""
_NEVER = ("/dev", "/proc", "/sys")
_NO_FILES = (b"autofs", b"cgroup", b"cgroup2", b"devpts", b"devtmpfs", b"mqueue", b"proc", b"sysfs")
_SPARE = Path("/dev/shm")


class Workspace:
    """One of them; see `cage` for the command."""

    tree: Path | None = None
    """All is seen at its own place."""

    def __init__(self, folder: Path, roots: Iterable[Path]) -> None:
        """Make it new: whatever lay in `folder` is removed."""
        self.folder = Path(os.path.realpath(folder))
        self.roots = _merged(roots)
        self.open = self.folder / "open"
        """Seen inside at the same place, and the one folder where the command's files really are."""
        self._spare = _SPARE / f"lineagekit-{os.getuid()}-{sha256(os.fsencode(self.folder)).hexdigest()[:16]}"
        self.remove_all()
        with told(f"the workspace {self.folder} cannot be made"):
            (self.open / "tmp").mkdir(parents=True)
            self.folder.chmod(0o700)
            self.layers = tuple(self._make_layers())
            self._hide()

    def place(self, path: Path, source: Path | bytes) -> None:
        """Inside, these bytes lie at `path`, as new as can be; the mode is that of the file that lies there now."""
        layer, path = self._find(path)
        with told(f"{path} cannot be placed in the workspace"):
            now = layers.file_at(layers.seen(layer, path)) or layers.file_at(path)
            mode = stat.S_IMODE(now.st_mode) & 0o777 if now else layers.NEW_FILE
            target = layers.clear(layer, path)
            with target.open("x+b") as copy:
                fill(copy.fileno(), source)
            if now:
                layers.own_like(now, target)
            target.chmod(mode)

    def remove(self, path: Path) -> None:
        """Inside, nothing lies at `path`, be it a file or a folder."""
        layer, path = self._find(path)
        if path == layer.folder:
            raise UsageError(f"{path} is a root of the workspace: it cannot be removed", advice="Name what lies in it.")
        with told(f"{path} cannot be removed in the workspace"):
            if os.path.lexists(layers.seen(layer, path)):
                layers.white_out(layer, path)

    def remove_all(self) -> None:
        """Leave nothing, whatever the command left here."""
        with told(f"the workspace {self.folder} cannot be removed"):
            for folder in (self._spare, self.folder):
                debris.remove(folder)

    def inside(self, path: Path) -> Path:
        """The same: all is seen at its own place."""
        return path

    def real(self, path: Path) -> Path:
        """Where what lies at `path` inside lies outside; if nothing lies there inside, a path that cannot be read."""
        path = self._resolved(path)
        layer = self._layer_of(path)
        return layers.seen(layer, path) if layer else path

    def _make_layers(self) -> Iterator[Layer]:
        """A layer for each root, for temporary folders and caches, and for what is mounted on folders in the roots."""
        empty = set(caches.hidden(self.roots))
        kept = [one for cache in empty for one in caches.kept(cache)]
        wanted = {*self.roots, *_scratch(self.roots), *empty, *(one for one in kept if not one.is_symlink())}
        mounted = {Path(os.fsdecode(path)) for path, _ in mounts.table()}
        known = {Path(os.fsdecode(path)) for path, kind in mounts.table() if kind not in _NO_FILES}
        wanted |= {one for one in known if _is_in(one, self.roots) and os.access(one, os.X_OK) and one.is_dir()}
        place = self.folder / "layers"
        if mounts.kind_of(os.fsencode(self.folder)) == b"overlay":  # the kernel takes no upper layer from an overlay
            place = self._spare
            place.mkdir(mode=0o700)
        for number, folder in enumerate(sorted(wanted)):
            own = place / f"{number}"
            (own / "work").mkdir(parents=True)
            layers.make_like(folder, own / "upper")
            is_plain = _is_in(folder, self.roots) or not any(_is_in(one, [folder]) for one in mounted - {folder})
            if folder in empty:
                is_plain = False
                layers.make_opaque(own / "upper")
                for link in (one for one in kept if one.is_symlink() and one.parent == folder):
                    (own / "upper" / link.name).symlink_to(os.readlink(link))
            yield Layer(folder, own / "upper", own / "work" if is_plain else None)

    def _hide(self) -> None:
        """Inside, the workspace is empty but for the open folder: the kernel would find the layers in themselves."""
        for folder in (self.folder, self._spare):
            layer = self._layer_of(folder)
            if layer and folder.is_dir():
                hidden = layers.clear(layer, folder)
                hidden.mkdir(layers.NEW_FOLDER)
                layers.make_opaque(hidden)
                if folder == self.folder:
                    (hidden / self.open.name).mkdir()

    def _find(self, path: Path) -> tuple[Layer, Path]:
        if not path.is_absolute() or path.name in ("", ".."):
            raise UsageError(f"{path} is no absolute path of a file", advice="Name it from / on.")
        resolved = self._resolved(path.parent) / path.name
        layer = self._layer_of(resolved)
        if layer is None or not _is_in(resolved, self.roots):
            names = ", ".join(map(str, self.roots)) or "none"
            where = "" if resolved == path else f" (it leads to {resolved})"
            raise UsageError(
                f"{path} lies in no root of the workspace{where}: there are {names}", advice="Add its folder."
            )
        return layer, resolved

    def _layer_of(self, path: Path) -> Layer | None:
        if _is_in(path, [self.open]):
            return None
        return max((one for one in self.layers if _is_in(path, [one.folder])), default=None)

    def _resolved(self, path: Path) -> Path:
        """Follow symbolic links as they are inside: the command may have made some, or replaced them."""
        left, done, links = list(path.parts[1:])[::-1], Path("/"), 0
        while left:
            part = left.pop()
            if part == "..":
                done = done.parent
                continue
            layer = self._layer_of(done / part)
            here = layers.seen(layer, done / part) if layer else done / part
            if links < _LINKS and here.is_symlink():
                target, links = os.readlink(here), links + 1
                left += Path(target).parts[target.startswith("/") :][::-1]
                done = Path("/") if target.startswith("/") else done
            else:
                done /= part
        return done


def _merged(roots: Iterable[Path]) -> tuple[Path, ...]:
    """Real, sorted, and none in another."""
    found: list[Path] = []
    for root in sorted({Path(os.path.realpath(root)) for root in roots}):
        if root == Path("/") or (_is_in(root, _NEVER) and not _is_in(root, [_SPARE])):
            raise UsageError(
                f"{root} cannot be a root of a workspace: it holds the machine, not one project",
                advice="Keep the files of the build in a folder of their own.",
            )
        if not root.is_dir():
            raise NotFoundError(f"no such folder: {root}", advice="A root of a workspace has to exist.")
        if not _is_in(root, found):
            found.append(root)
    return tuple(found)


def _scratch(roots: tuple[Path, ...]) -> Iterator[Path]:
    """Where programs write that nobody misses: what is there can be read inside, what is written goes with the rest."""
    for folder in map(os.fsdecode, mounts.TEMPORARY):
        real = Path(os.path.realpath(folder))
        if real.is_dir() and not _is_in(real, roots):
            yield real


def _is_in(path: Path, folders: Iterable[Path | str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
