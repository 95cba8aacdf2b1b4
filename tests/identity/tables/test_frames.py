# SPDX-License-Identifier: Apache-2.0
"""A frame is the table that it writes as Parquet; where it is not, a warning or an error names the column."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
import uuid
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lineagekit.errors import BadDataError, UnsupportedTypeError, UsageError
from lineagekit.identity.tables.frames import from_frame
from lineagekit.identity.tables.logical import logical_type
from lineagekit.identity.tables.parquet import open_parquet
from lineagekit.identity.tables.source import TableSource

DAY = dt.datetime(2026, 6, 1)


def arrow(values: list[object], type_: pa.DataType) -> pd.api.extensions.ExtensionArray:
    return pd.arrays.ArrowExtensionArray(pa.array(values, type_))


PANDAS: dict[str, Any] = {
    "int8": pd.array([1, 2], "int8"),
    "uint64": pd.array([1, 2**64 - 1], "uint64"),
    "Int64": pd.array([1, None], "Int64"),
    "float16": np.array([1, 2], "float16"),
    "float32": np.array([1, np.nan], "float32"),
    "float64": np.array([1, np.nan]),
    "Float64": pd.array([1.5, None], "Float64"),
    "bool": [True, False],
    "boolean": pd.array([True, None], "boolean"),
    "str": ["a", None],
    "string": pd.array(["a", None], "string"),
    "object of strings": pd.Series(["a", None], dtype=object),
    "object of ints": pd.Series([1, None], dtype=object),
    "object of numbers": pd.Series([1, 2.5], dtype=object),
    "category": pd.Categorical(["a", "b"]),
    "category of ints": pd.Categorical([1, 2], ordered=True),
    "datetime64[ms]": np.array([DAY, DAY], "datetime64[ms]"),
    "datetime64[us]": np.array([DAY, DAY], "datetime64[us]"),
    "datetime64[ns]": np.array([DAY, DAY], "datetime64[ns]"),
    "datetime with zone": pd.date_range(DAY, periods=2, tz="Europe/Berlin"),
    "timedelta64[s]": np.array([1, 2], "timedelta64[s]"),
    "timedelta64[ns]": np.array([1, 2], "timedelta64[ns]"),
    "period": pd.period_range("2026", periods=2, freq="M"),
    "interval": pd.interval_range(0, 2),
    "date": [dt.date(2026, 6, 1), None],
    "time": [dt.time(1, 2), None],
    "decimal": [Decimal("1.50"), Decimal(2)],
    "bytes": [b"a", b"b"],
    "list": [[1], [2, 3]],
    "array": [np.array([1, 2]), np.array([3])],
    "dict": [{"a": 1}, {"b": 2}],
    "uuid": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "null": [None, None],
    "date64": arrow([dt.date(2026, 6, 1)] * 2, pa.date64()),
    "decimal256": arrow([Decimal(1), None], pa.decimal256(50, 2)),
    "list view": arrow([[1], [2]], pa.list_view(pa.int64())),
    "string view": arrow(["a", None], pa.string_view()),
    "fixed-size list": arrow([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)),
    "fixed-size binary": arrow([b"ab", b"cd"], pa.binary(2)),
    "map": arrow([[("a", 1)], []], pa.map_(pa.string(), pa.int8())),
}

POLARS: dict[str, pl.Series] = {
    **{str(t): pl.Series([1, None], dtype=t) for t in (pl.Int8, pl.Int64, pl.UInt64, pl.Float32, pl.Float64)},
    "Boolean": pl.Series([True, None]),
    "String": pl.Series(["a", None]),
    "Binary": pl.Series([b"a", None]),
    "Date": pl.Series([DAY.date(), None]),
    "Time": pl.Series([dt.time(1, 2, 3, 4), None]),
    **{f"Datetime {u}": pl.Series([DAY, None], dtype=pl.Datetime(u)) for u in ("ms", "us", "ns")},
    **{f"Duration {u}": pl.Series([dt.timedelta(1), None], dtype=pl.Duration(u)) for u in ("ms", "us", "ns")},
    "Datetime with zone": pl.Series([DAY, None]).dt.replace_time_zone("Europe/Berlin"),
    "Decimal": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
    "Categorical": pl.Series(["a", None], dtype=pl.Categorical),
    "Enum": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
    "List": pl.Series([[1, None], [], None]),
    "List of Categorical": pl.Series([["a"], None], dtype=pl.List(pl.Categorical)),
    "Array": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
    "Struct": pl.Series([{"a": [1], "b": "x"}, None]),
    "Null": pl.Series([None, None]),
}


def content(source: TableSource) -> tuple[list[tuple[str, str]], str]:
    names = source.schema.names
    types = [(name, logical_type(source.schema.field(name).type)) for name in names]
    batches = [batch for part in source.parts for batch in part.read(names, threads=False)]
    return types, repr([row for batch in batches for row in batch.to_pylist()])


def written(frame: Any) -> tuple[list[tuple[str, str]], str]:
    file = io.BytesIO()
    (frame.to_parquet if isinstance(frame, pd.DataFrame) else frame.write_parquet)(file)
    return content(open_parquet(file))


@pytest.mark.parametrize("kind", PANDAS)
def test_a_pandas_column_is_what_it_writes(kind: str) -> None:
    frame = pd.DataFrame({"x": PANDAS[kind]})
    source = from_frame(frame)
    assert source.warnings == ()
    assert content(source) == written(frame)


@pytest.mark.parametrize("kind", POLARS)
def test_a_polars_column_is_what_it_writes(kind: str) -> None:
    frame = pl.DataFrame({"x": POLARS[kind]})
    source = from_frame(frame)
    assert source.warnings == ()
    assert content(source) == written(frame)


@pytest.mark.parametrize(
    "index",
    [None, pd.RangeIndex(3, 5), [5, 6], pd.Index(["a", "b"], name="key"), pd.MultiIndex.from_tuples([(1, 2), (3, 4)])],
    ids=["default", "range", "numbers", "named", "levels"],
)
def test_the_index_is_kept_as_pandas_writes_it(index: Any) -> None:
    frame = pd.DataFrame({0: [1, 2], 1: [3, 4]}, index=index)
    assert content(from_frame(frame)) == written(frame)


@pytest.mark.parametrize(
    ("values", "loss"),
    [
        (np.array([DAY], "datetime64[s]"), "holds timestamp[ms] for timestamp[s]"),
        (
            pd.date_range(DAY, periods=1, tz="Asia/Tokyo").as_unit("s"),
            "holds timestamp[ms, tz=Asia/Tokyo] for timestamp[s, tz=Asia/Tokyo]",
        ),
        (arrow([dt.time(1)], pa.time32("s")), "holds time32[ms] for time32[s]"),
        (arrow([[DAY]], pa.list_(pa.timestamp("s"))), "holds timestamp[ms] for timestamp[s]"),
        (arrow([{}], pa.struct([])), "cannot hold a struct without fields"),
        (pd.arrays.ArrowExtensionArray(pa.RunEndEncodedArray.from_arrays([1], [5])), "cannot hold run-ends"),
    ],
    ids=["seconds", "seconds with zone", "time", "nested", "empty struct", "run-ends"],
)
def test_what_parquet_cannot_hold_is_named_with_its_column(values: Any, loss: str) -> None:
    frame = pd.DataFrame({"fine": [1], "x": values})
    assert from_frame(frame).warnings == (f"column 'x': Parquet {loss}, so a Parquet copy has another digest",)
    if loss.startswith("holds"):
        assert written(frame)[0] != content(from_frame(frame))[0]
    else:
        with pytest.raises((pa.ArrowException, NotImplementedError)):
            written(frame)


def test_an_empty_polars_struct_is_named_too() -> None:
    (warning,) = from_frame(pl.DataFrame({"x": pl.Series([{}], dtype=pl.Struct([]))})).warnings
    assert warning.startswith("column 'x': Parquet cannot hold a struct without fields")


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, "a"], dtype=object),
        pd.Series([2**70], dtype=object),
        pd.Series([1 + 2j]),
        pd.Series([object()]),
        pd.arrays.SparseArray([1.0]),
        pd.Series(["\ud800"], dtype=object),
    ],
    ids=["mixed", "big integer", "complex", "object", "sparse", "half a surrogate pair"],
)
def test_a_pandas_column_without_an_arrow_type_is_named(values: Any) -> None:
    with pytest.raises(UnsupportedTypeError, match="column 'x' has no Arrow type"):
        from_frame(pd.DataFrame({"fine": [1] * len(values), "x": values}))


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([1], dtype=pl.Int128),
        pl.Series([[1]], dtype=pl.List(pl.UInt128)),
        pl.Series([object()], dtype=pl.Object),
    ],
    ids=["Int128", "List of UInt128", "Object"],
)
def test_a_polars_column_without_an_arrow_type_is_named(values: pl.Series) -> None:
    with pytest.raises(UnsupportedTypeError, match="column 'x'"):
        from_frame(pl.DataFrame({"fine": [1], "x": values}))


def test_an_index_without_an_arrow_type_is_told_apart_from_the_columns() -> None:
    with pytest.raises(UnsupportedTypeError, match="the index has no Arrow type"):
        from_frame(pd.DataFrame({"x": [1, 2]}, index=pd.Index([1, "a"], dtype=object)))


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(BadDataError, match="duplicate column names: got 'a'"):
        from_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_frame_without_columns_keeps_its_rows_in_polars() -> None:
    assert from_frame(pl.DataFrame(height=3)).rows == 3
    assert from_frame(pd.DataFrame()).rows == 0


def test_rows_without_columns_that_pandas_would_not_write_are_named() -> None:
    frame = pd.DataFrame(index=pd.RangeIndex(5))
    source = from_frame(frame)
    assert source.rows == 5
    assert source.warnings == ("no columns: Parquet holds none of 5 rows, so a Parquet copy has another digest",)
    assert pd.read_parquet(io.BytesIO(frame.to_parquet())).empty
    assert from_frame(pd.DataFrame()).warnings == ()
    assert from_frame(pd.DataFrame(index=["a"])).warnings == ()


@pytest.mark.parametrize(
    "values",
    [
        arrow([[], []], pa.list_(pa.int64(), 0)),
        arrow([{"y": []}], pa.struct({"y": pa.list_(pa.int64(), 0)})),
    ],
    ids=["flat", "nested"],
)
def test_lists_of_size_0_whose_parquet_no_one_can_read_are_named(values: Any) -> None:
    frame = pd.DataFrame({"fine": [1] * len(values), "x": values})
    assert from_frame(frame).warnings == (
        "column 'x': Parquet of lists of size 0 cannot be read back, so a Parquet copy has no digest",
    )
    with pytest.raises(BadDataError, match="size=0"):
        written(frame)


def test_polars_writes_rows_without_columns_and_lists_of_size_0() -> None:
    for frame in (pl.DataFrame(height=3), pl.DataFrame({"x": pl.Series([[], []], dtype=pl.Array(pl.Int64, 0))})):
        assert from_frame(frame).warnings == ()
        assert content(from_frame(frame)) == written(frame)


def test_a_frame_of_a_library_built_on_pandas_is_one() -> None:
    class GeoFrame(pd.DataFrame):
        pass

    assert from_frame(GeoFrame({"x": [1]})).schema.names == ["x"]


@pytest.mark.parametrize("value", [pl.LazyFrame({"x": [1]}), pd.Series([1]), object()], ids=lambda v: type(v).__name__)
def test_what_is_no_frame_is_refused_with_advice(value: object) -> None:
    with pytest.raises(UsageError, match=r"expected a DataFrame.*collect\(\)"):
        from_frame(value)


def test_converting_warns_of_nothing_itself() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_frame(pd.DataFrame({0: [1], "x": ["a"]}))


def test_neither_library_is_imported_here() -> None:
    script = "import sys, lineagekit.identity.tables.frames; print({'pandas', 'polars'} & set(sys.modules))"
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
