# SPDX-License-Identifier: Apache-2.0
"""The digest of an answer: its encoding written down once more, and what must and must not change it."""

from __future__ import annotations

import datetime
import decimal
import doctest
import struct
import subprocess
import sys
import uuid
from hashlib import sha256
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineagekit_python import answers
from lineagekit_python.answers import Answer
from lineagekit_python.frame_cells import add_columns, column_types, read_columns

NAMES = ["id", "score", "name", "paid", "raw", "day"]
ROWS = [
    (1, 1.5, "é", True, b"x", datetime.date(2024, 1, 2)),
    (2, float("nan"), None, False, None, datetime.date(1969, 1, 2)),
    (-3, -0.0, "", True, b"", None),
]


def digest_rows(rows: list[tuple[Any, ...]], names: list[str] = NAMES, chunk: int = 1000) -> str:
    answer = Answer(names)
    for start in range(0, len(rows), chunk):
        answer.add_rows(rows[start : start + chunk])
    return answer.digest() or answer.reason


def digest_frames(*frames: Any) -> str:
    answer = Answer(name for name, _ in read_columns(frames[0]))
    for frame in frames:
        add_columns(answer, read_columns(frame), len(frame))
    return answer.digest() or answer.reason


def digest_cells(*cells: Any) -> str:
    return digest_rows([(cell,) for cell in cells], ["a"])


def number(value: int) -> bytes:
    return struct.pack("<Q", value)


def short(data: bytes) -> bytes:
    return bytes([len(data)]) + data if len(data) < 64 else b"\xff" + sha256(data).digest()


def encode_cell(cell: Any) -> tuple[str, bytes]:
    if cell is None:
        return "null", b""
    if isinstance(cell, bool):
        return "bool", bytes([cell])
    if isinstance(cell, int):
        return "int64", struct.pack("<q", cell)
    if isinstance(cell, float):
        return "float64", struct.pack("<d", cell if cell == cell else float("nan"))
    return ("utf8", cell.encode()) if isinstance(cell, str) else ("binary", cell)


def encode_column(name: str, cells: list[Any]) -> bytes:
    encoded = [encode_cell(cell) for cell in cells]
    kinds = list(dict.fromkeys(kind for kind, _ in encoded))
    parts = number(len(name.encode())) + name.encode() + number(len(kinds))
    for kind in kinds:
        values = [value for one, value in encoded if one == kind]
        lengths = b"".join(struct.pack("<I", len(value)) for value in values) if kind in ("utf8", "binary") else b""
        parts += number(len(kind)) + kind.encode() + short(b"".join(values)) + short(lengths)
    before = [None, *(kind for kind, _ in encoded)]
    changed = [(row, kind) for row, (kind, _) in enumerate(encoded) if kind != before[row]]
    return parts + short(b"".join(struct.pack("<QB", row, kinds.index(kind)) for row, kind in changed))


def expected(rows: list[tuple[Any, ...]], names: list[str]) -> str:
    """As the docstring of `answers` says it, cell by cell."""
    columns = [encode_column(name, [row[at] for row in rows]) for at, name in enumerate(names)]
    whole = b"lineagekit answer 1\n" + number(len(rows)) + number(len(names)) + b"".join(map(short, columns))
    return "sha256:" + sha256(whole).hexdigest()


cell = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=90) | st.binary()
column = st.one_of(
    st.lists(kind, max_size=300)
    for kind in (st.integers(0, 9) | st.none(), st.floats() | st.none(), st.text(max_size=9) | st.none(), cell)
)


@given(column, st.integers(1, 400))
def test_the_digest_is_what_its_encoding_says_in_chunks_of_any_size(cells: list[Any], chunk: int) -> None:
    rows = [(one,) for one in cells]
    assert digest_rows(rows, ["ä"], chunk) == expected(rows, ["ä"])


def test_the_digest_is_frozen() -> None:
    assert digest_rows(ROWS) == "sha256:3556b2fbb1974043dbd776ef95693bc15dc833bf42344437fd5703f4a860df4c"
    assert digest_rows([], []) == "sha256:ec2f0ea31147962979e22275ab135ed5d68519ad795dae733129d8f990d97bf6"
    assert expected([row[:5] for row in ROWS], NAMES[:5]) == digest_rows([row[:5] for row in ROWS], NAMES[:5])


@pytest.mark.parametrize(
    "frame",
    [
        pa.table({n: pa.array([row[i] for row in ROWS]) for i, n in enumerate(NAMES)}).to_pandas(
            types_mapper=pd.ArrowDtype
        ),
        pl.DataFrame(ROWS, schema=NAMES, orient="row"),
    ],
    ids=["pandas", "polars"],
)
def test_a_frame_has_the_digest_of_its_rows_however_it_is_cut(frame: Any) -> None:
    assert digest_frames(frame) == digest_rows(ROWS)
    assert digest_frames(frame[:1], frame[1:]) == digest_frames(frame[:2], frame[2:3], frame[3:]) == digest_rows(ROWS)
    assert digest_frames(frame[1:]) == digest_rows(ROWS[1:])


def test_a_polars_frame_of_chunks_is_one_frame() -> None:
    frame = pl.DataFrame(ROWS, schema=NAMES, orient="row")
    assert digest_frames(pl.concat([frame[:1], frame[1:]], rechunk=False)) == digest_rows(ROWS)


