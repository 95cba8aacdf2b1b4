# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a table: labels flipped, other units, rows missing or doubled, keys and columns renamed.

>>> flip(share=1.0)(pa.table({"label": [0, 1]}))["label"].to_pylist()
[1, 0]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.world import Surgery


def values(table: pa.Table, column: str) -> Any:
    """A column that can be written to."""
    return table[column].to_numpy(zero_copy_only=False).copy()


def put(table: pa.Table, column: str, new: Any) -> pa.Table:
    """The table with another column in this place."""
    return table.set_column(table.column_names.index(column), column, pa.array(new))


def flip(*, share: float, column: str = "label") -> Surgery:
    """So many of the labels say the contrary."""

    def do(table: pa.Table) -> pa.Table:
        labels = values(table, column)
        chosen = np.random.default_rng(1).random(len(labels)) < share
        labels[chosen] = 1 - labels[chosen]
        return put(table, column, labels)

    return do


def scale(column: str, factor: float, *, share: float = 1.0) -> Surgery:
    """Other units, for all rows or for those of one sender."""

    def do(table: pa.Table) -> pa.Table:
        numbers = values(table, column).astype(float)
        chosen = np.random.default_rng(2).random(len(numbers)) < share
        numbers[chosen] *= factor
        return put(table, column, numbers)

    return do


def negate(column: str) -> Surgery:
    """The sign is the other way round."""
    return lambda table: put(table, column, -values(table, column).astype(float))


def truncate(share: float, *, by: str) -> Surgery:
    """Only the first rows, in the order of a column, as of a file that was sorted and cut."""

    def do(table: pa.Table) -> pa.Table:
        ordered = table.sort_by(by)
        return ordered.slice(0, max(1, int(len(ordered) * share)))

    return do


def repeat(rows: int, times: int) -> Surgery:
    """Some rows were sent again and again."""
    return lambda table: pa.concat_tables([table, *[table.slice(len(table) // 2, rows)] * times])


def shift_keys(column: str, by: int) -> Surgery:
    """Keys that match nothing any more."""
    return lambda table: put(table, column, values(table, column) + by)


def rename(old: str, new: str) -> Surgery:
    """A column under another name."""
    return lambda table: table.rename_columns([new if name == old else name for name in table.column_names])
