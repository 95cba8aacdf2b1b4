# SPDX-License-Identifier: Apache-2.0
"""Copies of files, shared with the original where the file system can (reflink), and the digests of what was copied.

    >>> with open("orders.csv", "rb") as source, open("copy", "x+b") as target:  # doctest: +SKIP
    ...     copy_hashed(source.fileno(), target.fileno(), ["blake3"])
    {'blake3': '9f3c...'}

What is hashed is the copy, never the original: whoever writes to that meanwhile makes a digest that nobody asked for,
and the copy is thrown away. Nothing is flushed: what a power cut tears is found out when it is hashed again.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.batch import FIELDS, SMALL, one_shot
from lineagekit.identity.hashing import ALGORITHMS, Hasher, Hashing

_OURS = ALGORITHMS[0]

BLOCK = 64 << 20
"""Bytes that are copied in one go, and hashed while the next are copied: whole subtrees for blake3's threads."""

_FICLONE = 0x40049409
_NO_SHORT_CUT = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EBADF, errno.EPERM)
_SURE = 1.0
"""Seconds of copying after which it can be told how long it will take."""

Hashers = dict[str, Hasher]


class Wanted(NamedTuple):
    """A file whose bytes are to be kept."""

    path: str
    digest: str
    size: int
    evidence: Evidence | None = None
    """Under which it was proven that it has this digest: as long as it holds, large files are not hashed again."""


def copy_wanted(source: int, target: int, file: Wanted, *, until: float) -> str:
    """Copy it; the BLAKE3 of the copy, or "" if that is not what was asked for. Raises OSError."""
    algorithm, _, hex_ = file.digest.partition(":")
    found = os.fstat(source)
    if not stat.S_ISREG(found.st_mode) or found.st_size != file.size:
        return ""
    is_proven = file.evidence is not None and algorithm == _OURS and file.size > SMALL
    digests = copy_hashed(source, target, () if is_proven else {_OURS, algorithm}, until=until)
    if is_proven:  # the same before and after: what lies between is what was hashed
        is_same = FIELDS(found) == FIELDS(os.fstat(source)) == file.evidence
        return hex_ if is_same and os.fstat(target).st_size == file.size else ""
    return digests[_OURS] if digests[algorithm] == hex_ else ""


def copy_hashed(
    source: int, target: int, algorithms: Iterable[str] = (), *, until: float = float("inf")
) -> dict[str, str]:
    """Copy what `source` has now into the empty file `target`; the hex of what lies there, by algorithm.

    Raises OSError; TimeoutError, which is one, once it is plain that it will not be done by then (`time.monotonic`).
    A file that grows meanwhile is copied as far as it went at first.
    """
    size = os.fstat(source).st_size
    if size <= SMALL:
        return _copy_small(source, target, size, algorithms)
    hashers = {name: Hashing(name).new_hasher(threads=2) for name in algorithms}
    if _clone(source, target):
        _work_off([(0, os.fstat(target).st_size)], target, hashers)
    else:
        _work_off(_copy_blocks(source, target, size, _watch(size, until)), target, hashers)
    return {name: hasher.digest().hex() for name, hasher in hashers.items()}


def _clone(source: int, target: int) -> bool:
    """Let both share their blocks until one is written to; False where the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _copy_small(source: int, target: int, size: int, algorithms: Iterable[str]) -> dict[str, str]:
    """In one piece: what is hashed is what is written."""
    data = os.read(source, size)
    while len(data) < size and (more := os.read(source, size - len(data))):
        data += more
    _write(target, memoryview(data))
    return {name: one_shot(name)(data).hexdigest() for name in algorithms}


def _copy_blocks(source: int, target: int, size: int, watch: Callable[[int], None]) -> Iterator[tuple[int, int]]:
    """Copy block by block; where each begins and ends."""
    at, in_kernel = 0, hasattr(os, "copy_file_range")
    while at < size:
        watch(at)
        length = min(BLOCK, size - at)
        try:
            count = os.copy_file_range(source, target, length) if in_kernel else _copy_block(source, target, length)
        except OSError as error:
            if not in_kernel or error.errno not in _NO_SHORT_CUT:
                raise
            in_kernel = False
            continue
        if not count:
            return  # it has shrunk
        yield at, at + count
        at += count


def _watch(size: int, until: float) -> Callable[[int], None]:
    """Told how far it is: nobody works to the last second at what will be thrown away."""
    began = time.monotonic()

    def watch(at: int) -> None:
        now = time.monotonic()
        if at and now - began > _SURE and now + (now - began) * (size - at) / at > until:
            raise TimeoutError

    return watch


def _copy_block(source: int, target: int, length: int) -> int:
    data = os.read(source, min(length, 8 * SMALL))
    _write(target, memoryview(data))
    return len(data)


def _write(target: int, left: memoryview) -> None:
    while left:
        left = left[os.write(target, left) :]


def _work_off(blocks: Iterable[tuple[int, int]], target: int, hashers: Hashers) -> None:
    """Hash each block of the copy, while the next is copied."""
    with ThreadPoolExecutor(1) as hashing:
        begun = [hashing.submit(_hash_block, target, start, end, hashers) for start, end in blocks]
        for one in begun:
            one.result()


def _hash_block(target: int, start: int, end: int, hashers: Hashers) -> None:
    if not hashers:
        return
    aside = start % mmap.ALLOCATIONGRANULARITY
    with mmap.mmap(target, end - start + aside, access=mmap.ACCESS_READ, offset=start - aside) as pages:
        view = memoryview(pages)
        with view, view[aside:] as block:
            for hasher in hashers.values():
                hasher.update(block)
