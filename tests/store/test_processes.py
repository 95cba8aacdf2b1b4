# SPDX-License-Identifier: Apache-2.0
"""Many processes share a store, and any of them may die at any moment."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lineagekit.store.log import open_store

APPEND = """
import sys
from lineagekit.store.log import Mark, open_store
from tests.store.worlds import MOMENT, entry
folder, name, count, shared = sys.argv[1:]
with open_store(folder) as store:
    for number in range(int(count)):
        own, ours = entry(f"{name}-{number}"), entry(f"{shared}-{number}", "COMPLETE")
        new = store.append([own, ours], origin=name, marks=[Mark(name, number + 1)])
        sys.stdout.write(f"{new}\\n")
        sys.stdout.flush()
"""


def start(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPEND, str(folder), name, str(count), "all"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(writers: Sequence[subprocess.Popen[str]]) -> list[int]:
    """How many new events each was told of."""
    said = [writer.communicate() for writer in writers]
    assert [(writer.returncode, error) for writer, (_, error) in zip(writers, said, strict=True)] == [
        (0, "") for _ in writers
    ]
    return [sum(map(int, out.split())) for out, _ in said]


def test_eight_writers_at_once_lose_nothing_and_double_nothing(folder: Path) -> None:
    new = finish([start(folder, f"writer{number}", 200) for number in range(8)])
    with open_store(folder, make=False) as store:
        rows = store.events(limit=10_000)
        assert sum(new) == len(rows) == store.last_seq() == 8 * 200 + 200
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert {row.run for row in rows if row.type == "START"} == {
            f"writer{writer}-{number}" for writer in range(8) for number in range(200)
        }
        assert {store.mark(f"writer{number}") for number in range(8)} == {200}


def assert_is_made_once(folder: Path) -> None:
    finish([start(folder, f"writer{number}", 1) for number in range(8)])
    with open_store(folder, make=False) as store:
        assert store.last_seq() == 9


def test_a_store_that_many_make_at_once_is_one_store(folder: Path) -> None:
    assert_is_made_once(folder)


@pytest.mark.faults
@pytest.mark.parametrize("attempt", range(20))
def test_a_store_that_many_make_at_once_is_one_store_every_time(folder: Path, attempt: int) -> None:
    assert_is_made_once(folder)


def assert_survives_kills(folder: Path, kills: int, seed: int) -> None:
    """Every event that a writer was told is kept is there once, whenever it was killed."""
    rng = random.Random(seed)
    told: set[str] = set()
    for number in range(kills):
        writer = start(folder, f"writer{number}", 100_000)
        assert writer.stdout
        assert writer.stderr
        first = writer.stdout.readline()
        time.sleep(rng.random() * 0.05)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [first, *writer.stdout.read().splitlines(keepends=True)]
        assert writer.wait() == -signal.SIGKILL, writer.stderr.read()
        writer.stderr.close()
        writer.stdout.close()
        told |= {f"writer{number}-{n}" for n, line in enumerate(acknowledged) if line.endswith("\n")}
    with open_store(folder, make=False) as store:
        runs = [row.run for row in store.events(limit=10_000_000) if row.type == "START"]
        marks = store.marks()
        assert store.damaged() == []
    assert told <= set(runs)
    assert len(runs) == len(set(runs)) == sum(mark.offset for mark in marks.values())
    with closing(sqlite3.connect(folder / "lineage.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_killed_writer_loses_nothing_it_was_told_is_kept(folder: Path) -> None:
    assert_survives_kills(folder, 3, seed=1)


@pytest.mark.faults
def test_hundreds_of_killed_writers_lose_nothing_they_were_told_is_kept(folder: Path) -> None:
    assert_survives_kills(folder, 300, seed=2)
