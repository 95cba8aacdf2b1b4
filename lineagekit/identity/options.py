# SPDX-License-Identifier: Apache-2.0
"""Options: what to take of a target, and how.

>>> Options(what="both", columns=("id", "label")).hashing().algorithm
'blake3'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lineagekit.config import Config
from lineagekit.identity.cache import DigestCache, NullCache
from lineagekit.identity.hashing import Hashing, ignore_progress


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
