# SPDX-License-Identifier: Apache-2.0
"""`lineagekit log [JOB]`: the runs that were recorded, newest first.

$ lineagekit log --since 2d
store /work/.lineagekit: 2 runs, the newest 3 min ago
2026-11-25 14:03:11  COMPLETE  train.py      12.4 s   2 in   1 out  01a214d6-5fb8
"""

from __future__ import annotations

import json as json_format
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.mirror import store_named
from lineagekit.cli.output import Output
from lineagekit.cli.times import ago, moment, parse_since, took
from lineagekit.store.rows import RunRow

SHORT = 13
"""Characters of a run's id that are shown: those that tell the millisecond in which it began."""


@dataclass(frozen=True, slots=True)
class Log:
    """List the runs that were recorded, newest first.

    With --json, one object a line.

    Example: lineagekit log train.py --since 2d
    """

    job: Annotated[str, typer.Argument(metavar="[JOB]", show_default=False, help="Only runs of this job.")] = ""
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many at most.")] = 20
    since: Annotated[str, typer.Option("--since", metavar="WHEN", show_default=False, help="A date, or 2d, 3h.")] = ""
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Ask the store, and print a line a run."""
        since = parse_since(self.since) if self.since else None
        with opened_store(out, store_named(None)) as (store, where):
            rows = store.recent_runs(self.number, job=self.job or None, since=since)
        if out.as_json:
            for row in rows:
                out.write(json_format.dumps(asdict(row)))
            return 0
        newest = f", the newest {ago(rows[0].began)}" if rows else ""
        out.say(f"{where}: {len(rows)} run{'' if len(rows) == 1 else 's'}{newest}")
        width = max((len(_title(row)) for row in rows), default=0)
        digits = digits_of([row.run for row in rows])
        out.say(*(_line(row, min(width, 30), digits) for row in rows))
        return 0


def digits_of(runs: list[str]) -> int:
    """How much of an id tells these apart: those that a scheduler gives to the tasks of one day begin alike.

    >>> digits_of(["01a21842-0976-7489-b94a", "01a21842-0976-73d9-b015"])
    16
    """
    return next((n for n in range(SHORT, 36) if len({run[:n] for run in runs}) == len(set(runs))), 36)


def _line(row: RunRow, width: int, digits: int) -> str:
    lasted = took(row.ended - row.began) if row.ended else ""
    counts = f"{row.inputs:3} in {row.outputs:3} out"
    return (
        f"{moment(row.began)}  {row.state:8}  {_title(row)[-width:]:{width}}  {lasted:>9}  {counts}  {row.run[:digits]}"
    )


def _title(row: RunRow) -> str:
    return "".join(c if c.isprintable() else "?" for c in row.job)
