# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV: every cell is the text that stands there; nothing is inferred.

    >>> source = open_csv("orders.csv")  # doctest: +SKIP
    >>> source.schema.names, source.parameters  # doctest: +SKIP
    (['id', 'label'], {'csv': (',"',)})

The rules:

* UTF-8; a byte order mark is dropped. Rows end with LF, CRLF or CR, and which is no difference.
* The first row that is not blank names the columns. Every row has as many cells as it.
* A cell in quotes may hold delimiters, line ends and doubled quotes. An unquoted empty cell is null, `""` is the empty
  string. Spaces are text. `00701` is not `701`.
* What follows a closing quote belongs to the cell, as most readers have it: `"x"y` is `xy`.
* A blank line is no row, except in a table of one column, where it is how a null is written.

Arrow parses, a piece of whole rows at a time. Its own streaming reader is not used: it loses the LF of a CRLF that
straddles two of its blocks (apache/arrow#51368), and hangs when a Python stream is left half read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from lineagekit.errors import BadDataError, UsageError
from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, data_suffix, name_of, open_stream
from lineagekit.identity.tables.border import translate_arrow
from lineagekit.identity.tables.layout import require_unique_names
from lineagekit.identity.tables.pieces import QUOTE, PieceParser, UnfinishedError
from lineagekit.identity.tables.source import Part, TableSource
from lineagekit.identity.tables.window import Window

T = TypeVar("T")

_BLOCK = 4 << 20
_HEADER_BLOCK = 64 << 10


def open_csv(source: Source, *, delimiter: str | None = None, block: int = _BLOCK) -> TableSource:
    """Open CSV or, by its suffix, TSV, compressed or not; `block` is how much is read at once and changes no result."""
    if delimiter is None:
        delimiter = "\t" if data_suffix(name_of(source)) in (".tsv", ".tab") else ","
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise UsageError(f"not a delimiter: got {delimiter!r}, expected one ASCII character other than a quote")
    names = _read_header(source, delimiter, min(block, _HEADER_BLOCK))
    require_unique_names(names, show(name_of(source)))
    schema = pa.schema([(column, pa.string()) for column in names])
    part = Part(0, _ReadCsv(source, delimiter, block, tuple(names)))
    return TableSource(schema, (part,), parameters={"csv": (delimiter + QUOTE,)})


@dataclass(frozen=True, slots=True)
class _ReadCsv:
    """Read the cells of some columns as text."""

    source: Source
    delimiter: str
    block: int
    names: tuple[str, ...]

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        # Without any column the rows are still counted, so one has to be parsed.
        parser = PieceParser(
            show(name_of(self.source)), self.delimiter, names=self.names, columns=list(columns) or self.names[:1]
        )
        for table in _parse_pieces(self.source, self.block, parser.parse_rows):
            for batch in table.to_batches():
                yield batch.select(columns)


def _read_header(source: Source, delimiter: str, block: int) -> list[str]:
    parser = PieceParser(show(name_of(source)), delimiter)
    for names in _parse_pieces(source, block, parser.parse_header):
        return names
    raise BadDataError(f"{show(name_of(source))} is empty: expected a first row that names the columns")


def _parse_pieces(source: Source, block: int, parse: Callable[[bytes], T]) -> Iterator[T]:
    """Parse whole rows, a piece at a time, with more text where every guess turns out to end inside quotes."""
    name = name_of(source)
    with translate_arrow(name, "CSV"), open_stream(source) as raw:
        window = Window(raw, show(name), block=block)
        while not window.ended:
            window.read_more()
            for piece in filter(None, window.guess_rows()):
                _require_utf8(piece, show(name), window.start)
                try:
                    parsed = parse(piece)
                except UnfinishedError:
                    continue
                window.drop(len(piece))
                yield parsed
                break
        if window.text:
            raise BadDataError(f"{show(name)} ends inside a quoted cell", advice="Is it complete?")


def _require_utf8(text: bytes, name: str, start: int) -> None:
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError as error:
        raise BadDataError(
            f"{name} is not UTF-8: {error.reason} at byte {start + error.start}", advice="Convert it with iconv first."
        ) from error
