# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` of what make builds: targets of now are in no rebuild, nor is a log that each run adds to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.projects import Project, project_in

pytestmark = [pytest.mark.caged, pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")]

MAKEFILE = f"""
model.json: features.csv train.py
\t{sys.executable} train.py
features.csv: labels.csv prices.csv prepare.py
\t{sys.executable} prepare.py
"""
PREPARE = """
import lineagekit
rows = open("labels.csv").read(), open("prices.csv").read()
with open("features.csv", "w") as file:
    file.write(rows[0] + "\\n" + rows[1])
with open("runs.log", "a") as file:
    file.write("prepared\\n")
"""
TRAIN = """
import lineagekit
lines = open("features.csv").read().splitlines()
with open("model.json", "w") as file:
    file.write(" ".join(lines))
lineagekit.model("model.json", name="m")
right = lines[0].split().count("1") / len(lines[0].split())
lineagekit.metric("auc", right, of="model.json", higher_is_better=True)
"""


def _build(project: Project, labels: str, prices: str) -> None:
    for name, text in {"labels.csv": labels, "prices.csv": prices}.items():
        (project.folder / name).write_text(text)
    done = subprocess.run(
        ["lineagekit", "run", "--quiet", "--", "make", "-B"],
        cwd=project.folder,
        env={**project.environ, "PATH": f"{Path(sys.executable).parent}:{project.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_make_builds_anew_what_it_built_before(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project = project_in(tmp_path, tmp_path_factory.mktemp("cache"))
    for name, text in {"Makefile": MAKEFILE, "prepare.py": PREPARE, "train.py": TRAIN}.items():
        (project.folder / name).write_text(text)
    for number in range(3):
        _build(project, "1 1 1 1", f"{number}")
    _build(project, "1 0 0 1", "4")
    before = project.picture()
    found = project.bisect("--", "make")
    assert found["status"] == "confirmed", found
    assert [cause.partition(" has ")[0] for (cause,) in found["causes"]] == [str(project.folder / "labels.csv")]
    assert project.picture() == before
