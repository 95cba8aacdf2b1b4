# SPDX-License-Identifier: Apache-2.0
"""Where a database is: the namespace and name of what a connection, an engine or a URL leads to, never who asks.

>>> find_database("postgresql+psycopg://ann:pw@db/crm")
Database(postgres://db:5432, crm)
>>> find_database("sqlite:////data/app.db")
Database(file, /data/app.db)
"""

from __future__ import annotations

import os
import re
import sys

from lineagekit.agent.naming import LOCAL, absolute, dataset_name

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_HOST = re.compile(r"[\w.-]*(?::\d+)?(?:/|\Z)")
_TWO_PARTS = ("mysql:", "clickhouse:", "hive:")
"""Where a table's name is `database.table`, with no schema in between."""


class Database:
    """One database, as datasets in it are named."""

    __slots__ = ("name", "namespace", "schema")

    def __init__(self, namespace: str, name: str, schema: str = "") -> None:
        """`schema` is where a table lies whose name says none."""
        self.namespace, self.name, self.schema = namespace, name, schema

    @property
    def is_file(self) -> bool:
        """Whether it is a file, which the doors see."""
        return self.namespace == LOCAL

    @property
    def is_memory(self) -> bool:
        """Whether it ends with the process: nothing in it is lineage."""
        return not self.name and self.is_file

    def table_name(self, parts: tuple[str, ...]) -> str:
        """The full name of a table that a statement calls by some parts of it."""
        if self.namespace.startswith(_TWO_PARTS):
            return ".".join(parts if len(parts) > 1 else (self.schema or self.name, *parts))
        if len(parts) == 1 and self.schema:
            parts = (self.schema, *parts)
        return ".".join(parts if len(parts) > 2 else (self.name, *parts))

    def __repr__(self) -> str:
        """Short."""
        return f"Database({self.namespace}, {self.name})"


def find_database(connection: Any) -> Database:
    """Where this leads: a URL; an engine, connection or session of SQLAlchemy's; a driver's connection or cursor."""
    if isinstance(connection, str):
        return _of_url(connection)
    try:
        engine = _engine_of(connection)
        return _of_connection(connection) if engine is None else _of_engine(engine)
    except Exception:  # job border: whatever a driver's object raises when it is asked, its answers are told
        return Database(f"{_driver(connection)}://unknown", "")


def _of_connection(connection: Any) -> Database:
    connection = getattr(connection, "connection", None) or connection  # a cursor knows its connection
    driver, info = _driver(connection), getattr(connection, "info", None)
    if driver == "sqlite3":
        return _of_sqlite(connection)
    if driver.startswith("psycopg") and info is not None:
        return _of_url(f"postgres://{info.host or 'localhost'}:{info.port}/{info.dbname}")
    return _of_driver(driver, connection)


def _driver(connection: Any) -> str:
    return type(connection).__module__.partition(".")[0].strip("_").replace("_", "-")


def _engine_of(connection: Any) -> Any:
    """SQLAlchemy's engine behind any of its objects."""
    if "sqlalchemy" not in sys.modules:
        return None
    for name in ("sync_engine", "engine"):
        engine = getattr(connection, name, None)
        if engine is not None and hasattr(engine, "url"):
            return engine
    bind = getattr(connection, "get_bind", None)  # a session
    if callable(bind):
        bound = bind()
        return getattr(bound, "engine", bound)
    return connection if hasattr(connection, "url") and hasattr(connection, "dialect") else None


def _of_engine(engine: Any) -> Database:
    url = engine.url
    backend = url.get_backend_name()
    if backend in ("sqlite", "duckdb"):
        return _of_file(url.database or "")
    port = f":{url.port}" if url.port else ""
    found = _of_url(f"{backend}://{url.host or 'localhost'}{port}/{url.database or ''}")
    found.schema = getattr(engine.dialect, "default_schema_name", None) or ""
    return found


def _of_url(url: str) -> Database:
    scheme, _, rest = url.partition("://")
    backend = scheme.partition("+")[0].lower()
    rest = _without_user(rest)
    if backend in ("sqlite", "duckdb", "file"):
        return _of_file(rest[1:] if rest.startswith("/") else rest)
    namespace, name = dataset_name(f"{backend}://{rest}")
    return Database(namespace, "" if name == "/" else name, "public" if namespace.startswith("postgres:") else "")


def _without_user(rest: str) -> str:
    """What follows `user:password@`, whatever characters the password has, and without the query."""
    place, _, query = rest.partition("?")
    if "@" in place or "@" not in query or _HOST.match(place):
        return place.rpartition("@")[2]
    return query.rpartition("@")[2].partition("?")[0]  # the mark was part of a password


def _of_file(path: str) -> Database:
    """A database that is a file; `:memory:`, nothing and SQLite's URIs included."""
    path = path_of_sqlite(path, uri=path.startswith("file:"))
    return Database(LOCAL, absolute(path) if path else "")


def path_of_sqlite(database: Any, *, uri: bool) -> str:
    """The path of the file that `sqlite3.connect` is asked for; '' for a database in memory."""
    text = os.fsdecode(database)
    if uri and text.startswith("file:"):
        text, _, query = text[5:].partition("?")
        text = text.partition("#")[0]
        if text.startswith("//"):  # an authority, which can only be this machine
            text = "/" + text[2:].partition("/")[2]
        if "mode=memory" in query.split("&"):
            return ""
        if "%" in text:
            from urllib.parse import unquote

            text = unquote(text)
    return "" if text in ("", ":memory:") else text


def _of_sqlite(connection: Any) -> Database:
    """SQLite says itself which file it has open."""
    cursor = connection.cursor()
    cursor.row_factory = None
    for _, name, path in cursor.execute("PRAGMA database_list").fetchall():
        if name in ("main", b"main"):
            return Database(LOCAL, os.fsdecode(path) if path else "")
    return Database(LOCAL, "")


def _of_driver(driver: str, connection: Any) -> Database:
    """Of a driver that we do not know: what it calls host, port and database, where it does."""
    backend = _BACKENDS.get(driver, driver or "database")
    host = _first(connection, "host", "server_host", "_host", "account") or "localhost"
    port = _first(connection, "port", "server_port", "_port")
    name = _first(connection, "database", "db", "dbname", "db_name", "_database")
    return _of_url(f"{backend}://{host}{f':{port}' if port else ''}/{name}")


_BACKENDS = {
    "pymysql": "mysql",
    "mysqldb": "mysql",
    "mysql": "mysql",
    "aiomysql": "mysql",
    "pg8000": "postgres",
    "asyncpg": "postgres",
    "oracledb": "oracle",
    "cx-Oracle": "oracle",
    "pymssql": "mssql",
    "redshift-connector": "redshift",
}


def _first(connection: Any, *names: str) -> str:
    for name in names:
        value = getattr(connection, name, None)
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value:
            return str(value)
    return ""
