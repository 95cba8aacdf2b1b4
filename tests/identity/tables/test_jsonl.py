# SPDX-License-Identifier: Apache-2.0
"""JSON lines as sources: our typing rule, checked against the rule written a second time."""

from __future__ import annotations

import gzip
import io
import json
import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, ChangedWhileReadError, NotFoundError
from lineagekit.identity.tables.jsonl import open_jsonl
from lineagekit.identity.tables.source import TableSource


def open_lines(*lines: str) -> TableSource:
    return open_jsonl(io.BytesIO("\n".join(lines).encode("utf-8", "surrogatepass")))


def read(source: TableSource, columns: list[str] | None = None) -> list[dict[str, object]]:
    batches = source.parts[0].read(source.schema.names if columns is None else columns, threads=False)
    return [row for batch in batches for row in batch.to_pylist()]


def column(*values: str) -> tuple[str, list[object], bool]:
    """The type of a column of these JSON values, its cells, and whether it is a json column."""
    source = open_lines(*(f'{{"x": {value}}}' for value in values))
    return str(source.schema.field("x").type), [row["x"] for row in read(source)], source.parameters == {"json": ("x",)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["null", "null"], ("null", [None, None], False)),
        (["true", "null", "false"], ("bool", [True, None, False], False)),
        (["1", "-9223372036854775808", "9223372036854775807"], ("int64", [1, -(2**63), 2**63 - 1], False)),
        (["1", "2.5", "null"], ("double", [1.0, 2.5, None], False)),
        (["9007199254740992", "0.5"], ("double", [2.0**53, 0.5], False)),
        (["1e2", "-0.0"], ("double", [100.0, -0.0], False)),
        (['"a"', '"é"', '""'], ("string", ["a", "é", ""], False)),
        (['"00701"', '"2026-06-01"'], ("string", ["00701", "2026-06-01"], False)),
        (["9007199254740993", "0.5"], ("string", ["9007199254740993", "0.5"], True)),
        (["9223372036854775808", "1"], ("string", ["9223372036854775808", "1"], True)),
        (["true", "1"], ("string", ["true", "1"], True)),
        (['"[1]"', "[1]", "null"], ("string", ['"[1]"', "[1]", None], True)),
        (['{"b": [1, 2.0], "a": "é"}'], ("string", ['{"a":"\\u00e9","b":[1,2.0]}'], True)),
        (['"\\ud800"', '"x"'], ("string", ['"\\ud800"', '"x"'], True)),
    ],
    ids=str,
)
def test_a_column_has_the_type_of_its_values(values: list[str], expected: tuple[str, list[object], bool]) -> None:
    assert column(*values) == expected


def test_nan_and_the_infinities_are_numbers() -> None:
    kind, cells, _ = column("NaN", "Infinity", "-Infinity", "1e999")
    assert kind == "double"
    assert [str(cell) for cell in cells] == ["nan", "inf", "-inf", "inf"]


def test_a_string_that_looks_like_json_is_told_apart_by_the_name_of_the_digest() -> None:
    text, value = open_lines('{"x": "[1]"}'), open_lines('{"x": [1]}')
    assert read(text) == read(value) == [{"x": "[1]"}]
    assert (text.parameters, value.parameters) == ({}, {"json": ("x",)})


def test_a_missing_key_is_null_and_columns_stand_as_they_first_appear() -> None:
    source = open_lines('{"b": 1}', '{"a": "x", "b": 2}', "{}")
    assert source.schema.names == ["b", "a"]
    assert source.rows == 3
    assert read(source, ["a", "b"]) == [{"a": None, "b": 1}, {"a": "x", "b": 2}, {"a": None, "b": None}]


def test_the_names_of_json_columns_are_sorted() -> None:
    assert open_lines('{"b": [], "c": 1, "a": {}}').parameters == {"json": ("a", "b")}


def test_rows_without_columns_are_counted() -> None:
    for lines in (["{}", "{}"], ['{"a": 1}', '{"a": 2}']):
        part = open_lines(*lines).parts[0]
        assert [(batch.num_columns, batch.num_rows) for batch in part.read([], threads=False)] == [(0, 2)]


def test_an_empty_file_is_a_table_without_rows_and_columns() -> None:
    source = open_lines("", "  ")
    assert (source.rows, source.schema.names, read(source)) == (0, [], [])


def test_blank_lines_line_ends_and_compression_are_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"a": 1}\r\n') + gzip.compress(b'\r\n{"a": 2}'))
    assert read(open_jsonl(path)) == [{"a": 1}, {"a": 2}]


def test_long_rows_come_in_small_batches() -> None:
    part = open_lines(*[json.dumps({"x": "y" * (1 << 20)})] * 40).parts[0]
    assert [batch.num_rows for batch in part.read(["x"], threads=False)] == [16, 16, 8]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a": 1, "a": 1}', "line 3 is not JSON: key 'a' occurs twice"),
        ('{"a": 1', "line 3 is not JSON"),
        ("[1]", "line 3: got list, expected a JSON object"),
        ("null", "line 3: got NoneType, expected a JSON object"),
        ('{"\\ud800": 1}', "no Unicode text"),
    ],
)
def test_a_line_that_is_no_row_is_named(line: str, why: str) -> None:
    with pytest.raises(BadDataError, match=why):
        open_lines('{"a": 1}', "", line)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.jsonl"):
        open_jsonl(tmp_path / "gone.jsonl")


@pytest.mark.parametrize("new", ['{"x": "text"}', '{"x": [1]}', '{"x": 99999999999999999999}'])
def test_a_file_that_changes_between_the_reads_is_found_out(tmp_path: Path, new: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": 1}')
    source = open_jsonl(path)
    path.write_text(new)
    with pytest.raises(ChangedWhileReadError, match="column 'x' was int64 at first"):
        read(source)


scalars = (
    st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, 2**63, 2**63 - 1, -(2**63)])
    | st.floats()
    | st.text()
)
kinds = [st.booleans(), st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5) | st.floats(), st.text(), scalars]
columns = st.sampled_from(kinds).flatmap(lambda kind: st.lists(st.none() | kind, max_size=6)) | st.lists(
    st.recursive(st.none() | scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4),
    max_size=6,
)


def expected_column(values: list[object]) -> tuple[str, list[object], bool]:
    """The rule of the module's docstring, said once more."""
    some = [value for value in values if value is not None]
    types = {type(value) for value in some}
    if not some:
        return "null", values, False
    if types == {bool}:
        return "bool", values, False
    if types == {int} and all(-(2**63) <= value < 2**63 for value in some):  # type: ignore[operator]
        return "int64", values, False
    if types <= {int, float} and float in types and all(abs(v) <= 2**53 for v in some if type(v) is int):
        return "double", [None if value is None else float(value) for value in values], False  # type: ignore[arg-type]
    if types == {str}:
        return "string", values, False
    text = [None if v is None else json.dumps(v, sort_keys=True, separators=(",", ":")) for v in values]
    return "string", text, True


@given(columns)
@example([math.nan, None, 1])
@example([2**53 + 1, 0.5])
def test_the_typing_rule_is_the_one_written_down(values: list[object]) -> None:
    assert repr(column(*map(json.dumps, values))) == repr(expected_column(values)) if values else True


def test_batches_have_the_types_of_the_schema() -> None:
    source = open_lines('{"a": 1, "b": null, "c": [1]}', '{"a": 2.5}')
    (batch,) = source.parts[0].read(["a", "b", "c"], threads=False)
    assert batch.schema.types == source.schema.types == [pa.float64(), pa.null(), pa.string()]
