# SPDX-License-Identifier: Apache-2.0
"""`lineagekit settle`: hash what jobs left, put their runs into the log, deliver them. Jobs start it themselves.

$ lineagekit settle
settled 3 runs: 7 datasets exact, 1 unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output


@dataclass(frozen=True, slots=True)
class Settle:
    """Hash what jobs left in their journals, log their runs and deliver them; jobs start this themselves.

    Example: lineagekit settle
    """

    target: Annotated[str, typer.Option("--run", metavar="ID", show_default=False, help="Only this run.")] = ""
    background: Annotated[bool, typer.Option("--background", help="Let others go first.")] = False
    now: Annotated[bool, typer.Option("--now", help="Runs that have ended, though their processes go on.")] = False
    live: Annotated[bool, typer.Option("--live", help="Tell of the START of runs that go on, too.")] = False
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Settle, say what came of it, and deliver."""
        from lineagekit.cli.settling import Settling

        return Settling(self.target, self.background, self.now, self.live, self.quiet).run(out)
