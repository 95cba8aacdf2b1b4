# SPDX-License-Identifier: Apache-2.0
"""A query from its statement to the last row that the job saw of its answer, and tables that statements write.

    >>> query = Query(find_database(engine), "SELECT * FROM customers", door="pandas.read_sql")  # doctest: +SKIP
    >>> query.add_frame(frame)  # doctest: +SKIP
    >>> query.finish()  # doctest: +SKIP

What has no file is known by its answer: the same statement may say something else tomorrow. A database that is a file
is an input as well, seen by the door of `sqlite3`; one in memory is none.
"""

from __future__ import annotations

import os

from lineagekit.agent.border import border, is_ours
from lineagekit.agent.hooks import at_end
from lineagekit.agent.note import doubts, reads, run_now, wrote
from lineagekit_python.answers import MOST_IN_ROWS, Answer
from lineagekit_python.around import covering
from lineagekit_python.callers import is_asked_by_project_itself
from lineagekit_python.frame_cells import MOST_COLUMNS, add_columns, column_types, read_columns
from lineagekit_python.statements import show

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from lineagekit_python.databases import Database

MOST_ANSWERS = 20
"""Answers to one statement that are told of one run: one more comes from a loop, whose rows are no dataset."""

TELLERS = ("sqlalchemy", "pandas", "polars")
"""What they ask through a driver they tell themselves."""

MOST_STATEMENTS = 50
"""Different questions of one run that are told of a connection: a loop that makes more would take twice as long."""

FILE_DOOR = "sqlite3"

_MOST_STATEMENTS = 10_000
_asked: dict[tuple[str, str], int] = {}  # run and statement -> how often
_dropped: list[Query] = []
_ended = [0]  # runs, so that each begins to count anew


class Query:
    """One query, of the run in which it was asked."""

    __slots__ = ("answer", "columns", "database", "door", "finished", "run", "statement")

    def __init__(self, database: Database, statement: str, *, door: str) -> None:
        """Asked, and nothing seen yet."""
        self.database, self.statement, self.door = database, statement, door
        self.run = run_now()
        self.answer: Answer | None = None
        self.columns: list[list[str]] = []
        self.finished = self.run is None or database.is_memory
        if not self.finished:
            touch_file(database, is_written=False)

    def add_frame(self, frame: Any) -> None:
        """A data frame of rows, the whole answer or the next chunk of it."""
        if self.finished:
            return
        columns = read_columns(frame)
        if self.answer is None:
            self.answer = Answer(name for name, _ in columns)
            self.columns = column_types(columns)
        add_columns(self.answer, columns, len(frame))

    def add_rows(self, rows: Sequence[Any], names: Iterable[str]) -> None:
        """Rows of a cursor, the whole answer or the next piece of it; `names` are those of the columns."""
        if self.finished:
            return
        if self.answer is None:
            self.answer = Answer(names)
        if (
            rows
            and self.answer.has_room(len(rows) * len(self.answer.names), MOST_IN_ROWS)
            and not isinstance(rows[0], (tuple, list))
        ):
            rows = [list(row.values()) if hasattr(row, "values") else list(row) for row in rows]
        self.answer.add_rows(rows)

    def finish(self) -> None:
        """Say it, once."""
        if self.finished:
            return
        self.finished = True
        times = count(self.run.id, self.statement)
        if times <= MOST_ANSWERS:
            self._say()
        elif times == MOST_ANSWERS + 1:
            self._say(f"asked more than {MOST_ANSWERS} times: the other answers are not told")
        while _dropped:
            _dropped.pop().finish()

    def __del__(self) -> None:
        """Whoever asked has dropped it before the end: what was seen by then is the answer."""
        try:
            if self.finished or self.answer is None:
                return
            if is_ours():  # the collector came by while a fact is written
                _dropped.append(self)
                return
            with border(self.door):
                self.finish()
        except Exception:  # job border: when Python ends, what we need may be gone
            return

    def _say(self, reason: str = "") -> None:
        answer = self.answer
        digest = answer.digest() if answer is not None and not reason else ""
        fact: dict[str, Any] = {
            "fact": "result",
            "kind": "query",
            "namespace": self.database.namespace,
            "name": self.database.name or "/",
            "statement": show(self.statement),
            "tables": [],
            "rows": None if answer is None or reason else answer.rows,
            "columns": self.columns or (answer.shape()[:MOST_COLUMNS] if answer is not None else []),
            "digest": digest,
            "door": self.door,
        }
        if not digest:
            fact["reason"] = reason or (answer.reason if answer is not None else "its rows were not seen")
        if not digest or self.run.ledger.is_new(f"{self.database} {hash(self.statement)} {digest}"):
            self.run.say(fact)


