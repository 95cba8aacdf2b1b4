# SPDX-License-Identifier: Apache-2.0
"""The command line as a person has it: the installed program, in a folder and with a cache of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("lineagekit")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "LINEAGEKIT_CACHE": str(tmp_path_factory.mktemp("cache")), "COLUMNS": "80"}


@pytest.fixture
def run(tmp_path: Path, environ: dict[str, str]) -> Run:
    """Run the program in `tmp_path`; text goes in and out as file names do, whatever their bytes."""

    def run(*words: str | os.PathLike[str], stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words],
            cwd=tmp_path,
            env={**environ, **more},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    return run
