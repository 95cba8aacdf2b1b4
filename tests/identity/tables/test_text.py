# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV as sources: cells are text, and neither blocks nor line ends nor compression can change one."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError, UsageError
from lineagekit.identity.tables.source import TableSource
from lineagekit.identity.tables.text import open_csv

Rows = list[dict[str, str | None]]


def read(source: TableSource, columns: list[str] | None = None) -> Rows:
    batches = source.parts[0].read(source.schema.names if columns is None else columns, threads=False)
    return [row for batch in batches for row in batch.to_pylist()]


def cells(data: bytes | str, *, block: int = 4 << 20, delimiter: str | None = None) -> list[list[str | None]]:
    raw = data.encode() if isinstance(data, str) else data
    source = open_csv(io.BytesIO(raw), block=block, delimiter=delimiter)
    return [source.schema.names, *(list(row.values()) for row in read(source))]


def outcome(data: bytes, block: int) -> object:
    try:
        return cells(data, block=block)
    except BadDataError as error:
        return str(error)


def test_nothing_is_inferred() -> None:
    table = "id,flag,day,x,n\n00701,true,2026-06-01,1e3,NULL\n701,True,2026-6-1,1000.0, NA\n"
    assert cells(table) == [line.split(",") for line in table.splitlines()]


def test_an_unquoted_empty_cell_is_null_and_a_quoted_one_is_empty() -> None:
    assert cells('a,b\n,""\n"",\n') == [["a", "b"], [None, ""], ["", None]]


def test_the_last_cell_of_a_file_follows_the_same_rule() -> None:
    assert cells('a,b\n"",') == cells('a,b\n"",\n') == [["a", "b"], ["", None]]


def test_quotes_hold_delimiters_line_ends_and_quotes() -> None:
    assert cells('a,b\n"x,\ny","say ""hi"""\n"p\r\nq",5" pipe\n') == [
        ["a", "b"],
        ["x,\ny", 'say "hi"'],
        ["p\r\nq", '5" pipe'],
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_between_rows_are_no_difference(end: str) -> None:
    assert cells(end.join(["a,b", "1,2", '"x\ny",4', ""])) == [["a", "b"], ["1", "2"], ["x\ny", "4"]]


def test_a_byte_order_mark_is_dropped() -> None:
    assert cells("\ufeffa,b\n1,2\n") == cells("a,b\n1,2\n")


def test_spaces_and_tabs_are_text() -> None:
    assert cells("a,b\n 1 ,\t\n") == [["a", "b"], [" 1 ", "\t"]]


def test_a_blank_line_is_no_row() -> None:
    assert cells("\n\r\na,b\n\n1,2\n\n\n3,4\n\n") == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_a_blank_line_in_a_table_of_one_column_is_a_null() -> None:
    assert cells('\na\n1\n\n""\n\n') == [["a"], ["1"], [None], [""], [None]]


@pytest.mark.parametrize("data", ["a,b", "a,b\n", '"a",b\r\n', "a,b\n\n\n"])
def test_a_header_alone_is_a_table_without_rows(data: str) -> None:
    source = open_csv(io.BytesIO(data.encode()))
    assert source.schema.names == ["a", "b"]
    assert read(source) == []


def test_rows_without_columns_are_counted() -> None:
    part = open_csv(io.BytesIO(b"a,b\n1,2\n,\n")).parts[0]
    assert [(batch.num_columns, batch.num_rows) for batch in part.read([], threads=False)] == [(0, 2)]


def test_columns_come_in_the_order_asked() -> None:
    source = open_csv(io.BytesIO(b"a,b,c\n1,2,3\n"))
    assert read(source, ["c", "a"]) == [{"c": "3", "a": "1"}]
    assert list(read(source, ["c", "a"])[0]) == ["c", "a"]


def test_the_dialect_is_named_by_delimiter_and_quote(tmp_path: Path) -> None:
    for name, delimiter in (("t.csv", ","), ("t.tsv", "\t"), ("T.TAB", "\t"), ("t.tsv.gz", "\t"), ("t.txt", ",")):
        path = tmp_path / name
        path.write_bytes(gzip.compress(b"a") if name.endswith(".gz") else b"a")
        assert open_csv(path).parameters == {"csv": (delimiter + '"',)}
    assert open_csv(tmp_path / "t.csv", delimiter="|").parameters == {"csv": ('|"',)}
    assert cells("a|b\n1,5|2\n", delimiter="|") == [["a", "b"], ["1,5", "2"]]


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0", "é"])
def test_a_delimiter_is_one_ascii_character(delimiter: str) -> None:
    with pytest.raises(UsageError, match="not a delimiter"):
        open_csv(io.BytesIO(b"a"), delimiter=delimiter)


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstandard.compress)]
)
def test_compression_is_no_difference(tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"table.csv{suffix}"
    path.write_bytes(compress(b"a,b\n1,") + compress(b"2\n"))  # two members, as parallel tools write
    assert read(open_csv(path)) == [{"a": "1", "b": "2"}]
    path.write_bytes(compress(b"a,b\n" + bytes(range(48, 58)) * 1000 + b",2\n")[:-9])
    with pytest.raises(BadDataError, match=rf"table\.csv\{suffix}' is damaged"):
        read(open_csv(path))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\n\r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a,b\n1,2\n\n3\n", "row 3: got 1 cells, expected 2"),
        (b"a,b\n1,2,3\n", "row 2: got 3 cells, expected 2"),
        (b"a,b\n1,caf\xe9\n", "not UTF-8.* at byte 9"),
        (b"caf\xe9,b\n1,2\n", "not UTF-8.* at byte 3"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
        (b"a,a\n1,2\n", "duplicate column names: got 'a'"),
        (b'a,b\n1,"x\n2,3\n', "ends inside a quoted cell"),
        (b'a\n"x""\n', "ends inside a quoted cell"),
        (b'"a\n1\n', "ends inside a quoted cell"),
        (b"a,b\n1,2\n" + bytes(64), "row 3: got 1 cells, expected 2"),
        (b"a,b\n1,2\n" + bytes(16) + b',"abc', "ends inside a quoted cell"),
    ],
)
@pytest.mark.parametrize("block", [4, 16, 4 << 20])
def test_bad_text_is_an_error_that_says_where(data: bytes, why: str, block: int) -> None:
    with pytest.raises(BadDataError, match=why):
        cells(data, block=block)


