# SPDX-License-Identifier: Apache-2.0
"""What lies at a path, by its stamps alone: whether anything changed there since some moment.

>>> look("/data/orders").files  # doctest: +SKIP
{'_SUCCESS': (0, 1790000000000000001), 'k=1/part-0.parquet': (726, 1790000000000000000)}
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass


@dataclass(slots=True)
class Look:
    """Sizes and last stamps of its files by relative path, and the last stamp of all of it."""

    files: dict[str, tuple[int, int]]
    newest: int
    is_folder: bool


def look(path: str) -> Look | None:
    """Everything below, however deep; None where there is nothing. Raises OSError."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    newest = max(last_change(found), arrived(path, {}))
    if not os.path.isdir(path):
        return Look({os.path.basename(path): (found.st_size, newest)}, newest, False)
    files: dict[str, tuple[int, int]] = {}
    waiting = [path]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                last = last_change(entry.stat())
                newest = max(newest, last)
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    files[os.path.relpath(entry.path, path)] = entry.stat().st_size, last
    return Look(files, newest, True)


def last_change(found: os.stat_result) -> int:
    """Of bytes, name or rights."""
    return max(found.st_mtime_ns, found.st_ctime_ns)


def arrived(path: str, known: dict[str, int]) -> int:
    """When something last took the place of what was at a path, or of a folder above, as far as stamps tell.

    What is added to a folder, or removed, moves both of its stamps, and is no matter to what else is in it. A folder
    that was moved (or got other rights) has one newer than the other, and a link is as old as its making. What is not
    seen is a folder that was moved and then added to. `known` is what was found before, by path.
    """
    if path not in known:
        found, above = os.lstat(path), os.path.dirname(path)
        at = arrived(above, known) if above != path else 0
        if stat.S_ISLNK(found.st_mode):
            known[path] = max(at, last_change(found), arrived(os.path.realpath(path), known))
        else:
            known[path] = max(at, found.st_ctime_ns if found.st_mtime_ns < found.st_ctime_ns else 0)
    return known[path]


def is_data(name: str) -> bool:
    """Not the mark of success, nor a checksum: Spark does not count these."""
    return not os.path.basename(name).startswith(("_", "."))
