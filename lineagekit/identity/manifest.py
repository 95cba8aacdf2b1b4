# SPDX-License-Identifier: Apache-2.0
r"""Manifest: what is in a folder, and the digest that is a function of that and of nothing else.

An entry is (path below the folder, size, file digest). Paths are bytes, sorted as bytes, never normalised. Modes,
owners, times, empty folders, and whether a name was a link are not identity. The digest, `lkd1`, is BLAKE3 of

    b"lineagekit.dir.v1\0"   LE64 count   LE32 len(algorithm)   algorithm
    and for each entry       LE32 len(path)   path   LE64 size   LE32 len(digest)   digest

so a length stands before whatever could imitate a separator. Where the file digests are not blake3 the name says so:
`lkd1;files=sha256:...`. Columns, not objects, keep a million entries within 130 MB.

    >>> empty = Manifest.from_entries([])
    >>> list(empty.to_lines())
    ['{"algorithm":"blake3","entries":0,"manifest":"lineagekit.dir.v1"}\n']
"""

from __future__ import annotations

import json
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, islice
from operator import eq, lt
from typing import Any, NamedTuple

from blake3 import blake3

from lineagekit.errors import BadDataError, NotFoundError
from lineagekit.identity.digest import Digest

_FORMAT = "lineagekit.dir.v1"
_RAW = 32
_CHUNK = 4096
_length = struct.Struct("<I").pack
_size_and_digest = struct.Struct(f"<QI{_RAW}s").pack
_raw_digests = struct.Struct(f"{_RAW}s").iter_unpack


Raw = bytes | bytearray
"""Digests in a row: a bytearray too, since a copy of a million is 32 MB."""


class Entry(NamedTuple):
    """One file of a manifest. Bytes of a path that are not UTF-8 are surrogates, as in all of Python."""

    path: str
    size: int
    digest: Digest


@dataclass(frozen=True, repr=False)
class Manifest:
    """Entries sorted by path, as three columns; made by one of the `from_` methods."""

    algorithm: str
    paths: Sequence[bytes]
    sizes: array[int]
    digests: Raw

    @classmethod
    def from_columns(cls, algorithm: str, paths: Sequence[bytes], sizes: array[int], digests: Raw) -> Manifest:
        """Take over columns in any order, with the raw digests in a row; BadDataError if a path comes twice."""
        if all(map(lt, paths, islice(paths, 1, None))):
            return cls(algorithm, paths, sizes, digests)
        order = sorted(range(len(paths)), key=paths.__getitem__)
        ordered = [paths[i] for i in order]
        for twice in compress(ordered, map(eq, ordered, islice(ordered, 1, None))):
            raise BadDataError(f"a path comes twice in a manifest: {_text(twice)!r}")
        return cls(algorithm, ordered, array("Q", map(sizes.__getitem__, order)), _reorder(digests, order))

    @classmethod
    def from_entries(cls, entries: Iterable[Entry], *, algorithm: str = "blake3") -> Manifest:
        """Take entries in any order; all digests must be of this algorithm."""
        paths, sizes, digests = [], array("Q"), bytearray()
        for path, size, digest in entries:
            raw = bytes.fromhex(digest.hex)
            if digest.method != algorithm or len(raw) != _RAW or size < 0:
                raise BadDataError(
                    f"not an entry: got {path!r}, {size}, {digest}, expected {_RAW} bytes of {algorithm}"
                )
            paths.append(_bytes(path))
            sizes.append(size)
            digests += raw
        return cls.from_columns(algorithm, paths, sizes, digests)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Manifest:
        """Read what `to_lines` wrote; BadDataError names the line that is not one, or says that lines are missing."""
        numbered = enumerate(lines, 1)
        head = _parse(*next(numbered, (1, "")), {"algorithm", "entries", "manifest"})
        if head["manifest"] != _FORMAT:
            raise BadDataError(f"not a manifest: got format {head['manifest']!r}, expected {_FORMAT!r}")
        rows = (_parse(number, line, {"digest", "path", "size"}) for number, line in numbered)
        entries = (Entry(row["path"], row["size"], Digest.parse(row["digest"])) for row in rows)
        manifest = cls.from_entries(entries, algorithm=head["algorithm"])
        if len(manifest) != head["entries"]:
            raise BadDataError(f"a manifest is cut short: got {len(manifest)} entries, expected {head['entries']}")
        return manifest

    def to_lines(self) -> Iterator[str]:
        """Canonical JSON lines, newline included: equal manifests give equal lines."""
        yield _line({"algorithm": self.algorithm, "entries": len(self), "manifest": _FORMAT})
        for path, size, digest in self:
            yield _line({"digest": str(digest), "path": path, "size": size})

    @cached_property
    def digest(self) -> Digest:
        """The name of this content: `lkd1:...`, or `lkd1;files=sha256:...`."""
        method = self.algorithm.encode()
        hasher = blake3(_FORMAT.encode() + b"\0" + struct.pack("<QI", len(self), len(method)) + method)
        rows = zip(self.paths, self.sizes, _raw_digests(self.digests), strict=True)
        encoded = (_length(len(path)) + path + _size_and_digest(size, _RAW, raw) for path, size, (raw,) in rows)
        while chunk := b"".join(islice(encoded, _CHUNK)):
            hasher.update(chunk)
        return Digest("lkd1", hasher.hexdigest(), {} if self.algorithm == "blake3" else {"files": [self.algorithm]})

    @property
    def size(self) -> int:
        """Bytes in all files together."""
        return sum(self.sizes)

    def entry(self, path: str | bytes) -> Entry:
        """The entry of one path; NotFoundError if there is none."""
        raw = _bytes(path)
        index = bisect_left(self.paths, raw)
        if index == len(self) or self.paths[index] != raw:
            raise NotFoundError(f"not in the manifest: {_text(raw)!r}")
        return self._at(index)

    def __len__(self) -> int:
        """Count the files."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Entry]:
        """Entries in the order of their paths' bytes, so that two manifests can be merged."""
        return map(self._at, range(len(self)))

    def __hash__(self) -> int:
        """Equal manifests have equal digests."""
        return hash(self.digest)

    def __repr__(self) -> str:
        """Short, whatever the number of files."""
        return f"Manifest({len(self)} files, {self.digest})"

    def _at(self, index: int) -> Entry:
        raw = self.digests[_RAW * index : _RAW * (index + 1)]
        return Entry(_text(self.paths[index]), self.sizes[index], Digest(self.algorithm, raw.hex()))


def _reorder(digests: Raw, order: list[int]) -> Raw:
    """In chunks: a million slices at a time would be 70 MB."""
    indices, out = iter(order), bytearray()
    while chunk := b"".join([digests[_RAW * i : _RAW * (i + 1)] for i in islice(indices, _CHUNK)]):
        out += chunk
    return out


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":")) + "\n"


def _parse(number: int, line: str, keys: set[str]) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadDataError(f"line {number} of a manifest is not JSON: {error}") from error
    if not isinstance(values, dict) or values.keys() != keys:
        raise BadDataError(f"line {number} of a manifest: got {line.strip()!r}, expected the keys {sorted(keys)}")
    return values


def _text(path: bytes) -> str:
    """Not `os.fsdecode`: a manifest reads the same under every locale."""
    return path.decode("utf-8", "surrogateescape")


def _bytes(path: str | bytes) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    except UnicodeEncodeError as error:
        raise BadDataError(f"not a path: got {path!r}, and {error.reason}") from error
