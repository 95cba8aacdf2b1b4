# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect`, `--regrade` and `rerun` where user namespaces are forbidden: in a copy, held by Landlock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cause import cage, landlock
from lineagekit.cause import filter as filter_
from tests.cause.ground import running
from tests.cli.conftest import PROGRAM
from tests.cli.projects import environ_of

pytestmark = pytest.mark.skipif(
    landlock.abi() < 3 or not filter_.is_known(), reason="this kernel's Landlock holds no truncation"
)
FORBIDDEN = ["unshare", "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
"""Runs a command in a namespace that allows no more of them."""
BARE = [] if cage.why_not() else FORBIDDEN

PREPARE = """
import os
rows = open(os.environ.get("LABELS", "labels.csv")).read().split()
with open("features.csv", "w") as file:
    file.write("\\n".join(reversed(rows)))
"""
TRAIN = """
import json, os
import lineagekit
from helper import WEIGHT

rows = open("features.csv").read().split()
prices = open("prices.csv").read().split()
with open(os.environ.get("MODEL", "model.json"), "w") as file:
    json.dump({"rows": rows, "prices": prices, "weight": WEIGHT}, file)
lineagekit.model("model.json", name="m")
"""
GRADE = """
import json
import lineagekit

model, exam = json.load(open("model.json")), open("exam.csv").read().split()
right = sum(a == b for a, b in zip(model["rows"], exam)) / len(exam)
lineagekit.metric("auc", model["weight"] * right, of="model.json", on="exam.csv", higher_is_better=True)
"""
BUILD = ["sh", "-c", " && ".join(f"{sys.executable} {name}.py" for name in ("prepare", "train", "grade"))]


class Project:
    """A folder with a pipeline of three steps, and its store."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ = folder, environ
        folder.mkdir()
        self.write(**{"prepare.py": PREPARE, "train.py": TRAIN, "grade.py": GRADE, "helper.py": "WEIGHT = 1.0\n"})
        self.write(**{"labels.csv": "1 1 1 1", "prices.csv": "1 2 3", "exam.csv": "1 1 1 1"})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, cwd=self.folder, env={**self.environ, **environ}, text=True, **pipes)

    def __call__(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        with self.start(*BARE, PROGRAM, *words, **environ) as process:
            said = process.communicate()
        return subprocess.CompletedProcess(words, process.returncode, *said)

    def build(self, **environ: str) -> None:
        with self.start(PROGRAM, "run", "--quiet", "--", *BUILD, **environ) as process:
            said = process.communicate()
        assert process.returncode == 0, said

    def bisect(self, *words: str, code: int, **environ: str) -> dict[str, Any]:
        before = self.picture()
        told = self("bisect", "m", "--json", *words, **environ)
        assert told.returncode == code, told.stdout + told.stderr
        assert self.picture() == before
        assert not list(self.folder.glob(".lineagekit/bisect/*/workspace*"))
        answer: dict[str, Any] = json.loads(told.stdout)
        return answer

    def picture(self) -> dict[str, tuple[bytes, int, int]]:
        """Everything of the user's: contents, modes and times."""
        paths = [path for path in self.folder.parent.rglob("*") if path.is_file() and ".lineagekit" not in path.parts]
        return {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in paths}


def project_in(folder: Path, cache: Path) -> Project:
    return Project(folder / "project", environ_of(folder / "project", cache))


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_in(tmp_path, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Labels were flipped, when prices moved as well."""
    project = project_in(tmp_path_factory.mktemp("flipped"), tmp_path_factory.mktemp("cache"))
    for _ in range(2):
        project.build()
    project.write(**{"labels.csv": "1 0 0 1", "prices.csv": "1 2 4"})
    project.build()
    return project


def test_relative_paths_are_put_back_in_a_copy_and_the_cause_is_confirmed(flipped: Project) -> None:
    answer = flipped.bisect("--reset", "--", *BUILD, code=0)
    found = answer["result"]
    assert (found["status"], found["good"], found["bad"]) == ("confirmed", 1.0, 0.5)
    assert [[cause.partition(" has ")[0] for cause in causes] for causes in found["causes"]] == [
        [str(flipped.folder / "labels.csv")]
    ]
    told = f"no user namespaces here: commands run in a copy of {flipped.folder}, held by Landlock; absolute paths"
    assert [one.startswith(told) for one in answer["warnings"]] == [True]
    assert "by 4 rebuilds, 0 now" in flipped("bisect", "m", "--", *BUILD).stdout


@pytest.mark.parametrize(
    ("variable", "file", "why"),
    [
        ("LABELS", "labels.csv", "it read {} by its absolute path, which cannot be put back here: user namespaces are"),
        ("MODEL", "model.json", "Permission denied: '{}'"),
    ],
)
def test_an_absolute_path_cannot_be_tried_and_touches_nothing(
    flipped: Project, variable: str, file: str, why: str
) -> None:
    path = str(flipped.folder / file)
    found = flipped.bisect("--reset", "--", *BUILD, code=1, **{variable: path})["result"]
    assert (found["status"], found["causes"]) == ("not reproduced", [])
    assert [note for note in found["notes"] if why.format(path) in note], found
    assert variable == "LABELS" or "In a copy only paths relative to the folder can be written" in found["notes"][0]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "status"), [("src", "confirmed"), ("{}/src", "not reproduced")])
def test_a_module_counts_only_from_where_it_was_put_back(project: Project, path: str, status: str) -> None:
    path = path.format(project.folder)
    (project.folder / "src").mkdir()
    (project.folder / "helper.py").unlink()
    for weight in (1.0, 1.0, 0.3):
        project.write(**{"src/helper.py": f"WEIGHT = {weight}\n"})
        project.build(PYTHONPATH=path)
    found = project.bisect("--", *BUILD, code=int(status != "confirmed"), PYTHONPATH=path)["result"]
    assert found["status"] == status, found
    where = f"{project.folder / 'src/helper.py'}"
    assert where in (found["causes"][0][0] if status == "confirmed" else found["notes"][0])


def test_an_exit_code_is_no_judge_in_a_copy(flipped: Project) -> None:
    refused = flipped("bisect", "m", "--exit-status", "--", "sh", "-c", "touch ran; true")
    assert refused.returncode == 7
    assert "there an exit code may tell of a path that cannot be written" in refused.stderr
    assert not (flipped.folder / "ran").exists()


def test_a_recorded_run_gives_the_same_again(flipped: Project) -> None:
    before = flipped.picture()
    again = flipped("rerun", "m@1")
    assert again.stdout.splitlines()[-1].startswith("EQUAL BYTES"), again.stdout + again.stderr
    unwritten = flipped("rerun", "m@1", "--json", MODEL=str(flipped.folder / "model.json"))
    assert json.loads(unwritten.stdout)["result"]["word"] == "not finished"
    labels = (flipped.folder / "labels.csv").read_text()
    flipped.write(**{"labels.csv": "0 0 0 0"})
    stale = flipped("rerun", "prepare.py", "--json", LABELS=str(flipped.folder / "labels.csv"))
    assert json.loads(stale.stdout)["result"]["word"] == "not the same inputs"
    assert flipped("rerun", "prepare.py").returncode == 0
    flipped.write(**{"labels.csv": labels})
    assert _bytes(flipped.picture()) == _bytes(before)


@pytest.mark.slow
def test_models_are_regraded_in_a_copy(project: Project) -> None:
    for exam in ("1 1 1 1", "1 1 1 1", "0 0 1 1"):
        project.write(**{"exam.csv": exam, "prices.csv": exam})
        project.build()
    told = project("bisect", "m", "--regrade", "--json", "--", sys.executable, "grade.py")
    assert list(json.loads(told.stdout)["result"]["cells"].values()) == [1.0, 0.5, 1.0, 0.5], told.stdout + told.stderr


def test_a_timeout_ends_daemons_too(flipped: Project) -> None:
    marker = f"left-{os.getpid()}"
    words = f"setsid sh -c 'sleep 600; true' {marker} & sleep 600"
    found = flipped.bisect("--timeout", "3", "--", "sh", "-c", words, code=1)["result"]
    assert "it took longer than 3 s" in found["notes"][0]
    assert not running(marker)


@pytest.mark.faults
def test_killed_it_goes_on_where_it_was(flipped: Project) -> None:
    marker = f"killed-{os.getpid()}"
    command = ["sh", "-c", f"{BUILD[2]} && : {marker}"]
    process = flipped.start(*BARE, PROGRAM, "bisect", "m", "--", *command)
    end = time.monotonic() + 120
    before = _lines(flipped)
    while time.monotonic() < end and _lines(flipped) == before:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    while (running(command[2])) and time.monotonic() < end:
        time.sleep(0.01)
    assert not running(command[2])
    remembered = _lines(flipped) - before
    found = flipped.bisect("--", *command, code=0)["result"]
    assert (found["status"], found["probes"] - found["paid"]) == ("confirmed", remembered)
    assert remembered > 0


def _bytes(picture: Mapping[str, tuple[bytes, int, int]]) -> dict[str, bytes]:
    return {path: told[0] for path, told in picture.items()}


def _lines(project: Project) -> int:
    return sum(path.read_text().count("\n") for path in project.folder.glob(".lineagekit/bisect/*/probes.jsonl"))
