# SPDX-License-Identifier: Apache-2.0
"""`lineagekit run -- CMD`: here only for help and completion; what it does is `agent/launch.py`, which jobs have alone.

$ lineagekit run -- python train.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.output import Output


@dataclass(frozen=True, slots=True)
class Run:
    """Record what a command reads and writes; it runs as without.

    Example: lineagekit run --job train -- python train.py --rate 0.1
    """

    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND", show_default=False)] = None
    job: Annotated[str, typer.Option("--job", metavar="NAME", show_default=False, help="What to call it.")] = ""

    def run(self, out: Output) -> int:
        """Hand it to the agent."""
        from lineagekit.agent import launch

        return launch.main([*(["--job", self.job] if self.job else []), "--", *(self.command or [])])
