# SPDX-License-Identifier: Apache-2.0
"""A folder, a partitioned data set or a glob: its manifest, every file proven as a single file is.

The path through this module: names are walked in batches; what the cache knows goes straight into the manifest; the
rest is hashed by a crew, a few batches ahead and no more, so a million files need room for their manifest only. At the
end every folder must be what it was when it was listed. One file that cannot be read is an error: a tree with an
unknown part has no digest.

    >>> manifest = hash_tree("data", exclude=["**/_SUCCESS"])  # doctest: +SKIP
    >>> str(manifest.digest)  # doctest: +SKIP
    'lkd1:5f1d...'
"""

from __future__ import annotations

import os
import time
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from lineagekit.errors import ChangedWhileReadError, NotFoundError
from lineagekit.identity.access import Path, refusal, show, stat_folder
from lineagekit.identity.batch import FIELDS, NUMBERS
from lineagekit.identity.crew import WORTH_HELPERS, Crew
from lineagekit.identity.files import read_file
from lineagekit.identity.hashing import PLAIN, Hashing
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.selection import Selection
from lineagekit.identity.walk import BATCH, Folders, walk_files

Patterns = Iterable[str]


def hash_tree(
    root: Path, how: Hashing = PLAIN, *, include: Patterns = (), exclude: Patterns = (), within: str = ""
) -> Manifest:
    """Manifest of all files below a folder, or of those that the patterns choose (see `selection.py`).

    A selection has the digest of a folder that holds just these files. Raises what `hash_file` raises, naming the
    file; also BadDataError for a link into its own folder, and for FIFOs, sockets and devices.
    """
    top, select = os.path.join(os.fsencode(root), b""), Selection(include, exclude, within=within)
    for _ in range(2):  # a tree that moved under the first pass gets one more
        folders = Folders()
        columns = _hash_once(top, select, how, folders)
        changed = folders.find_changed()
        if columns and not changed:
            return Manifest.from_columns(how.algorithm, columns.paths, columns.sizes, columns.digests)
    raise ChangedWhileReadError(
        f"{show(changed or top)} changed while it was read, twice",
        advice="Fingerprint it when its writer has finished.",
    )


def _hash_once(top: bytes, select: Selection, how: Hashing, folders: Folders) -> _Columns | None:
    """The files as they were found, or None if one was gone before it was read."""
    columns = _Columns()
    names = walk_files(top, select, folders)
    try:
        _fill(columns, top, names, how)
    except NotFoundError:
        if not folders.find_changed():
            raise
        return None
    return columns


def _fill(columns: _Columns, top: bytes, names: Iterator[list[bytes]], how: Hashing) -> None:
    for hashed in _hash_batches(top, _leave_known(top, names, how, columns), how):
        evidence = NUMBERS.iter_unpack(hashed.stats)
        how.cache.store_many(evidence, hashed.digests, how.algorithm, began=hashed.began)
        columns.extend(hashed.paths, _sizes(hashed.stats), [hashed.digests])


@dataclass(slots=True)
class _Columns:
    """The manifest as it grows."""

    paths: list[bytes] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    digests: bytearray = field(default_factory=bytearray)

    def extend(self, paths: list[bytes], sizes: Iterable[int], digests: list[bytes]) -> None:
        """Add files to all three columns."""
        self.paths += paths
        self.sizes.extend(sizes)
        self.digests += b"".join(digests)


class _Hashed(NamedTuple):
    """A batch with its evidence and digests, as in `batch.Batch`, and the paths that must be read one by one."""

    paths: list[bytes]
    stats: bytes
    digests: bytes
    began: int
    doubtful: list[bytes]


def _leave_known(top: bytes, batches: Iterable[list[bytes]], how: Hashing, columns: _Columns) -> Iterator[list[bytes]]:
    """Put the files that the cache knows into the columns and pass on the others."""
    unknown: list[bytes] = []
    for paths in batches:
        evidence = map(FIELDS, map(os.stat, map(top.__add__, paths)))
        try:
            found = list(zip(paths, how.cache.lookup_many(evidence, how.algorithm), strict=False))
        except OSError as error:
            raise refusal(error, error.filename) from error
        known = [(path, hit) for path, hit in found if hit]
        columns.extend([path for path, _ in known], [size for _, (size, _) in known], [raw for _, (_, raw) in known])
        unknown += [path for path, hit in found if not hit]
        if len(unknown) >= BATCH:
            yield unknown
            unknown = []
    if unknown:
        yield unknown


def _hash_batches(top: bytes, batches: Iterator[list[bytes]], how: Hashing) -> Iterator[_Hashed]:
    """Hash in threads, and never more than two batches a thread ahead of who asks."""
    pending: deque[Future[_Hashed]] = deque()

    def finish() -> _Hashed:
        hashed = pending.popleft().result()
        pending.extend(pool.submit(_hash_one, top, path, how) for path in hashed.doubtful)
        return hashed

    crew = Crew(how.algorithm, stat_folder(top).st_dev, threads=how.threads)
    with closing(crew), ThreadPoolExecutor(how.threads) as pool:
        try:
            first = list(islice(batches, WORTH_HELPERS))
            if len(first) == WORTH_HELPERS:
                crew.grow()
            for paths in chain(first, batches):
                pending.append(pool.submit(_hash_small, crew, top, paths, how))
                while len(pending) > 2 * how.threads:
                    yield finish()
            while pending:
                yield finish()
        finally:
            for future in pending:
                future.cancel()


def _hash_small(crew: Crew, top: bytes, paths: list[bytes], how: Hashing) -> _Hashed:
    began = time.time_ns()
    stats, digests, doubtful = crew.read(top, paths)
    how.progress(sum(_sizes(stats)))
    left = [paths[i] for i in doubtful]
    skipped = set(left)
    done = [path for path in paths if path not in skipped]
    return _Hashed(done, stats, digests, began, left)


def _hash_one(top: bytes, path: bytes, how: Hashing) -> _Hashed:
    began = time.time_ns()
    evidence, raw = read_file(top + path, how)
    return _Hashed([path], NUMBERS.pack(*evidence), raw, began, [])


def _sizes(stats: bytes) -> memoryview:
    return memoryview(stats).cast("q")[::5]
