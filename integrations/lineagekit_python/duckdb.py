# SPDX-License-Identifier: Apache-2.0
"""DuckDB: files that its own engine opens. Its statements are read beforehand, its own log afterwards.

    >>> module(sys.modules["duckdb"])  # doctest: +SKIP

The statement tells in time what will be read; the log tells exactly what was, also by prepared parameters. Of what
only the log tells, the evidence counts only if the file has not changed since. Whoever logs for himself, or has locked
the configuration, keeps his own; then the statements alone are read.
"""

from __future__ import annotations

import atexit
import os
from weakref import WeakKeyDictionary

from lineagekit.agent import note
from lineagekit.agent.border import border
from lineagekit.agent.hooks import argument, at_end, patch
from lineagekit.agent.scope import book
from lineagekit_python import duckdb_log
from lineagekit_python.entry import patch_name, reader, writer
from lineagekit_python.sql_files import find_files

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

DOOR = "duckdb"
MOST_CALLS = 1000
"""Statements after which the log is emptied: it lies in memory."""

_STATEMENTS = ("execute", "executemany", "sql", "query", "from_query")
_READERS = {
    "read_parquet": "parquet",
    "from_parquet": "parquet",
    "read_csv": "csv",
    "from_csv_auto": "csv",
    "read_json": "json",
}
_WRITERS = {"to_parquet": "parquet", "write_parquet": "parquet", "to_csv": "csv", "write_csv": "csv"}


class _Watched:
    """What is known of one connection: of which run and working folder its log speaks, and whether it is ours."""

    __slots__ = ("calls", "folder", "is_ours", "pid", "run")

    def __init__(self, run: Any, folder: str, is_ours: bool) -> None:
        self.run, self.folder, self.is_ours = run, folder, is_ours
        self.calls, self.pid = 0, os.getpid()


_watched: WeakKeyDictionary[Any, _Watched] = WeakKeyDictionary()
_default: Any = None
_default_held: Any = None
"""The default connection as Python sees it: nobody else may hold it, and a weak key would be gone at once."""


def module(module: ModuleType) -> None:
    """`duckdb`: connections, and functions that use the default one."""
    global _default
    _default = module.default_connection
    patch_name(module, "connect", before=_connects, after=_connected)
    for name in _STATEMENTS:
        patch(module, f"DuckDBPyConnection.{name}", before=_states, after=_stated, failed=note.failed)
        if hasattr(module, name):
            patch_name(module, name, before=_states_by_default, after=_stated, failed=note.failed)
    for name, format in _READERS.items():
        reader(module, f"DuckDBPyConnection.{name}", (1, "path_or_buffer"), door=DOOR, format=format)
        if hasattr(module, name):
            reader(module, name, (0, "path_or_buffer"), door=DOOR, format=format)
    for name, format in _WRITERS.items():
        writer(module, f"DuckDBPyRelation.{name}", (1, "file_name"), door=DOOR, format=format)
    for name in ("close", "__exit__"):
        patch(module, f"DuckDBPyConnection.{name}", before=_closes)
    at_end(_drain_all)
    atexit.register(_drain_at_exit)  # before DuckDB closes its default connection, which registered earlier


def _connects(args: Any, kwargs: Any) -> None:
    name = argument(args, kwargs, 0, "database", "")
    if book() is not None and name and str(name).partition(":")[0] not in ("", "md", "motherduck"):
        _note_database(name, bool(argument(args, kwargs, 1, "read_only", False)))


def _connected(token: Any, connection: Any, args: Any, kwargs: Any) -> None:
    _watch(connection)


def _states(args: Any, kwargs: Any) -> list[str]:
    _watch(args[0])
    return _note_statement(argument(args, kwargs, 1, "query"))


def _states_by_default(args: Any, kwargs: Any) -> list[str]:
    global _default_held
    if book() is None:
        return []
    connection = kwargs.get("connection")
    if connection is None:
        connection = _default_held = _default() if callable(_default) else _default
    _watch(connection)
    return _note_statement(argument(args, kwargs, 0, "query"))


def _stated(writes: Any, result: Any, args: Any, kwargs: Any) -> None:
    for path in writes or ():
        note.wrote(path, door=DOOR)


def _note_statement(statement: Any) -> list[str]:
    """Say what a statement will read; what it will write is said again when it has."""
    if book() is None:
        return []
    text = statement if isinstance(statement, str) else getattr(statement, "query", "")
    writes = []
    for role, path in find_files(text):
        if role == "read":
            note.reads(path, door=DOOR)
        elif role == "write":
            note.writes(path, door=DOOR)
            writes.append(path)
        elif "://" not in path and ":" not in path:
            _note_database(path, False)
    return writes


def _note_database(path: Any, read_only: bool) -> None:
    """A database is an input if it was there, and an output if it has changed when the run ends."""
    if read_only:
        note.reads(path, door=DOOR, format="duckdb")
    else:
        note.writes(path, door=DOOR, mode="r+")
        note.doubts(path)


def _watch(connection: Any) -> None:
    """Have a connection log what it opens, and see to it that its log is of one run and one working folder."""
    run, known = note.run_now(), _watched.get(connection)
    if known is None:
        if run is not None:
            _watched[connection] = _Watched(run, os.getcwd(), duckdb_log.start(connection))
    elif known.is_ours and known.pid == os.getpid():
        known.calls += 1
        folder = os.getcwd()
        if known.run is not run or known.folder != folder or known.calls > MOST_CALLS:
            _drain(connection, known)
            known.run, known.folder, known.calls = run, folder, 0


def _closes(args: Any, kwargs: Any) -> None:
    known = _watched.get(args[0])
    if known is not None:
        _drain(args[0], known)


def _drain(connection: Any, known: _Watched) -> None:
    if known.is_ours and known.pid == os.getpid():
        for path, reads, writes in duckdb_log.take(connection):
            if known.run is not None and not known.run.ended:  # what came after its end is nobody's
                duckdb_log.say(known.run.ledger, os.path.join(known.folder, path), reads, writes)


def _drain_all(run: Any = None) -> None:
    for connection, known in list(_watched.items()):
        if run is None or known.run is run:
            _drain(connection, known)


def _drain_at_exit() -> None:
    with border("duckdb.exit"):
        _drain_all()
