# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect --regrade`: both models on both exams, by the command that grades."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.projects import PIPELINE, Project, project_in

pytestmark = pytest.mark.caged

GRADE = """
import csv, json
import lineagekit

lineagekit.autolog()
model = json.load(open("model.json"))
exam = [int(row[1]) for row in csv.reader(open("exam.csv"))]
right = sum(a == b for a, b in zip(model["labels"], exam)) / len(exam)
print(lineagekit.metric("auc", 0.5 + 0.4 * right, of="model.json", on="exam.csv", higher_is_better=True))
"""


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = project_in(tmp_path, tmp_path_factory.mktemp("cache"))
    (project.folder / "pipeline.py").write_text(PIPELINE.partition("exam = [")[0])
    (project.folder / "grade.py").write_text(GRADE)
    return project


def build(project: Project) -> None:
    project.build()
    assert project("run", "--quiet", "--", sys.executable, "grade.py").returncode == 0


@pytest.mark.parametrize(
    ("exam", "labels", "said"),
    [
        ("1001011010", "0110100101", "the exam is harder (-0.4), the model is not worse (+0)"),
        ("0110100100", "1001011010", "the exam is harder (-0.04), the model is worse (-0.4)"),
    ],
)
def test_which_of_the_two_it_is_is_said_and_remembered(project: Project, exam: str, labels: str, said: str) -> None:
    for prices in ("1 2 3", "1 2 4"):
        project.write(prices=prices)
        build(project)
    project.write(exam=exam, labels=labels, prices="1 2 5")
    build(project)
    assert "the two grades are not comparable" in project("blame", "m").stdout
    before = project.picture()
    done = project("bisect", "m", "--regrade", "--", sys.executable, "grade.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == said
    assert "old model, old exam        0.9" in done.stdout
    assert project.picture() == before
    assert f"exam   both models on both: {said}" in project("blame", "m").stdout
    failed = project("bisect", "m", "--regrade", "--", "false")
    assert failed.returncode == 1
    assert "not comparable: a cell is missing" in failed.stdout
    assert f"exam   both models on both: {said}" in project("blame", "m").stdout


def test_what_is_graded_by_the_run_that_trains_is_left_to_bisect(project: Project) -> None:
    (project.folder / "pipeline.py").write_text(PIPELINE)
    project.build()
    project.write(exam="1001011010", prices="1 2 4")
    project.build()
    refused = project("bisect", "m", "--regrade", "--", sys.executable, "grade.py")
    assert refused.returncode == 2
    assert "measured by the run that made the model" in refused.stderr
