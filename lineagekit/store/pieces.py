# SPDX-License-Identifier: Apache-2.0
"""Files of a folder that was read or written whole: an event tells of a thousand, its manifest of all.

>>> next(pieces_of(store, "lkd1:ab...")).path  # doctest: +SKIP
'day=2026-05-01/part-0.parquet'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from lineagekit.events.naming import escape_name
from lineagekit.events.said import Piece, Touch
from lineagekit.identity.manifest import Manifest
from lineagekit.store.log import Store

_HEAD = re.compile(rb'"entries":(\d+)')


def with_all_pieces(store: Store, touch: Touch) -> Touch:
    """The same where no manifest was kept, as of a single file."""
    pieces = tuple(pieces_of(store, touch.digest))
    return replace(touch, pieces=pieces) if pieces else touch


def pieces_of(store: Store, digest: str, *, most: float = math.inf) -> Iterator[Piece]:
    """Files of the folder of this digest; none where its manifest was not kept, or has more."""
    body = (store.object("manifest", digest) if digest else None) or b""
    entries = _HEAD.search(body)  # before a million lines are read
    if entries is None or int(entries[1]) > most:
        return
    for entry in Manifest.from_lines(body.decode().splitlines()):
        yield Piece(escape_name(entry.path), str(entry.digest), "", entry.size)
