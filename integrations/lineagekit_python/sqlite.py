# SPDX-License-Identifier: Apache-2.0
"""SQLite: a database is a file, an input when it is opened and an output if it has changed by the end of the run.

    >>> connecting(sys.modules["sqlite3"])  # doctest: +SKIP

Cursors of `sqlite3` are written in C and stay as they are: what was read is in the bytes of the file.
"""

from __future__ import annotations

import os

from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.naming import absolute
from lineagekit.agent.note import doubts, reads
from lineagekit.agent.scenery import is_scenery
from lineagekit_python.databases import path_of_sqlite

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_DOOR = "sqlite3"


def connecting(module: Any) -> None:
    """`sqlite3.connect`, and `sqlite3.dbapi2.connect`, through which SQLAlchemy and others come."""
    patch(module, "connect", before=_before, after=_after)


def _before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, bool]:
    database = argument(args, kwargs, 0, "database")
    uri = bool(argument(args, kwargs, 7, "uri", False))
    text = os.fsdecode(database)
    path = path_of_sqlite(text, uri=uri)
    if not path or is_scenery(absolute(path)):
        return "", False
    if os.path.exists(path):
        reads(path, door=_DOOR)
    is_fixed = uri and any(word in ("mode=ro", "immutable=1") for word in text.partition("?")[2].split("&"))
    return path, is_fixed


def _after(token: tuple[str, bool] | None, *_: Any) -> None:
    path, is_fixed = token or ("", False)
    if path and not is_fixed:
        doubts(path)
