# SPDX-License-Identifier: Apache-2.0
"""The kernel as the witness: what a command opened by its account, beside what was recorded (`run --trace`).

    $ lineagekit run --trace -- python train.py
    lineagekit: 12 of 13 files that were opened are recorded
    lineagekit: not recorded: read /data/prices.bin

strace must be installed. It costs the command about a fifth of its time, and is never how lineage is recorded: what
only the kernel saw has no run that can be held to it, but it is written down as *unwatched*.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile

from lineagekit.agent.journal import SUFFIX, read_facts
from lineagekit.agent.scenery import is_scenery

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from lineagekit.agent.run import Run

_OPENED = re.compile(
    r"^\d+ +(?:open|openat|openat2|creat)\(.*?(?P<flags>O_[A-Z_|]+|0\d+)?.*\) = \d+<(?P<path>/[^>]*)>$"
)
_CALLS = "trace=open,openat,openat2,creat"


class Trace:
    """One traced command."""

    def __init__(self, run: Run) -> None:
        """Of this run."""
        self._run = run
        descriptor, self._log = tempfile.mkstemp(prefix="lineagekit-trace-")
        os.close(descriptor)

    def around(self, command: list[str]) -> list[str]:
        """The command under strace, still our own child; as it is where strace is not installed."""
        if shutil.which("strace") is None:
            print("lineagekit run: strace is not installed, so nothing is traced. Install strace.", file=sys.stderr)
            return command
        return [
            "strace",
            "-D",
            "-f",
            "-qq",
            "-y",
            "--seccomp-bpf",
            "-e",
            "signal=none",
            "-e",
            _CALLS,
            "-o",
            self._log,
            *command,
        ]

    def report(self) -> None:
        """Say what was opened and not recorded, and write it down."""
        seen = self._seen_by_kernel()
        recorded = self._recorded()
        missed = {path: role for path, role in seen.items() if not _is_covered(path, recorded)}
        if seen:
            print(
                f"lineagekit: {len(seen) - len(missed)} of {len(seen)} files that were opened are recorded",
                file=sys.stderr,
            )
        for path, role in sorted(missed.items()):
            print(f"lineagekit: not recorded: {role} {path!r}", file=sys.stderr)
            self._run.say({"fact": "unwatched", "what": role, "peer": path})
        os.unlink(self._log)

    def _seen_by_kernel(self) -> dict[str, str]:
        seen: dict[str, str] = {}
        with open(self._log, encoding="utf-8", errors="surrogateescape") as log:
            for line in log:
                found = _OPENED.match(line.rstrip("\n"))
                path = found["path"] if found else ""
                if found and not is_scenery(path) and os.path.isfile(path):
                    writes = "O_WRONLY" in line or "O_RDWR" in line or "creat(" in line
                    seen[path] = "write" if writes or seen.get(path) == "write" else "read"
        return seen

    def _recorded(self) -> set[str]:
        """Every path that the journals of this run's processes tell of."""
        folder = self._run.process.journal.folder
        paths: set[str] = set()
        for name in os.listdir(folder):
            if name.endswith(SUFFIX):
                with open(os.path.join(folder, name), "rb") as journal:
                    facts = [fact for _, fact in read_facts(journal.read())]
                paths.update(os.path.realpath(fact["path"]) for fact in facts if fact.get("path"))
        return paths


def _is_covered(path: str, recorded: set[str]) -> bool:
    while path != os.path.dirname(path):
        if path in recorded:
            return True
        path = os.path.dirname(path)
    return False
