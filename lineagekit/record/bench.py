# SPDX-License-Identifier: Apache-2.0
"""The bench: the tools of one call of `settle`, what was learned on the way, and what was done.

>>> bench = Bench(store, prover, options, Here.now(), "/data/.lineagekit/journal")  # doctest: +SKIP
>>> name_of("0197a1b2-0000-7000-8000-000000000001", bench)  # doctest: +SKIP
RunName(run='0197...', namespace='risk', job='train')
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import NamedTuple

from lineagekit.events.account import Account, RunName
from lineagekit.events.naming import run_id
from lineagekit.identity.cache import open_cache
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.options import Options
from lineagekit.record.journals import Here
from lineagekit.record.keep import Keeper
from lineagekit.record.plan import Plan
from lineagekit.record.programs import Programs
from lineagekit.record.prove import Prover
from lineagekit.record.survey import Names
from lineagekit.record.where import Links
from lineagekit.store.kept import Kept
from lineagekit.store.log import RunRow, Store, open_store

JOURNALS = "journal"
"""The folder of journals, in that of the store."""

_PATIENCE = 10.0
"""Seconds that somebody who waits for a run to be settled lets its bytes be kept."""


class Ancestors(NamedTuple):
    """Those above a run, as its events have them; None is not known."""

    parent: RunName | None = None
    root: RunName | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """Shared by all that one call does."""

    store: Store
    prover: Prover
    options: Options
    here: Here
    folder: str
    """Of the journals."""
    content: bool = True
    names: Names = field(default_factory=Names)
    links: Links = field(default_factory=Links)
    programs: Programs = field(default_factory=Programs)
    done: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    accounts: list[Account] | None = None
    """Told of these runs, where somebody asks."""
    keeper: Keeper | None = None
    """Of bytes to build with again; None where that is not wanted."""
    owners: Mapping[str, str] = field(default_factory=dict)
    above: dict[str, tuple[int, Ancestors]] = field(default_factory=dict)
    """By run, with the place of its newest event when the log was asked."""

    @property
    def kept(self) -> str:
        """The folder of copies."""
        return os.path.join(self.folder, "kept")


def set_up(store_folder: str, plan: Plan, stack: ExitStack, *, tells: bool = False) -> Bench:
    """Open what is needed, until the stack is closed; with `tells` the accounts are remembered. Raises StoreError."""
    cache = stack.enter_context(closing(open_cache(plan.cache_folder)))
    store = stack.enter_context(open_store(store_folder))
    how = Hashing("blake3", cache, plan.threads, plan.progress)
    options = Options(what="content", threads=plan.threads, cache=cache, profile=True, progress=plan.progress)
    accounts: list[Account] | None = [] if tells else None
    folder = os.path.join(store_folder, JOURNALS)
    keeper = None if plan.keep == "none" else _keeper(store_folder, plan, waited_for=tells)
    prover = Prover(how, plan.budget)
    return Bench(
        store, prover, options, Here.now(), folder, plan.content, accounts=accounts, keeper=keeper, owners=plan.owners
    )


def _keeper(store_folder: str, plan: Plan, *, waited_for: bool) -> Keeper:
    seconds = min(plan.budget.seconds, _PATIENCE if waited_for else plan.budget.seconds)
    kept = Kept(store_folder, most=plan.keep_limit)
    return Keeper(kept, plan.keep, seconds)


def row_of(run: str, store: Store) -> RunRow | None:
    """What the log says of a run."""
    return store.find_run(run_id(run))


def name_of(run: str, bench: Bench) -> RunName:
    """What a parent is called: by the journals, else by the log."""
    called = bench.names.known.get(run)
    if called is not None:
        return RunName(run, called.namespace or "default", called.job)
    row = row_of(run, bench.store)
    return RunName(run, row.namespace, row.job) if row else RunName(run, "default", "unknown")
