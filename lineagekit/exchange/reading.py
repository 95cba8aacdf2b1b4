# SPDX-License-Identifier: Apache-2.0
r"""JSON values out of a stream, one after the other, in whatever form they come; what is none is told, and passed over.

    >>> [(one.line, one.value, one.reason) for one in read_values(io.BytesIO(b'{"a":1}\nx\n[{"b":2},\n\n{"c":3}]'))]
    [(1, {'a': 1}, ''), (2, None, "not a JSON object: 'x'"), (3, {'b': 2}, ''), (5, {'c': 3}, '')]

JSON lines, arrays, objects over many lines or end to end, all of these gzipped: told by what is there, not by a name.
A line that is an object is read at once; for whatever is not, there is the scanner.
"""

from __future__ import annotations

import gzip
import io
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from lineagekit.errors import UnreadableError
from lineagekit.exchange.scanning import Found, Scanner, found_in

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LINE = 1 << 20  # bytes of a line that is read at once
_GZIP = b"\x1f\x8b"
_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)


def read_values(stream: BinaryIO) -> Iterator[Found]:
    """All values. Raises UnreadableError, behind those that could be read."""
    source = _Source(stream)
    unpacked = _Source(_gunzip(source)) if source.head.startswith(_GZIP) else source
    line = 1
    for found in _values(io.BufferedReader(unpacked, _LINE)):
        line = found.line
        yield found
    if source.error is not None:
        why = getattr(source.error, "strerror", None) or source.error
        raise UnreadableError(f"reading failed behind line {line}: {why}") from source.error
    if unpacked.error is not None:
        yield Found(line, reason=f"the gzip data is damaged or cut off behind this line: {unpacked.error}")


def _values(source: io.BufferedReader) -> Iterator[Found]:
    at = 1
    line = source.readline(_LINE)
    if line.startswith(_UTF16):
        yield Found(at, reason="this is UTF-16, expected UTF-8: see iconv -f UTF-16 -t UTF-8")
        return
    line = line.removeprefix(BOM_UTF8)
    while line:
        whole = line.strip()
        found = found_in(whole, at) if whole.startswith(b"{") and len(line) < _LINE else None
        if found is not None and not found.reason:
            yield found
            at += 1
        elif whole:
            scanner = Scanner(source, line, at)
            yield from scanner.values()
            at = scanner.line
        else:
            at += line.endswith(b"\n")
        line = source.readline(_LINE)


class _Source(io.RawIOBase):
    """Any stream; where it fails it ends, so that what came before is not lost, and `error` says why."""

    def __init__(self, stream: BinaryIO) -> None:
        """Look at the beginning."""
        self._read = getattr(stream, "read1", stream.read)
        self.error: Exception | None = None
        self._rest = b""
        while len(self._rest) < len(_GZIP) and (more := self._next(_LINE)):
            self._rest += more
        self.head = self._rest[: len(_GZIP)]

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Give what is at hand, and at the end nothing."""
        view = memoryview(buffer).cast("B")
        data = self._rest or self._next(len(view))
        count = min(len(data), len(view))
        view[:count] = data[:count]
        self._rest = data[count:]
        return count

    def _next(self, size: int) -> bytes:
        if self.error is None:
            try:
                data: bytes = self._read(size)
                return data
            except (OSError, EOFError, zlib.error) as error:
                self.error = error
        return b""


def _gunzip(source: _Source) -> BinaryIO:
    unpacked: BinaryIO = gzip.GzipFile(fileobj=io.BufferedReader(source, _LINE))  # type: ignore[assignment]
    return unpacked
