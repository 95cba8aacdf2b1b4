# SPDX-License-Identifier: Apache-2.0
"""Snapshots: these bytes under this name, by their digest or by the version that a foreign system gave them.

>>> snapshots.number(dataset, "blake3:9f3c...", 1024)  # doctest: +SKIP
1
"""

from __future__ import annotations

import sqlite3

from lineagekit.store.packing import plain

VERSION = "version"
"""The algorithm of snapshots that a foreign system names."""
_SAME_BYTES = (
    "SELECT id, dataset FROM snapshot WHERE substr(hash, 1, 4) = substr(?1, 1, 4) AND hash = ?1 AND algorithm = ?2"
)


class Snapshots:
    """Numbers of snapshots, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Remember them: most runs read what another has just written."""
        self.connection = connection
        self.twins: dict[int, list[tuple[int, int]]] = {}
        """Of a snapshot: the same bytes under other names, and those."""
        self._algorithms: dict[str, int] = {}
        self._known: dict[tuple[int, str, bool], int] = {}

    def number(self, dataset: int, digest: str, size: int | None) -> int | None:
        """The number of these bytes under this name; None for no digest."""
        if not digest:
            return None
        known = self._known.get((dataset, digest, size is None))
        if known is None:
            known = self._known[dataset, digest, size is None] = self._enter(dataset, digest, size)
        return known

    def is_pinned(self, snap: int) -> bool:
        """Whether a foreign system's version, and no digest, tells these bytes from others."""
        sql = "SELECT 1 FROM snapshot s CROSS JOIN algorithm a ON a.id = s.algorithm WHERE s.id = ? AND a.name = ?"
        return bool(self.connection.execute(sql, (snap, VERSION)).fetchone())

    def _enter(self, dataset: int, digest: str, size: int | None) -> int:
        algorithm, hash_ = self._parse(digest)
        found: int | None = None
        twins = []
        for snap, other in self.connection.execute(_SAME_BYTES, (hash_, algorithm)).fetchall():
            if other == dataset:
                found = snap
            else:
                twins.append((snap, other))
        if found is None:
            sql = "INSERT INTO snapshot (dataset, algorithm, hash, size) VALUES (?, ?, ?, ?)"
            found = self.connection.execute(sql, (dataset, algorithm, hash_, size)).lastrowid or 0
        elif size is not None:
            sql = "UPDATE snapshot SET size = ? WHERE id = ? AND size IS NULL"
            self.connection.execute(sql, (size, found))
        self.twins[found] = twins
        return found

    def _parse(self, digest: str) -> tuple[int, bytes]:
        algorithm, _, hex_ = digest.rpartition(":")
        if digest.startswith(f"{VERSION}:"):
            algorithm, hash_ = VERSION, plain(digest[len(VERSION) + 1 :]).encode()
        else:
            try:
                hash_ = bytes.fromhex(hex_)
            except ValueError:
                algorithm, hash_ = "other", plain(digest).encode()
        if algorithm not in self._algorithms:
            row = (plain(algorithm),)
            self.connection.execute("INSERT OR IGNORE INTO algorithm (name) VALUES (?)", row)
            found = self.connection.execute("SELECT id FROM algorithm WHERE name = ?", row).fetchone()
            self._algorithms[algorithm] = found[0]
        return self._algorithms[algorithm], hash_
