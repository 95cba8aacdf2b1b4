# SPDX-License-Identifier: Apache-2.0
"""What a job must understand of SQL and of addresses: what is asked, what is written, what is nobody's business."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from lineagekit_python.databases import find_database, path_of_sqlite
from lineagekit_python.statements import LONGEST, is_question, show, written_table
from lineagekit_python.urls import read_address


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("insert into t values (1)", "t"),
        ("INSERT OR REPLACE INTO a.b(x) SELECT 1", "a.b"),
        ("WITH x AS (SELECT 1 FROM y) INSERT INTO t SELECT * FROM x", "t"),
        ("/* by us */ -- really\n UPDATE ONLY t SET a=1", "t"),
        ("CREATE TABLE IF NOT EXISTS s.t (a int)", "s.t"),
        ("CREATE TABLE t AS SELECT * FROM u", "t"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "v"),
        ("CREATE TEMPORARY TABLE t (a int)", None),
        ("COPY t FROM STDIN", "t"),
        ("COPY (SELECT * FROM t) TO STDOUT", None),
        ("MERGE INTO t USING u ON true", "t"),
        ('DELETE FROM "Odd "" one".`b`', 'Odd " one.b'),
        ("TRUNCATE TABLE [dbo].[x]", "dbo.x"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "v"),
        ("SELECT into_x FROM t", None),
        ("ALTER TABLE t ADD x int", None),
        ("CREATE INDEX i ON t (a)", None),
        ("", None),
    ],
)
def test_a_statement_that_writes_names_its_table(statement: str, table: str | None) -> None:
    assert written_table(statement) == (None if table is None else tuple(table.split(".")))


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM t", "(select a from t)", "WITH a AS (SELECT * FROM t) SELECT * FROM a", "VALUES (1)", "EXEC dbo.p"],
)
def test_data_is_asked_for(statement: str) -> None:
    assert is_question(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "select pg_catalog.version()",
        "SHOW x",
        "PRAGMA table_info(t)",
        "SELECT a FROM information_schema.columns",
        "SELECT name FROM sqlite_master",
        "INSERT INTO t SELECT * FROM u",
        "BEGIN",
    ],
)
def test_a_setting_a_constant_and_a_catalog_are_no_data(statement: str) -> None:
    assert not is_question(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE ann PASSWORD 'hunter2 secret'",
        "CREATE USER ann IDENTIFIED BY 'hunter2 secret'",
        "SELECT * FROM t WHERE api_token = 'hunter2 secret'",
        "SELECT dblink('host=h password=hunter2secret dbname=x')",
        "COPY t FROM 's3://b/k' CREDENTIALS 'aws_secret_access_key=hunter2secret'",
        "CREATE SECRET (TYPE s3, SECRET 'hunter2 secret')",
        "SELECT * FROM read('postgres://ann:hunter2secret@db/x')",
    ],
)
def test_a_statement_is_shown_without_its_secrets(statement: str) -> None:
    assert "hunter2" not in show(statement)
    assert "secret'" not in show(statement)


def test_a_long_statement_is_cut_in_a_moment() -> None:
    assert len(show("SELECT '" + "a" * 1_000_000 + "'")) <= LONGEST
    assert len(show("x" * 1_000_000)) <= LONGEST


@pytest.mark.parametrize(
    ("url", "namespace", "name", "table"),
    [
        ("postgresql+psycopg://ann:pw@db/crm", "postgres://db:5432", "crm", "crm.public.t"),
        ("postgresql://ann:p/w@db/crm", "postgres://db:5432", "crm", "crm.public.t"),
        ("postgres://ann:p@w@db:1/crm?sslmode=x", "postgres://db:1", "crm", "crm.public.t"),
        ("postgres://ann:p?w@db:1/crm", "postgres://db:1", "crm", "crm.public.t"),
        ("postgres://db/crm?application_name=a@b", "postgres://db:5432", "crm", "crm.public.t"),
        ("mysql+pymysql://ann:pw@db/crm", "mysql://db:3306", "crm", "crm.t"),
        ("sqlite:////data/app.db", "file", "/data/app.db", "/data/app.db.t"),
        ("sqlite://", "file", "", ".t"),
    ],
)
def test_a_database_is_named_by_its_address_alone(url: str, namespace: str, name: str, table: str) -> None:
    found = find_database(url)
    assert (found.namespace, found.name, found.table_name(("t",))) == (namespace, name, table)
    assert found.is_memory == (not name)


@pytest.mark.parametrize(
    ("database", "uri", "path"),
    [
        (":memory:", False, ""),
        ("", False, ""),
        (b"app.db", False, "app.db"),
        (Path("app.db"), False, "app.db"),
        ("file:app.db?mode=ro", True, "app.db"),
        ("file:///data/a%20b.db?cache=shared", True, "/data/a b.db"),
        ("file://localhost/data/app.db", True, "/data/app.db"),
        ("file::memory:?cache=shared", True, ""),
        ("file:x?mode=memory", True, ""),
        ("file:app.db", False, "file:app.db"),
    ],
)
def test_sqlite_says_where_its_file_is(database: str | bytes | Path, uri: bool, path: str) -> None:
    assert path_of_sqlite(database, uri=uri) == path


def test_an_open_connection_says_where_its_file_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.row_factory, connection.text_factory = sqlite3.Row, bytes
        found = [find_database(connection), find_database(connection.cursor())]
    connection.close()
    assert {(one.namespace, one.name) for one in found} == {("file", str(tmp_path / "app.db"))}


@pytest.mark.parametrize(
    ("url", "namespace", "path", "names"),
    [
        ("https://ann:pw@Rates.example.com:443/eur?key=s&day=1", "https://rates.example.com", "/eur", ["day", "key"]),
        ("http://h:8080", "http://h:8080", "/", []),
        ("http://[::1]:80/x", "http://[::1]", "/x", []),
        ("https://h/x?download&9f3ac21b7e", "https://h", "/x", ["***", "download"]),
        ("https://hooks.slack.com/services/T0/B0/abcdefghijkl", "https://hooks.slack.com", "/services/***", []),
        ("https://api.telegram.org/bot123:abcdefghijklmnop/send", "https://api.telegram.org", "/bot***", []),
    ],
)
def test_a_web_address_has_no_user_and_no_values(url: str, namespace: str, path: str, names: list[str]) -> None:
    address = read_address(url)
    assert address is not None
    assert (address.namespace, address.path, address.names) == (namespace, path, names)


def test_other_addresses_are_no_web_addresses() -> None:
    assert read_address("ftp://h/x") is None
    assert read_address("data:,x") is None


def test_a_statement_below_many_comments_is_read_in_no_time() -> None:
    began = time.process_time()
    comments = "/* of ** nobody */\n" * 60
    assert written_table(comments + "SELECT 1 FROM t") is None
    assert written_table(comments + "INSERT INTO /* x */ t VALUES (1)") == ("t",)
    assert time.process_time() - began < 1
