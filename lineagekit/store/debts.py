# SPDX-License-Identifier: Apache-2.0
"""Debts: events some of whose digests are still to be taken, because there was no time for it, by the host that can.

>>> owe(database, "build-7", [entry.key])  # doctest: +SKIP
>>> debts(database, "build-7")  # doctest: +SKIP
[b'...']
"""

from __future__ import annotations

from collections.abc import Iterable

from lineagekit.store.database import Database
from lineagekit.store.packing import plain

_OWE = "INSERT OR IGNORE INTO debt (key, host) VALUES (?, ?)"
_FIND = "SELECT CAST(key AS BLOB) FROM debt WHERE host = ? ORDER BY id"


def owe(database: Database, host: str, keys: Iterable[bytes]) -> None:
    """Note that digests of these events are owed."""
    with database.write() as connection:
        connection.executemany(_OWE, [(key, plain(host)) for key in keys])


def debts(database: Database, host: str) -> list[bytes]:
    """Keys of the events that this host may know more of, oldest first."""
    return [key for (key,) in database.rows(_FIND, (plain(host),))]


def settle_debt(database: Database, key: bytes) -> None:
    """All that can be learned of this event is learned."""
    with database.write() as connection:
        connection.execute("DELETE FROM debt WHERE key = ?", (key,))
