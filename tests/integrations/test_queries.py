# SPDX-License-Identifier: Apache-2.0
"""Queries of pandas, polars and SQLAlchemy on a database that is a file; and that file itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.integrations.jobs import Job, run_job

ASK = "SELECT a, s FROM t WHERE a < 5 ORDER BY a"
PANDAS_AND_POLARS = f"""
import sqlite3
import pandas as pd, polars as pl, sqlalchemy as sa

ASK = "{ASK}"
connection, engine = sqlite3.connect("app.db"), sa.create_engine("sqlite:///app.db")
whole = pd.read_sql(ASK, connection)
assert whole.shape == (5, 2)
with lineagekit.run("pandas"):
    for con in (connection, engine, "sqlite:///app.db"):
        assert pd.read_sql_query(ASK, con).equals(whole)
with lineagekit.run("chunks"):
    for con in (connection, engine):
        chunks = pd.read_sql(ASK, con, chunksize=2)
        assert iter(chunks) is chunks
        assert pd.concat(chunks, ignore_index=True).equals(whole)
with lineagekit.run("partial"):
    for chunk in pd.read_sql(ASK, connection, chunksize=2):
        break
with lineagekit.run("table"):
    assert len(pd.read_sql("u", engine)) == len(pd.read_sql_table("u", engine)) == 3
with lineagekit.run("polars"):
    assert pl.read_database(ASK, connection).shape == (5, 2)
    assert [len(f) for f in pl.read_database(ASK, connection, iter_batches=True, batch_size=2)] == [2, 2, 1]
    assert pl.read_database(ASK, engine).shape == (5, 2)
with lineagekit.run("failed"):
    for read in (pd.read_sql, pl.read_database):
        try:
            read("SELECT * FROM nowhere", connection)
        except Exception as error:
            assert "lineagekit" not in str(error)
with lineagekit.run("memory"):
    memory = sqlite3.connect(":memory:")
    pd.DataFrame({{"x": [1]}}).to_sql("x", memory)
    pd.read_sql("SELECT * FROM x", memory)
    memory.close()
with lineagekit.run("odd"):
    connection.create_function("noise", 0, lambda: b"\\x00")
    connection.row_factory = sqlite3.Row
    pd.read_sql("SELECT noise() AS n FROM u", connection)
with lineagekit.run("to_sql, engine"):
    pd.DataFrame({{"x": [1]}}).to_sql("w", engine)
with lineagekit.run("to_sql, connection"):
    pd.DataFrame({{"x": [1]}}).to_sql("v", sqlite3.connect("app.db"))
connection.close()
"""
SQLALCHEMY = f"""
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

ASK = sa.text("{ASK}")
engine = sa.create_engine("sqlite:///app.db")
class Base(DeclarativeBase): pass
class U(Base):
    __tablename__ = "u"
    a: Mapped[int] = mapped_column(primary_key=True)
    s: Mapped[str]
with engine.connect() as connection:
    for name, fetch in {{
        "all": lambda r: r.all(),
        "fetchall": lambda r: r.fetchall(),
        "iter": lambda r: [row.a for row in r],
        "scalars": lambda r: r.scalars().all(),
        "mappings": lambda r: r.mappings().all(),
        "partitions": lambda r: [len(part) for part in r.partitions(2)],
        "fetchmany": lambda r: [r.fetchmany(3), r.fetchmany(3), r.fetchmany(3)],
        "fetchone": lambda r: [r.fetchone() for _ in range(6)],
    }}.items():
        with lineagekit.run(name):
            assert len(fetch(connection.execute(ASK))) > 2
    with lineagekit.run("first"):
        assert connection.execute(ASK).first() == (0, "n0")
    with lineagekit.run("dropped"):
        assert connection.execute(ASK).fetchone() == (0, "n0")
    with lineagekit.run("loop"):
        for number in range(150):
            connection.execute(sa.text("SELECT s FROM t WHERE a = :a"), {{"a": number}}).scalar()
    with lineagekit.run("silent"):
        connection.execute(sa.text("SELECT 1")).scalar()
        sa.inspect(engine).get_table_names()
    with lineagekit.run("large"):
        large = connection.execute(sa.text("SELECT x.a, y.a FROM t x, t y")).fetchall()
        assert len(large) == 40_000
with lineagekit.run("orm"), Session(engine) as session:
    assert [one.s for one in session.scalars(sa.select(U).order_by(U.a))] == ["n0", "n1", "n2"]
with lineagekit.run("read and written"), engine.begin() as connection:
    connection.execute(sa.text("SELECT a, s FROM t")).all()
    connection.execute(sa.text("INSERT INTO t VALUES (1000, 'x')"))
