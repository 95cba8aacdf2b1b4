# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` of scripts that keep features in ~/.cache, and of rebuilds that could not be judged before."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cause import cage
from tests.cli.projects import CODE, Project, environ_of, project_in

pytestmark = [pytest.mark.caged, pytest.mark.skipif(bool(cage.why_not()), reason=cage.why_not())]

FEATURES = """
import argparse, json, os
import lineagekit
from helper import clean

parser = argparse.ArgumentParser()
parser.add_argument("--day", type=int)
day = lineagekit.params(parser.parse_args()).day
where = os.path.join(os.path.expanduser("~/.cache"), "features.json")

def features(day):
    known = json.load(open(where)) if os.path.exists(where) else {}
    rows = [float(line) for line in open(f"{day}.csv")]
    if str(day) not in known:
        known[str(day)] = clean(rows)
        json.dump(known, open(where, "w"))
    return known[str(day)]

weight = sum(features(day)) + sum(features(day - 1))
json.dump(weight, open("model.json", "w"))
lineagekit.model("model.json", name="m")
lineagekit.metric("error", abs(weight - 12), of="model.json", higher_is_better=False)
"""
DAYS = [sys.executable, "train.py", "--day", "{day}"]


def with_features(folder: Path, home: Path) -> Project:
    """Day 4 came with other code; what the days before gave under the old one is remembered in the user's cache."""
    environ = {name: value for name, value in environ_of(folder, home / "own").items() if name != "XDG_CACHE_HOME"}
    project = Project(folder, {**environ, "HOME": str(home)})
    (home / ".cache").mkdir()
    (folder / "train.py").write_text(FEATURES)
    (folder / "helper.py").write_text("def clean(rows): return rows\n")
    (folder / "1.csv").write_text("1\n2\n3\n")
    for day in range(2, 5):
        (folder / f"{day}.csv").write_text(f"1\n2\n{3 + day / 1000}\n")
        if day == 4:
            (folder / "helper.py").write_text("def clean(rows): return [3 * row for row in rows]\n")
        done = project("run", "--quiet", "--", sys.executable, "train.py", "--day", f"{day}")
        assert done.returncode == 0, done.stderr
    return project


def bisect(project: Project, *words: str) -> dict[str, Any]:
    done = project("bisect", "m", "--json", *words)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["result"]
    return found


def test_guilty_code_is_convicted_though_the_users_cache_remembers_what_the_old_one_made(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    project = with_features(tmp_path, home)
    cached = (home / ".cache/features.json").read_bytes()
    found = bisect(project, "--", *DAYS)
    assert found["status"] == "confirmed", found
    assert [[cause.partition(" of ")[0] for cause in causes] for causes in found["causes"]] == [
        [f"code {tmp_path / 'helper.py'}"]
    ]
    assert not any("helper.py" in cleared for cleared in found["cleared"])
    assert (home / ".cache/features.json").read_bytes() == cached


def test_what_could_not_be_judged_is_tried_anew_once_it_can_be_and_what_was_judged_is_not(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = project_in(tmp_path, tmp_path_factory.mktemp("cache"))
    for _ in range(2):
        project.build()
    project.write(labels="1001011010", prices="2 2 5")
    project.build()
    needed = tmp_path_factory.mktemp("elsewhere") / "needed"
    code = " ".join([*CODE[:3], "{lr}"])
    words = ["--", "sh", "-c", f"grep -q 0,0 labels.csv || test -e {needed} || exit 3; exec {code}"]
    before = bisect(project, *words)
    assert (before["status"], before["paid"] > 1) == ("not reproduced", True), before
    assert "exit code 3" in "".join(before["notes"])
    again = bisect(project, *words)
    assert (again["status"], again["paid"]) == ("not reproduced", 1), again
    needed.touch()
    found = bisect(project, *words)
    assert found["status"] == "confirmed", found
    assert "labels.csv" in found["causes"][0][0]
    assert found["probes"] - found["paid"] == before["probes"] - 1
    assert bisect(project, *words)["paid"] == 0
