# SPDX-License-Identifier: Apache-2.0
"""The index's own file, beside the log: all of it can be made again from the log, and nothing else is kept in it.

A file of its own, so that a long indexing keeps nobody from appending to the log, and a damaged index is thrown away.
Where the store's folder cannot be written, the file lies in the user's cache.

    >>> open_index_file("/data/.lineagekit", cache="/home/ann/.cache/lineagekit")  # doctest: +SKIP
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from hashlib import sha256
from zlib import crc32

from lineagekit.errors import StoreError
from lineagekit.store.database import Database, open_database

FILE = "index.db"
_FILLING = 2
"""Grows with each change of what is put into the tables."""

BASE = 1_767_225_600_000_000
"""2026-01-01: times are kept relative to it, which takes 6 bytes instead of 8 for years around it."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE name (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, class INTEGER NOT NULL,
    outer INTEGER, rank INTEGER NOT NULL, kind TEXT NOT NULL, last_read INTEGER, UNIQUE (namespace, name));
CREATE INDEX name_class ON name (class);
CREATE INDEX name_outer ON name (outer) WHERE outer IS NOT NULL;
CREATE TABLE link (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE job (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (namespace, name));
CREATE TABLE run (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, job INTEGER, began INTEGER, took INTEGER,
    state INTEGER NOT NULL, parent INTEGER, code INTEGER, params INTEGER, environment INTEGER);
CREATE INDEX run_uuid ON run (substr(uuid, 1, 4), substr(uuid, -3));
CREATE INDEX run_job ON run (job, began);
CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL;
CREATE TABLE algorithm (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE snapshot (id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, algorithm INTEGER NOT NULL, hash BLOB NOT NULL,
    size INTEGER);
CREATE INDEX snapshot_hash ON snapshot (substr(hash, 1, 4));
CREATE TABLE write (run INTEGER, dataset INTEGER, at INTEGER, snap INTEGER, mark INTEGER, done INTEGER, of INTEGER,
    parts INTEGER, PRIMARY KEY (run, dataset)) WITHOUT ROWID;
CREATE INDEX write_dataset ON write (dataset, at);
CREATE INDEX write_snap ON write (snap, at) WHERE snap IS NOT NULL;
CREATE TABLE read (run INTEGER, dataset INTEGER, nth INTEGER, src INTEGER, via INTEGER, at INTEGER, snap INTEGER,
    how INTEGER, parts INTEGER, PRIMARY KEY (run, dataset, nth)) WITHOUT ROWID;
CREATE INDEX read_dataset ON read (dataset, src);
CREATE INDEX read_via ON read (via, src) WHERE via IS NOT NULL;
CREATE TABLE run_flow (run INTEGER, src INTEGER, dst INTEGER, PRIMARY KEY (run, src, dst)) WITHOUT ROWID;
CREATE TABLE flow (job INTEGER, src INTEGER, dst INTEGER, designed INTEGER, first INTEGER, last INTEGER, runs INTEGER,
    PRIMARY KEY (job, src, dst, designed)) WITHOUT ROWID;
CREATE INDEX flow_src ON flow (src, dst);
CREATE INDEX flow_dst ON flow (dst, src);
CREATE TABLE design (kind TEXT, subject INTEGER, time INTEGER, key BLOB, PRIMARY KEY (kind, subject)) WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE column_flow (job INTEGER, src INTEGER, src_column INTEGER, dst INTEGER, dst_column INTEGER, kind INTEGER,
    last INTEGER, PRIMARY KEY (job, src, src_column, dst, dst_column)) WITHOUT ROWID;
CREATE INDEX column_flow_src ON column_flow (src, src_column);
CREATE INDEX column_flow_dst ON column_flow (dst, dst_column);
CREATE TABLE build (run INTEGER, dataset INTEGER, model INTEGER, version TEXT,
    PRIMARY KEY (run, dataset)) WITHOUT ROWID;
CREATE INDEX build_model ON build (model);
CREATE INDEX build_dataset ON build (dataset);
CREATE TABLE metric (run INTEGER, position INTEGER, name INTEGER, value, dataset INTEGER, of TEXT, other TEXT,
    better INTEGER, step INTEGER, PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE INDEX metric_dataset ON metric (dataset) WHERE dataset IS NOT NULL;
CREATE TABLE pin (dataset INTEGER, version TEXT, snap INTEGER, PRIMARY KEY (dataset, version, snap)) WITHOUT ROWID;
CREATE TABLE sender (producer TEXT, namespace TEXT, first INTEGER, last INTEGER, events INTEGER,
    PRIMARY KEY (producer, namespace)) WITHOUT ROWID;
CREATE TABLE owner (kind TEXT, subject INTEGER, name TEXT, PRIMARY KEY (kind, subject, name)) WITHOUT ROWID;
"""


SHAPE = crc32(f"{_FILLING}{TABLES}".encode()) >> 1
"""Tells indexes of other tables, or that were filled otherwise, from this one: they are made anew."""


def open_index_file(folder: str, *, cache: str) -> Database:
    """Open the index of a store, or make an empty one. One that is damaged or of another shape is thrown away."""
    path = _place(folder, cache)
    for attempt in range(2):
        try:
            database = open_database(path)
            if _is_ready(database):
                return database
            database.close()
        except StoreError:
            if attempt:
                raise
        remove_index_file(path)
    raise StoreError(f"the index {path} cannot be made", advice="Check its folder; the log is not touched.")


def remove_index_file(path: str) -> None:
    """Throw it away; whoever reads it still goes on reading the old one."""
    for name in (path, path + "-wal", path + "-shm", path + "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(name)


def _place(folder: str, cache: str) -> str:
    """Beside the log; where nothing may be written there, a copy in the cache of the user, or among temporary files."""
    path = os.path.join(folder, FILE)
    if os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return path
    name = f"index-{sha256(os.path.realpath(folder).encode()).hexdigest()[:16]}.db"
    for place in (cache, os.path.join(tempfile.gettempdir(), f"lineagekit-{os.geteuid()}")):
        with suppress(OSError):
            os.makedirs(place, mode=0o700, exist_ok=True)
            if os.stat(place).st_uid != os.geteuid():  # somebody else's folder of that name among temporary files
                continue
            return _copied(path, os.path.join(place, name))
    if os.path.exists(path):  # good as long as the log has no more than it
        return path
    raise StoreError(
        f"no place for the index of {folder}", advice="Name a cache that can be written (LINEAGEKIT_CACHE)."
    )


def _copied(path: str, copy: str) -> str:
    """Begin with what is there: nobody writes to it now, and to make it anew may take minutes. Raises OSError."""
    if not os.path.exists(copy) and os.path.exists(path):
        scratch = f"{copy}.{os.getpid()}"
        shutil.copyfile(path, scratch)
        os.replace(scratch, copy)
    elif not os.access(os.path.dirname(copy), os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(copy)
    return copy


def _is_ready(database: Database) -> bool:
    """Make the tables where there are none; False where they are of another shape."""
    shape = database.value("PRAGMA user_version")
    if shape == 0 and database.writable:
        with database.write() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in filter(str.strip, TABLES.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SHAPE}")
        shape = SHAPE
    return bool(shape == SHAPE)
