# SPDX-License-Identifier: Apache-2.0
r"""Grafts: a part of a feed with the rows and keys that it has, and the values of another part.

Whole parts cannot stand in for each other where feeds are joined by their rows' keys: those of another day find no
partner, and all that came with the day drops out. With its own keys a part stays joined. Where most rows are there on
both days, as those of customers are, a part stands in as it is. Of a day that came in several files all are one part.

>>> graft([Held("new.csv", b"id,amount\n7,900.0\n")], [Held("old.csv", b"id,amount\n1,9.0\n")], {"id"})
[b'"id","amount"\n7,9\n']
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from lineagekit.cause.tables import Source, read, schema_of, written

_SEED = 7


class Held(NamedTuple):
    """A file, and what is in it."""

    path: str
    source: Source


def graft(
    own: Sequence[Held], donor: Sequence[Held], shared: Collection[str], rows: Sequence[pa.Table] = ()
) -> list[bytes] | None:
    """Bytes for each of the own files; the donor's where these are no tables, None where the two do not fit.

    A key is what identifies a row, or is shared by name with other feeds; a number with a fraction never is. Where
    other feeds have the keys of that day as well, `rows`, these count: its own may be what is wrong with it.
    """
    tables = [read(*held) for held in own]
    mine, other = _together(tables), _together([read(*held) for held in donor])
    if mine is None or other is None:
        return _as_they_are(donor) if len(own) == len(donor) else None
    if not other.num_rows:
        return None
    keys = [name for name in other.column_names if _is_key(other[name], name in shared)]
    mine = _usual([one for one in rows if set(keys) == set(one.column_names)]) or mine
    if _are_lasting(mine, other):
        return _as_they_are(donor) if len(own) == len(donor) else _split(other, own, tables)
    values = [name for name in other.column_names if name not in keys]
    if not values:  # a count or a label may be called as in other feeds, and identifies nothing
        keys = [name for name in keys if _is_key(other[name], is_shared=False)]
        values = [name for name in other.column_names if name not in keys]
    if not values or not set(keys) <= set(mine.column_names):
        return None
    order = list(range(other.num_rows))
    random.Random(_SEED).shuffle(order)  # as they come, rows of two days might fit each other by chance
    drawn = other.take(pa.array([order[place % len(order)] for place in range(mine.num_rows)], pa.int64()))
    columns = {name: mine[name] if name in keys else drawn[name] for name in other.column_names}
    return _split(pa.table(columns), own, tables)


def rows_of(came: Sequence[Held]) -> pa.Table | None:
    """The columns of a part that identify its rows; None where it is no table, or has none."""
    table = _together([read(*held) for held in came])
    if table is None:
        return None
    names = [name for name in table.column_names if _is_key(table[name], is_shared=False)]
    return table.select(names) if names else None


def columns_of(source: Source, path: str) -> set[str]:
    """Names of the columns that could be keys; none where it is no table."""
    schema = schema_of(path, source)
    return {field.name for field in schema if _may_be_key(field.type)} if schema is not None else set()


def keys_among(source: Source, path: str, names: Collection[str]) -> set[str]:
    """Which of these columns identify the rows of a file: by no others is anything looked up in it."""
    table = read(path, source, names)
    return set() if table is None else {name for name in table.column_names if _is_key(table[name], is_shared=False)}


def _are_lasting(mine: pa.Table, other: pa.Table) -> bool:
    """Most rows of one are, by what identifies them, in the other as well."""
    for name in other.column_names:
        column = other[name]
        if name in mine.column_names and mine[name].type == column.type and _is_key(column, is_shared=False):
            known = pc.is_in(mine[name], value_set=column)
            return bool(2 * (pc.sum(known).as_py() or 0) > mine.num_rows)
    return False


def _usual(rows: Sequence[pa.Table]) -> pa.Table | None:
    """What most have; None of nothing."""
    kinds = [(one.num_rows, *(str(pc.min_max(one[name])) for name in sorted(one.column_names))) for one in rows]
    common = Counter(kinds).most_common(1)
    return rows[kinds.index(common[0][0])] if common else None


def _is_key(column: pa.ChunkedArray, is_shared: bool) -> bool:
    return _may_be_key(column.type) and (is_shared or len(column.unique()) == len(column))


def _may_be_key(type_: pa.DataType) -> bool:
    return not (t.is_floating(type_) or t.is_decimal(type_) or t.is_nested(type_) or t.is_boolean(type_))


def _together(tables: Sequence[pa.Table | None]) -> pa.Table | None:
    """All rows; None where one of them is no table, or they have no columns in common."""
    known = [one for one in tables if one is not None]
    if not known or len(known) < len(tables):
        return None
    try:
        return pa.concat_tables(known, promote_options="permissive")
    except pa.ArrowException:
        return None


def _split(table: pa.Table, own: Sequence[Held], tables: Sequence[pa.Table]) -> list[bytes]:
    """So many rows to each file as it has; to the last all that are left."""
    ends = [*accumulate(one.num_rows for one in tables[:-1]), table.num_rows]
    starts = [0, *ends[:-1]]
    return [written(table[start:end], held.path) for held, start, end in zip(own, starts, ends, strict=True)]


def _as_they_are(came: Sequence[Held]) -> list[bytes]:
    return [source if isinstance(source, bytes) else source.read_bytes() for _, source in came]
