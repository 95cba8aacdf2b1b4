# SPDX-License-Identifier: Apache-2.0
"""What Parquet footers say of columns, without reading a row: nulls, smallest and largest values.

>>> footer_facts(["orders.parquet"])["amount"].low  # doctest: +SKIP
0.5
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq

from lineagekit.differ.changes import ColumnChange, Facts
from lineagekit.identity.streams import Source, name_of
from lineagekit.identity.tables.border import map_file, translate_arrow

_PLAIN = (int, float, str)


def footer_facts(sources: Sequence[Source]) -> dict[str, Facts]:
    """By column; one that is nested, or of which some row group says nothing, has no more than its rows."""
    found: dict[str, Facts] = {}
    for source in sources:
        with translate_arrow(name_of(source), "a Parquet file"), map_file(source) as file:
            metadata = pq.read_metadata(file)
        for name, facts in _groups(metadata):
            found[name] = _plus(found[name], facts) if name in found else facts
    return found


def changed_facts(before: dict[str, Facts], after: dict[str, Facts]) -> tuple[ColumnChange, ...]:
    """The columns of which the footers say different things."""
    return tuple(
        ColumnChange(name, "", before[name], facts)
        for name, facts in after.items()
        if name in before and _differ(before[name], facts)
    )


def _differ(one: Facts, other: Facts) -> bool:
    """What one side does not say is no difference."""
    pairs = ((one.nulls, other.nulls), (one.low, other.low), (one.high, other.high))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _groups(metadata: pq.FileMetaData) -> Iterator[tuple[str, Facts]]:
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            said = chunk.statistics
            facts = Facts(group.num_rows, said.null_count if said is not None and said.has_null_count else None)
            if said is not None and said.has_min_max:
                facts = replace(facts, low=_plain(said.min), high=_plain(said.max))
            yield chunk.path_in_schema, facts


def _plain(value: Any) -> Any:
    return value if isinstance(value, _PLAIN) else str(value)


def _plus(one: Facts, other: Facts) -> Facts:
    nulls = None if None in (one.nulls, other.nulls) else (one.nulls or 0) + (other.nulls or 0)
    low = None if one.low is None or other.low is None else min(one.low, other.low)
    high = None if one.high is None or other.high is None else max(one.high, other.high)
    return Facts(one.rows + other.rows, nulls, low=low, high=high)