@pytest.mark.parametrize("columns", [["a"], ["b"], []])
def test_a_cell_that_is_not_wanted_can_end_inside_quotes_too(columns: list[str]) -> None:
    with pytest.raises(BadDataError, match="ends inside a quoted cell"):
        read(open_csv(io.BytesIO(b"a,b\n1,2\n" + bytes(16) + b',"abc')), columns)


def test_text_after_a_closing_quote_belongs_to_the_cell() -> None:
    assert cells('a,b\n"x"y,"p"" q"r\n') == [["a", "b"], ["xy", 'p" qr']]


def test_a_row_is_named_by_its_number_however_late_it_comes() -> None:
    with pytest.raises(BadDataError, match="row 50002: got 1 cells"):
        cells(b"a,b\n" + b"1,2\n" * 50_000 + b"3\n", block=1000)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.csv"):
        open_csv(tmp_path / "gone.csv")


def test_a_cell_longer_than_a_block_is_read_whole() -> None:
    long = "x\n" * 50_000
    assert cells(f'a,b\n1,"{long}"\n2,3\n', block=64) == [["a", "b"], ["1", long], ["2", "3"]]
    assert cells(f'a,"{long}"\n1,2\n', block=64) == [["a", long], ["1", "2"]]


def test_a_quote_without_its_twin_delays_nothing() -> None:
    rows = [["5", '5" pipe'], *([str(i), f'say "{i}"\n'] for i in range(20_000))]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    text.write('a,b\n5,5" pipe\n')
    writer.writerows(rows[1:])
    assert cells(text.getvalue(), block=1 << 14) == [["a", "b"], *rows]


def test_an_open_file_can_be_read_again_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    with path.open("rb") as file:
        source = open_csv(file)
        assert read(source) == read(source) == [{"a": "1"}]
        assert not file.closed


def test_reading_can_stop_early() -> None:
    batches = open_csv(io.BytesIO(b"a,b\n" + b"1,2\n" * 500_000), block=1 << 16).parts[0].read(["a"], threads=True)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


letters = st.text(st.sampled_from('ab,"\n\r\t é\ufeff\0'), max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"])
)


class Null(float):
    """What the csv module of Python 3.11 leaves unquoted, and writes as nothing."""

    def __repr__(self) -> str:
        return ""


@st.composite
def grids(draw: st.DrawFn) -> list[list[str | None]]:
    width = draw(st.integers(1, 4))
    row = st.lists(st.none() | letters, min_size=width, max_size=width)
    return [[f"c{i}" for i in range(width)], *draw(st.lists(row, max_size=8))]


@given(grids(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(",;\t|"), st.integers(4, 64))
@example([["a"], ["\r\n"]], "\r\n", ",", 4)
def test_what_the_csv_module_writes_comes_back(
    grid: list[list[str | None]], end: str, delimiter: str, block: int
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    for row in grid:
        if row == [None]:
            text.write(end)
        else:
            writer.writerow([Null() if cell is None else cell for cell in row])
    assert cells(text.getvalue(), block=block, delimiter=delimiter) == grid


shards = st.sampled_from(["\n", "\r\n", "\r", '"', '""', ",", "x", "y ", "é", '"x\ny"', '"p\r\nq"', ""])


@given(st.integers(1, 3), st.lists(shards, max_size=25), st.integers(4, 40))
def test_the_size_of_a_block_changes_nothing(width: int, body: list[str], block: int) -> None:
    data = (",".join("abc"[:width]) + "\n" + "".join(body)).encode()
    assert outcome(data, block) == outcome(data, 4 << 20)
