# SPDX-License-Identifier: Apache-2.0
"""One job in a process of its own, and all that it wrote into its journals."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineagekit.agent.journal import read_facts

RECORDED = "import lineagekit; lineagekit.autolog()\n"


@dataclass(frozen=True)
class Job:
    """What a job said, to us and to its terminal."""

    facts: list[dict[str, Any]]
    raw: bytes
    output: str

    def of(self, kind: str, **like: object) -> list[dict[str, Any]]:
        """The facts of one kind that have these values."""
        return [fact for fact in self.facts if fact["fact"] == kind and like.items() <= fact.items()]

    @property
    def troubles(self) -> list[str]:
        """What failed on our side."""
        return [f"{f['where']} {f['error']}" for f in self.of("trouble") if not f["where"].startswith("absent:")]


def run_job(folder: Path, code: str, *words: str, environ: Mapping[str, str] = {}, prefix: str = RECORDED) -> Job:
    """Run a program in a folder, with a store below it; it must end well, and nothing may fail on our side."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "job.py"
    program.write_text(prefix + textwrap.dedent(code))
    store = folder / "store"
    env = {**os.environ, "LINEAGEKIT_STORE": str(store), "LINEAGEKIT_SETTLE": "off", **environ}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(program), *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    raw = b"".join(path.read_bytes() for path in sorted(store.glob("journal/*.journal")))
    job = Job([fact for _, fact in read_facts(raw)], raw, done.stdout)
    assert not job.troubles
    return job
