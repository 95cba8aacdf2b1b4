# SPDX-License-Identifier: Apache-2.0
"""Columns that a run told of, and tells of no more when it is told again: of a write that turned out to be none.

A flow of columns is kept for a job, with the time of the last run that told of it. So one that nobody told of later
goes with the run, and earlier runs of the job, which may have told of it as well, have to be asked.

    >>> claimed = withdraw(connection, run, job)  # doctest: +SKIP
    >>> put(told)  # doctest: +SKIP
    >>> again |= witnesses(connection, run, claimed)  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_LAST_TOLD = "SELECT began FROM run WHERE id = ?"
_CLAIMED = "SELECT src, src_column, dst, dst_column FROM column_flow WHERE job = ? AND last = ?"
_WITHDRAW = "DELETE FROM column_flow WHERE job = ? AND last = ?"
_IS_THERE = "SELECT 1 FROM column_flow WHERE job = ? AND src = ? AND src_column = ? AND dst = ? AND dst_column = ?"
_EARLIER = "SELECT id FROM run WHERE job = ? AND began <= ? AND id <> ?"


@dataclass(frozen=True, slots=True)
class Claimed:
    """Flows of columns that a run told of last."""

    job: int
    began: int
    flows: list[tuple[int, int, int, int]]


def withdraw(connection: sqlite3.Connection, run: int, job: int) -> Claimed:
    """Take out what this run of the job told of last, before it is told again."""
    (began,) = connection.execute(_LAST_TOLD, (run,)).fetchone()
    flows = connection.execute(_CLAIMED, (job, began)).fetchall()
    if flows:
        connection.execute(_WITHDRAW, (job, began))
    return Claimed(job, began, flows)


def witnesses(connection: sqlite3.Connection, run: int, claimed: Claimed) -> set[int]:
    """Runs to be told again, because this one did not tell again of all that it had claimed: mostly none."""
    for flow in claimed.flows:
        if connection.execute(_IS_THERE, (claimed.job, *flow)).fetchone() is None:
            rows = connection.execute(_EARLIER, (claimed.job, claimed.began, run))
            return {number for (number,) in rows}
    return set()
