# SPDX-License-Identifier: Apache-2.0
"""The cells of data frames, for `lineagekit_python.answers`: as the arrays of which pandas and polars are made.

    >>> columns = read_columns(frame)  # doctest: +SKIP
    >>> answer = Answer(name for name, _ in columns)  # doctest: +SKIP
    >>> add_columns(answer, columns, len(frame))  # doctest: +SKIP

pandas and polars are never imported here: whoever has a frame has loaded them.
"""

from __future__ import annotations

import sys

from lineagekit_python.arrow_cells import FIXED, add_array, add_arrow
from lineagekit_python.cells import UNFIT

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

    from lineagekit_python.answers import Answer, Column

MOST_COLUMNS = 1000
"""Columns of which the fact tells name and type."""

_NAT = -(1 << 63)


def read_columns(frame: Any) -> list[tuple[str, Any]]:
    """Name and values of each column of a pandas or polars frame; a pandas index that says something is in front."""
    if hasattr(frame, "get_columns"):  # polars
        return [(series.name, series) for series in frame.get_columns()]
    found: list[tuple[str, Any]] = []
    index = frame.index
    if type(index).__name__ != "RangeIndex":
        levels = getattr(index, "nlevels", 1)
        for level in range(levels):
            values = index.get_level_values(level) if levels > 1 else index
            found.append((f"index:{'' if index.names[level] is None else index.names[level]}", values.array))
    arrays = getattr(frame, "_iter_column_arrays", None)  # a series for each column would cost ten times as much
    values = arrays() if arrays is not None else (series.array for _, series in frame.items())
    found.extend(zip(map(str, frame.columns), values))
    return found


def column_types(columns: list[tuple[str, Any]]) -> list[list[str]]:
    """Name and type of each column, as the library calls it."""
    return [[name, str(values.dtype)] for name, values in columns[:MOST_COLUMNS]]


def add_columns(answer: Answer, columns: list[tuple[str, Any]], rows: int) -> None:
    """Add all rows of a frame to an answer."""
    from lineagekit_python.answers import MOST_OBJECTS

    for column, (_, values) in zip(answer.columns, columns):
        if answer.grows_too_large():
            break
        try:
            cells = _add_polars(column, values) if hasattr(values, "get_chunks") else _add_pandas(column, values)
            if cells is not None and answer.has_room(len(cells), MOST_OBJECTS):
                column.add_cells(cells)
        except UNFIT as error:
            answer.reason = str(error)[:200] or type(error).__name__
    answer.rows += rows


def _add_pandas(column: Column, array: Any) -> list[Any] | None:
    """Add an array of pandas' or numpy's; the cells themselves where they are objects, to be added one by one."""
    dtype = array.dtype
    kind = getattr(dtype, "kind", "O")
    if hasattr(array, "__arrow_array__") and "pyarrow" in sys.modules and kind not in "mM":
        return add_arrow(column, array.__arrow_array__())
    if kind in "mM":
        _add_times(column, array, kind)
    elif type(dtype).__module__.startswith("numpy") and kind in FIXED:
        add_array(column, array.to_numpy() if hasattr(array, "to_numpy") else array)
    elif kind in FIXED and hasattr(dtype, "numpy_dtype"):  # nullable: values and a mask
        add_array(column, array.to_numpy(dtype=dtype.numpy_dtype, na_value=0), ~array.isna())
    else:
        return _objects(column, array)
    return None


def _add_times(column: Column, array: Any, kind: str) -> None:
    """Points and spans of time, which pandas holds as numbers of a unit."""
    if hasattr(array, "__arrow_array__") and not hasattr(array, "asi8"):  # Arrow's own, inside of pandas
        cells = add_arrow(column, array.__arrow_array__())
        if cells is not None:
            column.add_cells(cells)
        return
    zone = getattr(array.dtype, "tz", None)
    name = (
        f"{'timestamp' if kind == 'M' else 'duration'}[{_unit(array.dtype)}{f', {zone}' if zone is not None else ''}]"
    )
    numbers = array.asi8 if hasattr(array, "asi8") else array.view("i8")
    add_array(column, numbers, numbers != _NAT, name)


def _objects(column: Column, array: Any) -> list[Any] | None:
    """The cells of a column of objects; of texts the buffers, which pyarrow makes quicker than we could."""
    cells = list(array.tolist() if hasattr(array, "tolist") else array)
    if str(array.dtype) == "category":
        cells = [None if cell != cell else cell for cell in cells]
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None or not cells or set(map(type, cells)) - {str, type(None)} or not any(cells):
        return cells
    return add_arrow(column, pyarrow.array(cells, type=pyarrow.large_string()))


def _unit(dtype: Any) -> str:
    """The unit of a type of points in time: `datetime64[us]`, `datetime64[ns, UTC]`, `timedelta64[s]`."""
    return str(dtype).partition("[")[2].partition(",")[0].rstrip("]")


def _add_polars(column: Column, series: Any) -> list[Any] | None:
    """Add a polars series: as Arrow's where a job has pyarrow, else by what polars itself makes of it."""
    if "pyarrow" in sys.modules and str(series.dtype) not in ("Int128", "UInt128", "Object"):
        return add_arrow(column, series.to_arrow())
    kind = _polars_kind(series.dtype)
    if kind is None:
        return list(series.to_list())
    for chunk in series.get_chunks():
        if kind == "utf8":
            _add_polars_texts(column, chunk)
        elif len(chunk):
            valid = ~chunk.is_null().to_numpy() if chunk.null_count() else None
            numbers = chunk.to_physical() if kind not in ("bool",) else chunk
            numbers = numbers.fill_null(False if kind == "bool" else 0) if valid is not None else numbers
            add_array(column, numbers.to_numpy(), valid, kind)
    return None


def _polars_kind(dtype: Any) -> str | None:
    """The kind of a polars type that is more than a column of objects."""
    name = str(dtype)
    plain = {"Boolean": "bool", "String": "utf8", "Utf8": "utf8", "Categorical": "utf8", "Date": "date"}
    if name in plain or name.startswith(("Categorical", "Enum")):
        return plain.get(name, "utf8")
    word = name.rstrip("0123456789")
    if word in ("Int", "UInt", "Float") and name != "Int128":
        return name.lower()
    if word.startswith(("Datetime", "Duration")):
        zone = getattr(dtype, "time_zone", None)
        what = "timestamp" if name.startswith("Datetime") else "duration"
        return f"{what}[{dtype.time_unit}{f', {zone}' if zone else ''}]"
    return None


def _add_polars_texts(column: Column, chunk: Any) -> None:
    if str(chunk.dtype) not in ("String", "Utf8"):
        chunk = chunk.cast(_text_type(chunk))
    present = chunk.drop_nulls() if chunk.null_count() else chunk
    lengths = present.str.len_bytes().to_numpy().astype("<u4").tobytes()
    joined = present.str.join("").item() if len(present) else ""
    values = (joined or "").encode()
    if chunk.null_count():
        column.add_gapped("utf8", chunk.is_null().to_numpy().tobytes(), values, lengths)
    else:
        column.add("utf8", len(chunk), values, lengths)


def _text_type(chunk: Any) -> Any:
    module = sys.modules[type(chunk).__module__.partition(".")[0]]
    return module.String
