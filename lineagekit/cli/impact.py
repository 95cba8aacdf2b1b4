# SPDX-License-Identifier: Apache-2.0
"""`lineagekit impact TARGET`: who uses this, and who breaks if it is deleted.

$ lineagekit impact s3://raw/orders
store /work/.lineagekit: history from 2026-05-01, last event 2 h ago
deleting s3://raw/orders breaks 3 models and 11 tables; owners: ann, crm-team; last read 2 h ago
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from lineagekit.cli.asking import Asked, StoreOption, asked
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.impact_text import told
from lineagekit.cli.output import Output
from lineagekit.cli.times import parse_since
from lineagekit.errors import UsageError
from lineagekit.events.producers import AIRFLOW, known_producer
from lineagekit.graph.consumers import Consumer
from lineagekit.graph.impact import Impact as Answer
from lineagekit.graph.impact import Scope, impact
from lineagekit.store import walk

DEPENDANTS, NOBODY, NONE_RECORDED = 1, 0, 5
"""What --exit-code says."""

_NAMESAKES = 20
"""Runs of jobs of one name among which that of a namespace is looked for."""

_HEADER = (
    "kind", "name", "depth", "jobs", "via", "last_use", "first_use",
    "runs", "owners", "active", "identity", "weak", "versions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Impact:
    """Say who uses this, and who breaks if it is deleted.

    A table, file or model by its name, one version of it (orders@9f3c07,
    orders@v12, model-42@3), a digest, a run, or a pattern in quotes.

    With --exit-code: 1 somebody uses it, 0 nobody, 5 no use was recorded, and
    nobody said (complete = true in config.toml) that all uses are.

    Example: lineagekit impact s3://raw/orders --models
    """

    target: Annotated[str, typer.Argument(metavar="TARGET", help="A path, a name, NAME@VERSION, a digest, a run.")]
    models: Annotated[bool, typer.Option("--models", help="Only models.")] = False
    columns: Annotated[
        str, typer.Option("--columns", metavar="COL,...", show_default=False, help="What uses these columns.")
    ] = ""
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, show_default=False, help="How far: 1 is direct uses.")
    ] = None
    version: Annotated[
        str, typer.Option("--version", metavar="DIGEST", show_default=False, help="Who used exactly these bytes.")
    ] = ""
    since: Annotated[str, typer.Option("--since", metavar="WHEN", show_default=False, help="A date, or 30d.")] = ""
    csv: Annotated[bool, typer.Option("--csv", help="A row for each consumer.")] = False
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Answer in the exit code too.")] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Ask, and print the answer in one of three shapes."""
        if self.csv and out.as_json:
            raise UsageError("two shapes at once: got --csv and --json, expected one", advice="Leave one out.")
        scope = self._scope()
        with asked(out, self.store) as it:
            answer = impact(it.db, self.target, scope=scope, settings=it.settings)
            where, pages = it.where, {} if self.csv else _pages(answer, it)
        if self.csv:
            out.write(*_csv(answer))
            if not answer.consumers:
                out.warn(told(answer)[0])
        else:
            out.say(where, *told(answer, pages))
            out.show(_to_json(answer, pages), coverage=answer.coverage.to_json())
        return exit_code_of(answer) if self.exit_code else 0

    def _scope(self) -> Scope:
        columns = tuple(filter(None, (column.strip() for column in self.columns.split(","))))
        if self.columns and not columns:
            raise UsageError(f"no column: got {self.columns!r}, expected names", advice="Say --columns price,day.")
        since = parse_since(self.since) if self.since else None
        return Scope(self.version, depth=self.depth, since=since, columns=columns, models=self.models)


def exit_code_of(answer: Answer) -> int:
    """For a script that deletes."""
    if answer.consumers:
        return DEPENDANTS
    return NOBODY if answer.is_nobody else NONE_RECORDED


def _pages(answer: Answer, it: Asked) -> dict[str, str]:
    """Where its scheduler shows the latest run of a consumer's job, by the name of the job; only Airflow tells."""
    if all(known_producer(sender.producer) is not AIRFLOW for sender in walk.senders(it.db)):
        return {}
    from lineagekit.cause.views import Views

    views, found = Views(it.db, it.store), {}
    for title in dict.fromkeys(one.job for one in answer.consumers):
        namespace, _, job = title.rpartition("/")  # a name of Airflow's has no slash in it
        latest = next((row for row in it.store.recent_runs(_NAMESAKES, job=job) if row.namespace == namespace), None)
        if latest is not None and (page := views.page(latest.run)):
            found[title] = page
    return found


def _to_json(answer: Answer, pages: Mapping[str, str]) -> dict[str, Any]:
    consumers = [{**one.to_json(), "page": pages.get(one.job)} for one in answer.consumers]
    return {**answer.to_json(), "consumers": consumers}


def _csv(answer: Answer) -> Iterable[str]:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(map(_row, answer.consumers))
    return [text.getvalue().removesuffix("\n")]


def _row(one: Consumer) -> Iterator[object]:
    yield from (one.kind, one.title, one.depth, ";".join(one.jobs), one.via, _iso(one.last_use), _iso(one.first_use))
    active = "" if one.active is None else "yes" if one.active else "no"
    yield from (one.runs, ";".join(one.owners), active, one.identity, ";".join(one.weak), ";".join(one.versions))


def _iso(microseconds: int | None) -> str:
    if microseconds is None:
        return ""
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).isoformat(timespec="seconds")
