# SPDX-License-Identifier: Apache-2.0
r"""Pieces of a CSV file, each a number of whole rows, parsed by Arrow into cells of text.

>>> parser = PieceParser("orders.csv", ",", names=("a", "b"), columns=("b",))
>>> parser.parse_rows(b"a,b\n1,\n").to_pydict(), parser.parse_rows(b'2,""\n').to_pydict()
({'b': [None]}, {'b': ['']})
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pyarrow as pa
from pyarrow import csv

from lineagekit.errors import BadDataError

QUOTE = '"'

# Every piece is parsed with a row of these at its end. It comes back as a row of its own only where the piece ends
# outside quotes, which no counting of quotes can promise (`5" pipe`) and Arrow does not check. No file can hold it: it
# is another one in every process, of letters that are no delimiter.
_SENTINEL = "".join(chr(0x100 + byte) for byte in os.urandom(16))


class UnfinishedError(Exception):
    """The piece ends inside quotes: it is not whole rows."""


class PieceParser:
    """Parses the pieces of one file in their order; the first begins with the header."""

    def __init__(self, name: str, delimiter: str, *, names: Sequence[str] = (), columns: Sequence[str] = ()) -> None:
        """Take the name of the file, all of its columns, and those whose cells are wanted."""
        self._name, self._delimiter = name, delimiter
        self._names, self._columns = list(names), list(columns)
        self._rows = 0  # done so far, the header among them

    def parse_header(self, piece: bytes) -> list[str]:
        """The names in the first row of the first piece."""
        try:
            return list(self._parse(piece, _SENTINEL, on_invalid_row=lambda _: "skip").column_names)
        except pa.ArrowInvalid as error:
            raise UnfinishedError from error

    def parse_rows(self, piece: bytes) -> pa.Table:
        """The wanted cells of a piece; BadDataError names a row that has too few or too many."""
        end = self._delimiter.join([_SENTINEL] * len(self._names))
        invalid: list[csv.InvalidRow] = []

        def judge(row: csv.InvalidRow) -> str:
            invalid.append(row)
            return "skip" if row.text.endswith(end) else "error"

        try:
            table = self._parse(piece, end, on_invalid_row=judge)
        except pa.ArrowInvalid as error:
            if invalid:
                raise self._explain(invalid[-1]) from error
            if not self._rows:  # ends inside the header, and Arrow calls it empty
                raise UnfinishedError from error
            raise
        if invalid:
            raise UnfinishedError
        return self._take_rows(table)

    def _parse(self, piece: bytes, end: str, *, on_invalid_row: Callable[[csv.InvalidRow], str]) -> pa.Table:
        line_end = b"" if piece.endswith((b"\n", b"\r")) else b"\n"
        text = piece + line_end + end.encode() + b"\n"
        return csv.read_csv(
            pa.BufferReader(text),
            # One block, so that none of Arrow's own cuts can fall anywhere.
            csv.ReadOptions(block_size=len(text), use_threads=False, column_names=self._names if self._rows else None),
            csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char=QUOTE,
                newlines_in_values=True,
                ignore_empty_lines=len(self._names) != 1,
                invalid_row_handler=on_invalid_row,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                include_columns=self._columns,
                column_types=dict.fromkeys(self._columns, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _take_rows(self, table: pa.Table) -> pa.Table:
        rows = table.num_rows - 1
        if rows < 0 or table.column(0)[rows].as_py() != _SENTINEL:
            raise UnfinishedError
        self._rows += rows if self._rows else rows + 1
        return table.slice(0, rows)

    def _explain(self, row: csv.InvalidRow) -> BadDataError:
        return BadDataError(
            f"{self._name}, row {self._rows + row.number}: got {row.actual_columns} cells, "
            f"expected {row.expected_columns}",
            advice="Look for a missing quote or delimiter.",
        )
