# SPDX-License-Identifier: Apache-2.0
"""psycopg 3 as it is: cursors that nobody but the job itself reads, and COPY.

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
from lineagekit_python.databases import find_database
from lineagekit_python.queries import Query, is_asked_too_often, say_table
from lineagekit_python.sockets import say_peer
from lineagekit_python.statements import is_question, written_table

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DOOR = "psycopg"
_TELLERS = ("sqlalchemy", "pandas", "polars")
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
    """Of psycopg2, whose cursors are written in C, no more than where it connects to."""
    patch(module, "connect", after=_connected)


def _connected(token: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not is_told():
        say_peer("socket", f"{connection.info.host or 'localhost'}:{connection.info.port}")


def _executed(token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    run = run_now()
    if run is None or is_told():
        return
    cursor = args[0]
    statement = _text(argument(args, kwargs, 1, "query") or argument(args, kwargs, 1, "statement"), cursor)
    table = written_table(statement)
    if table is not None:
        if run.ledger.is_new(f"{_DOOR} {hash(statement)}") and is_asked_by_project_itself(*_TELLERS):
            say_table(find_database(cursor), table, door=_DOOR, statement=statement)
    elif _asks(statement) and not is_asked_too_often(run, statement) and is_asked_by_project_itself(*_TELLERS):
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
