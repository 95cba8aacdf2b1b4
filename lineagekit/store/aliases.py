# SPDX-License-Identifier: Apache-2.0
"""Aliases: two names that a person says are one. Kept beside the log, because the index can be made anew.

>>> set_alias(database, Name("file", "/mnt/x"), Name("file", "/data/x"))  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent.naming import dataset_name
from lineagekit.events.naming import safe_name, safe_namespace
from lineagekit.events.said import Name
from lineagekit.settings import Settings
from lineagekit.store.database import Database
from lineagekit.store.names import Rules
from lineagekit.store.packing import plain


def set_alias(database: Database, left: Name, right: Name) -> None:
    """Say that what is called `left`, and all below it, is `right`; in place of what was said of `left` before."""
    with database.write() as connection:
        connection.execute("REPLACE INTO alias VALUES (?, ?, ?, ?)", (*map(plain, left), *map(plain, right)))


def remove_alias(database: Database, left: Name) -> bool:
    """Take it back; whether there was one."""
    with database.write() as connection:
        sql = "DELETE FROM alias WHERE namespace = ? AND name = ?"
        return connection.execute(sql, tuple(map(plain, left))).rowcount > 0


def aliases(database: Database) -> list[tuple[Name, Name]]:
    """All of them."""
    rows = database.rows("SELECT namespace, name, to_namespace, to_name FROM alias ORDER BY namespace, name")
    return [(Name(a, b), Name(c, d)) for a, b, c, d in rows]


def rules_of(settings: Settings, said: list[tuple[Name, Name]]) -> Rules:
    """Aliases, and `[names]` of the settings; the rule that covers least is asked first."""
    configured = [(to_name(left), to_name(right)) for left, right in settings.names.items()]
    return Rules(tuple(sorted({**dict(configured), **dict(said)}.items(), key=lambda rule: -len(rule[0].name))))


def to_name(text: str) -> Name:
    """A path, URI or `namespace:name` as a dataset's name."""
    namespace, name = dataset_name(text)
    return Name(safe_namespace(namespace), safe_name(name))
