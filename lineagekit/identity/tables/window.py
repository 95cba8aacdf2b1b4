# SPDX-License-Identifier: Apache-2.0
r"""Window: the part of a text stream that is in memory, and how much of it may be whole rows.

>>> import io
>>> window = Window(io.BytesIO(b'a,b\n1,"x\ny"\n2,"z'), "orders.csv", block=9)
>>> window.read_more()
>>> list(window.guess_rows())
[b'a,b\n', b'a,b\n1,"x\n']
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from lineagekit.errors import BadDataError

LONGEST_ROW = 1 << 30  # near the end of Arrow's 32-bit offsets


class Window:
    """Text read but not yet parsed; `start` is where in the stream it begins."""

    def __init__(self, raw: BinaryIO, name: str, *, block: int) -> None:
        """Begin before the first byte of the stream."""
        self._raw, self._name, self._block = raw, name, block
        self._begun = False
        self.text = b""
        self.start = 0
        self.ended = False

    def read_more(self) -> None:
        """Read another block, or as much again as is there; BadDataError when one row fills a GiB."""
        if len(self.text) > LONGEST_ROW:
            raise BadDataError(f"{self._name} has a row of over 1 GiB", advice="Look for a quote without its twin.")
        data = self._raw.read(max(self._block, len(self.text)))
        self.ended = not data
        self.text += data
        if not self._begun:  # a byte order mark and blank lines come before the header
            text = self.text.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
            self.drop(len(self.text) - len(text))
            self._begun = bool(text)

    def guess_rows(self) -> Iterator[bytes]:
        """What may be whole rows, the likeliest first: up to the last line end outside quotes, if all have a twin."""
        if self.ended:
            yield self.text
        else:
            yield self.text[: _last_line_end(self.text, odd=False)]
            yield self.text[: _last_line_end(self.text, odd=True)]

    def drop(self, size: int) -> None:
        """Forget what has been parsed."""
        self.text = self.text[size:]
        self.start += size


def _last_line_end(text: bytes, *, odd: bool) -> int:
    """Find the last line end with an odd, or an even, number of quotes before it; 0 if there is none."""
    end = len(text) - text.endswith(b"\r")  # a CR may be half of a CRLF
    found = _is_odd(text, 0, end)
    while end >= 0:
        newline = text.rfind(b"\n", 0, end)
        cut = max(newline, text.rfind(b"\r", newline + 1, end)) + 1
        found ^= _is_odd(text, cut, end)
        if found == odd or not cut:
            return cut
        end = text.rfind(b'"', 0, cut)
        found = not found
    return 0


def _is_odd(text: bytes, start: int, end: int) -> bool:
    return text.count(b'"', start, end) % 2 == 1
