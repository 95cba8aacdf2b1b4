# SPDX-License-Identifier: Apache-2.0
"""The shapes that the file has had, oldest first; each step and its mark are one transaction.

`PRAGMA user_version` counts the steps that were taken. A step, once released, is never edited: the next one mends it.

    >>> migrate(database)  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from lineagekit.errors import StoreError
from lineagekit.store.database import Database
from lineagekit.store.failures import MOVE_ASIDE

Step = Callable[[sqlite3.Connection], None]

APPLICATION = 0x4C4B4954
"""Tells our files from those of others: "LKIT"."""


def _keep_events(connection: sqlite3.Connection) -> None:
    """The log. `run` is the sum of the events of each run, so that listing runs decompresses nothing."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, run TEXT NOT NULL,"
        " kind TEXT NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL, origin TEXT NOT NULL, body BLOB NOT NULL)"
    )
    connection.execute("CREATE INDEX event_run ON event (run)")
    connection.execute(
        "CREATE TABLE run (run TEXT PRIMARY KEY, job TEXT NOT NULL, namespace TEXT NOT NULL, state TEXT NOT NULL,"
        " began INTEGER NOT NULL, ended INTEGER NOT NULL, inputs INTEGER NOT NULL, outputs INTEGER NOT NULL,"
        " seq INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX run_began ON run (began)")
    connection.execute("CREATE INDEX run_job ON run (job, began)")
    connection.execute(
        "CREATE TABLE mark (journal TEXT PRIMARY KEY, offset INTEGER NOT NULL, finished INTEGER NOT NULL) WITHOUT ROWID"
    )


def _keep_what_is_learned(connection: sqlite3.Connection) -> None:
    """Refinements, and the objects (manifests, profiles) that digests in events stand for."""
    connection.execute(
        "CREATE TABLE refinement (id INTEGER PRIMARY KEY, key BLOB NOT NULL, sum BLOB NOT NULL, body BLOB NOT NULL,"
        " UNIQUE (key, sum))"
    )
    connection.execute(
        "CREATE TABLE object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL,"
        " UNIQUE (kind, digest))"
    )


def _keep_deliveries(connection: sqlite3.Connection) -> None:
    """How far each destination is, and what it did not take."""
    connection.execute("CREATE TABLE cursor (destination TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID")
    connection.execute(
        "CREATE TABLE letter (destination TEXT NOT NULL, seq INTEGER NOT NULL, run TEXT NOT NULL, status TEXT NOT NULL,"
        " reason TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (destination, seq)) WITHOUT ROWID"
    )


def _keep_what_was_pulled(connection: sqlite3.Connection) -> None:
    """The windows of each server's history that are in the log."""
    connection.execute(
        "CREATE TABLE pulled (source TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,"
        " count INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (source, since)) WITHOUT ROWID"
    )


def _keep_aliases(connection: sqlite3.Connection) -> None:
    """What people said of names: on the left what is called something else, on the right what."""
    connection.execute(
        "CREATE TABLE alias (namespace TEXT NOT NULL, name TEXT NOT NULL, to_namespace TEXT NOT NULL,"
        " to_name TEXT NOT NULL, PRIMARY KEY (namespace, name)) WITHOUT ROWID"
    )


def _keep_verdicts(connection: sqlite3.Connection) -> None:
    """What people said of runs: good or bad."""
    connection.execute(
        "CREATE TABLE verdict (run TEXT PRIMARY KEY, said TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID"
    )


def _let_failures_stand(connection: sqlite3.Connection) -> None:
    """A run that failed has failed, whatever it says later; once its last word counted."""
    connection.execute(
        "UPDATE run SET state = 'FAIL' WHERE state <> 'FAIL' AND run IN (SELECT run FROM event WHERE type = 'FAIL')"
    )


def _keep_debts(connection: sqlite3.Connection) -> None:
    """Events of which some digests are still to be taken."""
    connection.execute("CREATE TABLE debt (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, host TEXT NOT NULL)")


def _find_ends(connection: sqlite3.Connection) -> None:
    """The ends of a run, however much else it says: a delivery asks for them with each event."""
    connection.execute("CREATE INDEX event_end ON event (run) WHERE type IN ('COMPLETE', 'FAIL', 'ABORT')")


STEPS: tuple[Step, ...] = (
    _keep_events,
    _keep_what_is_learned,
    _keep_deliveries,
    _keep_what_was_pulled,
    _keep_aliases,
    _keep_verdicts,
    _let_failures_stand,
    _keep_debts,
    _find_ends,
)


def migrate(database: Database, steps: Sequence[Step] = STEPS) -> None:
    """Bring the file to the newest shape. Raises StoreError for a newer file and for another program's."""
    while _version(database, len(steps)) < len(steps):
        with database.write() as connection:
            # Another process may have taken the step while this one stood in line.
            version = _version(database, len(steps))
            for step in steps[version : version + 1]:
                step(connection)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _version(database: Database, newest: int) -> int:
    version: int = database.value("PRAGMA user_version")
    # In this order: another process may take the first step in between, which makes tables and says whose they are.
    if database.value("SELECT 1 FROM sqlite_master LIMIT 1") and database.value("PRAGMA application_id") != APPLICATION:
        raise StoreError(f"{database.path} is not a store: it is another program's database", advice=MOVE_ASIDE)
    if version > newest:
        raise StoreError(
            f"the store {database.path} is too new: got version {version}, expected {newest} or less",
            advice="A newer lineagekit wrote it: upgrade this one (pip install --upgrade lineagekit).",
        )
    return version
