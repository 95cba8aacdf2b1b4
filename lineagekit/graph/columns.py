# SPDX-License-Identifier: Apache-2.0
"""Columns: what of a dataset goes on into another one, where events say so.

>>> lineage = ColumnLineage(index.database)  # doctest: +SKIP
>>> lineage.follow(Hop(job, orders, report), frozenset({"price"}))  # doctest: +SKIP
Follow(columns=frozenset({'total'}), is_known=True)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lineagekit.errors import UsageError
from lineagekit.store import walk_uses
from lineagekit.store.database import Database

Columns = frozenset[str] | None
"""None is all of them."""


class Hop(NamedTuple):
    """A job makes one dataset of another."""

    job: int
    src: int
    dst: int


class Follow(NamedTuple):
    """Columns that arrive; not known are they where no event says which came of which."""

    columns: Columns
    is_known: bool


class ColumnLineage:
    """Column lineage of the datasets that were looked at."""

    def __init__(self, db: Database) -> None:
        """Nothing is read before it is asked for."""
        self._db = db
        self._seen: set[int] = set()
        self._pairs: dict[Hop, list[tuple[str, str]]] = {}

    def load(self, datasets: Iterable[int]) -> None:
        """Read what these are made into, at once."""
        new = set(datasets) - self._seen
        self._seen |= new
        for one in walk_uses.columns_from_all(self._db, new) if new else ():
            self._pairs.setdefault(Hop(one.job, one.src, one.dst), []).append((one.src_column, one.dst_column))

    def follow(self, hop: Hop, columns: Columns) -> Follow | None:
        """What becomes of these columns; None where events say that none of them goes this way."""
        if columns is None:
            return Follow(None, True)
        pairs = self._pairs.get(hop)
        if pairs is None:
            return Follow(None, False)
        arrived = frozenset(to for column, to in pairs if column in columns or not column)
        if not arrived:
            return None
        return Follow(None if "" in arrived else arrived, True)


def check_columns(db: Database, datasets: Iterable[int], columns: Iterable[str]) -> None:
    """Refuse a column that events never named, where they named others of these datasets."""
    known = sorted(walk_uses.column_names(db, datasets))
    for column in columns:
        if known and column not in known:
            from difflib import get_close_matches

            close = get_close_matches(column, known, n=3)
            advice = (
                f"Did you mean {' or '.join(close)}?" if close else "If it exists, no event says what is made of it."
            )
            shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise UsageError(f"no such column in any event: got {column!r}, expected one of {shown}", advice=advice)
