# SPDX-License-Identifier: Apache-2.0
"""The store that a command asks: opened, brought up to date with what jobs on this machine left, and named.

>>> with opened_store(out) as (store, where):  # doctest: +SKIP
...     out.say(where)
store /work/.lineagekit
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from lineagekit.cli.output import Output
from lineagekit.config import MARQUEZ, Config
from lineagekit.errors import StoreError
from lineagekit.settings import current_settings
from lineagekit.store.log import Store, open_store


@contextmanager
def opened_store(out: Output, named: str | None = None) -> Iterator[tuple[Store, str]]:
    """The store that was named, or this folder's or user's, settled as far as can be, and a line that says which.

    Of a Marquez that was named it is the mirror, of a file of events what is in it.
    """
    if named and os.path.isfile(named):
        from lineagekit.cli.event_files import opened_file

        with opened_file(out, named) as opened:
            yield opened
        return
    if named and named.startswith(MARQUEZ):
        from lineagekit.cli.mirror import opened_mirror

        with opened_mirror(out, named) as opened:
            yield opened
        return
    folder = Config.from_environment({**os.environ, "LINEAGEKIT_STORE": named} if named else None).store_folder
    where = f"store {folder}"
    if waiting := _bring_up_to_date(folder, out):
        where += f" ({waiting})"
    with open_store(folder, make=False) as store:
        yield store, where


def _bring_up_to_date(folder: str, out: Output) -> str:
    """Settle what ended jobs left; what is still to be done is said, and keeps nobody from an answer."""
    settings = current_settings(folder)
    if not _has_left_something(folder):
        return ""  # before half of the package is imported
    from lineagekit.record.plan import Plan
    from lineagekit.record.settle import settle

    plan = replace(Plan.of(settings), wait=False, progress=out.progress)
    try:
        settled = settle(folder, plan=plan)
    except StoreError as error:
        out.warn(f"what jobs left cannot be settled: {error}")
        return "not up to date"
    finally:
        out.progress.hide()
    if settled.busy:
        return "being settled by another process"
    return f"{len(settled.waiting)} run{'s go' if len(settled.waiting) > 1 else ' goes'} on" if settled.waiting else ""


def _has_left_something(folder: str) -> bool:
    try:
        return any(name.endswith((".journal", ".jsonl")) for name in os.listdir(os.path.join(folder, "journal")))
    except OSError:
        return False
