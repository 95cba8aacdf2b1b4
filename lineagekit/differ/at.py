# SPDX-License-Identifier: Apache-2.0
"""Bytes that are at hand: a file, a folder, a glob, an object or all below a prefix; how they are hashed and opened.

>>> find_at("data/orders.parquet").kind  # doctest: +SKIP
'file'
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from lineagekit.errors import NotFoundError
from lineagekit.identity import remote
from lineagekit.identity.access import show, stat_file
from lineagekit.identity.digest import Digest
from lineagekit.identity.files import hash_file
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.selection import split_glob
from lineagekit.identity.streams import Source
from lineagekit.identity.trees import hash_tree

Kind = Literal["file", "folder", "object", "prefix"]
_WORDS = {"file": "a file", "folder": "a folder", "object": "an object", "prefix": "a prefix"}


@dataclass(frozen=True, slots=True)
class At:
    """Where bytes are; `within` is the pattern of a glob below `path`."""

    title: str
    path: str
    kind: Kind
    within: str = ""

    @property
    def is_one(self) -> bool:
        """Whether it is one file or object."""
        return self.kind in ("file", "object")

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk."""
        return self.kind in ("file", "folder")

    @property
    def words(self) -> str:
        """What it is."""
        return _WORDS[self.kind]

    def below(self, path: str) -> At:
        """A file of a folder, or an object below a prefix."""
        if self.is_local:
            return At(path, os.path.join(self.path, path), "file")
        return At(path, f"{self.path.rstrip('/')}/{path}", "object")


def find_at(text: str) -> At | None:
    """What is there under this path or URI; None if nothing is. A store that does not answer is a StoreError."""
    if "://" in text:
        return _find_object(text)
    if os.path.lexists(text):
        return At(text, text, "folder" if os.path.isdir(text) else "file")
    root, pattern = split_glob(text)
    return At(text, root, "folder", pattern) if pattern and os.path.isdir(root) else None


def _find_object(uri: str) -> At | None:
    if remote.scheme_of(uri) == "file":
        found = find_at(os.fsdecode(remote.local_path(uri)))
        return found and At(uri, found.path, found.kind, found.within)
    try:
        return At(uri, uri, "prefix" if remote.is_prefix(uri) else "object")
    except NotFoundError:
        root, pattern = split_glob(uri)
        return At(uri, root, "prefix", pattern) if pattern else None


def digest_of(at: At, how: Hashing) -> Digest:
    """Of a file or object."""
    return hash_file(at.path, how).digest if at.kind == "file" else remote.hash_object(at.path, how).digest


def manifest_of(at: At, how: Hashing) -> Manifest:
    """Of a folder or prefix; NotFoundError where a glob fits nothing."""
    take = hash_tree if at.kind == "folder" else remote.hash_prefix
    manifest = take(at.path, how, within=at.within)
    if at.within and not len(manifest):
        raise NotFoundError(f"no file matches {show(at.title)}", advice="Quote the pattern and check it with ls.")
    return manifest


def size_of(at: At) -> int | None:
    """Of a file; of an object it is known only when it is hashed."""
    return stat_file(at.path).size if at.kind == "file" else None


def is_same_file(a: At, b: At) -> bool:
    """Whether both are one file under two names."""
    return a.kind == b.kind == "file" and stat_file(a.path) == stat_file(b.path)


def source_of(at: At, how: Hashing, stack: ExitStack) -> Source:
    """What a table is read from; a stream of an object is closed with the stack."""
    if at.kind == "file":
        return at.path
    return stack.enter_context(remote.open_object(at.path, remote.hash_object(at.path, how)))


def head_of(at: At, how: Hashing, size: int) -> bytes:
    """The first bytes."""
    if at.kind == "file":
        with open(at.path, "rb") as file:
            return file.read(size)
    with remote.open_object(at.path, remote.hash_object(at.path, how)) as stream:
        return stream.read(size)
