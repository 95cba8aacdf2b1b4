# SPDX-License-Identifier: Apache-2.0
"""The SQLite file: how it is opened, and the one way to write to it.

    >>> with closing(open_database("/tmp/lineage.db")) as database, database.write() as connection:  # doctest: +SKIP
    ...     connection.execute("INSERT INTO cursor VALUES (?, ?)", ("marquez", 7))

Writers stand in line for `BEGIN IMMEDIATE`: a transaction that first reads and then writes would fail at once whenever
another process wrote in between, however long it is willing to wait. NORMAL in WAL mode survives the death of any
process; `durable` survives the loss of power too.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lineagekit.errors import StoreError
from lineagekit.identity.mounts import is_local
from lineagekit.store.failures import code_of, is_damage, store_error

PATIENCE = 10.0
"""Seconds that a writer waits for its turn."""

_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
# A flipped byte in a text is for the seals to find, not for the decoder to stop at.
_text = partial(str, encoding="utf-8", errors="replace")

SqlRow = tuple[Any, ...]
Key = TypeVar("Key", int, str)


class Database:
    """One connection, shared by the threads of a process, with every error of SQLite's translated."""

    def __init__(self, path: str, connection: sqlite3.Connection, *, writable: bool) -> None:
        """Take over a connection; `open_database` makes one."""
        self.path, self.writable = path, writable
        self._connection, self._lock, self._process = connection, threading.RLock(), os.getpid()
        self._durable: bool | None = None

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing. Inside another one it is a part of that."""
        with self._mine() as connection:
            if connection.in_transaction:
                yield connection
            else:
                self._require_writable()
                self._flush_at_commit(durable)
                with _transaction(connection):
                    yield connection

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[SqlRow]:
        """All rows of an answer."""
        with self._mine() as connection:
            return connection.execute(sql, values).fetchall()

    def intact_rows(self, sql: str, values: Sequence[object] = ()) -> list[SqlRow] | None:
        """The same; None where the file is damaged on the way, so that one can look for what is left."""
        with self._mine() as connection:
            try:
                return connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                return None

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first value of the first row, or None."""
        rows = self.rows(sql, values)
        return rows[0][0] if rows else None

    def pick(self, sql: str, keys: Sequence[Key]) -> tuple[list[SqlRow], list[Key]]:
        """Rows for `keys` (the one parameter of `sql`, as a JSON array), and the keys whose place is damaged."""
        with self._mine() as connection:
            return _pick(connection, sql, keys)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _mine(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():  # SQLite's locks belong to the process that took them
            raise StoreError(f"the store {self.path} was opened before a fork", advice="Open it in the child again.")
        try:
            with self._lock:
                yield self._connection
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error

    def _flush_at_commit(self, durable: bool) -> None:
        if durable is not self._durable:  # saying it again would cost as much as finding an event
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _require_writable(self) -> None:
        if not self.writable:
            raise store_error(_refusal(), self.path)


def open_database(path: str, *, patience: float = PATIENCE, local: bool | None = None) -> Database:
    """Open the file, or make an empty one; where it can only be read, reading works. Raises StoreError."""
    deadline = time.monotonic() + patience
    local = is_local(os.stat(os.path.dirname(path)).st_dev) if local is None else local
    while True:
        try:
            return Database(path, _connect(Path(path).absolute().as_uri(), patience, local), writable=True)
        except sqlite3.Error as error:
            if code_of(error) in _UNWRITABLE:
                return Database(path, _connect_to_read(path), writable=False)
            # Two processes that turn a new file to WAL at once can block each other; SQLite then does not wait.
            if code_of(error) not in _BUSY or time.monotonic() >= deadline:
                raise store_error(error, path) from error
        time.sleep(0.01)


def _connect(uri: str, patience: float, local: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, timeout=patience, isolation_level=None, check_same_thread=False, uri=True)
    try:
        # The index of WAL mode is shared memory, which machines that share a folder do not share.
        connection.execute(f"PRAGMA journal_mode = {'WAL' if local else 'DELETE'}")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.text_factory = _text
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_to_read(path: str) -> sqlite3.Connection:
    """A file in a folder where SQLite can put nothing beside it. Nobody else can either, so it is at rest."""
    if _size(path + "-wal"):
        raise StoreError(
            f"the store {path} cannot be read: a writer left its last events beside it, and the folder is read-only",
            advice="Copy the folder to where it may be written, and name the copy (LINEAGEKIT_STORE).",
        )
    uri = Path(path).absolute().as_uri() + "?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(uri, isolation_level=None, check_same_thread=False, uri=True)
        connection.text_factory = _text
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # it failed, or was interrupted
            connection.execute("ROLLBACK")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _refusal() -> sqlite3.Error:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    return error


def _pick(connection: sqlite3.Connection, sql: str, keys: Sequence[Key]) -> tuple[list[SqlRow], list[Key]]:
    """Ask for all at once; where that meets damage, for halves of them."""
    try:
        return connection.execute(sql, (json.dumps(keys),)).fetchall(), []
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
    if len(keys) == 1:
        return [], list(keys)
    half = len(keys) // 2
    rows, lost = _pick(connection, sql, keys[:half])
    more_rows, more_lost = _pick(connection, sql, keys[half:])
    return rows + more_rows, lost + more_lost
