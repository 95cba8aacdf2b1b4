# SPDX-License-Identifier: Apache-2.0
"""One file: its digest, and the proof that these bytes were in it all at one time.

`blake3:` is what `b3sum` prints. Evidence is taken before and after, and one that moved means that whatever was
hashed never existed: the file is read once more, then refused. Large files on a local disk are mapped and hashed by
several threads. Reading a mapped page that another process has just cut off kills the reader (SIGBUS), so the size
is asked again before every block; what is left of that danger is a few milliseconds long, and the same in `b3sum`.

    >>> str(hash_file("data.csv").digest)  # doctest: +SKIP
    'blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import ChangedWhileReadError
from lineagekit.identity.access import Path, refusal, show, stat_file
from lineagekit.identity.batch import FLAGS, SMALL
from lineagekit.identity.clock import wait_until_settled
from lineagekit.identity.digest import Digest
from lineagekit.identity.hashing import PLAIN, Hashing
from lineagekit.identity.mounts import is_local

MAPPED_BLOCK = 32 << 20
"""Bytes: larger files are mapped, and hashed in such blocks: a power of two gives blake3's threads whole subtrees."""

_all_threads = threading.Lock()
"""Held by the one large file that is hashed by all threads: two at once would not be faster."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A digest and the evidence under which it is true."""

    digest: Digest
    evidence: Evidence


def hash_file(path: Path, how: Hashing = PLAIN) -> HashedFile:
    """Digest of one regular file, links followed, from the cache if its evidence still holds.

    Raises NotFoundError, UnreadableError, BadDataError (not a file) or ChangedWhileReadError.
    """
    evidence = stat_file(path)
    raw = how.cache.lookup(evidence, how.algorithm)
    if raw is None:
        began = time.time_ns()
        evidence, raw = read_file(path, how)
        how.cache.store_many([evidence], raw, how.algorithm, began=began)
    return HashedFile(Digest(how.algorithm, raw.hex()), evidence)


def read_file(path: Path, how: Hashing) -> tuple[Evidence, bytes]:
    """Evidence and raw digest, never from the cache; a second try if the file moved under the first."""
    proven = _read_once(path, how) or _read_once(path, how)
    if not proven:
        raise ChangedWhileReadError(
            f"{show(path)} changed while it was read, twice", advice="Fingerprint it when its writer has finished."
        )
    return proven


def _read_once(path: Path, how: Hashing) -> tuple[Evidence, bytes] | None:
    before = stat_file(path)
    wait_until_settled(before.ctime_ns)
    large = before.size > MAPPED_BLOCK and is_local(before.device)
    hasher = how.new_hasher(threads=how.threads if large else 1)
    blocks, turn = (_map_blocks, _all_threads) if large else (_read_blocks, nullcontext())
    count = 0
    try:
        with turn, _open(path) as descriptor:
            for block in blocks(descriptor, before.size):
                hasher.update(block)
                count += len(block)
                how.progress(len(block))
            opened = Evidence.of(os.fstat(descriptor))
    except OSError as error:
        raise refusal(error, path) from error
    unchanged = count == before.size and before == opened == stat_file(path)
    return (before, hasher.digest()) if unchanged else None


@contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = os.open(path, FLAGS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_blocks(descriptor: int, size: int) -> Iterator[memoryview]:
    """Read to the end, or one block past `size`: a file that grows as fast as it is read has no end."""
    buffer = memoryview(bytearray(min(size + 1, SMALL)))
    while size >= 0 and (count := os.readv(descriptor, [buffer])):
        yield buffer[:count]
        size -= count


def _map_blocks(descriptor: int, size: int) -> Iterator[memoryview]:
    """Map and yield `size` bytes, or fewer if the file shrinks meanwhile."""
    try:
        pages = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    except ValueError:  # it has shrunk already
        return
    with pages, memoryview(pages) as view:
        for start in range(0, size, MAPPED_BLOCK):
            if os.fstat(descriptor).st_size < size:
                return
            with view[start : start + MAPPED_BLOCK] as block:
                yield block
