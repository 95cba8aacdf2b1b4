# SPDX-License-Identifier: Apache-2.0
"""The digest cache: what was hashed once is not read again while its evidence holds.

A hit needs all five numbers of the evidence, and an entry is stored only if reading began when the file's stamp was
settled (`clock.py`), so no later write can hide behind it. Each carries a checksum of itself and its key, for a bad
disk. The cache is a convenience: whatever is wrong with it (corrupt, read-only, full, locked) is a miss and one warning
in the log, never an error.

    >>> with closing(open_cache("/tmp/cache")) as cache:  # doctest: +SKIP
    ...     cache.lookup(Evidence.of(os.stat("data.csv")), "blake3")
"""

from __future__ import annotations

import logging
import os
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Protocol, TypeVar
from zlib import crc32

from lineagekit.identity.batch import NUMBERS
from lineagekit.identity.clock import is_settled
from lineagekit.identity.mounts import is_local

Numbers = tuple[int, int, int, int, int]
"""An `Evidence`, or the same five numbers without the name: a tree makes millions of them."""

Known = tuple[int, bytes]
"""Size and raw digest of a file that was hashed before."""

LIMIT = 256 << 20
"""Bytes, for about two and a half million files: who has more hashes some of them again."""

_log = logging.getLogger(__name__)
_seal = NUMBERS.pack
_digests = struct.Struct("32s").iter_unpack

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS blake3 (slot INTEGER PRIMARY KEY, seal BLOB, digest BLOB)",
    "CREATE TABLE IF NOT EXISTS sha256 (slot INTEGER PRIMARY KEY, seal BLOB, digest BLOB)",
    "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
)
_USED_BYTES = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_WHOLE = 0x2144DF1C
"""The CRC of anything followed by its own CRC."""

T = TypeVar("T")


class DigestCache(Protocol):
    """What a hashing function asks of a cache."""

    def lookup(self, evidence: Numbers, algorithm: str) -> bytes | None:
        """The raw digest of the file with this evidence, if it is known."""

    def lookup_many(self, evidence: Iterable[Numbers], algorithm: str) -> Iterable[Known | None]:
        """The same for each of many; a cache that knows nothing does not even ask for the evidence."""

    def store_many(self, evidence: Iterable[Numbers], digests: bytes, algorithm: str, *, began: int) -> None:
        """Remember raw digests (one after the other in `digests`) of files whose reading began at `began`."""

    def recall(self, key: str) -> bytes | None:
        """A small value kept under a key that names everything it depends on."""

    def keep(self, key: str, value: bytes) -> None:
        """Keep such a value."""

    def close(self) -> None:
        """Let go of the file."""


