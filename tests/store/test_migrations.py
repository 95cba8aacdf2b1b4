# SPDX-License-Identifier: Apache-2.0
"""An old file is brought up to date, step by step; a newer one is refused politely."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lineagekit.errors import StoreError
from lineagekit.store.database import open_database
from lineagekit.store.log import open_store
from lineagekit.store.migrations import APPLICATION, STEPS, migrate
from tests.store.worlds import entries


def columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


@pytest.fixture
def path(folder: Path) -> Path:
    folder.mkdir()
    return folder / "lineage.db"


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with open_store(path.parent, make=False) as store:
        assert store.append(entries(1)) == 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION,)


@pytest.mark.parametrize("version", range(len(STEPS)))
def test_a_file_of_every_version_becomes_the_newest(path: Path, tmp_path: Path, version: int) -> None:
    with closing(open_database(str(path))) as database:
        migrate(database, STEPS[:version])
    open_store(path.parent).close()
    open_store(tmp_path / "new").close()
    assert columns(path) == columns(tmp_path / "new" / "lineage.db")


def test_what_an_older_version_kept_is_there_afterwards(path: Path) -> None:
    with open_store(path.parent) as store:
        store.append(entries(3))

    def add_a_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE run ADD COLUMN owner TEXT")

    with closing(open_database(str(path))) as database:
        migrate(database, [*STEPS, add_a_column])
        assert database.rows("SELECT count(*), max(owner) FROM run") == [(3, None)]


def test_runs_that_failed_and_then_said_that_they_were_complete_have_failed(path: Path) -> None:
    """As version 6 summed them up: the last word counted."""
    with closing(open_database(str(path))) as database:
        migrate(database, STEPS[:6])
    told = [("lost", "FAIL"), ("lost", "COMPLETE"), ("well", "COMPLETE"), ("ended", "FAIL"), ("goes on", "START")]
    with closing(sqlite3.connect(path)) as database:
        for number, (run, type_) in enumerate(told):
            row = (bytes([number]) * 16, run, "run", type_, number, "", b"")
            database.execute("INSERT INTO event (key, run, kind, type, time, origin, body) VALUES (?,?,?,?,?,?,?)", row)
        for run, state in (("lost", "COMPLETE"), ("well", "COMPLETE"), ("ended", "FAIL"), ("goes on", "RUNNING")):
            database.execute("INSERT INTO run VALUES (?, 'train', 'n', ?, 0, 1, 0, 0, 1)", (run, state))
        database.commit()
    with open_store(path.parent) as store:
        states = {row.run: row.state for row in store.recent_runs()}
    assert states == {"lost": "FAIL", "well": "COMPLETE", "ended": "FAIL", "goes on": "RUNNING"}


def test_a_step_that_fails_leaves_nothing_behind(path: Path) -> None:
    open_store(path.parent).close()
    before = columns(path)

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        connection.execute("CREATE TABLE half (x)")

    with closing(open_database(str(path))) as database:
        with pytest.raises(StoreError, match="half already exists"):
            migrate(database, [*STEPS, fail])
        assert database.value("PRAGMA user_version") == len(STEPS)
    assert columns(path) == before


def test_a_newer_file_is_refused_with_both_versions(path: Path) -> None:
    open_store(path.parent).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=rf"got version 99, expected {len(STEPS)} or less.*upgrade"):
        open_store(path.parent)
