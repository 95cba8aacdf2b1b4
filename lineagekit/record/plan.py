# SPDX-License-Identifier: Apache-2.0
"""How to settle, and what came of it.

>>> Plan(budget=Budget(seconds=10)).budget.bytes
9223372036854775807
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lineagekit.config import Config
from lineagekit.events.account import Account
from lineagekit.identity.hashing import ignore_progress
from lineagekit.settings import Settings

THREADS = 2
"""Settling is nobody's main business: more cores than this it leaves to others."""

SILENT = 30.0
"""Seconds after which a process that lives, and has said nothing more of a run that ended, is not waited for."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent on hashing, in one call; what goes beyond stays unknown."""

    seconds: float = float("inf")
    bytes: int = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Options of `settle`."""

    budget: Budget = Budget()
    content: bool = True
    """Whether the content of tables is taken too."""
    keep: Literal["changed", "none", "all"] = "changed"
    """Whose bytes are kept to build with again: inputs and sources; outputs as well."""
    keep_limit: int | None = None
    """Bytes, of all that are kept."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Who is asked about which data and jobs, by pattern."""
    pays: bool = False
    """Hash, when all else is done, what earlier calls had no time for. It may take all of the budget once more."""
    wait: bool = True
    """Wait for whoever is settling this store, rather than leave it to them. Runs asked for by name never wait."""
    live: bool = False
    """Send the START of runs that go on, alone, once they are 30 s old."""
    niced: bool = False
    """Let every other process go first, from here on: for a process that does nothing else."""
    silent: float = SILENT
    threads: int = THREADS
    cache_folder: str = field(default_factory=lambda: Config.from_environment().cache_folder)
    now: Callable[[], int] = time.time_ns
    progress: Callable[[int], None] = ignore_progress
    """Told bytes as they are hashed, from any thread."""

    @classmethod
    def of(cls, settings: Settings) -> Plan:
        """What a store's settings ask for."""
        return cls(
            budget=Budget(settings.budget),
            content=settings.content,
            keep=settings.keep,
            keep_limit=settings.keep_bytes,
            owners=settings.owners,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done, and what is left."""

    busy: bool = False
    """Somebody else is at it, and will look once more after us: nothing was done."""
    runs: int = 0
    """Runs that are in the log now with their end; the killed ones among them."""
    killed: int = 0
    late: int = 0
    """Runs of which something was said after their end."""
    started: int = 0
    events: int = 0
    """New events in the log."""
    emitted: int = 0
    """Events of others that were read; those that are no OpenLineage are `refused`, and kept aside."""
    refused: int = 0
    exact: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Datasets without a proven digest, by reason."""
    refined: int = 0
    """Datasets of earlier runs that were too much to hash then, and have their digests now."""
    removed: int = 0
    """Journals that are done with."""
    journals: int = 0
    """Journals that are still there."""
    foreign: int = 0
    """Journals of other hosts among these: they are left to them."""
    headless: int = 0
    """Files that do not say whose they are: nobody can settle them."""
    odd: int = 0
    """Facts that were passed over because a value in them had the wrong type."""
    failed: int = 0
    """Journals that could not be read, by permission or by the disk."""
    waiting: tuple[str, ...] = ()
    """Runs that go on, or whose processes do."""
    accounts: tuple[Account, ...] = ()
    """What was told of the runs that were asked for by name."""
