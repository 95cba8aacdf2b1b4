# SPDX-License-Identifier: Apache-2.0
"""The console script: `run` is here; all else goes to the full command line or, where only the agent is, is refused.

>>> main(["--version"])
lineagekit 0.1.0
0
"""

from __future__ import annotations

import sys

from lineagekit.config import VERSION

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["run"]:
        from lineagekit.agent import launch

        return launch.main(words[1:])
    try:
        from lineagekit.cli.main import main as full
    except ModuleNotFoundError as error:
        if error.name != "lineagekit.cli":
            raise
        return _without_commands(words)
    return full(words)


def _without_commands(words: Sequence[str]) -> int:
    if words == ["--version"]:
        print(f"lineagekit {VERSION}")
        return 0
    name = " ".join(["lineagekit", *words[:1]])
    print(f"{name} needs the full package. Run: pip install lineagekit", file=sys.stderr)
    return 2
