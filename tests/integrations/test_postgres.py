# SPDX-License-Identifier: Apache-2.0
"""Queries, tables and COPY on a PostgreSQL server that is started for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.jobs import Job, run_job

pytestmark = pytest.mark.slow
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
SECRETS = [b"hunter2secret", b"rolesecret", b"querysecret"]
JOB = """
import sys, warnings
import pandas as pd, polars as pl, psycopg, sqlalchemy as sa
from psycopg.rows import dict_row

port = sys.argv[1]
url = f"postgresql+psycopg://ann:hunter2secret@127.0.0.1:{port}/crm"
engine = sa.create_engine(url)
frame = pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", None]})
ASK = "SELECT * FROM customers ORDER BY id"
with lineagekit.run("to_sql"):
    frame.to_sql("customers", engine, index=False, if_exists="replace")
with lineagekit.run("write_database"):
    pl.from_pandas(frame).write_database("public.copies", engine, if_table_exists="replace")
with lineagekit.run("pandas"):
    for con in (engine, url):
        assert pd.read_sql(ASK, con).equals(frame)
with lineagekit.run("polars"):
    assert pl.read_database(ASK, engine).shape == (3, 2)
with lineagekit.run("statements"), engine.begin() as connection:
    connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS dwh"))
    connection.execute(sa.text("CREATE TABLE dwh.features AS SELECT * FROM customers"))
    connection.execute(sa.text("INSERT INTO dwh.features VALUES (:i)"), [{"i": 4}, {"i": 5}])
    connection.execute(sa.text("CREATE TEMP TABLE scratch (i int)"))
    connection.execute(sa.text("ALTER ROLE ann PASSWORD 'rolesecret'"))
    connection.execute(sa.text("SELECT id FROM customers WHERE name <> 'token=querysecret'")).all()
with lineagekit.run("server side"), engine.connect() as connection:
    streamed = connection.execution_options(stream_results=True, max_row_buffer=2)
    assert len(list(streamed.execute(sa.text(ASK)))) == 3
plain = psycopg.connect(f"host=127.0.0.1 port={port} user=ann password=hunter2secret dbname=crm", autocommit=True)
with lineagekit.run("psycopg"):
    assert len(plain.execute(ASK).fetchall()) == 3
    cursor = plain.cursor()
    assert list(cursor.execute(ASK)) == cursor.execute(ASK).fetchall()
    cursor.execute(ASK)
    assert [len(cursor.fetchmany(2)) for _ in range(3)] == [2, 1, 0]
    cursor.execute(ASK)
    assert cursor.fetchone() and cursor.fetchone() and cursor.fetchone() and cursor.fetchone() is None
    assert plain.cursor(row_factory=dict_row).execute(ASK).fetchall()[0] == {"id": 1, "name": "a"}
with lineagekit.run("copy"):
    with cursor.copy("COPY dwh.features (id) FROM STDIN") as copy:
        copy.write_row((9,))
    with cursor.copy(f"COPY ({ASK}) TO STDOUT") as copy:
        assert b"".join(copy)
with lineagekit.run("frames by psycopg"):
    warnings.simplefilter("ignore")
    assert pl.read_database(ASK, plain).shape == pd.read_sql(ASK, plain).shape == (3, 2)
import psycopg2, psycopg2.errors, psycopg2.extras, psycopg2.pool, psycopg2.sql
given = dict(host="127.0.0.1", port=port, user="ann", password="hunter2secret", dbname="crm")
old = psycopg2.connect(**given)
assert isinstance(old, psycopg2.extensions.connection) and repr(type(old)) == "<class 'psycopg2.extensions.connection'>"
with lineagekit.run("psycopg2"):
    for factory in (None, psycopg2.extras.DictCursor, psycopg2.extras.RealDictCursor, psycopg2.extras.NamedTupleCursor):
        with old, old.cursor(cursor_factory=factory) as cursor:
            assert isinstance(cursor, factory or psycopg2.extensions.cursor)
            cursor.execute(ASK)
            assert len(cursor.fetchall()) == 3 == cursor.rowcount
            cursor.execute(ASK)
            assert len([row for row in cursor]) == 3
            cursor.execute(psycopg2.sql.SQL(ASK))
            assert [len(cursor.fetchmany(2)) for _ in range(3)] == [2, 1, 0]
            cursor.execute(ASK.encode())
            assert next(cursor) and cursor.fetchone() and cursor.fetchone() and cursor.fetchone() is None
    with old, old.cursor("named") as cursor:
        cursor.execute(ASK)
        assert len(list(cursor)) == 3
