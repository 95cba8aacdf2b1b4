# SPDX-License-Identifier: Apache-2.0
"""Deliveries: how far each destination is, and the events it did not take (dead letters, and what was parked).

>>> add_letter(database, "marquez", 7, status="422", reason="missing producer")  # doctest: +SKIP
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from lineagekit.store.database import Database
from lineagekit.store.packing import plain
from lineagekit.store.rows import Letter

_MOVE = "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (destination) DO UPDATE SET seq = excluded.seq"
# A letter that is refused again keeps the time of the first refusal.
_ADD = (
    "INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (destination, seq) DO UPDATE"
    " SET status = excluded.status, reason = excluded.reason"
)
_SELECT = "SELECT destination, seq, run, status, reason, at FROM letter"
_ALL = f"{_SELECT} ORDER BY destination, seq"
_OF_ONE = f"{_SELECT} WHERE destination = ? ORDER BY seq"
_REMOVE = "DELETE FROM letter WHERE destination = ? AND seq IN (SELECT value FROM json_each(?))"


def cursor(database: Database, destination: str) -> int:
    """The place up to which a destination was served; 0 if it never was."""
    return database.value("SELECT seq FROM cursor WHERE destination = ?", (plain(destination),)) or 0


def set_cursor(database: Database, destination: str, seq: int) -> None:
    """Move it, forward or back."""
    with database.write() as connection:
        connection.execute(_MOVE, (plain(destination), seq))


def add_letter(database: Database, destination: str, seq: int, *, status: str, reason: str) -> None:
    """Note that a destination did not take an event, and why."""
    # Looked up apart: where the event itself is damaged, its letter must still find a place.
    run = database.intact_rows("SELECT run FROM event WHERE seq = ?", (seq,))
    row = plain(destination), seq, run[0][0] if run else "", plain(status), plain(reason), time.time_ns() // 1000
    with database.write() as connection:
        connection.execute(_ADD, row)


def letters(database: Database, destination: str | None) -> list[Letter]:
    """Letters of a destination, or of all, in the order of the log."""
    rows = database.rows(_ALL) if destination is None else database.rows(_OF_ONE, (plain(destination),))
    return [Letter(*row) for row in rows]


def remove_letters(database: Database, destination: str, seqs: Iterable[int]) -> int:
    """Forget letters, because they were delivered or given up; how many there were."""
    with database.write() as connection:
        return connection.execute(_REMOVE, (plain(destination), json.dumps(list(seqs)))).rowcount
