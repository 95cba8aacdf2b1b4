# SPDX-License-Identifier: Apache-2.0
"""SQLite: a database is a file, an input when it is opened and an output if it has changed by the end of the run.

    >>> connecting(sys.modules["sqlite3"])  # doctest: +SKIP

What the job's own code asks is told as well: connections that it opens, unless it has a class of its own for them, are
of a class of ours, and so are their cursors.
"""

from __future__ import annotations

import os

from lineagekit.agent.border import border, is_ours
from lineagekit.agent.hooks import argument
from lineagekit.agent.naming import LOCAL, absolute
from lineagekit.agent.note import doubts, reads
from lineagekit.agent.scenery import is_scenery
from lineagekit_python.around import around, is_covered, is_told
from lineagekit_python.callers import is_asked_by_project_itself
from lineagekit_python.cursors import derive
from lineagekit_python.databases import Database, path_of_sqlite
from lineagekit_python.queries import TELLERS, Source
from lineagekit_python.statements import is_question

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

    from lineagekit_python.queries import Query

_DOOR = "sqlite3"
_SKIPS = "iIuUdDcCbBrRaApP"
"""What no question begins with: to look closer at each INSERT of a loop would take as long as it does."""


def connecting(module: Any) -> None:
    """`sqlite3.connect`, and `sqlite3.dbapi2.connect`, through which SQLAlchemy and others come."""
    around(module, "connect", _connect(_classes(module)))


def _connect(kind: Any) -> Any:
    def make(original: Any) -> Any:
        def connect(*args: Any, **kwargs: Any) -> Any:
            if is_ours():
                return original(*args, **kwargs)
            path, is_fixed, is_seen = "", True, False
            with border(_DOOR):
                path, is_fixed = _before(args, kwargs)
                is_seen = bool(path) and not (is_told() or len(args) > 5 or "factory" in kwargs)
                is_seen = is_seen and is_asked_by_project_itself(*TELLERS)
            connection = original(*args, **kwargs, **({"factory": kind} if is_seen else {}))
            with border(_DOOR):
                if is_seen:
                    database = Database(LOCAL, absolute(path))
                    connection._lineagekit = Source(lambda: database)
                if path and not is_fixed:
                    doubts(path)
            return connection

        return connect

    return make


def _before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, bool]:
    database = argument(args, kwargs, 0, "database")
    uri = bool(argument(args, kwargs, 7, "uri", False))
    text = os.fsdecode(database)
    path = path_of_sqlite(text, uri=uri)
    if not path or is_scenery(absolute(path)):
        return "", True
    if os.path.exists(path):
        reads(path, door=_DOOR)
    is_fixed = uri and any(word in ("mode=ro", "immutable=1") for word in text.partition("?")[2].split("&"))
    return path, is_fixed


def _classes(module: Any) -> Any:
    execute = module.Connection.execute
    cursors = derive(module.Cursor, _executed, skips=_SKIPS, door=_DOOR)

    class Connection(module.Connection):  # type: ignore[misc]
        _lineagekit = Source(lambda: Database(LOCAL, ""))

        def cursor(self, factory: Any = cursors) -> Any:
            return super().cursor(factory)

        def execute(self, statement: Any, parameters: Any = (), /) -> Any:
            if type(statement) is not str or statement[:1] in _SKIPS or self._lineagekit.is_deaf(statement):
                return execute(self, statement, parameters)
            return self.cursor().execute(statement, parameters)  # C would take a cursor of its own

    Connection.__module__, Connection.__doc__ = module.Connection.__module__, module.Connection.__doc__
    Connection.__qualname__ = Connection.__name__
    return Connection


def _executed(cursor: Any, statement: str) -> Query | None:
    source: Source = cursor.connection._lineagekit
    if source.is_deaf(statement) or is_covered() or not is_question(statement):
        return None
    with border(_DOOR):
        return source.ask(statement, _DOOR)
    return None
