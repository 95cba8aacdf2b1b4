# SPDX-License-Identifier: Apache-2.0
"""psycopg 3 and psycopg2 as they are: cursors that nobody but the job itself reads, and COPY.

    >>> cursors(sys.modules["psycopg.cursor"])  # doctest: +SKIP

libpq connects in C, where no socket of Python's is seen: without these hooks nothing would tell of the database. What
pandas, polars or SQLAlchemy ask through psycopg they tell themselves.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from lineagekit.agent.border import border
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.note import run_now
from lineagekit_python.around import around, is_covered, is_told
from lineagekit_python.callers import is_asked_by_project_itself
from lineagekit_python.cursors import derive
from lineagekit_python.databases import find_database
from lineagekit_python.queries import TELLERS, Query, Source, is_asked_too_often, say_table
from lineagekit_python.sockets import say_peer
from lineagekit_python.statements import is_question, written_table

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DOOR, _DOOR_2 = "psycopg", "psycopg2"
_BATCH = 1000

_queries: WeakKeyDictionary[Any, Query] = WeakKeyDictionary()


def cursors(module: Any) -> None:
    """Cursors of the client's side."""
    patch(module, "Cursor.execute", before=_finish, after=_executed)
    patch(module, "Cursor.executemany", before=_finish, after=_executed)
    patch(module, "Cursor.copy", after=_executed)
    patch(module, "Cursor.close", before=_finish)
    patch(module, "Cursor.fetchall", after=_fetched_all)
    patch(module, "Cursor.fetchmany", after=_fetched_some)
    patch(module, "Cursor.fetchone", after=_fetched_one)
    around(module, "Cursor.__iter__", _one_by_one)


def connecting(module: Any) -> None:
    """psycopg2: its cursors are written in C, so connections that the job opens itself are of a class of ours."""
    around(module, "connect", _connect(_connections(module.extensions)))


def _connect(kind: Any) -> Any:
    def make(original: Any) -> Any:
        def connect(*args: Any, **kwargs: Any) -> Any:
            is_seen = False
            with border(_DOOR_2):
                is_seen = not (is_told() or args[1:2] or "connection_factory" in kwargs)
                is_seen = is_seen and is_asked_by_project_itself(*TELLERS)
            connection = original(*args, **kwargs, **({"connection_factory": kind} if is_seen else {}))
            with border(_DOOR_2):
                if not (is_seen or is_told()):
                    say_peer("socket", f"{connection.info.host or 'localhost'}:{connection.info.port}")
            return connection

        return connect

    return make


def _connections(extensions: Any) -> Any:
    derived: dict[Any, Any] = {}

    class Connection(extensions.connection):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            database = find_database(self)
            self._lineagekit = Source(lambda: database)

        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            kind = kwargs.get("cursor_factory") or self.cursor_factory or extensions.cursor
            if len(args) < 2 and isinstance(kind, type) and issubclass(kind, extensions.cursor):
                if kind not in derived:
                    derived[kind] = derive(kind, _asked, door=_DOOR_2)
                kwargs["cursor_factory"] = derived[kind]
            return super().cursor(*args, **kwargs)

    Connection.__module__, Connection.__doc__ = extensions.connection.__module__, extensions.connection.__doc__
    Connection.__name__ = Connection.__qualname__ = "connection"
    return Connection


def _asked(cursor: Any, statement: Any) -> Query | None:
    if is_covered():
        return None
    with border(_DOOR_2):
        text = _text(statement, cursor)
        table = written_table(text)
        if table is None:
            return cursor.connection._lineagekit.ask(text, _DOOR_2) if is_question(text) else None
        run = run_now()
        if run is not None and run.ledger.is_new(f"{_DOOR_2} {hash(text)}") and is_asked_by_project_itself(*TELLERS):
            say_table(find_database(cursor), table, door=_DOOR_2, statement=text)
    return None


def _executed(token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    run = run_now()
    if run is None or is_told():
        return
    cursor = args[0]
    statement = _text(argument(args, kwargs, 1, "query") or argument(args, kwargs, 1, "statement"), cursor)
    table = written_table(statement)
    if table is not None:
        if run.ledger.is_new(f"{_DOOR} {hash(statement)}") and is_asked_by_project_itself(*TELLERS):
            say_table(find_database(cursor), table, door=_DOOR, statement=statement)
    elif _asks(statement) and not is_asked_too_often(run, statement) and is_asked_by_project_itself(*TELLERS):
        query = Query(find_database(cursor), statement, door=_DOOR)
        if is_question(statement):
            _queries[cursor] = query
        else:
            query.finish()  # COPY ... TO: its rows are streamed


def _asks(statement: str) -> bool:
    return is_question(statement) or statement.lstrip()[:5].upper() == "COPY "


def _text(statement: Any, cursor: Any) -> str:
    if isinstance(statement, bytes):
        return statement.decode("utf-8", "replace")
    return statement if isinstance(statement, str) else str(statement.as_string(cursor))


def _finish(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    query = _queries.pop(args[0], None)
    if query is not None and query.answer is not None:
        query.finish()


def _names(cursor: Any) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _fetched_all(token: Any, rows: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _keep(args[0], rows, is_last=True)


def _fetched_some(token: Any, rows: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _keep(args[0], rows, is_last=not rows)


def _fetched_one(token: Any, row: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _keep(args[0], [] if row is None else [row], is_last=row is None)


def _keep(cursor: Any, rows: Any, *, is_last: bool) -> None:
    query = _queries.get(cursor)
    if query is not None:
        query.add_rows(rows, _names(cursor))
        if is_last:
            _queries.pop(cursor).finish()


def _one_by_one(original: Any) -> Any:
    def rows(self: Any) -> Iterator[Any]:
        given = original(self)  # a generator, or since psycopg 3.3 the cursor itself: not to be asked for `iter` again
        query = _queries.get(self) if not is_covered() else None
        kept: list[Any] = []
        try:
            for row in _each(given):
                if query is not None:
                    kept.append(row)
                    if len(kept) == _BATCH:
                        _keep_rows(self, kept)
                yield row
        finally:
            if query is not None:
                with border(_DOOR):
                    _keep(self, kept, is_last=True)

    return rows


def _keep_rows(cursor: Any, kept: list[Any]) -> None:
    with border(_DOOR):
        _keep(cursor, list(kept), is_last=False)
    kept.clear()


def _each(iterator: Any) -> Iterator[Any]:
    while True:
        try:
            row = next(iterator)
        except StopIteration:
            return
        yield row
