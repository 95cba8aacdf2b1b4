# SPDX-License-Identifier: Apache-2.0
"""Runs by their ids: each has a number in the index, also one that was only named by another.

>>> number_of_run(connection, "0190a7a2-6e4c-7c5e-9d3a-5b6c7d8e9f00")  # doctest: +SKIP
(1, None)
"""

from __future__ import annotations

import sqlite3
from uuid import UUID

from lineagekit.store.packing import plain

STATES = ("", "RUNNING", "COMPLETE", "FAIL", "ABORT")
"""Numbers of states; 0 is a run that was only named by another."""
_OF_RUN = ("write", "read", "run_flow", "build", "metric")
# Beginning and end, because ids of one minute begin alike, and so do those that a scheduler makes of names.
_FIND_RUN = (
    "SELECT id, job FROM run WHERE substr(uuid, 1, 4) = substr(?1, 1, 4) AND substr(uuid, -3) = substr(?1, -3)"
    " AND uuid = ?1"
)


def run_key(run: str) -> bytes:
    """How a run's id is kept: a UUID in 16 bytes, anything else as it is."""
    if len(run) == 36:
        try:
            return UUID(run).bytes
        except ValueError:
            pass
    return plain(run).encode()


def run_text(key: bytes) -> str:
    """The id again."""
    return str(UUID(bytes=key)) if len(key) == 16 else key.decode()


def number_of_run(connection: sqlite3.Connection, run: str) -> tuple[int, int | None]:
    """A run's number, and its job; a run that nobody told of yet gets a number too."""
    found = connection.execute(_FIND_RUN, (run_key(run),)).fetchone()
    if found is not None:
        return found[0], found[1]
    added = connection.execute("INSERT INTO run (uuid, state) VALUES (?, 0)", (run_key(run),)).lastrowid or 0
    return added, None


def clear_run(connection: sqlite3.Connection, run: int) -> None:
    """Take out all that was told of a run."""
    for table in _OF_RUN:
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
