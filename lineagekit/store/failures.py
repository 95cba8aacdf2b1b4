# SPDX-License-Identifier: Apache-2.0
"""SQLite's errors in our words: what happened to the store, and what to do.

>>> store_error(sqlite3.OperationalError("no such table: event"), "lineage.db").exit_code
7
"""

from __future__ import annotations

import sqlite3

from lineagekit.errors import StoreError

MOVE_ASIDE = "Move it aside and a new one is made; journals and destinations are not touched."
_DAMAGED = ("is damaged", MOVE_ASIDE)
_LOCKED = ("is locked: another process has been writing for too long", "Try again, or end that process.")
_READ_ONLY = ("cannot be written", "Check the permissions of its folder, or name another store (LINEAGEKIT_STORE).")

_MEANINGS = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that its folder exists and may be read and written."),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: ("is not a SQLite file, or damaged", MOVE_ASIDE),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Make room and try again; what is in it is safe."),
    sqlite3.SQLITE_TOOBIG: ("takes no event of this size", "Send it less: a gigabyte is the limit."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check the disk (full, removed, over quota) and try again."),
}


def store_error(error: sqlite3.Error, path: str) -> StoreError:
    """The error to raise in place of SQLite's."""
    meaning, advice = _MEANINGS.get(code_of(error), ("does not answer", ""))
    return StoreError(f"the store {path} {meaning} ({error})", advice=advice)


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where Python itself complains (a closed connection)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether bytes in the file are wrong for good, so that one looks for what is left. Trouble of a disk may pass."""
    return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_TOOBIG)
