# SPDX-License-Identifier: Apache-2.0
"""Upper layers of overlays, written and read from outside: what a command inside finds changed, and what it changed.

>>> layer = Layer(Path("/data"), Path("/w/0/upper"), Path("/w/0/work"))  # doctest: +SKIP
>>> layers.white_out(layer, Path("/data/old.csv"))  # doctest: +SKIP
>>> layers.seen(layer, Path("/data/new.csv"))  # doctest: +SKIP
PosixPath('/w/0/upper/new.csv')

Paths have no symbolic links before their last part. What is gone is a device 0/0 in the upper layer, which any user may
make; a folder is opaque if what lies below it is not seen.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NEW_FILE, NEW_FOLDER = 0o644, 0o755
_OPAQUE = "user.overlay.opaque"


class Layer(NamedTuple):
    """A folder that is covered inside: what is written there goes to `upper`."""

    folder: Path
    upper: Path
    work: Path | None
    """None for a folder in which something is mounted, which not every user can cover with an overlay."""


def seen(layer: Layer, path: Path) -> Path:
    """Where what lies there inside lies outside; one that cannot be read if nothing lies there inside."""
    upper, parts, is_hidden = layer.upper, path.relative_to(layer.folder).parts, False
    for part in parts:
        is_hidden = is_hidden or not _is_folder(upper) or _is_opaque(upper)
        upper /= part
        if not os.path.lexists(upper):
            return layer.upper.joinpath(*parts) if is_hidden else path
    return upper


def clear(layer: Layer, path: Path) -> Path:
    """The path in the upper layer, where nothing is now, in folders like those below."""
    upper, lower = layer.upper, layer.folder
    for part in path.relative_to(layer.folder).parts[:-1]:
        upper, lower = upper / part, lower / part
        if _is_folder(upper):
            continue
        was_removed = os.path.lexists(upper)
        upper.unlink(missing_ok=True)
        make_like(lower, upper)
        if was_removed:
            make_opaque(upper)
    target = upper / path.name
    if _is_folder(target):
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    return target


def make_like(lower: Path, upper: Path) -> None:
    """A folder with the mode of the one below; its owner can always write there, or nothing could be placed."""
    upper.mkdir()
    found = lstat(lower)
    if found is None or not stat.S_ISDIR(found.st_mode):
        upper.chmod(NEW_FOLDER)
        return
    own_like(found, upper)
    shutil.copystat(lower, upper)
    upper.chmod(stat.S_IMODE(found.st_mode) | 0o700)


def own_like(found: os.stat_result, path: Path) -> None:
    """Give it the same owner; only root can, and in a container not to everybody: then it stays this user's."""
    with suppress(OSError):
        os.chown(path, found.st_uid, found.st_gid, follow_symlinks=False)


def make_opaque(folder: Path) -> None:
    """Let nothing be seen of what lies below it."""
    os.setxattr(folder, _OPAQUE, b"y")


def white_out(layer: Layer, path: Path) -> None:
    """Let nothing be there."""
    os.mknod(clear(layer, path), stat.S_IFCHR | 0o600, os.makedev(0, 0))


def lstat(path: Path) -> os.stat_result | None:
    """None if nothing is there, or nothing that this user can see."""
    try:
        return path.lstat()
    except OSError:
        return None


def file_at(path: Path) -> os.stat_result | None:
    """None if no regular file is there."""
    found = lstat(path)
    return found if found and stat.S_ISREG(found.st_mode) else None


def _is_folder(path: Path) -> bool:
    found = lstat(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def _is_opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:
        return False
