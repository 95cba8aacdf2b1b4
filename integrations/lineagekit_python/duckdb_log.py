# SPDX-License-Identifier: Apache-2.0
"""DuckDB's own log of its file system: which file was opened, read and written, and when.

>>> start(connection)  # doctest: +SKIP
True
>>> take(connection)  # doctest: +SKIP
[('/data/orders.parquet', 1795646530225655000, 0)]
"""

from __future__ import annotations

import os

from lineagekit.agent.ledger import WRITTEN
from lineagekit.agent.scenery import is_scenery

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

DOOR = "duckdb"
_OF_ITS_OWN = (".wal", ".tmp", ".checkpoint", ".recovery")
_SLACK = 10_000_000
"""Nanoseconds by which a file system's clock may be behind: two ticks of a slow kernel."""

_IS_ON = "SELECT current_setting('enable_logging')"
_START = "CALL enable_logging('FileSystem')"
_IS_OURS = "SELECT current_setting('enabled_log_types')"
_CLEAR = "CALL truncate_duckdb_logs()"
_MESSAGE = r"""['"]path['"]: ?['"]?(.*?)['"]?, ?['"]op['"]: ?['"]?(\w+)"""
_TAKE = """
    SELECT regexp_extract(message, $1, 1), regexp_extract(message, $1, 2), epoch_us(min(timestamp))
    FROM duckdb_logs WHERE type = 'FileSystem' AND contains(message, 'LocalFileSystem')
    GROUP BY ALL ORDER BY 3
"""


def start(connection: Any) -> bool:
    """Switch the log on, unless somebody uses it already or it cannot be; whether it is ours now."""
    try:
        cursor = connection.cursor()
        if str(cursor.execute(_IS_ON).fetchone()[0]).lower() in ("1", "true"):
            return False
        cursor.execute(_START)
        cursor.close()
    except Exception:  # job border: an older version, a locked configuration, a closed connection
        return False
    return True


def take(connection: Any) -> list[tuple[str, int, int]]:
    """Each local file with the time of its first read and write in nanoseconds (0: none), and empty the log."""
    try:
        cursor = connection.cursor()
        if cursor.execute(_IS_OURS).fetchone()[0] != "FileSystem":
            return []
        rows = cursor.execute(_TAKE, [_MESSAGE]).fetchall()
        cursor.execute(_CLEAR)
        cursor.close()
    except Exception:  # job border: closed meanwhile, or the user has other plans with the log
        return []
    found: dict[str, list[int]] = {}
    for path, operation, microseconds in rows:
        times = found.setdefault(path, [0, 0])
        if operation in ("READ", "WRITE"):
            times[operation == "WRITE"] = microseconds * 1000
    return [(path, reads, writes) for path, (reads, writes) in found.items()]


def say(ledger: Any, path: str, reads: int, writes: int) -> None:
    """What the log says of a file, if no statement has said it before."""
    path = os.path.normpath(path)
    if not (reads or writes) or path.endswith(_OF_ITS_OWN) or is_scenery(path):
        return
    try:
        found = os.stat(path)
    except OSError:
        found = None
    if reads and (not writes or reads < writes) and not ledger.knows(path):
        is_same = found is not None and not writes and found.st_ctime_ns < reads - _SLACK
        ledger.read(path, found if is_same else None, DOOR)
    if writes and found is not None and not ledger.knows(path, WRITTEN):
        ledger.written(path, found, DOOR)
