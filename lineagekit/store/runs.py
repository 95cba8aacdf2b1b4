# SPDX-License-Identifier: Apache-2.0
"""Runs at a glance: one small row each, kept with every event, so that listing them reads no event.

The row is a function of the set of events: order of arrival, duplicates and late events change nothing. A run that
failed has failed, whatever it says later (`events.summary.outcome`); beside that, its last word counts.

    >>> recent_runs(database, 20, job="train", since=None)  # doctest: +SKIP
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from lineagekit.events.lenient import mapping
from lineagekit.events.summary import ENDS, FAILED
from lineagekit.store.database import Database, SqlRow
from lineagekit.store.packing import plain
from lineagekit.store.rows import End, Entry, Outline, RunRow

# An event that ends the run knows it best; of two, the later. The names only settle ties the same way every time.
_KNOWS_BETTER = "(excluded.ended, excluded.job, excluded.namespace) > (ended, job, namespace)"
_BEST = f"CASE WHEN {_KNOWS_BETTER} THEN excluded.{{0}} ELSE {{0}} END"
_STATE = (
    f"CASE WHEN '{FAILED}' IN (state, excluded.state) THEN '{FAILED}'"
    " WHEN (excluded.ended, excluded.state) > (ended, state) THEN excluded.state ELSE state END"
)
_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD = (
    "INSERT INTO run VALUES {} ON CONFLICT (run) DO UPDATE SET"
    f" job = {_BEST.format('job')}, namespace = {_BEST.format('namespace')}, state = {_STATE},"
    " began = min(began, excluded.began), ended = max(ended, excluded.ended),"
    " inputs = max(inputs, excluded.inputs), outputs = max(outputs, excluded.outputs), seq = max(seq, excluded.seq)"
)
_THESE = (
    "SELECT run, job, namespace, state, began, ended, inputs, outputs, seq FROM run"
    " WHERE run IN (SELECT value FROM json_each(?))"
)
_RECENT = "SELECT run FROM run WHERE began >= ? ORDER BY began DESC, run DESC LIMIT ?"
_RECENT_OF_JOB = "SELECT run FROM run WHERE job = ? AND began >= ? ORDER BY began DESC, run DESC LIMIT ?"
_ENDS = f"SELECT seq, type, time FROM event WHERE run = ? AND type IN {ENDS} ORDER BY seq"
_SETTLED = "SELECT run FROM run WHERE ended AND run IN (SELECT value FROM json_each(?))"
_PREFIX = "SELECT run FROM run WHERE run >= ? AND run < ? ORDER BY run DESC LIMIT ?"
_LAST_CHARACTER = "\U0010ffff"
_LONG_AGO = -(1 << 63)


def outline_of(event: Mapping[str, Any]) -> Outline:
    """What a list of runs shows of an event; of what has another shape than it should, nothing."""
    job = mapping(event.get("job"))
    names = str(job.get("name", "")), str(job.get("namespace", ""))
    return Outline(*names, _count(event.get("inputs")), _count(event.get("outputs")))


def add_to_runs(connection: sqlite3.Connection, entries: Iterable[tuple[Entry, int]]) -> None:
    """Add events, each with its place in the log, to the rows of their runs."""
    rows: dict[str, SqlRow] = {}
    for entry, seq in entries:
        row = _of_one_event(entry, seq)
        rows[row[0]] = _sum(rows[row[0]], row) if row[0] in rows else row
    if rows:
        values = [value for row in rows.values() for value in row]
        connection.execute(_ADD.format(", ".join([_VALUES] * len(rows))), values)


def recent_runs(database: Database, limit: int, *, job: str | None, since: int | None) -> list[RunRow]:
    """Runs that began last, newest first."""
    began = _LONG_AGO if since is None else since
    if job is None:
        return _these(database, database.rows(_RECENT, (began, limit)))
    return _these(database, database.rows(_RECENT_OF_JOB, (plain(job), began, limit)))


def find_runs(database: Database, text: str, limit: int) -> list[RunRow]:
    """Runs whose id begins with this text or whose job has this name, newest first."""
    by_id = database.rows(_PREFIX, (plain(text), plain(text) + _LAST_CHARACTER, limit)) if text else []
    by_job = database.rows(_RECENT_OF_JOB, (plain(text), _LONG_AGO, limit))
    return _these(database, by_id + by_job)[:limit]


def find_run(database: Database, run: str) -> RunRow | None:
    """The run with this id."""
    return next(iter(_these(database, [(plain(run),)])), None)


def is_settled(database: Database, run: str) -> bool:
    """Whether the end of a run is in the log."""
    return bool(database.value("SELECT ended FROM run WHERE run = ?", (plain(run),)))


def ends_of(database: Database, run: str) -> list[End]:
    """Events that ended a run, in the order of the log."""
    return [End(*row) for row in database.rows(_ENDS, (plain(run),))]


def settled_of(database: Database, runs: Iterable[str]) -> set[str]:
    """Those of these runs whose end is in the log."""
    return {run for (run,) in database.rows(_SETTLED, (json.dumps([plain(run) for run in runs]),))}


def _these(database: Database, found: Sequence[tuple[str]]) -> list[RunRow]:
    rows, _ = database.pick(_THESE, [run for (run,) in found])
    return sorted(map(_run_row, rows), key=lambda row: (row.began, row.run), reverse=True)


def _run_row(row: Sequence[Any]) -> RunRow:
    run, job, namespace, state, began, ended, inputs, outputs, seq = row
    return RunRow(run, job, namespace, state, began, ended or None, inputs, outputs, seq)


def _of_one_event(entry: Entry, seq: int) -> SqlRow:
    """The row of a run of which nothing else is known, in the order of the columns."""
    outline = entry.outline or outline_of(mapping(entry.body))
    ended = max(entry.time, 1) if entry.type in ENDS else 0
    names = (plain(entry.run), plain(outline.job), plain(outline.namespace))
    state = entry.type if ended else "RUNNING"
    return (*names, state, entry.time, ended, outline.inputs, outline.outputs, seq)


def _sum(one: SqlRow, other: SqlRow) -> SqlRow:
    """What `_ADD` makes of the two."""
    _, job, namespace, *_ = max(one, other, key=itemgetter(5, 1, 2))
    state = FAILED if FAILED in (one[3], other[3]) else max(one, other, key=itemgetter(5, 3))[3]
    return (one[0], job, namespace, state, min(one[4], other[4]), *map(max, one[5:], other[5:]))


def _count(value: object) -> int:
    return len(value) if isinstance(value, Sequence) else 0