engine.dispose()
"""


def make_database(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "app.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a INTEGER, s TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"n{n}") for n in range(200)])
    connection.execute("CREATE TABLE u AS SELECT * FROM t LIMIT 3")
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("frames")
    make_database(folder)
    return run_job(folder, PANDAS_AND_POLARS)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("rows")
    make_database(folder)
    return run_job(folder, SQLALCHEMY)


def results(job: Job, name: str) -> list[dict[str, object]]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return job.of("result", run=run)


def test_the_same_answer_has_one_digest_whoever_asks(frames: Job) -> None:
    digests = {fact["digest"] for name in ("pandas", "chunks", "polars") for fact in results(frames, name)}
    assert len(digests) == 1
    assert digests.pop().startswith("sha256:")


def test_the_answer_is_told_once_a_run_with_its_shape(frames: Job) -> None:
    (told,) = results(frames, "pandas")
    assert (told["kind"], told["namespace"], told["door"]) == ("query", "file", "pandas.read_sql")
    assert told["name"].endswith("/app.db")
    assert (told["statement"], told["rows"], told["tables"]) == (ASK, 5, [])
    assert told["columns"] == [["a", "int64"], ["s", "str"]]


def test_a_table_that_is_read_whole_is_a_statement(frames: Job) -> None:
    (told,) = results(frames, "table")
    assert (told["statement"], told["rows"]) == ("SELECT * FROM u", 3)


def test_of_chunks_only_what_was_seen_is_the_answer(frames: Job) -> None:
    (told,) = results(frames, "partial")
    assert told["rows"] == 2
    assert told["digest"] != results(frames, "pandas")[0]["digest"]


@pytest.mark.parametrize("name", ["failed", "memory"])
def test_what_failed_and_what_is_in_memory_is_no_input(frames: Job, name: str) -> None:
    assert results(frames, name) == []


def test_odd_cells_and_row_factories_do_no_harm(frames: Job) -> None:
    (told,) = results(frames, "odd")
    assert told["columns"] == [["n", "object"]]
    assert told["digest"]


@pytest.mark.parametrize(
    "name", ["all", "fetchall", "iter", "scalars", "mappings", "partitions", "fetchmany", "fetchone"]
)
def test_rows_of_sqlalchemy_have_the_same_digest_however_they_are_fetched(rows: Job, frames: Job, name: str) -> None:
    (told,) = results(rows, name)
    assert (told["door"], told["rows"], told["columns"]) == ("sqlalchemy", 5, [["a", "int64"], ["s", "utf8"]])
    assert told["digest"] == results(frames, "pandas")[0]["digest"]


@pytest.mark.parametrize("name", ["first", "dropped"])
def test_an_answer_that_is_left_is_what_was_seen_of_it(rows: Job, name: str) -> None:
    (told,) = results(rows, name)
    assert told["rows"] == 1


def test_a_loop_of_queries_is_told_up_to_a_point(rows: Job) -> None:
    told = results(rows, "loop")
    assert len(told) == 21
    assert told[-1]["digest"] == ""
    assert "more than 20 times" in told[-1]["reason"]
    assert b"SELECT s FROM t WHERE a = ?" in rows.raw


def test_constants_and_catalogs_are_no_input(rows: Job) -> None:
    assert results(rows, "silent") == []


def test_many_rows_one_by_one_cost_too_much(rows: Job) -> None:
    (told,) = results(rows, "large")
    assert (told["rows"], told["digest"]) == (40_000, "")
    assert "more than 20,000 cells" in told["reason"]


def test_objects_of_the_orm_are_rows(rows: Job) -> None:
    (told,) = results(rows, "orm")
    assert (told["rows"], told["columns"]) == (3, [["a", "int64"], ["s", "utf8"]])


@pytest.mark.parametrize("name", ["read and written", "to_sql, engine", "to_sql, connection"])
def test_a_file_that_was_read_and_written_is_told_as_both(rows: Job, frames: Job, name: str) -> None:
    job = frames if name.startswith("to_sql") else rows
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    *_, written = job.of("written", run=run)
    (read,) = job.of("read", run=run)
    assert read["path"] == written["path"]
    assert read["evidence"] != written["evidence"]
    assert read["door"] == "sqlite3"
    assert not job.of("dataset", run=run)


SQLITE = """
import os, sqlite3, sqlite3.dbapi2
def run(name, database, *statements, **options):
    with lineagekit.run(name):
        connection = sqlite3.connect(database, **options)
        for statement in statements:
            connection.execute(statement).fetchall()
        connection.commit()
        connection.close()
run("read", "app.db", "SELECT * FROM t")
run("fixed", "file:app.db?mode=ro", "SELECT * FROM t", uri=True)
run("new", "new.db", "CREATE TABLE x (a)")
run("untouched", "empty.db")
run("memory", ":memory:", "CREATE TABLE x (a)")
run("changed", b"app.db", "DELETE FROM t")
with lineagekit.run("dbapi2"):
    sqlite3.dbapi2.connect(database="app.db").close()
with lineagekit.run("failed"):
    try:
        sqlite3.connect("nowhere/app.db")
    except sqlite3.OperationalError:
        pass
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("files")
    make_database(folder)
    return run_job(folder, SQLITE)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("read", ["read app.db"]),
        ("fixed", ["read app.db"]),
        ("new", ["written new.db"]),
        ("untouched", []),
        ("memory", []),
        ("changed", ["read app.db", "written app.db"]),
        ("dbapi2", ["read app.db"]),
        ("failed", []),
    ],
)
def test_a_database_is_a_file(files: Job, name: str, told: list[str]) -> None:
    (run,) = (fact["run"] for fact in files.of("run", job=name))
    touched = [fact for fact in files.facts if fact.get("run") == run and fact["fact"] in ("read", "written")]
    assert [f"{fact['fact']} {Path(fact['path']).name}" for fact in touched] == told
    assert len({tuple(fact["evidence"]) for fact in touched}) == len(touched)
