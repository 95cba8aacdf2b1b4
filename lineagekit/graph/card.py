# SPDX-License-Identifier: Apache-2.0
"""One dataset or model at a glance: its versions, who makes it, who reads it, how it did.

>>> card(index.database, dataset, limit=20).versions[0].text  # doctest: +SKIP
'blake3:9f3c...'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lineagekit.store import query, walk, walk_versions
from lineagekit.store.database import Database
from lineagekit.store.found import Flow, Identity, Metric, Write, job_title, title_of


@dataclass(frozen=True, slots=True)
class Version:
    """Bytes that a dataset had; of a foreign producer, or without any identity, what one run left."""

    number: int | None
    """In the order of time, from 1: `orders@3`."""
    identity: Identity
    text: str
    pin: str
    at: int | None
    size: int | None
    run: str
    job: str
    """Who wrote it first; empty for nobody who is known."""
    reads: int
    metrics: Mapping[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """A job that makes or reads it."""

    job: str
    last: int | None
    runs: int


@dataclass(frozen=True, slots=True)
class Card:
    """A dataset or model."""

    title: str
    kind: str
    model: str
    others: tuple[str, ...]
    owners: tuple[str, ...]
    total: int
    """How many versions there are."""
    versions: tuple[Version, ...]
    """The newest, first."""
    made_by: tuple[Use, ...]
    read_by: tuple[Use, ...]

    def to_json(self) -> dict[str, Any]:
        """For the envelope."""
        return asdict(self)


def card(db: Database, dataset: int, *, limit: int) -> Card:
    """All of it, with the newest versions only."""
    known = query.datasets(db, [dataset])[dataset]
    snaps = walk.versions_of(db, dataset)
    versions = _versions(db, dataset, snaps, limit) if snaps else _nameless(db, dataset, limit)
    into, out = walk.flows_into(db, [dataset]), walk.flows_from(db, [dataset])
    return Card(
        title=known.title,
        kind=known.kind,
        model=walk.models_among(db, [dataset]).get(dataset, ""),
        others=tuple(title_of(*name) for name in known.others),
        owners=tuple(walk.owners_of(db, "dataset", [dataset]).get(dataset, ())),
        total=len(snaps) or len(walk.writes_to(db, dataset)),
        versions=tuple(versions),
        made_by=_uses(db, into),
        read_by=_uses(db, out),
    )


def _versions(db: Database, dataset: int, snaps: list[int], limit: int) -> Iterable[Version]:
    newest = list(enumerate(snaps, 1))[-limit:][::-1]
    shown = [snap for _, snap in newest]
    found, pins = query.snapshots(db, shown), walk.pins_of(db, shown)
    reads, seen = walk_versions.read_counts(db, dataset), walk_versions.first_seen(db, dataset)
    writes = {snap: walk.writes_of_snapshot(db, snap)[-1:] for snap in shown}
    runs = query.runs(db, (write.run for one in writes.values() for write in one))
    grades = _grades(db, dataset)
    for number, snap in newest:
        one = found[snap]
        first = writes[snap][0] if writes[snap] else None
        run = runs.get(first.run) if first else None
        yield Version(
            number=number,
            identity=one.identity,
            text=one.text,
            pin=pins.get(snap, "") if one.identity == "content" else "",
            at=seen.get(snap),
            size=one.size,
            run=run.run if run else "",
            job=run.job if run else "",
            reads=reads.get(snap, 0),
            metrics=grades.get(snap, {}),
        )


def _nameless(db: Database, dataset: int, limit: int) -> Iterable[Version]:
    """What foreign producers wrote without saying which bytes: every run left a version of its own."""
    writes: list[Write] = walk.writes_to(db, dataset, limit=limit)
    runs = query.runs(db, (write.run for write in writes))
    for write in writes:
        run = runs[write.run]
        yield Version(None, "name", "", "", write.at, None, run.run, run.job, reads=0)


def _grades(db: Database, dataset: int) -> dict[int, dict[str, float | str | None]]:
    """Metrics of each version of a model: of the run that made it, and of those that read it."""
    metrics: list[Metric] = walk.metrics_of(db, datasets=[dataset])
    runs = {metric.run for metric in metrics}
    versions = {write.run: write.snap for write in walk.writes_of(db, runs) if write.dataset == dataset}
    for read in walk.reads_of(db, runs):
        if read.dataset == dataset:
            versions.setdefault(read.run, read.snap)
    found: dict[int, dict[str, float | str | None]] = {}
    for metric in metrics:
        snap = versions.get(metric.run)
        if snap is not None:
            found.setdefault(snap, {})[metric.name] = metric.value
    return found


def _uses(db: Database, flows: Iterable[Flow]) -> tuple[Use, ...]:
    last: dict[int, int | None] = {}
    runs: dict[int, int] = {}
    for flow in flows:
        if flow.job:
            last[flow.job] = max(filter(None, (last.get(flow.job), flow.last)), default=None)
            runs[flow.job] = max(runs.get(flow.job, 0), flow.runs)
    names = walk.job_names(db, last)
    uses = [Use(job_title(*names[job]), last[job], runs[job]) for job in last]
    return tuple(sorted(uses, key=lambda use: (-(use.last or 0), use.job)))
