# SPDX-License-Identifier: Apache-2.0
"""Tables that keep lists of their own files, version by version: what is asked of each kind of them.

>>> inside("/data/orders", "file:/data/orders/data/a.parquet")
'data/a.parquet'

A list names files by paths. Only what lies in the folder that the event names is ever opened, wherever links lead.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple, Protocol

from lineagekit.errors import BadDataError


class Span(NamedTuple):
    """When a query ran, in nanoseconds."""

    began: int
    ended: int
    written: frozenset[str] = frozenset()
    """What it wrote itself."""
    application: str = ""
    """Spark's id of the application that it was a part of, where that is known."""


class Lake(Protocol):
    """A table on this machine."""

    system: str
    """As pins call it."""

    def read(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """The version that a query has read, by what is said of its input; None where that is in doubt."""

    def written(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """The version that a query has committed, likewise."""

    def files(self, version: int) -> dict[str, int] | None:
        """Sizes by path below the table; None where these files alone do not tell what is in it."""


def inside(table: str, path: str) -> str:
    """A path that a table's list names, relative to the table. Raises BadDataError for what lies elsewhere."""
    plain = "/" + path[5:].lstrip("/") if path.startswith("file:") else path
    found = os.path.relpath(plain, table) if os.path.isabs(plain) else os.path.normpath(plain)
    if ":/" in plain or "\0" in plain or found == "." or found.split("/")[0] == "..":
        raise BadDataError(f"a file that is not in its table: got {path}, expected one in {table}")
    return found


def lie_in(table: str, names: Iterable[str]) -> bool:
    """Whether relative paths lead into their table in the end, through whatever links."""
    top = os.path.realpath(table)
    return all(os.path.commonpath([top, os.path.realpath(os.path.join(top, name))]) == top for name in names)


def open_inside(table: str, name: str) -> BinaryIO:
    """A file of a table's log. Raises OSError, and BadDataError for what lies elsewhere or is no file: a pipe waits."""
    path = os.path.join(table, name)
    if not lie_in(table, [name]) or not stat.S_ISREG(os.stat(path).st_mode):
        raise BadDataError(f"not a file of this table: got {path}, expected a regular file below {table}")
    return open(path, "rb")