def watch_frames(query: Query, frames: Any) -> Iterator[Any]:
    """The same frames, one by one, each looked at before it is handed on."""
    frames = iter(frames)
    try:
        while True:
            with covering():
                frame = next(frames, None)
            if frame is None:
                break
            with border(query.door):
                query.add_frame(frame)
            yield frame
    finally:
        with border(query.door):
            query.finish()
        close = getattr(frames, "close", None)
        if close is not None:
            close()


def say_table(database: Database, parts: tuple[str, ...], *, door: str, **facts: Any) -> None:
    """A table that was written, once a run; of a database that is a file, the file."""
    run = run_now()
    if run is None or database.is_memory:
        return
    if database.is_file:
        doubts(database.name)
        wrote(database.name, door=door)
        return
    name = database.table_name(parts)
    if run.ledger.is_new(f"{database.namespace} {name}"):
        if "statement" in facts:
            facts["statement"] = show(facts["statement"])
        run.say(dict(facts, fact="dataset", role="output", namespace=database.namespace, name=name, door=door))


def touch_file(database: Database, *, is_written: bool) -> None:
    """A database that is a file is used by this run, which may not be the one that opened it."""
    if database.is_file and not database.is_memory:
        if os.path.exists(database.name):
            reads(database.name, door=FILE_DOOR)
        if is_written:
            doubts(database.name)


def is_asked_too_often(run: Any, statement: str) -> bool:
    """Whether more answers to this statement will not be told, so that nothing need be done for one."""
    return _asked.get((run.id, statement), 0) > MOST_ANSWERS


def count(run: str, statement: str) -> int:
    """How often this was asked, now included; after very many different statements all counts begin anew."""
    if len(_asked) > _MOST_STATEMENTS:
        _asked.clear()
    times = _asked[run, statement] = _asked.get((run, statement), 0) + 1
    return times


class Source:
    """A connection, and what was asked of it in this run."""

    __slots__ = ("_asked", "_find", "_run")

    def __init__(self, find: Callable[[], Database]) -> None:
        """`find` says where it leads."""
        self._find = find
        self._asked: dict[str, int] = {}
        self._run = -1

    def is_deaf(self, statement: str) -> bool:
        """Whether this was told often enough; asked for each statement of a loop."""
        if self._run != _ended[0]:
            self._asked, self._run = {}, _ended[0]
        times = self._asked.get(statement, 0)
        return times > MOST_ANSWERS or (not times and len(self._asked) > MOST_STATEMENTS)

    def ask(self, statement: str, door: str) -> Query | None:
        """The question, if it is the job's own; on our side of the border."""
        run = run_now()
        if run is None or self.is_deaf(statement) or not is_asked_by_project_itself(*TELLERS):
            return None
        self._asked[statement] = self._asked.get(statement, 0) + 1
        if len(self._asked) <= MOST_STATEMENTS:
            query = Query(self._find(), statement, door=door)
            return None if query.finished else query
        if not self._find().is_file:  # of which the bytes are told
            run.say({"fact": "unwatched", "what": door, "peer": f"more than {MOST_STATEMENTS} questions"})
        return None


def _begin_anew(run: Any) -> None:
    _ended[0] += 1


at_end(_begin_anew)
