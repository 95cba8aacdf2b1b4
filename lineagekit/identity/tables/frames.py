# SPDX-License-Identifier: Apache-2.0
"""pandas and polars frames: the table that their own `to_parquet` and `write_parquet` would write.

>>> frame = pandas.DataFrame({"day": numpy.array(["2026-06-01"], "datetime64[s]")})  # doctest: +SKIP
>>> from_frame(frame).warnings  # doctest: +SKIP
("column 'day': Parquet holds timestamp[ms] for timestamp[s], so a Parquet copy has another digest",)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
from pyarrow import types as t

from lineagekit.errors import UnsupportedTypeError, UsageError
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.border import is_a
from lineagekit.identity.tables.layout import require_unique_names
from lineagekit.identity.tables.logical import plain
from lineagekit.identity.tables.source import TableSource

_ADVICE = "Convert the column, or drop it first."

Convert = Callable[[], pa.Table]

# Whatever pyarrow raises about a value that it cannot convert.
_NOT_CONVERTED = (pa.ArrowException, TypeError, ValueError, OverflowError)


def from_frame(frame: Any) -> TableSource:
    """Take a pandas or polars DataFrame; UnsupportedTypeError names a column that Arrow cannot hold."""
    if is_a(frame, "pandas", "DataFrame"):
        table = _from_pandas(frame)
        notes = tuple(_lost_by_pandas(table))
    elif is_a(frame, "polars", "DataFrame"):
        table = _from_polars(frame)
        notes = ()
    else:
        name = type(frame).__name__
        raise UsageError(f"not a table: got a {name}, expected a DataFrame", advice="A LazyFrame needs collect().")
    losses = ((field.name, _lost_in_parquet(field.type)) for field in table.schema)
    notes += tuple(
        f"column {name!r}: Parquet {loss}, so a Parquet copy has another digest" for name, loss in losses if loss
    )
    return replace(from_arrow(table), warnings=notes)


def _from_pandas(frame: Any) -> pa.Table:
    require_unique_names(map(str, frame.columns))
    to_arrow = pa.Table.from_pandas
    columns = (
        (str(name), partial(to_arrow, frame.iloc[:, [place]], preserve_index=False))
        for place, name in enumerate(frame.columns)
    )
    with warnings.catch_warnings():  # of column names that are not strings: Parquet makes them strings as well
        warnings.simplefilter("ignore")
        return _convert(partial(to_arrow, frame), columns)


def _from_polars(frame: Any) -> pa.Table:
    table = _convert(frame.to_arrow, ((name, frame.select(name).to_arrow) for name in frame.columns))
    for field in table.schema:
        if _holds_objects(field.type):
            raise UnsupportedTypeError(f"column {field.name!r} holds Python objects", advice=_ADVICE)
    return table


def _convert(whole: Convert, columns: Iterable[tuple[str, Convert]]) -> pa.Table:
    """Convert a frame as a whole; when that fails, column by column, to name the one at fault."""
    try:
        return whole()
    except _NOT_CONVERTED as error:
        for name, column in columns:
            try:
                column()
            except _NOT_CONVERTED as cause:
                reason = cause.args[0] if isinstance(cause, pa.ArrowException) else cause
                raise UnsupportedTypeError(f"column {name!r} has no Arrow type: {reason}", advice=_ADVICE) from cause
        raise UnsupportedTypeError(f"the index has no Arrow type: {error}", advice="Reset it first.") from error


def _holds_objects(type_: pa.DataType) -> bool:
    """Polars has no fixed-size binary: what it gives out as such are the addresses of Python objects."""
    return t.is_fixed_size_binary(type_) or any(map(_holds_objects, _children(type_)))


def _lost_in_parquet(type_: pa.DataType) -> str:
    """What Parquet makes of a type that it cannot hold, or "" when it can."""
    if t.is_run_end_encoded(type_):
        return "cannot hold run-ends"
    type_ = plain(type_)
    if (t.is_timestamp(type_) or t.is_time32(type_)) and type_.unit == "s":
        return f"holds {str(type_).replace('[s', '[ms')} for {type_}"
    if t.is_struct(type_) and not type_.num_fields:
        return "cannot hold a struct without fields"
    return next(filter(None, map(_lost_in_parquet, _children(type_))), "")


def _lost_by_pandas(table: pa.Table) -> Iterator[str]:
    """What goes wrong on the way that pandas takes, and not on that of polars."""
    if table.num_rows and not table.num_columns:
        yield f"no columns: Parquet holds none of {table.num_rows} rows, so a Parquet copy has another digest"
    for field in table.schema:
        if _holds_lists_of_nothing(field.type):
            lost = "Parquet of lists of size 0 cannot be read back, so a Parquet copy has no digest"
            yield f"column {field.name!r}: {lost}"


def _holds_lists_of_nothing(type_: pa.DataType) -> bool:
    empty = t.is_fixed_size_list(type_) and type_.list_size == 0
    return empty or any(map(_holds_lists_of_nothing, _children(type_)))


def _children(type_: pa.DataType) -> list[pa.DataType]:
    return [type_.field(place).type for place in range(type_.num_fields)]
