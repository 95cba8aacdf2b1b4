# SPDX-License-Identifier: Apache-2.0
"""The file answers or says why it does not; no error of SQLite's own comes out."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lineagekit.errors import StoreError
from lineagekit.store.database import Database, open_database
from lineagekit.store.log import Store, open_store
from tests.store.worlds import entries


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lineage.db")


@pytest.fixture
def database(path: str) -> Iterator[Database]:
    with closing(open_database(path)) as database:
        with database.write() as connection:
            connection.execute("CREATE TABLE t (x)")
        yield database


def write_and(database: Database, then: Callable[[sqlite3.Connection], object]) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        then(connection)


def interrupt(_: sqlite3.Connection) -> None:
    raise KeyboardInterrupt


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_and(database, interrupt)
    assert database.rows("SELECT x FROM t") == []
    write_and(database, lambda _: None)
    assert database.rows("SELECT x FROM t") == [(1,)]


def test_an_error_inside_a_transaction_is_translated_and_undoes_it(database: Database) -> None:
    with pytest.raises(StoreError, match="no such table: nowhere"):
        write_and(database, lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
    assert database.rows("SELECT x FROM t") == []


def test_a_transaction_within_another_shares_its_fate(database: Database) -> None:
    def write_within(_: sqlite3.Connection) -> None:
        write_and(database, lambda _: None)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and(database, write_within)
    assert database.rows("SELECT x FROM t") == []


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_only_what_asks_for_it_is_flushed_at_every_commit(database: Database, durable: bool, level: int) -> None:
    with database.write(durable=not durable):
        pass
    with database.write(durable=durable):
        assert database.value("PRAGMA synchronous") == level


def test_a_writer_that_gets_no_turn_says_so_after_its_patience(database: Database, path: str) -> None:
    with closing(open_database(path, patience=0.3)) as other, database.write():
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"is locked.*Try again"), other.write():
            pass
        assert 0.2 < time.monotonic() - began < 5
        assert other.rows("SELECT x FROM t") == []


def test_readers_and_one_writer_are_not_in_each_others_way(database: Database, path: str) -> None:
    with closing(open_database(path, patience=0)) as other, database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert other.rows("SELECT x FROM t") == []
    assert database.value("PRAGMA journal_mode") == "wal"


def test_a_network_mount_gets_no_shared_memory(path: str) -> None:
    with closing(open_database(path, local=False)) as database:
        assert database.value("PRAGMA journal_mode") == "delete"
        with Store(database) as store:
            store.append(entries(3))
            assert len(store.events()) == 3
            assert sorted(os.listdir(os.path.dirname(path))) == ["lineage.db"]


@pytest.mark.parametrize("bytes_", [b"not a database" * 100, os.urandom(9000), b"SQLite format 3\0" + bytes(99)])
def test_a_file_that_is_no_database_is_left_alone_with_advice(folder: Path, bytes_: bytes) -> None:
    folder.mkdir()
    (folder / "lineage.db").write_bytes(bytes_)
    with pytest.raises(StoreError, match=r"Move it aside.*journals and destinations are not touched"):
        open_store(folder)
    assert (folder / "lineage.db").read_bytes() == bytes_


def test_the_database_of_another_program_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "lineage.db")) as other:
        other.execute("CREATE TABLE cookies (x)")
    with pytest.raises(StoreError, match="another program's database"):
        open_store(folder)


def test_a_folder_in_place_of_the_file_cannot_be_opened(folder: Path) -> None:
    (folder / "lineage.db").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"lineage.db cannot be .*Check"):
        open_store(folder)


FILL = """
import resource, sys
from lineagekit.errors import StoreError
from lineagekit.store.log import open_store
from tests.store.worlds import entries, entry
with open_store(sys.argv[1]) as store:
    store.append(entries(3))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        for number in range(500):
            store.append([entry(f"more-{number}", filling=number * "x")])
    except StoreError as error:
        print(error)
    print(store.last_seq() == len(store.events()) > 3)
"""


def test_a_full_disk_is_an_error_with_advice_and_loses_nothing(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILL, str(folder)], capture_output=True, text=True, check=True)
    said, whole = done.stdout.splitlines()
    assert "Check the disk" in said or "Make room" in said
    assert whole == "True"
    with open_store(folder) as store:
        assert [row.damaged for row in store.events()].count(True) == 0
        assert store.append(entries(5)) == 2
