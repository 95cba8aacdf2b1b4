# SPDX-License-Identifier: Apache-2.0
"""`lineagekit hooks`: whether children of recorded runs are recorded, by one line that Python reads at its start.

$ lineagekit hooks --remove
"""

from __future__ import annotations

import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.errors import UnreadableError, UsageError

NAME = "lineagekit_agent.pth"
LINE = (
    'import os; os.environ.get("LINEAGEKIT_RUN") and not os.environ.get("LINEAGEKIT_DISABLED")'
    ' and __import__("lineagekit.agent.startup")\n'
)


@dataclass(frozen=True, slots=True)
class Hooks:
    """Show, remove or put back the line by which Python programs started by a run are recorded.

    It does nothing outside of a recorded run. LINEAGEKIT_DISABLED=1 turns it off for one command.

    Example: lineagekit hooks --remove
    """

    remove: Annotated[bool, typer.Option("--remove", help="Take it out of this Python.")] = False
    install: Annotated[bool, typer.Option("--install", help="Put it back.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Do one of the three."""
        if self.remove and self.install:
            raise UsageError("--remove and --install exclude each other: got both", advice="Leave out one.")
        path = hook_path()
        try:
            if self.remove:
                path.unlink(missing_ok=True)
            elif self.install:
                path.write_text(LINE)
        except OSError as error:
            raise UnreadableError(f"cannot change {path}: {error.strerror}", advice="Ask its owner.") from error
        active = path.exists()
        out.say(f"{'active' if active else 'not there'}: {path}")
        out.show({"path": os.fspath(path), "active": active})
        return 0


def hook_path() -> Path:
    """Where the line is, or would be."""
    return Path(sysconfig.get_path("purelib")) / NAME
