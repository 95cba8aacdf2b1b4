# SPDX-License-Identifier: Apache-2.0
"""The index: the log as a graph of integers, filled by whoever asks first, and never ahead of the log or behind it.

    >>> with open_store(folder) as store, open_index(store, folder) as index:  # doctest: +SKIP
    ...     index.catch_up()
    214

What is in it is a function of the set of events in the log and of what people said of names.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lineagekit.collector import seldom_collecting
from lineagekit.config import Config
from lineagekit.store.database import Database
from lineagekit.store.heard import Heard, hear
from lineagekit.store.index_file import open_index_file, remove_index_file
from lineagekit.store.log import Store
from lineagekit.store.names import Names, Rules
from lineagekit.store.rows import Row

if TYPE_CHECKING:
    from lineagekit.store.fill import Filling

BATCH = 8000
"""Events of one transaction: another process waits for no more than a second or two."""
_PORTION = 500

_META = "SELECT value FROM meta WHERE key = ?"
_SET_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_COVERED = "SELECT class FROM name WHERE namespace = ?1 AND (name = ?2 OR (name > ?2 || '/' AND name < ?2 || '0'))"
_TOUCHING = "SELECT run FROM read WHERE dataset = ?1 UNION SELECT run FROM write WHERE dataset = ?1"


def open_index(store: Store, folder: str | os.PathLike[str], *, rules: Rules | None = None) -> Index:
    """The index of a store; made if need be. `rules` join names; None leaves those that it was filled with."""
    database = open_index_file(os.path.abspath(folder), cache=Config.from_environment().cache_folder)
    return Index(database, store, rules)


def ignore(count: int) -> None:
    """Progress that nobody looks at."""


class Index:
    """An open index. `database` is what questions are asked of."""

    def __init__(self, database: Database, store: Store, rules: Rules | None = None) -> None:
        """Take over an open file; `open_index` is the way in."""
        self.database, self._store, self._rules = database, store, rules

    def __enter__(self) -> Self:
        """The index itself, closed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.database.close()

    @property
    def seq(self) -> int:
        """The place in the log up to which it is filled."""
        return int(self.database.value(_META, ("seq",)) or 0)

    def behind(self) -> int:
        """How many places of the log it has not got yet."""
        return max(self._store.last_seq() - self.seq, 0)

    def catch_up(self, progress: Callable[[int], None] = ignore) -> int:
        """Put in what the log has more; the number of events. Any number of processes may do so at once."""
        self._check_log()
        self._follow_rules()
        self._follow_refinements()
        done = 0
        with seldom_collecting():
            while added := self._catch_up_some():
                done += added
                progress(added)
        return done

    def _catch_up_some(self) -> int:
        """One transaction; the number of events, 0 where there are no more."""
        mark, refined = self.seq, self._store.last_refinement() > 0
        heard: list[Heard] = []
        last: Row | None = None
        count = 0
        # In small portions, because the texts of events take ten times the room of what they say.
        while count < BATCH and (rows := self._store.events(after=last.seq if last else mark, limit=_PORTION)):
            heard += hear(rows, self._store, refined=refined)
            count, last = count + len(rows), rows[-1]
        if last is None:
            return 0
        with self.database.write() as connection:
            if _meta(connection, "seq") == (mark or None):  # else another process was faster
                self._filling(connection, refined=refined).add(heard, last.seq)
                connection.execute(_SET_META, ("seq", last.seq))
                connection.execute(_SET_META, ("key", last.key))
        return count

    def _filling(self, connection: sqlite3.Connection, *, refined: bool, names: Names | None = None) -> Filling:
        # Imported here, because it takes a tenth of what a question takes whose index is up to date.
        from lineagekit.store.fill import Filling

        names = names or Names(connection, self._rules_in_force(connection))
        return Filling(connection, self._store, names, refined=refined)

    def _rules_in_force(self, connection: sqlite3.Connection) -> Rules:
        return self._rules if self._rules is not None else Rules.parse(str(_meta(connection, "rules") or ""))

    def _check_log(self) -> None:
        """An index of another log (moved aside, restored from a copy) is emptied."""
        seq, key = self.seq, self.database.value(_META, ("key",))
        if seq and not any(row.damaged or row.key == key for row in self._store.events_at([seq])):
            self.clear()

    def clear(self) -> None:
        """Empty it."""
        with self.database.write() as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                connection.execute(f"DELETE FROM {table}")

    def _follow_rules(self) -> None:
        """Join and part names where the rules are not those that the index was filled with."""
        if self._rules is None or self._rules.text == (self.database.value(_META, ("rules",)) or ""):
            return
        with self.database.write() as connection:
            before = Rules.parse(str(_meta(connection, "rules") or ""))
            connection.execute(_SET_META, ("rules", self._rules.text))
            names = Names(connection, self._rules)
            changed = {*before.rewrites} ^ {*self._rules.rewrites}
            lefts = [(left.namespace, left.name) for left, _ in changed]
            covered = {number for left in lefts for (number,) in connection.execute(_COVERED, left)}
            names.regroup(covered, self._rules)
            filling = self._filling(connection, refined=self._store.last_refinement() > 0, names=names)
            for number in covered:
                filling.retell(run for (run,) in connection.execute(_TOUCHING, (number,)))
            filling.finish(self.seq)

    def _follow_refinements(self) -> None:
        """Tell runs anew of which something was learned."""
        last, known = self._store.last_refinement(), int(self.database.value(_META, ("refined",)) or 0)
        if last == known:
            return
        with self.database.write() as connection:
            runs = self._store.refined_runs(known)
            filling = self._filling(connection, refined=True)
            filling.retell_named(runs)
            filling.finish(self.seq)
            connection.execute(_SET_META, ("refined", last))


def reindex(store: Store, folder: str | os.PathLike[str], *, rules: Rules | None = None) -> Index:
    """Throw the index away, and open a new one, which `catch_up` fills."""
    with open_index(store, folder, rules=rules) as old:
        path = old.database.path
    remove_index_file(path)
    return open_index(store, folder, rules=rules)


def _meta(connection: sqlite3.Connection, key: str) -> object:
    found = connection.execute(_META, (key,)).fetchone()
    return found[0] if found else None
