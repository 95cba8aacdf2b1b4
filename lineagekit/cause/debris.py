# SPDX-License-Identifier: Apache-2.0
"""Folders that a command has left behind, removed whatever is in them: modes 0, links, depths that no path can name.

>>> debris.remove(Path("/home/ann/churn/.lineagekit/bisect/x/workspace"))  # doctest: +SKIP
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove it, with what an earlier attempt has left; nothing happens if nothing is there.

    Each folder is first moved up, so that paths stay short and what is deep needs no recursion. Links are not followed.
    """
    bin_ = folder.with_name(f"{folder.name}.removed")
    if not os.path.lexists(folder) and not os.path.lexists(bin_):
        return
    bin_.mkdir(mode=0o700, exist_ok=True)
    numbers = count()
    waiting = _emptied(bin_, bin_, numbers)
    if os.path.lexists(folder):
        waiting.append(_moved(folder, bin_, numbers))
    while waiting:
        one = waiting.pop()
        if one.is_symlink() or not one.is_dir():
            one.unlink()
            continue
        waiting += _emptied(one, bin_, numbers)
        one.rmdir()
    bin_.rmdir()


def _emptied(folder: Path, bin_: Path, numbers: count[int]) -> list[Path]:
    """Remove the files; the folders, which now lie in the bin."""
    found = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                found.append(_moved(Path(entry.path), bin_, numbers))
            else:
                os.unlink(entry.path)
    return found


def _moved(path: Path, bin_: Path, numbers: count[int]) -> Path:
    """In the bin, under a name that is free, as a folder that can be read."""
    if not path.is_symlink() and path.is_dir():
        path.chmod(0o700)  # or it can be neither listed nor, as it names its parent, moved
    place = next(place for number in numbers if not os.path.lexists(place := bin_ / f"{number}"))
    return path.rename(place)
