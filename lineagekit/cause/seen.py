# SPDX-License-Identifier: Apache-2.0
"""The log of a run in a copy, as if it had run at the place that was copied; and what it read past the copy.

>>> store = Seen(store, Path("/work/.lineagekit/bisect/x/workspace/open/tree"))  # doctest: +SKIP
>>> [touch.path for touch in said.inputs]  # doctest: +SKIP
['/work/labels.csv']

The one place where paths are translated: whatever reads the log through this sees the user's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from lineagekit.cause.files import modules_of
from lineagekit.events.naming import escape_name
from lineagekit.store.heard import hear
from lineagekit.store.log import Store
from lineagekit.store.rows import Refinement, Row

_PORTION = 500


class Seen(Store):
    """A log in which the copy has no name."""

    def __init__(self, store: Store, tree: Path) -> None:
        """Read through an open one, which is closed by whoever has opened it."""
        self._database = store._database
        names = {f"{tree}/", escape_name(f"{tree}/")}
        texts = {json.dumps(name, ensure_ascii=ascii)[1:-1] for name in names for ascii in (True, False)}
        self._names = [text.encode("utf-8", "surrogatepass") for text in texts]

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """As of any log."""
        return self._told(super().events(after=after, limit=limit))

    def events_at(self, seqs: Iterable[int]) -> list[Row]:
        """As of any log."""
        return self._told(super().events_at(seqs))

    def run_events(self, run: str) -> list[Row]:
        """As of any log."""
        return self._told(super().run_events(run))

    def refinements(self, key: bytes) -> list[Refinement]:
        """As of any log."""
        return [self._refined(one) for one in super().refinements(key)]

    def _refined(self, one: Refinement) -> Refinement:
        name, facet = json.loads(self._plain(json.dumps([one.name, one.facet]).encode()))
        return replace(one, name=name, facet=facet)

    def _told(self, rows: Iterable[Row]) -> list[Row]:
        return [replace(row, body=self._plain(row.body)) for row in rows]

    def _plain(self, body: bytes) -> bytes:
        for name in self._names:
            body = body.replace(name, b"/")
        return body


def read_past(store: Store, folder: Path) -> dict[str, str]:
    """Digests by path of files and modules that do not lie in the folder; "" where it is not known."""
    found: dict[str, str] = {}
    for path, digest in _read(store):
        if not path.startswith(f"{folder}/"):
            found.setdefault(path, digest)
            found[path] = digest if found[path] == digest else ""
    return found


def _read(store: Store) -> Iterator[tuple[str, str]]:
    after, refined = 0, store.last_refinement() > 0
    while rows := store.events(after=after, limit=_PORTION):
        after = rows[-1].seq
        for _, said in hear(rows, store, refined=refined):
            yield from modules_of(said.facts)
            for name, touch in said.inputs.items():
                if name.namespace == "file":
                    pieces = [(f"{name.name.rstrip('/')}/{piece.path}", piece.digest) for piece in touch.pieces]
                    yield from pieces or [(name.name, touch.digest)]
