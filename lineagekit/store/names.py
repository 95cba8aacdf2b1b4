# SPDX-License-Identifier: Apache-2.0
"""Names as numbers: of datasets with whatever lies inside or around them, of jobs, and of other words.

A dataset may have many names (symlinks, aliases, rules): all of them are one class, whose number every row of the index
has. `/x` and `/x/dt=1/f` are two datasets, of which the first is around the second.

    >>> names = Names(connection, Rules())  # doctest: +SKIP
    >>> names.dataset(Name("file", "/data/orders.csv"))  # doctest: +SKIP
    17
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from lineagekit.events.said import Name
from lineagekit.store.packing import plain

PIECE, SPELLING, CALLED = 0, 1, 2
"""Ranks of a name: a place that no event calls a dataset; another spelling of one; what a dataset is called."""
RULED = 4
"""Added to the rank of what a rule calls a dataset: of several names this one is shown."""

_FIND = "SELECT id, class, rank FROM name WHERE namespace = ? AND name = ?"
_ADD = "INSERT INTO name (namespace, name, class, outer, rank, kind) VALUES (?, ?, 0, NULL, ?, '')"
_INSIDE = "namespace = ?1 AND name > ?2 || '/' AND name < ?2 || '0'"  # '0' is what follows '/'
# What lies inside a new dataset has it for its nearest one, unless another is nearer.
_TAKE_IN = (
    f"UPDATE name SET outer = ?3 WHERE {_INSIDE} AND id <> ?3"
    " AND (outer IS NULL OR length((SELECT o.name FROM name o WHERE o.id = name.outer)) < length(?2))"
)
_OUTER = (
    "SELECT o.class FROM name n CROSS JOIN name o ON o.id = n.outer WHERE n.class = ? AND o.class <> n.class"
    " ORDER BY length(o.name) DESC, o.class LIMIT 1"
)
_OUTERS = (
    "SELECT DISTINCT o.class FROM (SELECT DISTINCT outer FROM name WHERE outer IS NOT NULL) n"
    " CROSS JOIN name o ON o.id = n.outer"
)
_NEARER_KIND = "UPDATE name SET kind = ?1 WHERE id = ?2 AND kind <> 'MODEL' AND (kind < ?1 OR ?1 = 'MODEL')"


@dataclass(frozen=True, slots=True)
class Rules:
    """What people said of names: `[names]` of the settings, `lineagekit alias`. A rule covers all below its name."""

    rewrites: tuple[tuple[Name, Name], ...] = ()

    @property
    def text(self) -> str:
        """As the index keeps them."""
        return json.dumps(self.rewrites) if self.rewrites else ""

    @classmethod
    def parse(cls, text: str) -> Rules:
        """From `text`."""
        return cls(tuple((Name(*left), Name(*right)) for left, right in json.loads(text or "[]")))

    def apply(self, name: Name) -> Name:
        """What it is called instead, or itself; the first rule that covers it counts, once."""
        for left, right in self.rewrites:
            if name.namespace == left.namespace and (name.name == left.name or name.name.startswith(left.name + "/")):
                return Name(right.namespace, right.name + name.name[len(left.name) :])
        return name


@dataclass(slots=True)
class Names:
    """Numbers of names, within one transaction; what was found is remembered."""

    connection: sqlite3.Connection
    rules: Rules = field(default_factory=Rules)
    regrouped: set[int] = field(default_factory=set)
    """Classes that went into another: runs that have them must be told anew."""
    _datasets: dict[Name, int] = field(default_factory=dict)
    _jobs: dict[Name, int] = field(default_factory=dict)
    _words: dict[str, int] = field(default_factory=dict)
    _kinds: dict[int, str] = field(default_factory=dict)
    _around: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _outers: set[int] | None = None
    """Classes with something inside; None when that is to be looked up."""

    def dataset(self, name: Name, links: Iterable[Name] = ()) -> int:
        """The class of a dataset that an event names; `links` are its other names, for good."""
        known = self._datasets.get(name)
        if known is None:
            known = self._datasets[name] = self._enter(name, CALLED)
        for link in links:
            if self._datasets.get(link) != known:
                known = self._link(name, link)
        return known

    def piece(self, name: Name) -> int:
        """The class of a place that no event need have named: a part of a dataset, where a link led to."""
        return self._datasets.get(name) or self._enter(name, PIECE)

    def job(self, name: Name) -> int:
        """A job."""
        if name not in self._jobs:
            self._jobs[name] = self._number("job", ("namespace", "name"), (plain(name.namespace), plain(name.name)))
        return self._jobs[name]

    def word(self, text: str) -> int:
        """A column, a metric, a model."""
        if text not in self._words:
            self._words[text] = self._number("word", ("text",), (plain(text),))
        return self._words[text]

    def around(self, dataset: int) -> tuple[int, ...]:
        """Datasets that this one lies in, the nearest first."""
        if dataset not in self._around:
            found: list[int] = []
            outer = self.connection.execute(_OUTER, (dataset,)).fetchone()
            while outer and outer[0] not in (*found, dataset):
                found.append(outer[0])
                outer = self.connection.execute(_OUTER, outer).fetchone()
            self._around[dataset] = tuple(found)
        return self._around[dataset]

    def inside(self, dataset: int) -> list[int]:
        """Datasets and pieces in this one, however deep."""
        if self._outers is None:
            rows = self.connection.execute(_OUTERS).fetchall()
            self._outers = {number for (number,) in rows}
        if dataset not in self._outers:
            return []
        found = self.connection.execute(
            "WITH RECURSIVE inner (id) AS (SELECT n.id FROM name o CROSS JOIN name n ON n.outer = o.id"
            " WHERE o.class = ?1 UNION SELECT n.id FROM inner CROSS JOIN name n ON n.outer = inner.id)"
            " SELECT DISTINCT n.class FROM inner CROSS JOIN name n ON n.id = inner.id WHERE n.class <> ?1",
            (dataset,),
        )
        return [number for (number,) in found]

    def set_kind(self, dataset: int, kind: str) -> None:
        """What a dataset is: MODEL, TABLE, FILE; of several words always the same one."""
        if kind and self._kinds.get(dataset) != kind:
            self.connection.execute(_NEARER_KIND, (plain(kind), dataset))
            self._kinds[dataset] = kind

    def regroup(self, classes: Iterable[int], rules: Rules) -> None:
        """Take classes apart and put them together again, because the rules changed."""
        self.rules = rules
        self.regrouped.update(classes)
        rows = [
            row
            for number in sorted(self.regrouped)
            for row in self.connection.execute("SELECT id, namespace, name, rank FROM name WHERE class = ?", (number,))
        ]
        self.connection.executemany("UPDATE name SET class = id WHERE id = ?", [row[:1] for row in rows])
        for number, namespace, name, rank in rows:
            self._settle(number, Name(namespace, name), rank & 3)
        for number, *_ in rows:
            for (other,) in self.connection.execute("SELECT b FROM link WHERE a = ?", (number,)).fetchall():
                self._join(number, other)

    def _enter(self, name: Name, rank: int) -> int:
        found = self.connection.execute(_FIND, (plain(name.namespace), plain(name.name))).fetchone()
        before = int(found[2]) if found is not None else PIECE
        rank = max(before & 3, rank & 3) | (before | rank) & RULED
        if found is not None and found[2] == rank:
            return int(found[1])
        if found is None:
            added = self.connection.execute(_ADD, (plain(name.namespace), plain(name.name), rank)).lastrowid or 0
            self.connection.execute("UPDATE name SET class = id WHERE id = ?", (added,))
            self._place(added, name)
        number = added if found is None else int(found[0])
        if rank > PIECE:
            self._take_in(number, name)
        return self._settle(number, name, rank)

    def _settle(self, number: int, name: Name, rank: int) -> int:
        """Give a name its rank, and what the rules call it instead."""
        self.connection.execute("UPDATE name SET rank = ? WHERE id = ?", (rank, number))
        called = self.rules.apply(name)
        if called != name:
            self._enter(called, RULED if rank > PIECE else PIECE)
            self._join(number, self._id(called))
        return self._class(number)

    def _place(self, number: int, name: Name) -> None:
        """Find the nearest dataset around a new name."""
        outer, cut = None, name.name.rfind("/")
        while cut > 0 and outer is None:
            found = self.connection.execute(_FIND, (plain(name.namespace), plain(name.name[:cut]))).fetchone()
            outer = found[0] if found is not None and found[2] > PIECE else None
            cut = name.name.rfind("/", 0, cut)
        if outer is not None:
            self.connection.execute("UPDATE name SET outer = ? WHERE id = ?", (outer, number))
            self._outers = None

    def _take_in(self, number: int, name: Name) -> None:
        self.connection.execute(_TAKE_IN, (plain(name.namespace), plain(name.name.rstrip("/")), number))
        self._around.clear()
        self._outers = None

    def _link(self, name: Name, link: Name) -> int:
        self._enter(link, SPELLING)
        one, other = self._id(name), self._id(link)
        self.connection.execute("INSERT OR IGNORE INTO link VALUES (?1, ?2), (?2, ?1)", (one, other))
        known = self._datasets[name] = self._datasets[link] = self._join(one, other)
        return known

    def _join(self, one: int, other: int) -> int:
        """Make two names one dataset; the smaller number stays."""
        kept, lost = sorted((self._class(one), self._class(other)))
        if kept != lost:
            self.connection.execute("UPDATE name SET class = ? WHERE class = ?", (kept, lost))
            self.regrouped.add(lost)
            self._datasets.clear()
            self._around.clear()
            self._outers = None
        return kept

    def _id(self, name: Name) -> int:
        return int(self.connection.execute(_FIND, (plain(name.namespace), plain(name.name))).fetchone()[0])

    def _class(self, number: int) -> int:
        return int(self.connection.execute("SELECT class FROM name WHERE id = ?", (number,)).fetchone()[0])

    def _number(self, table: str, columns: tuple[str, ...], values: tuple[str, ...]) -> int:
        where = " AND ".join(f"{column} = ?" for column in columns)
        found = self.connection.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
        if found is None:
            marks = ", ".join("?" * len(values))
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            return self.connection.execute(sql, values).lastrowid or 0
        return int(found[0])
