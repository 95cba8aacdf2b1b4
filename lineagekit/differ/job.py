# SPDX-License-Identifier: Apache-2.0
"""How a diff is taken: which key, how many examples, how many threads, which cache.

>>> Job(rows=5).asked().examples
5
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lineagekit.config import Config
from lineagekit.differ.rows import Asked
from lineagekit.differ.steps import Steps
from lineagekit.identity.cache import DigestCache, NullCache
from lineagekit.identity.hashing import Hashing, ignore_progress


@dataclass(frozen=True, slots=True)
class How:
    """What makes a diff faster or visible, and changes no answer. `progress` is told bytes, from any thread."""

    threads: int = field(default_factory=lambda: Config.from_environment().threads)
    cache: DigestCache = field(default_factory=NullCache)
    progress: Callable[[int], None] = ignore_progress


@dataclass(frozen=True, slots=True)
class Job:
    """One diff."""

    key: tuple[str, ...] = ()
    rows: int = 3
    how: How = field(default_factory=How)

    def steps(self) -> Steps:
        """Levels of a new comparison."""
        return Steps(self.how.progress)

    def asked(self, progress: Callable[[int], None] = ignore_progress) -> Asked:
        """For the rows."""
        return Asked(self.key, self.rows, self.how.threads, progress)

    def hashing(self, progress: Callable[[int], None] = ignore_progress, algorithm: str = "blake3") -> Hashing:
        """For the bytes."""
        return Hashing(algorithm, self.how.cache, self.how.threads, progress)
