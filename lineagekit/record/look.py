# SPDX-License-Identifier: Apache-2.0
"""What lies at a path, by its stamps alone: whether anything changed there since some moment.

>>> look("/data/orders").files  # doctest: +SKIP
{'_SUCCESS': (0, 1790000000000000001), 'k=1/part-0.parquet': (726, 1790000000000000000)}
"""

from __future__ import annotations

import os
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
    newest = last_change(found)
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


def is_data(name: str) -> bool:
    """Not the mark of success, nor a checksum: Spark does not count these."""
    return not os.path.basename(name).startswith(("_", "."))
