# SPDX-License-Identifier: Apache-2.0
"""A Marquez as a store: its mirror in the user's cache, brought up to date before each question.

>>> with opened_mirror(out, "marquez+http://localhost:5000") as (store, where):  # doctest: +SKIP
...     out.say(where)
marquez http://localhost:5000 (mirror of 1,204 events, pulled just now)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from lineagekit.cli.count import Count
from lineagekit.cli.output import Output
from lineagekit.cli.times import moment
from lineagekit.config import MARQUEZ, Config
from lineagekit.errors import StoreError, UsageError
from lineagekit.settings import Settings, current_settings, load_settings
from lineagekit.store.log import Store, open_store

if TYPE_CHECKING:
    from lineagekit.exchange.sources import Marquez

_FOLDER = "mirrors"
_ODD = re.compile(r"[^A-Za-z0-9.]+")
_READABLE = 60  # characters of a server's name in that of its mirror


def store_named(named: str | None) -> str | None:
    """What a question is asked of: what is named with it, else the Marquez of LINEAGEKIT_STORE. Raises UsageError."""
    if named and named.startswith(("http://", "https://")):
        from lineagekit.exchange.endpoint import base_name

        name = base_name(named)
        raise UsageError(f"a store is a folder or a Marquez: got {name}", advice=f"Say: --store {MARQUEZ}{name}")
    return named or Config.from_environment().marquez or None


@contextmanager
def opened_mirror(out: Output, named: str) -> Iterator[tuple[Store, str]]:
    """The mirror of a Marquez, made if need be, with what Marquez has by now; and a line that says so.

    `named` is a URL, or the name of a destination, behind `marquez+`. Raises StoreError where nothing is known of it.
    """
    from lineagekit.exchange.sources import find_source

    config = Config.from_environment()
    settings = current_settings(config.store_folder)
    source = find_source(named.removeprefix(MARQUEZ), settings, os.environ, config.store_folder)
    with _open(os.path.join(config.cache_folder, _FOLDER, _name(source.name))) as store:
        fresh = _bring_up_to_date(store, source, out)
        count = store.last_seq()
        yield store, f"marquez {source.name} (mirror of {count:,} event{'s' * (count != 1)}, {fresh})"


def settings_for(store: Store) -> Settings:
    """By which a question is answered: a mirror has its own, and names and owners of the user's store beside them."""
    own = load_settings(store.folder)
    config = Config.from_environment()
    if os.path.dirname(store.folder) != os.path.abspath(os.path.join(config.cache_folder, _FOLDER)):
        return own
    ours = load_settings(config.store_folder)
    return replace(own, names=ours.names | own.names, owners=ours.owners | own.owners)


def _name(server: str) -> str:
    """Of the folder: readable, and another one for each server."""
    readable = _ODD.sub("-", server.partition("://")[2])[:_READABLE].strip("-.")
    return f"{readable}-{sha256(server.encode()).hexdigest()[:8]}"


def _open(folder: str) -> Store:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"no mirror can be made in {folder}: {error.strerror}",
            advice="Name a folder that can be written (LINEAGEKIT_CACHE).",
        ) from error
    return open_store(folder)


def _bring_up_to_date(store: Store, source: Marquez, out: Output) -> str:
    """Pull what is missing; while that cannot be had, what is there answers."""
    from lineagekit.exchange.marquez import pull

    out.progress = progress = Count("events")
    try:
        pulled = pull(store, source, progress=progress)
    except StoreError as error:
        if not store.last_seq():
            raise
        out.warn(f"{error.message}: this is its mirror, whose newest event is of {moment(_newest(store))}")
        return "not up to date"
    finally:
        progress.hide()
    if pulled.refused:
        things = "1 event of it is" if pulled.refused == 1 else f"{pulled.refused:,} events of it are"
        out.warn(f"{things} no lineage: {pulled.reasons[0]}")
    return "pulled just now"


def _newest(store: Store) -> int:
    from lineagekit.store import walk
    from lineagekit.store.index import open_index

    with open_index(store, store.folder) as index:
        index.catch_up()
        return max(one.last for one in walk.senders(index.database))
