# SPDX-License-Identifier: Apache-2.0
"""Cursors that are written in C: classes derived from theirs, through which the rows of a question pass once.

    >>> Cursor = derive(sqlite3.Cursor, executed, skips="iu", door="sqlite3")  # doctest: +SKIP

`executed(cursor, statement)` says which question was asked, or None. Only while a question is open does its cursor look
at rows: a few are kept, for the digest of a small answer; the others are counted, where that costs nothing.
"""

from __future__ import annotations

from itertools import chain, compress, count, islice, repeat
from weakref import WeakSet

from lineagekit.agent.border import border, is_ours
from lineagekit.agent.hooks import at_end
from lineagekit_python.queries import Query

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

MOST_CELLS = 2_000
"""A larger answer has no digest: a database in the same process gives a row in a microsecond, we take half of that."""

_TOO_LARGE = f"more than {MOST_CELLS:,} cells"


class Asked:
    """An open question, and what was seen of its answer."""

    __slots__ = ("__weakref__", "_is_counting", "_more", "_names", "_rows", "_seen", "query")

    def __init__(self, query: Query, cursor: Any) -> None:
        """Nothing was fetched."""
        self.query, self._names = query, _names(cursor)
        self._rows: list[Any] = []
        self._more = 0
        self._seen = self._is_counting = False
        _open.add(self)

    def take(self, cursor: Any, rows: Sequence[Any]) -> bool:
        """Rows that the job has fetched; False where more are no longer looked at."""
        self._seen, self._names = True, self._names or _names(cursor)
        if not self._more and (len(self._rows) + len(rows)) * len(self._names) <= MOST_CELLS:
            self._rows += rows
            return True
        self._more += len(rows)
        return False

    def pass_on(self, cursor: Any, rows: Iterator[Any], quiet: type) -> Iterator[Any]:
        """The same rows: the first are kept on their way, the others counted, at the speed of C."""
        self._seen = True
        return chain.from_iterable(self._pieces(cursor, rows, quiet))

    def finish(self, *, is_counted: bool = True) -> None:
        """No more will be seen of this answer."""
        query = self.query
        if not self._seen or query.finished:
            return
        is_plain = all(_is_plain(row, self._names) for row in islice(self._rows, 1))
        query.add_rows(self._rows if is_plain else [], self._names)
        answer: Any = query.answer
        if not is_plain:
            answer.reason, self._more = "its rows are objects of the job's own", self._more + len(self._rows)
        elif self._more or self._is_counting or not is_counted:
            answer.reason = answer.reason or _TOO_LARGE
        answer.rows = answer.rows + self._more if is_counted and not self._is_counting else None
        query.finish()

    def _pieces(self, cursor: Any, rows: Iterator[Any], quiet: type) -> Iterator[Iterator[Any]]:
        yield self._first(cursor, rows)
        if self._is_counting:
            cursor.__class__ = quiet
            counter = count(1)
            yield compress(cursor, counter)
            self._more += next(counter) - 1
            self._is_counting = False
        with border(self.query.door):
            self.finish()

    def _first(self, cursor: Any, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            self._rows.append(row)
            if not self._names:
                self._names = _names(cursor)
            yield row
            if len(self._rows) * len(self._names) >= MOST_CELLS:
                self._is_counting = True
                return

    def __del__(self) -> None:
        """The cursor was dropped: what was seen by then is the answer."""
        try:
            if not is_ours():  # else the collector came by while a fact is written
                with border(self.query.door):
                    self.finish()
        except Exception:  # job border: when Python ends, what we need may be gone
            return


_open: WeakSet[Asked] = WeakSet()


def derive(kind: Any, executed: Callable[[Any, Any], Query | None], *, skips: str = "", door: str) -> Any:
    """A class of cursors like this one. A statement that begins with one of `skips` asks nothing."""

    class Cursor(kind):  # type: ignore[misc]
        _lineagekit: Asked | None = None

        def execute(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
            if self._lineagekit is not None:
                _finish(self)
            result = kind.execute(self, statement, *args, **kwargs)
            if not skips or statement[:1] not in skips:
                query = executed(self, statement)
                if query is not None:
                    with border(door):
                        self._lineagekit = Asked(query, self)
                        self.__class__ = telling
            return result

    telling = _telling(Cursor, kind)
    Cursor._lineagekit_quiet = Cursor
    for one in (Cursor, telling):
        one.__module__, one.__doc__ = kind.__module__, kind.__doc__
        one.__name__ = one.__qualname__ = kind.__name__
    return Cursor


def _telling(quiet: Any, kind: Any) -> Any:
    """The class of a cursor while its question is open. Somebody may hold a method of it for longer."""
    is_written_in_python = hasattr(kind.__iter__, "__code__")  # it calls `__next__` for each row

    class Telling(quiet):  # type: ignore[misc]
        def fetchone(self) -> Any:
            row = kind.fetchone(self)
            if self._lineagekit is not None:
                _take(self, row)
            return row

        def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
            rows = kind.fetchmany(self, *args, **kwargs)
            _take_all(self, rows, is_last=not rows)
            return rows

        def fetchall(self) -> Any:
            rows = kind.fetchall(self)
            _take_all(self, rows, is_last=True)
            return rows

        def close(self) -> None:
            _finish(self)
            kind.close(self)

        def __next__(self) -> Any:
            try:
                row = kind.__next__(self)
            except StopIteration:
                _finish(self)
                raise
            _take(self, row)
            return row

        def __iter__(self) -> Any:
            if self._lineagekit is None or is_written_in_python:
                return kind.__iter__(self)
            return self._lineagekit.pass_on(self, map(kind.__next__, repeat(self)), quiet)

    return Telling


def _finish(cursor: Any, *, is_counted: bool = True) -> None:
    asked, cursor._lineagekit = cursor._lineagekit, None
    cursor.__class__ = cursor._lineagekit_quiet
    if asked is not None:
        with border("cursor"):
            asked.finish(is_counted=is_counted)


def _take(cursor: Any, row: Any) -> None:
    asked = cursor._lineagekit
    if row is None:
        _finish(cursor)
    elif asked is not None and not asked.take(cursor, (row,)):
        _finish(cursor, is_counted=False)


def _take_all(cursor: Any, rows: Any, *, is_last: bool) -> None:
    if cursor._lineagekit is not None:
        with border("cursor"):
            cursor._lineagekit.take(cursor, rows)
    if is_last:
        _finish(cursor)


def _names(cursor: Any) -> list[str]:
    """Of a cursor on the server none before the first row has come."""
    return [column[0] for column in cursor.description or ()]


def _is_plain(row: Any, names: list[str]) -> bool:
    """Whether a row is a sequence or a mapping of its cells, and no object that a row factory made of them."""
    return (isinstance(row, (tuple, list, dict)) or hasattr(row, "keys")) and len(row) == len(names)


def _finish_all(run: Any) -> None:
    for asked in list(_open):
        if asked.query.run is run:
            asked.finish()


at_end(_finish_all)
