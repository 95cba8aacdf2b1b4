# SPDX-License-Identifier: Apache-2.0
"""A file of OpenLineage events as a store: read into the user's cache, once for each state that the file has.

>>> with opened_file(out, "events.jsonl") as (store, where):  # doctest: +SKIP
...     out.say(where)
file events.jsonl (1,204 events)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from lineagekit.cli.count import Count
from lineagekit.cli.output import Output
from lineagekit.config import Config
from lineagekit.errors import BadDataError, StoreError, UnreadableError
from lineagekit.store.log import Store, open_store

_FOLDER = "files"
_READ = "all of the file"


@contextmanager
def opened_file(out: Output, path: str) -> Iterator[tuple[Store, str]]:
    """The events of a file; BadDataError where there are none."""
    from lineagekit.exchange.ingest import ingest

    folder = os.path.join(Config.from_environment().cache_folder, _FOLDER, _state_of(path))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read into {folder}: {error.strerror}",
            advice="Name a cache that can be written (LINEAGEKIT_CACHE).",
        ) from error
    with open_store(folder) as store:
        if not store.cursor(_READ):
            out.progress = progress = Count("events")
            with open(path, "rb") as stream:
                read = ingest(store, stream, origin=f"file:{os.path.basename(path)}", progress=progress)
            progress.hide()
            if read.refused:
                out.warn(f"{path}: {read.refused:,} of it are no events: {read.refusals[0].reason}")
            store.set_cursor(_READ, 1)
        count = store.last_seq()
        if not count:
            raise BadDataError(f"no event in {path}", advice="See: lineagekit help ingest")
        yield store, f"file {path} ({count:,} event{'s' * (count != 1)})"


def _state_of(path: str) -> str:
    """Another name for each file, and for each state of it."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error
    state = os.path.realpath(path), found.st_size, found.st_mtime_ns, found.st_ino
    return sha256(repr(state).encode()).hexdigest()[:24]
