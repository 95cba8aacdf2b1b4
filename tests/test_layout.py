# SPDX-License-Identifier: Apache-2.0
"""What is loaded when: an import that costs a job nothing, a help screen that costs a person nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from lineagekit.cli.main import COMMANDS, FIRST_SCREEN

README = (Path(__file__).parent.parent / "README.md").read_text()
HEAVY = {"blake3", "importlib.metadata", "networkx", "numpy", "openlineage", "pyarrow", "pydantic", "rich", "typer"}


def loaded_by(code: str) -> set[str]:
    """The modules that `code` loads beyond those that Python starts with."""
    report = f"import sys; before = set(sys.modules)\n{code}\nprint('loaded:', *set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_importing_lineagekit_loads_nothing_else() -> None:
    assert loaded_by("import lineagekit") <= {"lineagekit", "lineagekit.config", "__future__"}


def test_reading_the_configuration_loads_nothing_slow() -> None:
    loaded = loaded_by("import lineagekit.config, lineagekit.errors, lineagekit.agent.startup")
    assert not loaded & {"typing", "dataclasses", "collections.abc", "pathlib", *HEAVY}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["help"], []])
def test_the_first_screen_loads_nothing_heavy(words: list[str]) -> None:
    assert not loaded_by(f"from lineagekit.agent.main import main; main({words})") & HEAVY


def test_a_command_loads_no_other_command() -> None:
    loaded = loaded_by("from lineagekit.cli.main import main; main(['fingerprint', '--help'])")
    assert "lineagekit.cli.fingerprint" in loaded
    assert "lineagekit.cli.demo" not in loaded


def test_the_first_screen_shows_only_commands_that_exist_and_at_most_ten() -> None:
    shown = re.findall(r"^  (\w+)  ", FIRST_SCREEN, re.MULTILINE)
    assert set(shown) <= set(COMMANDS)
    assert len(shown) <= 10


def test_the_first_screen_fits_a_terminal() -> None:
    assert max(map(len, FIRST_SCREEN.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_is_in_the_readme(name: str) -> None:
    module, _, command = COMMANDS[name].partition(":")
    summary = getattr(import_module(module), command).__doc__.splitlines()[0]
    assert summary in FIRST_SCREEN or f"\n  {name} " not in FIRST_SCREEN
    assert f"lineagekit {name}" in README
