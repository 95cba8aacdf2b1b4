# SPDX-License-Identifier: Apache-2.0
"""Tables on a disk, in whatever format, and their difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from pyarrow import csv

from lineagekit.differ.diff import diff
from lineagekit.differ.difference import Difference
from lineagekit.differ.job import How

ORDERS = pa.table(
    {
        "id": pa.array(range(1000), pa.int64()),
        "amount": pa.array([i % 97 / 2 for i in range(1000)], pa.float64()),
        "status": pa.array([("paid", "open", None)[i % 3] for i in range(1000)]),
    }
)


def write(table: pa.Table, path: Path, **options: Any) -> Path:
    """Write a table as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        csv.write_csv(table, path, csv.WriteOptions(**options))
    elif path.suffix == ".arrow":
        pyarrow.feather.write_feather(table, str(path))
    else:
        pq.write_table(table, path, **options)
    return path


def compare(before: Path | str, after: Path | str, **options: Any) -> Difference:
    """The difference of two paths."""
    return diff(str(before), str(after), how=How(threads=2), **options)


def with_cells(table: pa.Table, column: str, cells: dict[int, Any]) -> pa.Table:
    """The table with other values in some rows of a column."""
    values = table[column].to_pylist()
    for row, value in cells.items():
        values[row] = value
    place = table.column_names.index(column)
    return table.set_column(place, table.schema.field(column), pa.array(values, table.schema.field(column).type))
