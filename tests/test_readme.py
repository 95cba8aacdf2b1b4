# SPDX-License-Identifier: Apache-2.0
"""README, run from top to bottom: each `sh` block in a shell, its `text` block the output, each `python` block too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```(?:\n```text\n(.*?)^```)?", README, re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all blocks: each builds on what those before it made."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.parametrize(("language", "code", "expected"), BLOCKS)
def test_a_block_of_the_readme_runs_and_prints_what_it_says(
    folder: Path, language: str, code: str, expected: str
) -> None:
    shell = [BIN / "python", "-c", code] if language == "python" else ["bash", "-euo", "pipefail", "-c", code]
    environ = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "LINEAGEKIT_CACHE": str(folder / "cache")}
    done = subprocess.run(shell, cwd=folder, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    if expected:  # a block without output shown may print what it likes
        assert done.stdout == expected


def test_no_output_is_left_to_be_filled_in() -> None:
    assert "```text\n```" not in README
