# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` where nothing went wrong: it says so before it rebuilds anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import CODE, Project, project_in

pytestmark = pytest.mark.caged


@pytest.fixture
def noisy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Other prices and labels with each build, and no build is much worse than another."""
    project = project_in(tmp_path, tmp_path_factory.mktemp("cache"))
    for number, labels in enumerate(
        ["0110100101", "0110100111", "0110100001", "0110100101", "0110100011", "0110101101"]
    ):
        project.write(labels=labels, prices=f"1 2 {number}")
        project.build()
    return project


def test_a_drop_within_noise_is_explained_only_if_two_builds_are_named(noisy: Project) -> None:
    done = noisy("bisect", "m", "--", *CODE)
    assert done.returncode == 2
    assert "there is nothing to explain: the drop of " in done.stderr
    assert "Name two builds to compare these: --good, --bad" in done.stderr
    named = noisy("bisect", "m", "--good", "1", "--bad", "2", "--dry-run", "--", *CODE)
    assert named.returncode == 0, named.stderr


def test_where_two_builds_cannot_tell_the_plan_says_it(tmp_path: Path) -> None:
    project = project_in(tmp_path, tmp_path / "cache")
    for labels in ("0110100101", "1001011010"):
        project.write(labels=labels)
        project.build()
    done = project("bisect", "m", "--dry-run", "--", *CODE)
    assert "note  a regression is not established" in done.stdout
