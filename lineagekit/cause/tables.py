# SPDX-License-Identifier: Apache-2.0
r"""Tables in files of the usual formats, whole: read, and written in the same format again.

>>> table = read("a.jsonl", b'{"id": 1}\n{"id": 2}\n')
>>> written(table, "a.csv")
b'"id"\n1\n2\n'
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet
from pyarrow import json as pajson

Source = Path | bytes
_LINES = (".jsonl", ".ndjson", ".json")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_BARE = re.compile(r"f\d+")
"""What columns without names are called."""


def format_of(path: str) -> str:
    """The ending that says how it is read; "" where it is no table."""
    ending = os.path.splitext(path.removesuffix(".gz"))[1].lower()
    is_known = ending in (*_LINES, *_DELIMITERS) or (ending == ".parquet" and not path.endswith(".gz"))
    return ending if is_known else ""


def schema_of(path: str, source: Source) -> pa.Schema | None:
    """Its columns; None where it is no table."""
    if format_of(path) != ".parquet":
        table = read(path, source)
        return None if table is None else table.schema
    try:
        return parquet.read_schema(_opened(source))
    except (OSError, pa.ArrowException):
        return None


def read(path: str, source: Source, names: Collection[str] | None = None) -> pa.Table | None:
    """All rows, of all columns or of some; None where it is no table."""
    ending = format_of(path)
    if not ending:
        return None
    try:
        if ending == ".parquet":
            columns = (
                None if names is None else [one for one in parquet.read_schema(_opened(source)).names if one in names]
            )
            return parquet.read_table(_opened(source), columns=columns, partitioning=None)
        body = _body(path, source)
        table = pajson.read_json(io.BytesIO(body)) if ending in _LINES else _from_csv(body, _DELIMITERS[ending])
    except (OSError, EOFError, pa.ArrowException):
        return None
    if ending in _LINES and table.num_rows < 2:  # a document, and no rows
        return None
    return table if names is None else table.select([name for name in table.column_names if name in names])


def written(table: pa.Table, path: str) -> bytes:
    """As a file of this name has it."""
    ending, sink = format_of(path), io.BytesIO()
    if ending == ".parquet":
        parquet.write_table(table, sink)
    elif ending in _LINES:
        sink.write("".join(f"{json.dumps(row, default=str)}\n" for row in table.to_pylist()).encode())
    else:
        has_names = not all(_BARE.fullmatch(name) for name in table.column_names)
        csv.write_csv(table, sink, csv.WriteOptions(include_header=has_names, delimiter=_DELIMITERS[ending]))
    body = sink.getvalue()
    return gzip.compress(body, mtime=0) if path.endswith(".gz") else body


def _from_csv(body: bytes, delimiter: str) -> pa.Table:
    """A file may begin with its first row: a number is no name, nor is what comes twice."""
    parsed = csv.ParseOptions(delimiter=delimiter)
    table = csv.read_csv(io.BytesIO(body), parse_options=parsed)
    if len(set(table.column_names)) == table.num_columns and not any(map(_is_number, table.column_names)):
        return table
    bare = csv.ReadOptions(autogenerate_column_names=True)
    return csv.read_csv(io.BytesIO(body), bare, parse_options=parsed)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _body(path: str, source: Source) -> bytes:
    body = source if isinstance(source, bytes) else source.read_bytes()
    return gzip.decompress(body) if path.endswith(".gz") else body


def _opened(source: Source) -> pa.BufferReader | str:
    return pa.BufferReader(source) if isinstance(source, bytes) else str(source)