class NullCache:
    """The cache that knows nothing and keeps nothing."""

    def lookup(self, evidence: Numbers, algorithm: str) -> bytes | None:
        """Nothing."""
        return None

    def lookup_many(self, evidence: Iterable[Numbers], algorithm: str) -> Iterable[Known | None]:
        """Nothing, as often as it is asked."""
        return repeat(None)

    def store_many(self, evidence: Iterable[Numbers], digests: bytes, algorithm: str, *, began: int) -> None:
        """Forget it."""

    def recall(self, key: str) -> bytes | None:
        """Nothing."""
        return None

    def keep(self, key: str, value: bytes) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to let go of."""


def open_cache(folder: str | os.PathLike[str], *, trust: bool = True, limit: int = LIMIT) -> DigestCache:
    """The cache in this folder, made if need be, or a NullCache where none can be.

    With `trust` off (`--paranoid`) it never answers, and still learns. A file with more than `limit` bytes in use
    starts over.
    """
    path = os.path.join(folder, "digests-v1.db")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return FileCache(path, trust=trust, limit=limit)
    except (OSError, sqlite3.Error) as error:
        _warn(path, error)
        return NullCache()


class FileCache:
    """A SQLite file that many processes and threads share."""

    def __init__(self, path: str, *, trust: bool, limit: int) -> None:
        """Open or make it; `open_cache` is the way in that never fails."""
        self._path, self._trust, self._lock = path, trust, threading.Lock()
        self._database: sqlite3.Connection | None = _connect(path, limit)

    def lookup(self, evidence: Numbers, algorithm: str) -> bytes | None:
        """The raw digest of the file with this evidence, if it is known."""
        known = self.lookup_many([evidence], algorithm)[0]
        return known and known[1]

    def lookup_many(self, evidence: Iterable[Numbers], algorithm: str) -> list[Known | None]:
        """Look up many with one question; aligned with what was asked."""
        asked = list(evidence)
        nothing: dict[bytes, bytes] = {}
        known = self._try(lambda database: _select(database, asked, algorithm), nothing) if self._trust else nothing
        return [(one[0], raw) if (raw := known.get(_seal(*one))) else None for one in asked]

    def store_many(self, evidence: Iterable[Numbers], digests: bytes, algorithm: str, *, began: int) -> None:
        """Store the settled ones, each in the place of what was known of its inode."""
        hashed = zip(evidence, _digests(digests), strict=True)
        settled = [(one, raw) for one, (raw,) in hashed if is_settled(one[2], began)]
        slots = _slots(one for one, _ in settled)
        sealed = ((_seal(*one), raw) for one, raw in settled)
        rows = [(slot, seal, raw + _check(seal, raw)) for slot, (seal, raw) in zip(slots, sealed, strict=True)]
        self._try(lambda database: _replace(database, rows, algorithm), None)

    def recall(self, key: str) -> bytes | None:
        """A small value kept under a key that names everything it depends on."""
        sql = "SELECT CAST(value AS BLOB) FROM notes WHERE key = ?"
        row = self._try(lambda database: database.execute(sql, (key,)).fetchone(), None) if self._trust else None
        kept = row and row[0]
        return kept[:-4] if kept and crc32(kept, crc32(key.encode())) == _WHOLE else None

    def keep(self, key: str, value: bytes) -> None:
        """Keep such a value."""
        row = key, value + _check(key.encode(), value)
        self._try(lambda database: database.execute("REPLACE INTO notes VALUES (?, ?)", row), None)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            database, self._database = self._database, None
            if database:
                database.close()

    def _try(self, ask: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Ask the database; the first failure is the last time it is asked."""
        try:
            with self._lock:
                return ask(self._database) if self._database else otherwise
        except (sqlite3.Error, struct.error) as error:
            _warn(self._path, error)
            self.close()
            return otherwise


def _connect(path: str, limit: int) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
    try:
        # The log of WAL mode is shared memory, which machines that share a home folder do not share.
        mode = "WAL" if is_local(os.stat(os.path.dirname(path)).st_dev) else "DELETE"
        for statement in (f"PRAGMA journal_mode = {mode}", "PRAGMA synchronous = NORMAL", *_SCHEMA):
            database.execute(statement)
        (used,) = database.execute(_USED_BYTES).fetchone()
        if used > limit:
            for table in ("blake3", "sha256", "notes"):
                database.execute(f"DELETE FROM {table}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _select(database: sqlite3.Connection, asked: list[Numbers], algorithm: str) -> dict[bytes, bytes]:
    """Sealed evidence -> digest, for what lies in the slots of the files asked for."""
    columns = "CAST(seal AS BLOB), CAST(digest AS BLOB)"
    sql = f"SELECT {columns} FROM json_each(?) JOIN {algorithm} ON slot = value WHERE length(digest) = 36"
    found = database.execute(sql, (str(_slots(asked)),))
    return {seal: kept[:32] for seal, kept in found if crc32(kept, crc32(seal or b"")) == _WHOLE}


def _replace(database: sqlite3.Connection, rows: list[tuple[int, bytes, bytes]], algorithm: str) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany(f"REPLACE INTO {algorithm} VALUES (?, ?, ?)", rows)
    database.execute("COMMIT")


def _check(key: bytes, value: bytes) -> bytes:
    """What is kept behind a value, so that neither can change alone."""
    return crc32(value, crc32(key)).to_bytes(4, "little")


def _slots(evidence: Iterable[Numbers]) -> list[int]:
    """Where entries lie. Two devices may share a slot, which costs a miss: an entry holds the whole evidence."""
    return [(inode ^ device << 40) & 0x7FFF_FFFF_FFFF_FFFF for _, _, _, inode, device in evidence]


def _warn(path: str, error: Exception) -> None:
    _log.warning(
        "the digest cache %s does not work, so files are hashed again: %s. Delete it if it stays so.", path, error
    )
