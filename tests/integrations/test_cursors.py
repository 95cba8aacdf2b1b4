# SPDX-License-Identifier: Apache-2.0
"""Cursors of `sqlite3` that the job itself asks: each answer is told, and to the job nothing is otherwise."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.integrations.jobs import Job, run_job

ASK = "SELECT a, s FROM t WHERE a < 5 ORDER BY a"
FETCHES = f"""
import itertools, sqlite3
ASK = "{ASK}"
connection = sqlite3.connect("app.db")
rows = [(n, str(n)) for n in range(5)]
def by_next(cursor):
    return [next(cursor), next(cursor), *cursor]
for name, fetch in {{
    "fetchall": lambda c: c.fetchall(),
    "iter": lambda c: [row for row in c],
    "next": by_next,
    "fetchmany": lambda c: c.fetchmany(2) + c.fetchmany(2) + c.fetchmany(2) + c.fetchmany(2),
    "fetchone": lambda c: list(iter(c.fetchone, None)),
    "mixed": lambda c: [c.fetchone(), *itertools.islice(c, 2), *c.fetchmany(1), *c.fetchall()],
}}.items():
    with lineagekit.run(name):
        assert fetch(connection.execute(ASK)) == rows
        assert fetch(connection.cursor().execute(ASK)) == rows
with lineagekit.run("part"):
    for row in connection.execute(ASK):
        break
with lineagekit.run("held open"):
    held = connection.execute(ASK)
    held.fetchmany(3)
with lineagekit.run("asked again"):
    cursor = connection.execute(ASK)
    cursor.fetchone()
    assert cursor.execute("SELECT s FROM t LIMIT 1").fetchall() == [("0",)]
with lineagekit.run("nothing fetched"):
    connection.execute(ASK)
with lineagekit.run("no rows"):
    assert connection.execute("SELECT a FROM t WHERE a < 0").fetchall() == []
with lineagekit.run("Row"):
    connection.row_factory = sqlite3.Row
    assert [tuple(row) for row in connection.execute(ASK)] == rows
with lineagekit.run("dict"):
    connection.row_factory = lambda c, row: {{d[0]: cell for d, cell in zip(c.description, row)}}
    assert connection.execute(ASK).fetchall()[1] == {{"a": 1, "s": "1"}}
with lineagekit.run("scalars"):
    connection.row_factory = lambda c, row: row[1]
    assert connection.execute(ASK).fetchall() == list("01234")
connection.row_factory = None
for name, fetch in {{
    "fetchall": lambda c: c.fetchall(),
    "iter": list,
    "fetchmany": lambda c: list(itertools.chain.from_iterable(iter(lambda: c.fetchmany(300), []))),
    "fetchone": lambda c: list(iter(c.fetchone, None)),
}}.items():
    with lineagekit.run("many, " + name):
        assert fetch(connection.execute("SELECT n, n FROM many")) == [(n, n) for n in range(1500)]
with lineagekit.run("many, part"):
    for row in connection.execute("SELECT n, n FROM many"):
        if row[0] == 1200: break
with lineagekit.run("loop"):
    for n in range(100):
        connection.execute(f"SELECT s FROM t WHERE a = {{n}}").fetchall()
with lineagekit.run("no questions"):
    connection.execute("PRAGMA table_info(t)").fetchall()
    connection.execute("INSERT INTO t VALUES (?, ?)", (9, "9"))
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(10, "10")])
    connection.rollback()
with lineagekit.run("in memory"):
    memory = sqlite3.connect(":memory:")
    memory.execute("CREATE TABLE x (a)")
    assert memory.execute("SELECT * FROM x").fetchall() == []
    assert type(memory) is sqlite3.Connection
    memory.close()
connection.close()
"""
AS_BEFORE = """
import copy, pickle, sqlite3, sqlite3.dbapi2
connection = sqlite3.connect("app.db", 5.0, detect_types=sqlite3.PARSE_DECLTYPES)
other = sqlite3.dbapi2.connect(database="app.db", isolation_level=None)
cursor = connection.cursor()
for one, kind in ((connection, sqlite3.Connection), (other, sqlite3.Connection), (cursor, sqlite3.Cursor)):
    assert isinstance(one, kind) and repr(type(one)) == repr(kind), type(one)
    for refuse in (pickle.dumps, copy.copy):
        try:
            refuse(one)
        except TypeError as error:
            assert str(error).startswith("cannot pickle"), error
        else:
            raise AssertionError(refuse)
assert cursor.connection is connection and cursor.execute("SELECT 1") is cursor
assert connection.execute("SELECT d FROM dates").fetchone()[0].year == 2026
mine = type("Mine", (sqlite3.Cursor,), {})
assert type(connection.cursor(mine)) is mine and type(connection.cursor(factory=mine)) is mine
class Own(sqlite3.Connection): pass
assert type(sqlite3.connect("app.db", factory=Own)) is Own
for options in ({"factory": sqlite3.Connection}, {"cached_statements": 5, "uri": True}):
    sqlite3.connect("app.db", **options).close()
