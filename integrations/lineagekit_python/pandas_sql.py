# SPDX-License-Identifier: Apache-2.0
"""pandas and databases: `read_sql`, `read_sql_query`, `read_sql_table`, whole and in chunks, and `to_sql`.

>>> sql(sys.modules["pandas.io.sql"])  # doctest: +SKIP
"""

from __future__ import annotations

from inspect import isgenerator

from lineagekit.agent.hooks import argument
from lineagekit_python.around import answering, around
from lineagekit_python.databases import find_database
from lineagekit_python.frame_cells import column_types, read_columns
from lineagekit_python.queries import Query, say_table, watch_frames

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_READ, _WRITE = "pandas.read_sql", "pandas.to_sql"
_READERS = ("SQLDatabase.read_query", "SQLiteDatabase.read_query")
_WRITERS = ("SQLDatabase.to_sql", "SQLiteDatabase.to_sql")


def sql(module: Any) -> None:
    """For each kind of connection that this version of pandas knows."""
    readers, tables, writers = list(_READERS), ["SQLDatabase.read_table"], list(_WRITERS)
    if hasattr(module, "ADBCDatabase"):  # since pandas 2.2
        readers.append("ADBCDatabase.read_query")
        tables.append("ADBCDatabase.read_table")
        writers.append("ADBCDatabase.to_sql")
    for reader in readers:
        around(module, reader, answering(_READ, _query_answered))
    for reader in tables:
        around(module, reader, answering(_READ, _table_answered))
    for writer in writers:
        around(module, writer, answering(_WRITE, _table_written))


def _query_answered(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _see(result, args[0].con, str(argument(args, kwargs, 1, "sql")))


def _table_answered(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    table = argument(args, kwargs, 1, "table_name")
    schema = argument(args, kwargs, 6, "schema") or getattr(getattr(args[0], "meta", None), "schema", None)
    return _see(result, args[0].con, f"SELECT * FROM {f'{schema}.' if schema else ''}{table}")


def _see(result: Any, connection: Any, statement: str) -> Any:
    query = Query(find_database(connection), statement, door=_READ)
    if isgenerator(result):
        return watch_frames(query, result)
    query.add_frame(result)
    query.finish()
    return None


def _table_written(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    frame, table = argument(args, kwargs, 1, "frame"), str(argument(args, kwargs, 2, "name"))
    schema = argument(args, kwargs, 6, "schema") or getattr(getattr(args[0], "meta", None), "schema", None)
    shape = {"rows": len(frame), "columns": column_types(read_columns(frame))}
    say_table(find_database(args[0].con), (schema, table) if schema else (table,), door=_WRITE, **shape)