def test_the_types_of_pandas_are_told_apart_by_values_and_not_by_containers() -> None:
    numbers = digest_cells(1, None, 3)
    assert digest_frames(pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64")})) == numbers
    assert digest_frames(pd.DataFrame({"a": pd.array([1, None, 3], dtype="int64[pyarrow]")})) == numbers
    assert digest_frames(pd.DataFrame({"a": pd.array([1, None, 3], dtype=object)})) == numbers
    assert digest_frames(pd.DataFrame({"a": [1.0, float("nan"), 3.0]})) == digest_cells(1.0, float("nan"), 3.0)
    texts = digest_cells("x", None, "x")
    for dtype in ("object", "string", "category", "string[pyarrow]"):
        assert digest_frames(pd.DataFrame({"a": pd.Series(["x", None, "x"], dtype=dtype)})) == texts, dtype
    strided = pd.DataFrame(np.arange(12).reshape(4, 3), columns=list("abc"))
    assert digest_frames(strided) == digest_rows([tuple(map(int, row)) for row in strided.to_numpy()], list("abc"))


def test_points_in_time_are_numbers_of_a_unit_and_a_zone() -> None:
    moment, zone = datetime.datetime(2024, 1, 1), datetime.UTC
    plain, aware = pd.Series([moment, None]).dt.as_unit("us"), pl.DataFrame({"a": [moment.replace(tzinfo=zone), None]})
    digests = [
        digest_frames(pd.DataFrame({"a": plain})),
        digest_frames(pl.DataFrame({"a": [moment, None]})),
        digest_frames(pd.DataFrame({"a": plain.dt.tz_localize("UTC")})),
        digest_frames(aware),
        digest_frames(pd.DataFrame({"a": plain.dt.as_unit("ns")})),
        digest_frames(pd.DataFrame({"a": plain - plain[0]})),
    ]
    assert digests[0] == digests[1]
    assert digests[2] == digests[3]
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b"], ["b", "a"]),
        (["ab", ""], ["a", "b"]),
        (["a", None], ["a", ""]),
        ([1], [1.0]),
        ([1], [True]),
        ([1], ["1"]),
        (["a"], [b"a"]),
        ([None, 1], [1, None]),
        ([0.0], [-0.0]),
        ([decimal.Decimal("1.0")], [decimal.Decimal("1.00")]),
        ([datetime.date(2024, 1, 1)], [datetime.datetime(2024, 1, 1)]),
        ([[1, 2]], [[1], [2]]),
        ([2**70], [2**71]),
        ([uuid.UUID(int=1)], [str(uuid.UUID(int=1))]),
        ([{"a": 1}], [{"a": None}]),
        ([[b"1"]], [["31"]]),
    ],
)
def test_other_values_have_another_digest(one: list[Any], other: list[Any]) -> None:
    assert digest_cells(*one).startswith("sha256:")
    assert digest_cells(*one) != digest_cells(*other)


def test_names_and_places_of_columns_count() -> None:
    digests = {digest_rows([(1, 2)], names) for names in (["a", "b"], ["b", "a"], ["ab", ""], ["a", "a"])}
    assert len(digests | {digest_rows([(2, 1)], ["a", "b"])}) == 5


def test_an_index_that_says_something_is_a_column() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    assert column_types(read_columns(frame)) == [["index:key", "str"], ["x", "int64"]]
    assert digest_frames(frame) != digest_frames(frame.reset_index(drop=True))
    assert digest_frames(frame.iloc[:1], frame.iloc[1:]) == digest_frames(frame)


def test_a_nan_has_one_spelling() -> None:
    odd = np.array([0xFFF8000000000001], dtype="u8").view("f8")
    assert digest_frames(pd.DataFrame({"a": odd})) == digest_cells(float("nan")) == digest_cells(-float("nan"))
    assert digest_cells(float(odd[0]), 1.0) == digest_cells(float("nan"), 1.0)


def test_what_cannot_be_spelled_has_a_reason_instead() -> None:
    assert digest_cells(object()) == "cells of type builtins.object"
    assert digest_cells([object()]) == "cells that hold a object"
    assert "more than" in digest_cells(*range(answers.MOST_IN_ROWS + 1))


def test_what_is_too_large_has_a_reason_instead() -> None:
    answer = Answer(["a"])
    answer.columns[0].bytes = answers.MOST_BYTES + 1
    assert answer.digest() == ""
    assert answer.reason == "more than 1,024 MiB"


def test_polars_without_pyarrow_has_the_same_digest() -> None:
    code = f"""
import sys, datetime
import polars as pl
from lineagekit_python.answers import Answer
from lineagekit_python.frame_cells import add_columns, read_columns
nan = float("nan")
frame = pl.DataFrame({ROWS!r}, schema={NAMES!r}, orient="row")
frame = pl.concat([frame[:1], frame[1:]], rechunk=False)
answer = Answer(name for name, _ in read_columns(frame))
add_columns(answer, read_columns(frame), len(frame))
assert "pyarrow" not in sys.modules
print(answer.digest())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest_rows(ROWS)


@pytest.mark.parametrize(
    "name", ["answers", "arrow_cells", "cells", "databases", "frame_cells", "queries", "statements", "urls"]
)
def test_the_examples_run(name: str) -> None:
    assert doctest.testmod(import_module(f"lineagekit_python.{name}")).failed == 0
