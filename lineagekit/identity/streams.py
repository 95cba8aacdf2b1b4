# SPDX-License-Identifier: Apache-2.0
r"""A file as a stream of bytes: opened by path or handed in, decompressed by its suffix, its errors made ours.

>>> with open_stream("orders.jsonl.gz") as stream:  # doctest: +SKIP
...     stream.readline()
b'{"id": 1}\n'
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, cast

from lineagekit.errors import BadDataError, UsageError
from lineagekit.identity.access import refusal, show

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Source = str | os.PathLike[str] | BinaryIO

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".br": "brotli"}

_BUFFER = 1 << 20

# Of a web address all that follows the first question mark; of an object only the version, for keys may hold them.
_QUERY = re.compile(r"^(https?://[^?]*|s3[an]?://.*?(?=\?versionid=))\?.*", re.DOTALL)


def name_of(source: Source) -> str:
    """The path, or what an open file says its name is: for its suffix and for messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


class NamedStream(io.BufferedReader):
    """An object of a store, under the name that says what is in it: clients name what they open by no rule."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Take a stream that can seek."""
        super().__init__(cast(io.RawIOBase, stream), _BUFFER)
        self._name = name

    @property
    def name(self) -> str:
        """The URI."""
        return self._name


def split_suffixes(name: str) -> tuple[str, str]:
    """The suffix of the data and that of its compression, in lower case; the query of a URI is no part of its name.

    >>> split_suffixes("ORDERS.CSV.GZ"), split_suffixes("s3://bucket/t.parquet?versionId=1.0")
    (('.csv', '.gz'), ('.parquet', ''))
    """
    path = PurePath(_QUERY.sub(r"\1", name.lower()))
    return (path.with_suffix("").suffix, path.suffix) if path.suffix in CODECS else (path.suffix, "")


def data_suffix(name: str) -> str:
    """The suffix of what is inside the compression, in lower case: `.csv` of `ORDERS.CSV.GZ`."""
    return split_suffixes(name)[0]


@contextmanager
def open_stream(source: Source) -> Iterator[BinaryIO]:
    """Read from the first byte, decompressed; what is opened here is closed here, a file handed in stays open."""
    name = name_of(source)
    with translate_errors(name), _open(source) as raw:
        codec = CODECS.get(split_suffixes(name)[1])
        yield _decompressed(raw, codec) if codec else raw


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Say what an OSError means for the file `name`; Arrow's have no errno where the content is at fault."""
    try:
        yield
    except OSError as error:
        if error.errno is None and not os.path.isdir(name):
            raise BadDataError(f"{show(name)} is damaged: {error}") from error
        raise refusal(error, name) from error


@contextmanager
def _open(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, str | os.PathLike):
        with open(source, "rb", buffering=_BUFFER) as file:
            yield file
        return
    if not source.seekable():
        raise UsageError(
            f"cannot rewind {show(name_of(source))}: expected a file", advice="Save the stream to a file first."
        )
    source.seek(0)
    with io.BufferedReader(_Borrowed(source), _BUFFER) as file:
        yield file


class _Borrowed(io.RawIOBase):
    """Somebody else's open file: read here, and never closed by the readers put on top of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        chunk = self._file.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)


def _decompressed(raw: BinaryIO, codec: str) -> BinaryIO:
    import pyarrow as pa

    # One reader for all codecs, and unlike some of the standard library's it reads on after the first member.
    return io.BufferedReader(cast(io.RawIOBase, pa.input_stream(raw, compression=codec)), _BUFFER)
