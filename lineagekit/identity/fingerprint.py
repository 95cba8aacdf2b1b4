# SPDX-License-Identifier: Apache-2.0
"""The front door of identity: anything in, a Snapshot out.

    >>> fingerprint("data/train.parquet").digest("lkt1")  # doctest: +SKIP
    Digest(algorithm='lkt1', ...)
    >>> fingerprint([{"id": 1}, {"id": 2}]).rows
    2

A path or URI is hashed as bytes, and as a table too where it is one; a folder or a glob as a manifest; a data frame
or Arrow object as a table; bytes as bytes; any other iterable as records.

Rooms that need Arrow or fsspec are imported when a target needs them: a plain file is done before Arrow is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import wraps
from typing import Concatenate, ParamSpec

from blake3 import blake3

from lineagekit.errors import BadDataError, ChangedWhileReadError, NotFoundError, UsageError
from lineagekit.identity.access import show, stat_file
from lineagekit.identity.digest import Digest
from lineagekit.identity.files import hash_file
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.options import Options
from lineagekit.identity.selection import split_glob
from lineagekit.identity.snapshot import Kind, Snapshot
from lineagekit.identity.streams import translate_errors
from lineagekit.identity.tables.sources import is_table

P = ParamSpec("P")
TakeNamed = Callable[Concatenate[str, P], Snapshot]

_READ_BYTES = 1 << 20
_TABLE_LIBRARIES = ("pyarrow", "pandas", "polars")


def fingerprint(target: object, options: Options | None = None) -> Snapshot:
    """Name a dataset by its content.

    A file, folder or object that changes while it is read, and again on a second try, is *unknown*: its Snapshot has a
    reason and no digest. Raises NotFoundError, UnreadableError, StoreError, BadDataError, UsageError or
    MissingExtraError.
    """
    options = options or Options()
    if isinstance(target, str | os.PathLike):
        return _of_name(os.fsdecode(target), options)
    if isinstance(target, bytes | bytearray | memoryview):
        return Snapshot("bytes", "stream", (Digest("blake3", blake3(target).hexdigest()),), bytes=len(target))
    if _is_table_object(target):
        from lineagekit.identity.content import table_snapshot, take_content

        return table_snapshot(type(target).__name__, take_content(target, options))
    _refuse_what_has_no_order(target)
    if isinstance(target, Iterable) and not isinstance(target, Mapping):
        return _of_records(target)
    raise UsageError(f"cannot fingerprint a {type(target).__name__}: expected a path, a table, bytes or records")


def _is_table_object(target: object) -> bool:
    """Known by its classes, a subclass of a data frame too, without importing a library that is not loaded."""
    return any(class_.__module__.partition(".")[0] in _TABLE_LIBRARIES for class_ in type(target).__mro__)


def _refuse_what_has_no_order(target: object) -> None:
    """An open file is read from wherever it stands, and a set in any order: neither names data."""
    if hasattr(target, "read"):
        raise UsageError(
            f"cannot fingerprint an open file: got a {type(target).__name__}, expected a path or bytes",
            advice="Give its path, or what its read() returns.",
        )
    if isinstance(target, Set):
        raise UsageError(
            f"cannot fingerprint a {type(target).__name__}: its records have no order, expected a list",
            advice="Give sorted(records).",
        )


def _or_unknown(kind: Kind) -> Callable[[TakeNamed[P]], TakeNamed[P]]:
    """Make a function whose first argument is a name answer an unknown Snapshot for what changes under it."""

    def wrap(take: TakeNamed[P]) -> TakeNamed[P]:
        @wraps(take)
        def answer(name: str, /, *rest: P.args, **named: P.kwargs) -> Snapshot:
            try:
                return take(name, *rest, **named)
            except ChangedWhileReadError as error:
                return Snapshot(name, kind, reason=error.message)

        return answer

    return wrap


def _of_name(name: str, options: Options) -> Snapshot:
    if name == "-":
        return _of_stdin(options)
    if "://" in name:
        return _of_uri(name, options)
    if os.path.isdir(name):
        return _of_tree(name, name, "", options)
    root, pattern = split_glob(name)
    if pattern and not os.path.lexists(name):
        return _of_tree(name, root, pattern, options)
    return _of_file(name, options)


def _of_uri(uri: str, options: Options) -> Snapshot:
    from lineagekit.identity import remote

    if remote.scheme_of(uri) == "file":
        return _of_name(os.fsdecode(remote.local_path(uri)), options)
    root, pattern = uri, ""
    try:
        is_prefix = remote.is_prefix(uri)
    except NotFoundError:
        root, pattern = split_glob(uri)
        if not pattern:
            raise
        is_prefix = True
    if not is_prefix:
        return _of_object(uri, options)
    return _of_prefix(uri, root, pattern, options)


@_or_unknown("directory")
def _of_prefix(uri: str, root: str, pattern: str, options: Options) -> Snapshot:
    from lineagekit.identity import remote

    manifest = remote.hash_prefix(
        root, options.hashing(), include=options.include, exclude=options.exclude, within=pattern
    )
    return _tree_snapshot(uri, manifest, options)


@_or_unknown("file")
def _of_object(uri: str, options: Options) -> Snapshot:
    from lineagekit.identity import remote

    hashed = remote.hash_object(uri, options.hashing())
    if options.what == "bytes" or not (options.wants_content or is_table(uri)):
        return Snapshot(uri, "file", (hashed.digest,), bytes=hashed.size)
    from lineagekit.identity.content import remember_content, table_snapshot

    with remote.open_object(uri, hashed) as stream:
        content = remember_content(stream, hashed.digest, options)
    return table_snapshot(uri, content, () if options.what == "content" else (hashed.digest,), size=hashed.size)


@_or_unknown("file")
def _of_file(path: str, options: Options) -> Snapshot:
    stat_file(path)  # what is no file at all is refused before anybody looks for a table in it
    if options.what == "bytes" or not (options.wants_content or is_table(path)):
        hashed = hash_file(path, options.hashing())
        return Snapshot(path, "file", (hashed.digest,), bytes=hashed.evidence.size)
    from lineagekit.identity.content import remember_content, table_snapshot

    for _ in range(2):  # a file that moved under the first pass gets one more
        hashed = hash_file(path, options.hashing())
        content = remember_content(path, hashed.digest, options)
        if stat_file(path) == hashed.evidence:
            shown = () if options.what == "content" else (hashed.digest,)
            return table_snapshot(path, content, shown, size=hashed.evidence.size)
    raise ChangedWhileReadError(
        f"{show(path)} changed while it was read, twice", advice="Fingerprint it when its writer has finished."
    )


@_or_unknown("directory")
def _of_tree(name: str, root: str, pattern: str, options: Options) -> Snapshot:
    from lineagekit.identity.trees import hash_tree

    manifest = hash_tree(root, options.hashing(), include=options.include, exclude=options.exclude, within=pattern)
    return _tree_snapshot(name, manifest, options)


def _tree_snapshot(name: str, manifest: Manifest, options: Options) -> Snapshot:
    if options.wants_content:
        raise BadDataError(f"{show(name)} is a folder, not a table", advice="Name its files to take their content.")
    if not len(manifest) and (options.include or split_glob(name)[1]):
        raise NotFoundError(f"no file matches in {show(name)}", advice="Quote the pattern and check it with ls.")
    return Snapshot.of_folder(name, manifest)


def _of_records(records: Iterable[object]) -> Snapshot:
    from lineagekit.identity.records import records_digest

    count = 0

    def counted() -> Iterator[object]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    digest = records_digest(counted())
    return Snapshot(type(records).__name__, "records", (digest,), rows=count)


def _of_stdin(options: Options) -> Snapshot:
    if options.wants_content:
        raise UsageError("the content of standard input is not taken", advice="Save it to a file with its suffix.")
    how, size = options.hashing(), 0
    hasher = how.new_hasher()
    with translate_errors("-"):  # it may be closed, or a folder
        while block := sys.stdin.buffer.read(_READ_BYTES):
            hasher.update(memoryview(block))
            options.progress(len(block))
            size += len(block)
    return Snapshot("-", "stream", (Digest(how.algorithm, hasher.digest().hex()),), bytes=size)
