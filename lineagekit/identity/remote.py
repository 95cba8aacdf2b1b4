# SPDX-License-Identifier: Apache-2.0
"""Objects in a store, one or all below a prefix: the same digests as for the same bytes on a disk.

An object is streamed once, pinned by what its store calls its version (ETag, generation): another one after reading
than before means that it was overwritten meanwhile. Version, size and endpoint are the key under which a digest is
cached. They are never identity: an ETag says how an object was uploaded as much as what is in it.

    >>> str(hash_object("s3://corpus/labels.csv").digest)  # doctest: +SKIP
    'blake3:9d5c...'
    >>> hash_prefix("s3://corpus/2024/", include=["**/*.parquet"]).digest  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from lineagekit.errors import BadDataError, ChangedWhileReadError, NotFoundError, UsageError
from lineagekit.identity.digest import Digest
from lineagekit.identity.hashing import PLAIN, Hashing
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.identity.selection import Selection
from lineagekit.identity.stores import (
    BLOCK,
    Info,
    cache_key,
    open_store,
    read_blocks,
    translate_errors,
    version_of,
)
from lineagekit.identity.stores import scheme_of as scheme_of  # part of this module's face
from lineagekit.identity.streams import NamedStream

REQUESTS = 16
"""Objects read at a time: waiting for a store costs no processor."""


@dataclass(frozen=True, slots=True)
class HashedObject:
    """A digest, and the store's own name for the bytes that have it."""

    digest: Digest
    size: int
    version: str


def local_path(uri: str) -> bytes:
    """The path that a `file://` URI names; a file of another host is a UsageError.

    >>> local_path("file:///data/my%20set.csv")
    b'/data/my set.csv'
    """
    host, slash, path = uri[len("file://") :].partition("/")
    if host not in ("", "localhost"):
        raise UsageError(f"a file of another host: got {uri!r}", advice="Write file:///path for a file of this one.")
    return unquote_to_bytes(slash + path)


def is_prefix(uri: str) -> bool:
    """Whether there are objects below this name, and none of this name; NotFoundError if there is neither."""
    with translate_errors(uri):
        store, path = open_store(uri)
        return bool(store.info(path)["type"] == "directory")


def hash_object(uri: str, how: Hashing = PLAIN) -> HashedObject:
    """Digest of one object; `?versionId=` at the end of an S3 URI names an old version.

    Raises NotFoundError, UnreadableError, StoreError, BadDataError (a prefix) or ChangedWhileReadError.
    """
    with translate_errors(uri):
        store, path = open_store(uri)
        info = store.info(path)
        if info["type"] == "directory":
            raise BadDataError(f"{uri} is a prefix, expected an object")
        return _hash_pinned(store, path, info, how)


def hash_prefix(
    uri: str, how: Hashing = PLAIN, *, include: Iterable[str] = (), exclude: Iterable[str] = (), within: str = ""
) -> Manifest:
    """Manifest of all objects below a prefix, or of those chosen; equal to that of a folder with the same files.

    The empty objects with a slash at the end, by which consoles mark folders, do not count.
    """
    with translate_errors(uri):
        store, root = open_store(uri)
        found = store.find(root, detail=True)
        if not found:
            raise NotFoundError(f"nothing below {uri}", advice="Check bucket and prefix.")
        if root in found:
            raise BadDataError(f"{uri} is an object, expected a prefix")
        cut, select = len(root.rstrip("/")) + 1, Selection(include, exclude, within=within)
        names = [name for name in found if not name.endswith("/") and select.judge(name[cut:])[0]]
        with ThreadPoolExecutor(REQUESTS) as pool:
            objects = list(pool.map(lambda name: _hash_pinned(store, name, found[name], how), names))
    entries = (Entry(name[cut:], one.size, one.digest) for name, one in zip(names, objects, strict=True))
    return Manifest.from_entries(entries, algorithm=how.algorithm)


@contextmanager
def open_object(uri: str, hashed: HashedObject) -> Iterator[BinaryIO]:
    """The bytes that were hashed, as a stream that can seek; ChangedWhileReadError if they are there no longer."""
    with translate_errors(uri):
        store, path = open_store(uri)
        with store.open(path, "rb", block_size=BLOCK) as stream, NamedStream(stream, uri) as named:
            yield named
        if version_of(store.info(path)) != hashed.version:
            raise ChangedWhileReadError(f"{uri} was overwritten while it was read")


def _hash_pinned(store: Any, path: str, info: Info, how: Hashing) -> HashedObject:
    """Hash the version that `info` describes; a second try if it was overwritten under the first."""
    hashed = _hash_version(store, path, info, how) or _hash_version(store, path, store.info(path), how)
    if not hashed:
        raise ChangedWhileReadError(f"{path} was overwritten while it was read, twice")
    return hashed


def _hash_version(store: Any, path: str, info: Info, how: Hashing) -> HashedObject | None:
    """None if the version after reading is not the one before."""
    version, key = version_of(info), cache_key(store, path, info, how.algorithm)
    known = how.cache.recall(key) if key else None
    if known:
        return HashedObject(Digest(how.algorithm, known.hex()), info["size"], version)
    hasher, size = how.new_hasher(), 0
    try:
        for block in read_blocks(store, path):
            hasher.update(block)
            size += len(block)
            how.progress(len(block))
    except OSError:
        if version_of(store.info(path)) == version:
            raise
        return None
    if info["size"] not in (None, size) or version_of(store.info(path)) != version:
        return None
    if key:
        how.cache.keep(key, hasher.digest())
    return HashedObject(Digest(how.algorithm, hasher.digest().hex()), size, version)
