# SPDX-License-Identifier: Apache-2.0
"""`lineagekit pull [URL]`: copies what a Marquez knows into the store, where it can be asked.

$ lineagekit pull http://localhost:5000
store /work/.lineagekit
pulled 1,204 events from http://localhost:5000: 320 new, 884 known, 0 refused (history 2026-01-01 .. 2026-11-26)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.count import Count
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.output import Output
from lineagekit.cli.times import parse_since
from lineagekit.config import Config
from lineagekit.errors import UsageError
from lineagekit.store.log import Store, open_store

if TYPE_CHECKING:
    from lineagekit.exchange.marquez import Pulled


@dataclass(frozen=True, slots=True)
class Pull:
    """Copy what a Marquez knows into the store.

    Only what is not there yet is copied; stopped or cut off, the next pull goes on where it was.

    Example: lineagekit pull http://localhost:5000 --since 30d
    """

    url: Annotated[
        str, typer.Argument(metavar="[URL]", show_default=False, help="Of the server, or a destination's name.")
    ] = ""
    since: Annotated[str, typer.Option("--since", metavar="WHEN", show_default=False, help="A date, or 2d, 3h.")] = ""
    until: Annotated[str, typer.Option("--until", metavar="WHEN", show_default=False, help="The same.")] = ""
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            metavar="NS",
            show_default=False,
            help="Keep only jobs of this one; several are possible. Marquez cannot look for it: all is read.",
        ),
    ] = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Pull, and say what came."""
        from lineagekit.exchange.marquez import pull
        from lineagekit.exchange.sources import find_source
        from lineagekit.settings import current_settings

        since, until = (parse_since(text) if text else None for text in (self.since, self.until))
        if since is not None and until is not None and since >= until:
            raise UsageError("--since is not before --until", advice="Exchange them.")
        folder = Config.from_environment().store_folder
        source = find_source(self.url, current_settings(folder), os.environ, folder)
        with _open(folder, out) as (store, where):
            out.say(where)
            out.progress = progress = Count("events")
            pulled = pull(store, source, since=since, until=until, namespaces=self.namespace or (), progress=progress)
        for reason in pulled.reasons:
            out.complain(f"refused: {reason}")
        out.say(_told(pulled))
        out.show(asdict(pulled))
        return int(bool(pulled.refused))


@contextmanager
def _open(folder: str, out: Output) -> Iterator[tuple[Store, str]]:
    """The store, made if need be."""
    open_store(folder).close()
    with opened_store(out) as opened:
        yield opened


def _told(pulled: Pulled) -> str:
    things = f"{pulled.events:,} event{'' if pulled.events == 1 else 's'}"
    parts = [f"{pulled.new:,} new", f"{pulled.known:,} known", f"{pulled.refused:,} refused"]
    if pulled.others:
        parts.append(f"{pulled.others:,} of other namespaces")
    history = f"{_day(pulled.first)} .. {_day(pulled.last)}" if pulled.first is not None else "empty"
    return f"pulled {things} from {pulled.source}: {', '.join(parts)} (history {history})"


def _day(microseconds: int | None) -> str:
    from lineagekit.exchange.pages import moment

    return "unknown" if microseconds is None else moment(microseconds)[:10]
