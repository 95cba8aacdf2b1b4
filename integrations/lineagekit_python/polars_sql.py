# SPDX-License-Identifier: Apache-2.0
"""polars and databases: `read_database`, whole and in batches, `read_database_uri` and `write_database`.

>>> executor(sys.modules["polars.io.database._executor"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent.hooks import argument, patch
from lineagekit_python.around import answering, around
from lineagekit_python.databases import find_database
from lineagekit_python.frame_cells import column_types, read_columns
from lineagekit_python.queries import Query, say_table, watch_frames

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_READ, _READ_URI, _WRITE = "polars.read_database", "polars.read_database_uri", "polars.write_database"
_STATEMENT = "_lineagekit_statement"


def executor(module: Any) -> None:
    """`read_database`: the query is given to `execute`, and its answer comes out of `to_polars`."""
    patch(module, "ConnectionExecutor.execute", before=_keep_statement)
    around(module, "ConnectionExecutor.to_polars", answering(_READ, _answered))


def engines(module: Any) -> None:
    """`read_database_uri`, where it calls one of the two engines."""
    for engine in ("_read_sql_connectorx", "_read_sql_adbc"):
        around(module, engine, answering(_READ_URI, _uri_answered))


def frame(module: Any) -> None:
    """`DataFrame.write_database`."""
    around(module, "DataFrame.write_database", answering(_WRITE, _table_written))


def _keep_statement(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    setattr(args[0], _STATEMENT, str(argument(args, kwargs, 1, "query")))


def _answered(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    executor = args[0]
    query = Query(find_database(executor.cursor), getattr(executor, _STATEMENT, ""), door=_READ)
    if not hasattr(result, "get_columns"):
        return watch_frames(query, result)
    query.add_frame(result)
    query.finish()
    return None


def _uri_answered(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    asked = argument(args, kwargs, 0, "query")
    statement = asked if isinstance(asked, str) else ";\n".join(asked)
    query = Query(find_database(argument(args, kwargs, 1, "connection_uri")), statement, door=_READ_URI)
    query.add_frame(result)
    query.finish()


def _table_written(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from csv import reader

    table = str(argument(args, kwargs, 1, "table_name"))
    database = find_database(argument(args, kwargs, 2, "connection"))
    shape = {"rows": len(args[0]), "columns": column_types(read_columns(args[0]))}
    say_table(database, tuple(next(reader([table], delimiter="."))), door=_WRITE, **shape)
