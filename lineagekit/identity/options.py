# SPDX-License-Identifier: Apache-2.0
"""Options: what to take of a target, and how.

>>> Options(what="both", columns=("id", "label")).hashing().algorithm
'blake3'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from lineagekit.config import Config
from lineagekit.errors import BadDataError
from lineagekit.identity.cache import DigestCache, NullCache
from lineagekit.identity.digest import Digest
from lineagekit.identity.hashing import Hashing, ignore_progress

_OF_BYTES = ("blake3", "sha256", "lkd1")
_OF_CONTENT = ("lkt1", "lks1", "lkm1", "records-sha256")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `fingerprint`. `progress` is told bytes as they are hashed, from any thread.

    `lkm1` as the algorithm adds that digest of a table to the usual ones; `sha256` replaces the digest of bytes.
    """

    what: Literal["auto", "bytes", "content", "both"] = "auto"
    algorithm: Literal["blake3", "sha256", "lkm1"] = "blake3"
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    delimiter: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    threads: int = field(default_factory=lambda: Config.from_environment().threads)
    cache: DigestCache = NullCache()
    profile: bool = False
    progress: Callable[[int], None] = ignore_progress

    @property
    def wants_content(self) -> bool:
        """Whether the content was asked for, by name or by an option that only tables have."""
        return self.what in ("content", "both") or bool(self.columns or self.ignore or self.delimiter)

    def hashing(self) -> Hashing:
        """The options for bytes."""
        algorithm = "sha256" if self.algorithm == "sha256" else "blake3"
        return Hashing(algorithm, self.cache, self.threads, self.progress)

    def as_named(self, digest: Digest) -> Options:
        """These options, changed to take a digest of this name; which files of a folder count is not in it."""
        if digest.algorithm not in _OF_BYTES + _OF_CONTENT:
            known = ", ".join(_OF_BYTES + _OF_CONTENT)
            raise BadDataError(f"unknown algorithm: got {digest.algorithm}, expected one of {known}")
        named = dict(digest.parameters)
        (by, *_), (csv, *_) = named.get("files", (digest.algorithm,)), named.get("csv", ("",))
        return replace(
            self,
            what="bytes" if digest.algorithm in _OF_BYTES else "content",
            algorithm="sha256" if by == "sha256" else "lkm1" if by == "lkm1" else "blake3",
            columns=named.get("columns", ()),
            ignore=named.get("ignore", ()),
            delimiter=csv[:1] or None,
        )
