# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` and `rerun` of a script that asks an SQLite file: its bytes are put back, not its answers."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from lineagekit.cause import cage
from tests.cli.projects import Project, project_in

pytestmark = [pytest.mark.caged, pytest.mark.skipif(bool(cage.why_not()), reason=cage.why_not())]

ASKING = """
import argparse, json, sqlite3
import lineagekit

parser = argparse.ArgumentParser()
parser.add_argument("--day", type=int)
day = lineagekit.params(parser.parse_args()).day
rows = sqlite3.connect("shop.db").execute("select y from t where d > ? and d <= ?", (day - 2, day)).fetchall()
weight = sum(y for y, in rows)
json.dump(weight, open("model.json", "w"))
lineagekit.model("model.json", name="m")
lineagekit.metric("error", abs(weight - 2), of="model.json", higher_is_better=False)
"""
ASK = [sys.executable, "ask.py", "--day"]


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Rows of each day come into one database; those of the last one are in another unit."""
    project = project_in(tmp_path, tmp_path_factory.mktemp("cache"))
    (tmp_path / "ask.py").write_text(ASKING)
    for day in range(1, 5):
        with sqlite3.connect(tmp_path / "shop.db") as shop:
            shop.execute("create table if not exists t (d int, y real)")
            shop.execute("insert into t values (?, ?)", (day, 100.0 if day == 4 else 1 + day / 100))
        if day > 1:
            done = project("run", "--quiet", "--", *ASK, f"{day}")
            assert done.returncode == 0, done.stderr
    return project


def test_a_database_of_which_rows_were_asked_is_put_back_as_it_was(shop: Project) -> None:
    before = shop.picture()
    found = shop.bisect("--", *ASK, "{day}")
    assert found["status"] == "confirmed", found
    assert any(f"{shop.folder / 'shop.db'} has other bytes" in cause for cause in found["causes"][0])
    assert shop.picture() == before


def test_a_run_that_asked_a_database_gives_the_same_again(shop: Project) -> None:
    done = shop("rerun", "m", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["result"]["word"] == "equal bytes"
