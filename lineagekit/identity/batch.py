# SPDX-License-Identifier: Apache-2.0
"""Many small files: one read each, and the clock as the witness.

A file whose ctime, taken after the read, is older than the moment before it was not written meanwhile: one `fstat`
proves what two would. Whatever does not fit (large, just written, gone, on another device) is *doubtful*: left to
`files.read_file`. The loop is flat and the module light because it also runs in helper processes, where the lock of
the Python interpreter cannot make two cores wait for each other (`crew.py`).

    >>> stats, digests, doubtful = read_batch(b"data", [b"a.csv", b"b.csv"], "blake3", device)  # doctest: +SKIP
"""

from __future__ import annotations

import marshal
import os
import sys
import time
from operator import attrgetter
from struct import Struct

from lineagekit.identity.clock import FINE, MARGIN

TYPE_CHECKING = False  # as in `typing`, whose import would cost every helper 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

Batch = tuple[bytes, bytes, list[int]]
"""Each file's evidence, packed as `NUMBERS`, and its raw digest, all in a row; and the indices of the doubtful."""

NUMBERS = Struct("=qqqQq")
"""The five numbers of an `Evidence`."""

SMALL = 1 << 20
"""Bytes that one read may bring; larger files are left to `files.read_file`."""

FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""How a file is opened: a FIFO that took its place meanwhile must not block for ever."""

FIELDS = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev")
"""The five numbers of a stat result, in the order of `Evidence`, without the cost of naming them."""


def read_batch(root: bytes, paths: list[bytes], algorithm: str, device: int) -> Batch:
    """Hash the files that are small, settled and on `device`; the others are doubtful and are left out."""
    stats: list[bytes] = []
    digests: list[bytes] = []
    doubtful, buffer = [], memoryview(bytearray(SMALL))
    buffers = [buffer]
    digest_of, settled_by = one_shot(algorithm), time.time_ns() - MARGIN
    for index, path in enumerate(paths):
        try:
            descriptor = os.open(root + path, FLAGS)
            try:
                count = os.readv(descriptor, buffers)
                evidence = FIELDS(os.fstat(descriptor))
            finally:
                os.close(descriptor)
        except OSError:
            evidence, count = (0, 0, 0, 0, 0), -1
        size, _, ctime, _, where = evidence
        if count == size and ctime < settled_by and ctime % FINE and where == device:
            stats.append(NUMBERS.pack(*evidence))
            digests.append(digest_of(buffer[:count]).digest())
        else:
            doubtful.append(index)
    return b"".join(stats), b"".join(digests), doubtful


def one_shot(algorithm: str) -> Callable[..., Any]:
    """The constructor of a hash: `one_shot("blake3")(data).digest()`; imported here, because helpers need one only."""
    if algorithm == "blake3":
        from blake3 import blake3

        return blake3
    from hashlib import sha256

    return sha256


def serve() -> None:
    """Answer requests from standard input until it closes: the whole life of a helper process."""
    while request := receive(sys.stdin.buffer):
        send(sys.stdout.buffer, read_batch(*request))


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message, with its length before it: `marshal.load` on a pipe would read it piece by piece."""
    payload = marshal.dumps(message)
    pipe.write(len(payload).to_bytes(8, "little") + payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read what `send` wrote; None when the other side has gone."""
    length = int.from_bytes(pipe.read(8), "little")
    return marshal.loads(pipe.read(length)) if length else None
