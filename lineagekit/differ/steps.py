# SPDX-License-Identifier: Apache-2.0
"""The levels of one comparison as they are taken, each with what it cost.

>>> steps = Steps()
>>> with steps.step("schema") as step:
...     step.told = "3 columns"
>>> steps.levels[0].outcome, steps.levels[0].told
('same', '3 columns')
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from lineagekit.differ.changes import Level, Outcome
from lineagekit.errors import BadDataError
from lineagekit.identity.hashing import ignore_progress


@dataclass(slots=True)
class Step:
    """What is to be said of a level; it is the same unless somebody says otherwise."""

    outcome: Outcome | Literal["taken"] = "same"
    told: str = ""
    cost: str = ""

    def found(self, differs: bool, told: str) -> None:
        """Say what was found."""
        self.outcome, self.told = "different" if differs else "same", told


@dataclass(slots=True)
class Steps:
    """Levels taken so far, cheapest first. Called with numbers of bytes as they are read, from any thread."""

    progress: Callable[[int], None] = ignore_progress
    levels: list[Level] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    read: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, count: int) -> None:
        """Count bytes that were read."""
        with self._lock:
            self.read += count
        self.progress(count)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a level; BadDataError inside makes it unknown, with the reason, and is raised again."""
        step, began, read = Step(), time.perf_counter(), self.read
        try:
            yield step
        except BadDataError as error:
            step.outcome, step.told = "unknown", error.message
            raise
        finally:
            self.levels.append(Level(name, step.outcome, step.told, _cost(began, self.read - read, step.cost)))

    def skip(self, name: str, why: str) -> None:
        """Say that a level could not be compared."""
        self.levels.append(Level(name, "unknown", why))


def _cost(began: float, read: int, more: str) -> str:
    seconds = time.perf_counter() - began
    took = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return ", ".join(filter(None, [took, size_text(read) if read else "", more]))


def size_text(size: float) -> str:
    """Bytes, as exactly as it matters."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
