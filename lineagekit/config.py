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


VERSION = "0.1.0"
"""Of the package: here, because everything may import this module, and it imports nothing of ours."""

STORE_NAME = ".lineagekit"
"""A folder of this name makes the folder that holds it a project with a store of its own."""

MARQUEZ = "marquez+"
"""Before the URL of a Marquez, where a store is named: questions are asked of that, and nothing is recorded in it."""

MOST_THREADS = 256
"""More are not used, whatever is asked for: no machine has the cores, and each costs memory."""


class Config:
    """What the user's environment asks for. Immutable by convention, light enough for any job."""

    __slots__ = ("cache_folder", "marquez", "settle", "store_folder", "threads")

    def __init__(
        self, *, cache_folder: str, threads: int, store_folder: str = "", settle: str = "", marquez: str = ""
    ) -> None:
        """Prefer `from_environment`; tests and callers with their own ideas come here."""
        self.cache_folder = cache_folder
        self.threads = threads
        self.store_folder = store_folder
        self.settle = settle
        self.marquez = marquez

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the variables that README lists; a malformed number counts as unset.

        A LINEAGEKIT_STORE of marquez+http://... is for questions. What is recorded goes where it would go without it.
        """
        env = os.environ if environ is None else environ
        named = env.get("LINEAGEKIT_STORE", "")
        return cls(
            cache_folder=env.get("LINEAGEKIT_CACHE") or _user_cache(env),
            threads=_positive(env.get("LINEAGEKIT_THREADS")) or _cores(),
            store_folder=_store(env),
            settle=env.get("LINEAGEKIT_SETTLE", ""),
            marquez=named if named.startswith(MARQUEZ) else "",
        )


def _user_cache(env: Mapping[str, str]) -> str:
    home = env.get("XDG_CACHE_HOME") or (_home() and os.path.join(_home(), ".cache"))
    return os.path.join(home, "lineagekit") if home else os.path.join(os.path.abspath(STORE_NAME), "cache")


def _store(env: Mapping[str, str]) -> str:
    """The store that was named, else the nearest `.lineagekit` upward as git finds its own, else the user's."""
    named = env.get("LINEAGEKIT_STORE", "")
    if named and not named.startswith(MARQUEZ):
        return os.path.abspath(os.path.expanduser(named))
    data = _user_data(env)
    return _nearest(STORE_NAME) or (os.path.join(data, "lineagekit") if data else os.path.abspath(STORE_NAME))


def _nearest(name: str) -> str:
    try:
        folder = os.getcwd()
    except OSError:  # it was removed under us
        return ""
    while True:
        found = os.path.join(folder, name)
        if os.path.isdir(found):
            return found
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)


def _user_data(env: Mapping[str, str]) -> str:
    return env.get("XDG_DATA_HOME") or (_home() and os.path.join(_home(), ".local", "share"))


def _home() -> str:
    """The user's home; '' where the system knows of none, as in a container whose user has no name."""
    home = os.path.expanduser("~")
    return home if os.path.isabs(home) else ""


def _positive(text: str | None) -> int:
    return min(int(text), MOST_THREADS) if text and text.isdecimal() and len(text) < 10 else 0


def _cores() -> int:
    """Count the cores that this process may use: in a container that is fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
