# SPDX-License-Identifier: Apache-2.0
"""dbt by its own wrapper, with one variable set: its models are a graph, and nothing is sent anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def test_models_that_dbt_builds_are_traced(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "shop", tmp_path / "shop")
    environ = {
        **os.environ,
        "PATH": f"{ROOT / '.venv-dbt' / 'bin'}:{os.environ['PATH']}",
        "SHOP_DATABASE": str(tmp_path / "shop.duckdb"),
        "LINEAGEKIT_STORE": str(tmp_path / "store"),
        "LINEAGEKIT_CACHE": str(tmp_path / "cache"),
    }
    ours = {"OPENLINEAGE__TRANSPORT__TYPE": "lineagekit_python.LineagekitTransport"}
    words = ["dbt-ol", "run", "--profiles-dir", ".", "--project-dir", "."]
    done = subprocess.run(words, cwd=tmp_path / "shop", env=environ | ours, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "lineagekit", "trace", "daily"], env=environ, capture_output=True, text=True, check=True
    ).stdout
    places = [shown.index(one) for one in ("shop.main.daily", "shop.main.orders", "main.shop.orders")]
    assert places == sorted(places)
