# SPDX-License-Identifier: Apache-2.0
"""How to hash: the algorithm, which is part of the digest's name, and what only makes it faster or visible.

>>> Hashing("sha256", threads=2).algorithm
'sha256'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from lineagekit.errors import UsageError
from lineagekit.identity.batch import one_shot
from lineagekit.identity.cache import DigestCache, NullCache

ALGORITHMS = ("blake3", "sha256")


class Hasher(Protocol):
    """What blake3 and hashlib have in common."""

    def update(self, data: memoryview, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The 32 bytes."""


def ignore_progress(bytes_hashed: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Hashing:
    """Options of every function that hashes files, folders or objects.

    `progress` is called with the number of bytes hashed since the last call, from any thread.
    """

    algorithm: str = "blake3"
    cache: DigestCache = field(default_factory=NullCache)
    threads: int = 1
    progress: Callable[[int], None] = ignore_progress

    def __post_init__(self) -> None:
        """Refuse what has no digest name."""
        if self.algorithm not in ALGORITHMS:
            raise UsageError(f"unknown algorithm: got {self.algorithm!r}, expected {' or '.join(ALGORITHMS)}")

    def new_hasher(self, *, threads: int = 1) -> Hasher:
        """An empty hash; more than one thread pays off for blocks of many MiB only."""
        constructor = one_shot(self.algorithm)
        hasher: Hasher = constructor(max_threads=threads) if self.algorithm == "blake3" else constructor()
        return hasher


PLAIN = Hashing()
"""BLAKE3, no cache, one thread."""
