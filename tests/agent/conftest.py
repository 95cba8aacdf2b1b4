# SPDX-License-Identifier: Apache-2.0
"""A job as a person has it: a script in a folder of its own, run by Python, and what its journals say afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineagekit.agent.journal import read_facts

Fact = dict[str, Any]


class Job:
    """A folder with a store, scripts that were run in it, and their facts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / ".lineagekit"
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "CI"))},
            "LINEAGEKIT_SETTLE": "off",
            "LINEAGEKIT_CACHE": str(folder / ".cache"),
        }
        self.store.mkdir()

    def write(self, name: str, code: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def execute(self, *words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def run(
        self, code: str, *, name: str = "job.py", autolog: bool = True, code_is: int = 0, **environ: str
    ) -> list[Fact]:
        """Run a script and return all facts of the store in order of time."""
        head = "import lineagekit; lineagekit.autolog()\n" if autolog else ""
        self.write(name, head + textwrap.dedent(code))
        done = self.execute(sys.executable, name, **environ)
        assert done.returncode == code_is, done.stderr
        return self.facts()

    def facts(self, kind: str = "") -> list[Fact]:
        """The facts of all journals."""
        found = [
            fact
            for path in sorted((self.store / "journal").glob("*.journal"))
            for _, fact in read_facts(path.read_bytes())
        ]
        return sorted((f for f in found if kind in ("", f["fact"])), key=lambda fact: fact["at"])

    def paths(self, kind: str) -> list[str]:
        """What facts of one kind are about, below the folder."""
        return [os.path.relpath(fact["path"], self.folder) for fact in self.facts(kind)]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


MakeFacts = Callable[..., list[Fact]]
