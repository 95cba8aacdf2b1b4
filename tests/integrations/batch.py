# SPDX-License-Identifier: Apache-2.0
"""Many small jobs in one process, each a run of its own in a folder of its own, and what was told of each.

A library is imported once for all of its cases: that is what takes the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from lineagekit.agent.journal import read_facts
from lineagekit.record.story import Story

DRIVER = """
import json, os, shutil, sys, traceback
import lineagekit
with open(sys.argv[1]) as file:
    batch = json.load(file)
exec(batch["before"])
lineagekit.autolog()
space = dict(globals())
os.makedirs("template")
os.chdir("template")
exec(batch["prelude"], space)
os.chdir("..")
root, errors = os.getcwd(), {}
for name, code in batch["cases"].items():
    shutil.copytree("template", name)
    os.chdir(name)
    try:
        with lineagekit.run(name):
            exec(code, dict(space))
    except Exception:
        errors[name] = traceback.format_exc()
    os.chdir(root)
with open("errors.json", "w") as file:
    json.dump(errors, file)
"""


@dataclass(frozen=True)
class Case:
    """A few lines as a user writes them, and the paths that must be told, below the folder of the case."""

    name: str
    code: str
    reads: str = ""
    writes: str = ""
    miss: str = ""


@dataclass(frozen=True)
class Told:
    """What the facts of one case add up to."""

    story: Story
    folder: str
    error: str = ""
    facts: list[dict[str, object]] = field(default_factory=list)

    @property
    def reads(self) -> str:
        """The inputs, by name and in order."""
        return self._names([one.path for one in self.story.paths.inputs()])

    @property
    def writes(self) -> str:
        """The outputs that stand there in the end."""
        return self._names([one.path for one in self.story.paths.outputs()])

    def _names(self, paths: list[str]) -> str:
        return " ".join(sorted(path.removeprefix(self.folder + "/") for path in paths))


@dataclass(frozen=True)
class Batch:
    """Cases that share their imports; `before` is run before `autolog()`, `prelude` makes the files that all find."""

    cases: list[Case]
    prelude: str = ""
    before: str = ""

    def start(self, folder: Path) -> subprocess.Popen[str]:
        """Begin; several batches run side by side."""
        folder.mkdir()
        words = {
            "before": self.before,
            "prelude": self.prelude,
            "cases": {case.name: textwrap.dedent(case.code) for case in self.cases},
        }
        (folder / "batch.json").write_text(json.dumps(words))
        (folder / "driver.py").write_text(DRIVER)
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "CI"))}
        environ |= {"LINEAGEKIT_STORE": str(folder / "store"), "LINEAGEKIT_SETTLE": "off", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "driver.py", "batch.json"],
            cwd=folder,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def finish(self, process: subprocess.Popen[str], folder: Path) -> dict[str, Told]:
        """Wait, and read what was told of each case."""
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
        errors = json.loads((folder / "errors.json").read_text())
        stories, facts = read_stories(folder / "store")
        told = {
            story.job: Told(story, str(folder / story.job), errors.get(story.job, ""), facts[run])
            for run, story in stories.items()
        }
        return {case.name: told.get(case.name, Told(Story(""), "", errors.get(case.name, ""))) for case in self.cases}


def read_stories(store: Path) -> tuple[dict[str, Story], dict[str, list[dict[str, object]]]]:
    """The story of each run in a store's journals, and its facts."""
    found = []
    for path in sorted((store / "journal").glob("*.journal")):
        found += [(fact["at"], path.stem, fact) for _, fact in read_facts(path.read_bytes())]
    stories: dict[str, Story] = {}
    facts: dict[str, list[dict[str, object]]] = {}
    for at, journal, fact in sorted(found, key=lambda one: one[0]):
        if run := fact.get("run"):
            stories.setdefault(run, Story(run)).take(fact, journal, at)
            facts.setdefault(run, []).append(fact)
    return stories, facts
