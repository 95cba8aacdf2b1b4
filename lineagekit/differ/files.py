# SPDX-License-Identifier: Apache-2.0
"""Two manifests: files added, removed, changed, and those that only have another name.

>>> one = Manifest.from_entries([Entry("a", 1, Digest("blake3", "aa" * 32))])
>>> two = Manifest.from_entries([Entry("b", 1, Digest("blake3", "aa" * 32))])
>>> compare_manifests(one, two).renamed
(FileChange(path='b', before=1, after=1, was='a'),)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lineagekit.differ.changes import FileChange, FileChanges
from lineagekit.errors import IncomparableError
from lineagekit.identity.digest import Digest as Digest  # for the example
from lineagekit.identity.manifest import Entry, Manifest

_RAW = 32
Pair = tuple[Entry | None, Entry | None]


def compare_manifests(before: Manifest, after: Manifest) -> FileChanges:
    """Compare path by path; IncomparableError where their files are named by different algorithms."""
    if before.algorithm != after.algorithm:
        raise IncomparableError(f"cannot compare {before.algorithm} digests of files with {after.algorithm} ones")
    gone, new, changed = [], [], []
    for one, other in _unequal(before, after):
        if one and other:
            changed.append(FileChange(other.path, one.size, other.size))
        elif one:
            gone.append(one)
        elif other:
            new.append(other)
    renamed = tuple(_renamed(gone, new))
    names = {one.path for one in renamed} | {one.was for one in renamed}
    return FileChanges(
        len(before),
        len(after),
        added=tuple(FileChange(one.path, None, one.size) for one in new if one.path not in names),
        removed=tuple(FileChange(one.path, one.size) for one in gone if one.path not in names),
        changed=tuple(changed),
        renamed=renamed,
    )


def _unequal(before: Manifest, after: Manifest) -> Iterator[Pair]:
    """Walk both in the order of paths; of what is equal not even an entry is made."""
    a = b = 0
    while a < len(before) or b < len(after):
        left = before.paths[a] if a < len(before) else None
        right = after.paths[b] if b < len(after) else None
        if left is not None and left == right:
            if before.digests[a * _RAW : (a + 1) * _RAW] != after.digests[b * _RAW : (b + 1) * _RAW]:
                yield before.entry(left), after.entry(left)
            a, b = a + 1, b + 1
        elif right is None or (left is not None and left < right):
            yield before.entry(left or b""), None
            a += 1
        else:
            yield None, after.entry(right)
            b += 1


def _renamed(gone: Iterable[Entry], new: Iterable[Entry]) -> Iterator[FileChange]:
    """What is gone here and new there with the same bytes; an empty file has no bytes to be known by."""
    known: dict[str, list[Entry]] = {}
    for entry in gone:
        if entry.size:
            known.setdefault(entry.digest.hex, []).append(entry)
    for entry in new:
        if was := known.get(entry.digest.hex):
            yield FileChange(entry.path, entry.size, entry.size, was.pop(0).path)
