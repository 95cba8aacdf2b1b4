# SPDX-License-Identifier: Apache-2.0
"""Verdicts: which runs a person called good or bad. Kept beside the log, as aliases are.

>>> set_verdict(database, "0197...", "good")  # doctest: +SKIP
"""

from __future__ import annotations

import time

from lineagekit.store.database import Database
from lineagekit.store.packing import plain


def set_verdict(database: Database, run: str, said: str) -> None:
    """Say it; in place of what was said before."""
    with database.write() as connection:
        connection.execute("REPLACE INTO verdict VALUES (?, ?, ?)", (plain(run), said, time.time_ns() // 1000))


def remove_verdict(database: Database, run: str) -> bool:
    """Take it back; whether anything was said."""
    with database.write() as connection:
        return connection.execute("DELETE FROM verdict WHERE run = ?", (plain(run),)).rowcount > 0


def verdicts(database: Database) -> dict[str, str]:
    """What was said of each run."""
    return dict(database.rows("SELECT run, said FROM verdict"))
