# SPDX-License-Identifier: Apache-2.0
"""`lineagekit gc`: removes kept bytes that the log speaks of no more, then those unused the longest, down to the limit.

$ lineagekit gc --dry-run --keep-limit "5 GiB"
store /work/.lineagekit
would remove 112 files, 4.8 GiB: 3 that no event speaks of, 109 unused the longest, for the limit
would leave 5 GiB of 5 GiB
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.asking import StoreOption
from lineagekit.cli.count import Count
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.output import Output
from lineagekit.errors import StoreError
from lineagekit.settings import load_settings, size_of, size_text
from lineagekit.store.log import Store

if TYPE_CHECKING:
    from lineagekit.store.gc import Collected
    from lineagekit.store.kept import Kept


@dataclass(frozen=True, slots=True)
class Gc:
    """Remove kept bytes that no event speaks of, and the longest unused until the limit holds.

    What jobs read is kept so that bisect and rerun can use it again. Events are never removed, nor is anything
    of yours: only the store's own copies. What came or was used within the last hour goes for the limit alone.

    Example: lineagekit gc --dry-run --keep-limit "5 GiB"
    """

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False
    keep_limit: Annotated[
        str, typer.Option("--keep-limit", metavar="SIZE", show_default=False, help='As "5 GiB"; else of config.toml.')
    ] = ""
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Look what the log speaks of, then remove the rest."""
        from lineagekit.store.gc import find_mentioned
        from lineagekit.store.kept import Kept

        asked_for = size_of(self.keep_limit) if self.keep_limit else None  # before anything is opened
        with opened_store(out, self.store) as (store, where):
            limit = load_settings(store.folder).keep_bytes if asked_for is None else asked_for
            kept = Kept(store.folder, most=limit)
            out.progress = count = Count("events", total=store.last_seq())
            mentioned = find_mentioned(store, list(kept.digests()), count)
            count.hide()
            done = self._collect(kept, mentioned, limit, store)
        out.say(where, *_lines(done, limit, is_dry=self.dry_run))
        out.show({"dry_run": self.dry_run, "limit": limit, **asdict(done)})
        return 0

    def _collect(self, kept: Kept, mentioned: set[str], limit: int, store: Store) -> Collected:
        try:
            return kept.collect(mentioned, most=limit, dry_run=self.dry_run)
        except OSError as error:
            raise StoreError(
                f"kept bytes cannot be removed from {store.folder}: {error.strerror}",
                advice="Run it as the user whose jobs write there.",
            ) from error


def _lines(done: Collected, limit: int, *, is_dry: bool) -> Iterator[str]:
    verb = "would remove" if is_dry else "removed"
    files = f"{done.removed:,} file{'' if done.removed == 1 else 's'}"
    if done.removed:
        forgotten = done.removed - done.unused
        yield f"{verb} {files}, {size_text(done.freed)}: {_why(forgotten, done.unused)}"
    else:
        yield f"{verb} nothing: events speak of all that is kept, and it is within the limit"
    yield f"{'would leave' if is_dry else 'left'} {size_text(done.left)} of {size_text(limit)}"


def _why(forgotten: int, unused: int) -> str:
    counted = (forgotten, "that no event speaks of"), (unused, "unused the longest, for the limit")
    return ", ".join(f"{count:,} {what}" for count, what in counted if count)