with lineagekit.run("psycopg2 writes"):
    with old, old.cursor() as cursor:
        cursor.execute("CREATE TABLE dwh.more AS SELECT * FROM customers WHERE id > %s", (1,))
        psycopg2.extras.execute_values(cursor, "INSERT INTO dwh.more (id) VALUES %s", [(7,), (8,)])
        cursor.execute("SAVEPOINT here")
        try:
            cursor.execute("SELECT * FROM nowhere")
        except psycopg2.errors.UndefinedTable as error:
            assert "lineagekit" not in str(error)
with lineagekit.run("psycopg2 of others"):
    pool = psycopg2.pool.SimpleConnectionPool(1, 2, connection_factory=psycopg2.extras.LoggingConnection, **given)
    pool.closeall()
    other = sa.create_engine(f"postgresql+psycopg2://ann:hunter2secret@127.0.0.1:{port}/crm")
    assert pd.read_sql(ASK, other).equals(frame) and pd.read_sql(ASK, old).equals(frame)
with lineagekit.run("psycopg2 in a loop"):
    with old, old.cursor() as cursor:
        for n in range(60):
            cursor.execute(f"SELECT id FROM customers WHERE id < {n}")
            cursor.fetchall()
old.close()
plain.close()
engine.dispose()
"""


def run_as_postgres(command: str) -> None:
    words = ["su", "postgres", "-c", command] if os.getuid() == 0 else ["sh", "-c", command]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if BIN is None:
        pytest.skip("no PostgreSQL server is installed")
    pytest.importorskip("psycopg")
    pytest.importorskip("psycopg2")
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = str(server.getsockname()[1])
    folder = Path("/tmp") / f"lineagekit-postgres-{number}"  # a path that another user may enter
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    run_as_postgres(f"{BIN}/initdb -D {folder}/data -A trust -U ann --no-sync")
    run_as_postgres(f"{BIN}/pg_ctl -D {folder}/data -l {folder}/log -o '-p {number} -k {folder} -F' -w start")
    run_as_postgres(f"{BIN}/createdb -h 127.0.0.1 -p {number} -U ann crm")
    yield number
    run_as_postgres(f"{BIN}/pg_ctl -D {folder}/data -m immediate stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, port: str) -> Job:
    return run_job(tmp_path_factory.mktemp("postgres"), JOB, port)


def results(job: Job, name: str) -> list[dict[str, object]]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return job.of("result", run=run)


def tables(job: Job, name: str) -> list[tuple[object, object]]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return [(fact["name"], fact["door"]) for fact in job.of("dataset", run=run, role="output")]


@pytest.mark.parametrize(
    "name", ["pandas", "polars", "server side", "psycopg", "frames by psycopg", "psycopg2", "psycopg2 of others"]
)
def test_an_answer_has_one_digest_whoever_asks(job: Job, port: str, name: str) -> None:
    (told,) = results(job, name)
    assert (told["namespace"], told["name"], told["rows"]) == (f"postgres://127.0.0.1:{port}", "crm", 3)
    assert told["digest"] == results(job, "pandas")[0]["digest"]


def test_what_psycopg2_writes_is_told_by_table(job: Job, port: str) -> None:
    assert tables(job, "psycopg2 writes") == [("crm.dwh.more", "psycopg2")]


def test_of_very_many_questions_the_rest_is_said_to_be_untold(job: Job) -> None:
    assert len(results(job, "psycopg2 in a loop")) == 50
    (run,) = (fact["run"] for fact in job.of("run", job="psycopg2 in a loop"))
    assert [fact["peer"] for fact in job.of("unwatched", run=run)] == ["more than 50 questions"]


def test_a_table_that_is_written_has_its_full_name(job: Job) -> None:
    assert tables(job, "to_sql") == [("crm.public.customers", "pandas.to_sql")]
    assert tables(job, "write_database") == [("crm.public.copies", "polars.write_database")]
    assert tables(job, "statements") == [("crm.dwh.features", "sqlalchemy")]
    assert tables(job, "copy") == [("crm.dwh.features", "psycopg")]


def test_what_is_copied_out_is_a_question_without_a_digest(job: Job) -> None:
    (told,) = results(job, "copy")
    assert (told["digest"], told["reason"]) == ("", "its rows were not seen")


def test_a_recorded_database_is_no_unwatched_peer(job: Job) -> None:
    (run,) = (fact["run"] for fact in job.of("run", job="psycopg2 of others"))  # has a connection of its own class
    peers = [(fact["what"], fact["run"] == run) for fact in job.of("unwatched")]
    assert peers == [("socket", True), ("psycopg2", False)]


def test_no_secret_reaches_the_disk(job: Job) -> None:
    assert [secret for secret in SECRETS if secret in job.raw] == []
