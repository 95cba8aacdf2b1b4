# SPDX-License-Identifier: Apache-2.0
"""Progress: counts bytes from any thread and, on a terminal and after a second of work, shows a bar on stderr.

>>> progress = Progress()
>>> progress(65536)
>>> progress.done
65536
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

PATIENCE, INTERVAL = 1.0, 0.1  # seconds before the bar is first seen, and between two looks at it


class Progress:
    """Call it with the number of bytes just done; `hide` it before printing on the same terminal."""

    def __init__(self) -> None:
        """Start the clock. Set `total` where it is known: without it the bar tells amount and speed."""
        self.total: int | None = None
        self.done = 0
        self._bar: Bar | None = None
        self._seen = sys.stderr.isatty()
        self._next = time.monotonic() + PATIENCE
        self._lock = threading.Lock()

    def __call__(self, count: int) -> None:
        """Add bytes."""
        with self._lock:
            self.done += count
            if self._seen and time.monotonic() >= self._next:
                self._draw()

    def hide(self) -> None:
        """Take the bar away; the next bytes bring it back."""
        with self._lock:
            if self._bar:
                self._bar.stop()
                self._bar = None

    def _draw(self) -> None:
        self._next = time.monotonic() + INTERVAL
        if not self._bar:
            self._bar = _new_bar()
            self._bar.add_task("", total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.done)


def _new_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
