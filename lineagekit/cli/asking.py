# SPDX-License-Identifier: Apache-2.0
"""What a question is asked of: the store, settled, and its index, up to date with it.

>>> with asked(out) as it:  # doctest: +SKIP
...     target = find_target(it.db, "model-42")
...     out.say(it.where)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.count import Count
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.mirror import settings_for, store_named
from lineagekit.cli.output import Output
from lineagekit.cli.times import ago, moment
from lineagekit.settings import Settings
from lineagekit.store import walk
from lineagekit.store.aliases import rules_of
from lineagekit.store.database import Database
from lineagekit.store.index import Index, open_index
from lineagekit.store.log import Store

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PATH_OR_URL", show_default=False, help="A folder, marquez+http://HOST, or a file of events."
    ),
]
"""Every question has it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An open store with its index."""

    store: Store
    index: Index
    settings: Settings
    where: str
    """The first line of every answer: which store, and how fresh."""

    @property
    def db(self) -> Database:
        """What questions are asked of."""
        return self.index.database


@contextmanager
def asked(out: Output, store: str | None = None) -> Iterator[Asked]:
    """Open the store or Marquez that was named, or the store of this folder or user; bring its index up to date."""
    with opened_store(out, store_named(store)) as (opened, where):
        settings = settings_for(opened)
        with open_index(opened, opened.folder, rules=rules_of(settings, opened.aliases())) as index:
            out.progress = count = Count("events", total=index.behind())
            index.catch_up(count)
            count.hide()
            yield Asked(opened, index, settings, described(where, index.database))


def described(where: str, db: Database) -> str:
    """The first line of an answer."""
    known = walk.senders(db)
    if not known:
        return f"{where}: no events"
    first, last = min(one.first for one in known), max(one.last for one in known)
    return f"{where}: history from {moment(first)[:10]}, last event {ago(last)}"
