# SPDX-License-Identifier: Apache-2.0
"""The environment, read once, as one value that is passed on: nothing else reads `os.environ`.

>>> Config.from_environment({"LINEAGEKIT_CACHE": "/tmp/c"}).cache_folder
'/tmp/c'
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_THREADS = 256
"""More are not used, whatever is asked for: no machine has the cores, and each costs memory."""


class Config:
    """What the user's environment asks for. Immutable by convention, light enough for any job."""

    __slots__ = ("cache_folder", "threads")

    def __init__(self, *, cache_folder: str, threads: int) -> None:
        """Prefer `from_environment`; tests and callers with their own ideas come here."""
        self.cache_folder = cache_folder
        self.threads = threads

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the variables that README lists; a malformed number counts as unset."""
        env = os.environ if environ is None else environ
        return cls(
            cache_folder=env.get("LINEAGEKIT_CACHE") or _user_cache(env),
            threads=_positive(env.get("LINEAGEKIT_THREADS")) or _cores(),
        )


def _user_cache(env: Mapping[str, str]) -> str:
    home = env.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "lineagekit")


def _positive(text: str | None) -> int:
    return min(int(text), MOST_THREADS) if text and text.isdecimal() and len(text) < 10 else 0


def _cores() -> int:
    """Count the cores that this process may use: in a container that is fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
