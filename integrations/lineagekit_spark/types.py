# SPDX-License-Identifier: Apache-2.0
"""What Spark calls a type, what Arrow does, and what a Parquet copy would make of it.

>>> plan_digest(df.schema).columns  # doctest: +SKIP
(('id', 'int64'), ('day', 'date'))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lineagekit.errors import UnsupportedTypeError, UsageError
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.source import TableSource
from lineagekit.identity.tables.states import TableState

_ADVICE = "Cast the column, or drop it first."
_TIMESTAMPS = "spark.sql.parquet.outputTimestampType"


@dataclass(frozen=True)
class Plan:
    """What is known before a row is read: the state of no rows, columns, and the parameters of the digest's name."""

    state: TableState
    columns: tuple[tuple[str, str], ...]
    parameters: dict[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """Of the columns, in stored order."""
        return [name for name, _ in self.columns]


def plan_digest(schema: Any, columns: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Plan:
    """Choose columns as the digest of a file does: by asking it about no rows of this schema."""
    source = TableSource(_arrow_schema(schema), (), 0)
    empty = digest_table(source, TableOptions(columns, ignore))
    if not empty.columns:
        raise UsageError("a frame without columns has no digest: Spark does not tell its rows", advice="Keep a column.")
    return Plan(empty.state, empty.columns, dict(empty.digests[0].parameters))


def _arrow_schema(schema: Any) -> pa.Schema:
    return pa.schema([(field.name, _arrow_type(field)) for field in schema.fields])


def _arrow_type(field: Any) -> pa.DataType:
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import to_arrow_type

    for part in _parts(field.dataType):
        if type(part).__name__ == "VariantType":  # Arrow carries its bytes, of which many say the same
            raise UnsupportedTypeError(f"column {field.name!r}: type variant has no canonical form", advice=_ADVICE)
        names = [inner.name for inner in getattr(part, "fields", ())]
        if len(set(names)) < len(names):  # Spark renames them on their way to Python
            what = ", ".join(map(repr, names))
            raise UnsupportedTypeError(f"column {field.name!r}: duplicate field names, got {what}", advice=_ADVICE)
    try:
        return to_arrow_type(field.dataType)
    except (PySparkException, TypeError) as error:
        what = field.dataType.simpleString()
        raise UnsupportedTypeError(f"column {field.name!r}: type {what} has no Arrow form", advice=_ADVICE) from error


def lost_in_parquet(df: Any, columns: Sequence[str]) -> Iterator[str]:
    """A warning for each column whose Parquet copy, written by this session, is read with another type."""
    losses = {
        "TimestampType": _timestamps_in_parquet(df.sparkSession),
        "DayTimeIntervalType": "holds intervals as int64",
    }
    for field in df.schema.fields:
        for type_name, loss in losses.items():
            if loss and field.name in columns and _holds(field.dataType, type_name):
                yield f"column {field.name!r}: Parquet {loss}, so a Parquet copy has another digest"


def _timestamps_in_parquet(session: Any) -> str:
    form = session.conf.get(_TIMESTAMPS, "INT96")
    if form == "TIMESTAMP_MICROS":
        return ""
    read = "timestamp[ns] without a zone" if form == "INT96" else "timestamp[ms]"
    return f"holds {form} (by {_TIMESTAMPS}, not TIMESTAMP_MICROS), read as {read}"


def _parts(type_: Any) -> Iterator[Any]:
    """A type and all that it is made of; a user-defined one is stored as another."""
    yield type_
    inner = [getattr(type_, part, None) for part in ("elementType", "keyType", "valueType")]
    inner += [field.dataType for field in getattr(type_, "fields", ())]
    inner += [type_.sqlType()] if hasattr(type_, "sqlType") else []
    for part in inner:
        if part is not None:
            yield from _parts(part)


def _holds(type_: Any, name: str) -> bool:
    return any(type(part).__name__ == name for part in _parts(type_))
