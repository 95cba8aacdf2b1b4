# SPDX-License-Identifier: Apache-2.0
"""All jobs of a day, one after the other: what `bisect` is given as the command of a case.

    LINEAGEKIT_RUN= RUN=$LINEAGEKIT_RUN python steps.py prepare.py , train.py --C 1.0

What jobs import is loaded once, and each is a fork of that: a rebuild costs two seconds, not ten. Each child is told of
the run that it belongs to, and loads lineagekit as Python does when it starts: its hooks and its journal are the real
ones. This process itself is no part of the run: it is nobody's job.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent)
warm = importlib.import_module("warm")  # by its path: no package is imported before jobs are


def main() -> int:
    """Run them; the exit code of the first that fails, else 0."""
    sys.dont_write_bytecode = True
    sys.path.pop(0)
    environ = {name: value for name, value in os.environ.items() if name != "RUN"}
    environ["LINEAGEKIT_RUN"] = os.environ.get("RUN", "")
    for words in _steps(sys.argv[1:]):
        request = {"script": words[0], "argv": words[1:], "cwd": os.getcwd(), "env": environ}
        code, output = warm.run(request)
        print(output, end="", flush=True)
        if code:
            return int(code)
    return 0


def _steps(words: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words:
        if word == ",":
            found.append([])
        else:
            found[-1].append(word)
    return found


if __name__ == "__main__":
    sys.exit(main())
