# SPDX-License-Identifier: Apache-2.0
"""Objects: the bytes that a digest in an event stands for, such as the manifest of a folder or the profile of a table.

>>> keep_object(database, "manifest", "lkd1:ab...", b"...")  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.store.database import Database
from lineagekit.store.packing import pack, unpack

_FIND = "SELECT CAST(body AS BLOB) FROM object WHERE kind = ? AND digest = ?"
_KEEP = "REPLACE INTO object (kind, digest, body) VALUES (?, ?, ?)"


def keep_object(database: Database, kind: str, digest: str, body: bytes) -> None:
    """Keep the bytes; those that are there already, and whole, are not written again."""
    if find_object(database, kind, digest) is not None:
        return
    row = kind, digest, pack(body, kind, digest)
    with database.write() as connection:
        connection.execute(_KEEP, row)


def find_object(database: Database, kind: str, digest: str) -> bytes | None:
    """The bytes; None if they were never kept or are damaged."""
    rows = database.intact_rows(_FIND, (kind, digest))
    return unpack(rows[0][0], kind, digest) if rows else None
