# SPDX-License-Identifier: Apache-2.0
"""A progress bar for what is counted one by one, where the other one counts bytes.

>>> count = Count("events", total=3)
>>> count(1)
>>> count.done
1
"""

from __future__ import annotations

from lineagekit.cli.progress import Progress


class Count(Progress):
    """Call it with the number of things just done."""

    def __init__(self, things: str, *, total: int | None = None) -> None:
        """Start the clock."""
        super().__init__()
        self.total, self._things = total, things

    def _draw(self) -> None:
        if not self._bar:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = BarColumn(), MofNCompleteColumn(), TextColumn(self._things)
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("", total=self.total)
            self._bar.start()
        super()._draw()
