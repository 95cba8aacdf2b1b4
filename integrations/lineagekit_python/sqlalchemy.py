# SPDX-License-Identifier: Apache-2.0
"""SQLAlchemy, core and ORM, with and without asyncio: rows that are fetched, and tables that statements write.

    >>> results(sys.modules["sqlalchemy.engine.cursor"])  # doctest: +SKIP

All rows of a database come through four methods of `CursorResult`, whatever the caller makes of them; the end of an
answer is where the result is closed. What is written is told by SQLAlchemy's own event.
"""

from __future__ import annotations

from lineagekit.agent.border import border
from lineagekit.agent.note import run_now
from lineagekit_python.around import around, covering, is_covered
from lineagekit_python.callers import is_asked_by_project
from lineagekit_python.databases import find_database
from lineagekit_python.queries import Query, is_asked_too_often, say_table, touch_file
from lineagekit_python.statements import is_question, written_table

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DOOR = "sqlalchemy"
_BATCH = 1000  # rows that are looked at together


def results(module: Any) -> None:
    """The ways in which rows leave a cursor."""
    for name, make in (
        ("_fetchall_impl", _whole),
        ("_fetchmany_impl", _piece),
        ("_fetchone_impl", _single),
        ("_fetchiter_impl", _one_by_one),
        ("_soft_close", _close),
    ):
        around(module, f"CursorResult.{name}", make)


def dialects(module: Any) -> None:
    """Connecting is no socket to somewhere unknown."""
    around(module, "DefaultDialect.connect", _connect)


def events(module: Any) -> None:
    """Statements that write, of every engine."""
    module.event.listen(module.engine.Engine, "before_cursor_execute", _executing)
    module.event.listen(module.engine.Engine, "after_cursor_execute", _executed)


class _State:
    """What is known of one result while its rows are fetched."""

    __slots__ = ("inside", "query", "rows")

    def __init__(self, query: Query | None) -> None:
        self.query, self.inside = query, False
        self.rows: list[Any] = []

    def look(self, result: Any) -> None:
        """Take the rows that wait."""
        rows, self.rows = self.rows, []
        if self.query is not None and (rows or self.query.answer is None):
            self.query.add_rows(rows, result.keys())

    def finish(self, result: Any) -> None:
        """The result is closed: no more rows will come."""
        if self.query is not None:
            self.look(result)
            self.query.finish()
            self.query = None


_IDLE = _State(None)


def _state(result: Any) -> _State:
    """The state of a result that somebody is to be told of; else one that ignores all."""
    state = result.__dict__.get("_lineagekit")
    if state is None:
        state = _IDLE
        if not is_covered():
            with border(_DOOR):
                state = _begin(result, result.context.statement)
        result.__dict__["_lineagekit"] = state
    return state


def _begin(result: Any, statement: str) -> _State:
    run = run_now()
    if run is None or not statement or not is_question(statement) or is_asked_too_often(run, statement):
        return _IDLE
    if not is_asked_by_project():
        return _IDLE
    return _State(Query(find_database(result.connection), statement, door=_DOOR))


def _fetching(result: Any, fetch: Any, keep: Any, *args: Any) -> Any:
    """Fetch, and keep what comes; the end is told by `_close`, in here or later."""
    state = _state(result)
    if state.query is None:
        return fetch(result, *args)
    state.inside = True
    try:
        with covering():
            rows = fetch(result, *args)
    finally:
        state.inside = False
    with border(_DOOR):
        keep(state, rows)
        if result._soft_closed:
            state.finish(result)
        elif len(state.rows) >= _BATCH or state.query.answer is None:
            state.look(result)
    return rows


def _keep_rows(state: _State, rows: Any) -> None:
    state.rows.extend(rows)


def _keep_row(state: _State, row: Any) -> None:
    if row is not None:
        state.rows.append(row)


def _whole(original: Any) -> Any:
    def fetchall(self: Any) -> Any:
        return _fetching(self, original, _keep_rows)

    return fetchall


def _piece(original: Any) -> Any:
    def fetchmany(self: Any, size: Any = None) -> Any:
        return _fetching(self, original, _keep_rows, size)

    return fetchmany


def _single(original: Any) -> Any:
    def fetchone(self: Any, hard_close: bool = False) -> Any:
        return _fetching(self, original, _keep_row, hard_close)

    return fetchone


def _one_by_one(original: Any) -> Any:
    def fetchiter(self: Any) -> Iterator[Any]:
        state = _state(self)
        if state.query is None:
            yield from original(self)
            return
        keep = state.rows.append
        for row in original(self):
            keep(row)
            if len(state.rows) >= _BATCH:
                with border(_DOOR):
                    state.look(self)
                keep = state.rows.append
            yield row

    return fetchiter


def _close(original: Any) -> Any:
    def soft_close(self: Any, hard: bool = False) -> None:
        state = self.__dict__.get("_lineagekit")
        if state is None or state.query is None:
            return original(self, hard)
        with covering():
            original(self, hard)
        if not state.inside:
            with border(_DOOR):
                state.finish(self)
        return None

    return soft_close


def _connect(original: Any) -> Any:
    def connect(*args: Any, **kwargs: Any) -> Any:
        with covering():
            return original(*args, **kwargs)

    return connect


def _executing(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
    """A file is looked at before, also where pandas writes: an engine may have been opened in another run."""
    if conn.dialect.name == "sqlite" and written_table(statement) is not None:
        with border(_DOOR):
            run = run_now()
            if run is not None and run.ledger.is_new(f"writes {conn.engine.url.database}"):
                touch_file(find_database(conn), is_written=True)


def _executed(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
    table = None if conn.dialect.name == "sqlite" or is_covered() else written_table(statement)
    if table is not None:
        with border(_DOOR):
            run = run_now()
            if run is not None and run.ledger.is_new(f"{_DOOR} {hash(statement)}") and is_asked_by_project():
                say_table(find_database(conn), table, door=_DOOR, statement=statement)
