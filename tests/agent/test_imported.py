# SPDX-License-Identifier: Apache-2.0
"""What a process has imported is known, whatever was imported since, and whatever was imported anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from lineagekit.agent.imported import Imported


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("one_of_mine", "two_of_mine", "three_of_mine"):
        (tmp_path / f"{name}.py").touch()
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith("_of_mine")]:
        del sys.modules[name]


def names(imported: Imported) -> set[str]:
    imported.look()
    return {name for name in imported.projects.values() if name.endswith("_of_mine")}


def test_each_look_takes_in_what_is_new(project: Path) -> None:
    imported = Imported()
    assert names(imported) == set()
    import_module("one_of_mine")
    assert names(imported) == {"one_of_mine"}
    import_module("two_of_mine")
    assert names(imported) == {"one_of_mine", "two_of_mine"}
    assert imported.projects[str(project / "two_of_mine.py")] == "two_of_mine"


def test_what_was_newest_and_is_imported_anew_hides_nothing(project: Path) -> None:
    imported = Imported()
    import_module("one_of_mine")
    imported.look()
    import_module("two_of_mine")
    del sys.modules["one_of_mine"]
    import_module("one_of_mine")
    assert names(imported) == {"one_of_mine", "two_of_mine"}


def test_what_was_newest_and_is_gone_hides_nothing(project: Path) -> None:
    imported = Imported()
    import_module("one_of_mine")
    imported.look()
    del sys.modules["one_of_mine"]
    import_module("two_of_mine")
    assert "two_of_mine" in names(imported)


def test_installed_packages_are_no_project_and_have_their_versions() -> None:
    imported = Imported()
    imported.look()
    assert imported.packages["pytest"] == pytest.__version__
    assert not any("site-packages" in path for path in imported.projects)
