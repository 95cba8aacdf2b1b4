# SPDX-License-Identifier: Apache-2.0
"""Files of a folder that was read or written whole: an event tells of a thousand, its manifest of all.

>>> next(pieces_of(store, "lkd1:ab...")).path  # doctest: +SKIP
'day=2026-05-01/part-0.parquet'
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from lineagekit.events.naming import escape_name
from lineagekit.events.said import Piece, Touch
from lineagekit.store.log import Store

_HEAD = re.compile(rb'"entries":(\d+)')


def with_all_pieces(store: Store, touch: Touch) -> Touch:
    """The same where no manifest was kept, as of a single file."""
    pieces = tuple(pieces_of(store, touch.digest))
    return replace(touch, pieces=pieces) if pieces else touch


def pieces_of(store: Store, digest: str, *, most: float = math.inf) -> Iterator[Piece]:
    """Files of the folder of this digest; none where its manifest was not kept, is damaged, or has more."""
    body = (store.object("manifest", digest) if digest else None) or b""
    count = _HEAD.search(body)  # before a million lines are read
    if count is None or int(count[1]) > most:
        return
    lines = body.decode(errors="replace").strip().split("\n")
    with suppress(ValueError):  # as one text: blame looks at the folders of sixty builds
        for _, entry in zip(lines, json.loads(f"[{','.join(lines)}]"), strict=True):
            if {"path", "digest", "size"} <= entry.keys():
                yield Piece(escape_name(entry["path"]), entry["digest"], "", entry["size"])
