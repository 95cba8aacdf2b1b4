# SPDX-License-Identifier: Apache-2.0
"""What was read of a server's history: windows of time that are whole in the log, and how many events each held.

    >>> keep_window(database, "http://localhost:5000", Window(0, 60_000_000, 214), merge=1000)  # doctest: +SKIP

Windows of a source never overlap, and what no window covers has not been read. A window that holds few events becomes
one with its neighbour, so that pulling every minute for a year does not leave a window for every minute.
"""

from __future__ import annotations

from dataclasses import dataclass

from lineagekit.store.database import Database
from lineagekit.store.packing import plain

NOTHING = bytes(16)
"""The digest of a window without events."""

_SELECT = "SELECT since, until, count, digest FROM pulled WHERE source = ?"
_LEFT = f"{_SELECT} AND since < ? ORDER BY since DESC LIMIT 1"
_DROP = "DELETE FROM pulled WHERE source = ? AND since >= ? AND since < ?"
_ADD = "INSERT INTO pulled (source, since, until, count, digest) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, in microseconds since 1970, and what a server said of it before it was read."""

    since: int
    until: int
    """The first moment that is not in it."""
    count: int
    """Events in it, as the server counts: never more than it held when it was read."""
    digest: bytes = NOTHING
    """The sum of the keys of its events, so that two windows can be added up."""


def add_keys(first: bytes, second: bytes) -> bytes:
    """The sum of two keys, or of two sums of keys."""
    total = int.from_bytes(first, "little") + int.from_bytes(second, "little")
    return (total % (1 << 8 * len(NOTHING))).to_bytes(len(NOTHING), "little")


def windows(database: Database, source: str) -> list[Window]:
    """All that was read of a source, oldest first."""
    return [Window(*row) for row in database.rows(f"{_SELECT} ORDER BY since", (plain(source),))]


def keep_window(database: Database, source: str, window: Window, *, merge: int) -> None:
    """Note that a window was read, in place of whatever was known of that time.

    It is joined to the one before it where both together hold no more than `merge` events.
    """
    name, begin = plain(source), window.since
    with database.write() as connection:
        left = connection.execute(_LEFT, (name, window.since)).fetchone()
        if left is not None:
            before = Window(*left)
            if before.until == window.since and before.count + window.count <= merge:
                begin, window = before.since, _joined(before, window)
            elif before.until > window.since:
                begin = before.since  # a part of it is known no more
        connection.execute(_DROP, (name, begin, window.until))
        connection.execute(_ADD, (name, window.since, window.until, window.count, window.digest))


def _joined(left: Window, right: Window) -> Window:
    return Window(left.since, right.until, left.count + right.count, add_keys(left.digest, right.digest))