for wrong in (lambda: sqlite3.connect("app.db", factory=None), lambda: connection.execute(5),
              lambda: connection.execute(b"SELECT 1"), lambda: connection.execute(),
              lambda: cursor.execute("SELECT ?", ()), lambda: cursor.execute("SELECT * FROM nowhere"),
              lambda: connection.cursor().execute(None), lambda: connection.execute("SELECT 1", 1, 2)):
    try:
        wrong()
    except (TypeError, sqlite3.Error) as error:
        assert "lineagekit" not in str(error)
    else:
        raise AssertionError(wrong)
with connection:
    connection.execute("INSERT INTO t VALUES (99, 'x')")
assert connection.execute("SELECT count(*) FROM t WHERE a = 99").fetchone() == (1,)
connection.execute("DELETE FROM t WHERE a = 99"); connection.commit()
asked = []
connection.set_trace_callback(asked.append)
connection.execute("SELECT a FROM t WHERE a = 1").fetchall()
assert asked == ["SELECT a FROM t WHERE a = 1"], asked
connection.close()
try:
    cursor.fetchall()
except sqlite3.ProgrammingError:
    pass
import gc, weakref
again = sqlite3.connect("app.db")
asking = again.execute("SELECT a FROM t"); asking.fetchone()
gone = weakref.ref(asking); del asking
assert gone() is None  # as before: at once, so that the statement is reset
again.execute("DROP TABLE dates"); again.commit()
again.close(); other.close()
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return run_job(make_database(tmp_path_factory.mktemp("sqlite")), FETCHES)


def make_database(folder: Path) -> Path:
    connection = sqlite3.connect(folder / "app.db")
    with connection:
        connection.execute("CREATE TABLE t (a INTEGER, s TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, str(n)) for n in range(8)])
        connection.execute("CREATE TABLE many (n INTEGER)")
        connection.executemany("INSERT INTO many VALUES (?)", [(n,) for n in range(1500)])
        connection.execute("CREATE TABLE dates (d date)")
        connection.execute("INSERT INTO dates VALUES ('2026-01-02')")
    connection.close()
    return folder


def results(job: Job, name: str) -> list[dict[str, object]]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return job.of("result", run=run)


@pytest.mark.parametrize("name", ["fetchall", "iter", "next", "fetchmany", "fetchone", "mixed", "Row", "dict"])
def test_an_answer_has_one_digest_however_it_is_fetched(job: Job, name: str) -> None:
    (told,) = results(job, name)
    assert (told["door"], told["statement"], told["rows"]) == ("sqlite3", ASK, 5)
    assert told["columns"] == [["a", "int64"], ["s", "utf8"]]
    assert told["digest"]
    assert told["digest"] == results(job, "fetchall")[0]["digest"]


@pytest.mark.parametrize(
    ("name", "rows"), [("part", [1]), ("held open", [3]), ("asked again", [1, 1]), ("no rows", [0]), ("scalars", [5])]
)
def test_what_was_seen_is_the_answer(job: Job, name: str, rows: list[int]) -> None:
    told = results(job, name)
    assert [one["rows"] for one in told] == rows
    assert all(one["digest"] for one in told) is (name != "scalars")


@pytest.mark.parametrize(
    ("name", "rows"), [("fetchall", 1500), ("iter", 1500), ("fetchmany", 1500), ("fetchone", None), ("part", None)]
)
def test_a_large_answer_has_no_digest_and_its_rows_are_told_where_they_were_counted(
    job: Job, name: str, rows: int | None
) -> None:
    (told,) = results(job, f"many, {name}")
    assert (told["rows"], told["digest"], told["reason"]) == (rows, "", "more than 2,000 cells")


def test_of_very_many_questions_the_rest_is_not_told_since_the_file_is(job: Job) -> None:
    assert len(results(job, "loop")) == 50
    assert job.of("unwatched") == []


@pytest.mark.parametrize("name", ["nothing fetched", "no questions", "in memory"])
def test_what_asks_for_no_data_is_no_question(job: Job, name: str) -> None:
    assert not job.of("run", job=name) or results(job, name) == []


def test_to_the_job_all_is_as_before(tmp_path: Path) -> None:
    run_job(make_database(tmp_path), AS_BEFORE, environ={"PYTHONWARNINGS": "ignore::DeprecationWarning"})


def test_whoever_connects_for_the_job_gets_plain_connections(tmp_path: Path) -> None:
    code = """
import sqlite3, sqlalchemy as sa, pandas as pd
engine = sa.create_engine("sqlite:///app.db")
with engine.connect() as connection:
    assert type(connection.connection.dbapi_connection) is sqlite3.Connection
    connection.execute(sa.text("SELECT a FROM t")).all()
with sqlite3.connect("app.db") as own:
    pd.read_sql("SELECT s FROM t", own)
own.close()
"""
    told = [(fact["door"], fact["statement"]) for fact in run_job(make_database(tmp_path), code).of("result")]
    assert told == [("sqlalchemy", "SELECT a FROM t"), ("pandas.read_sql", "SELECT s FROM t")]
