# SPDX-License-Identifier: Apache-2.0
"""Where a trace begins: the run that made what was meant, or what is known of a source that nobody recorded made.

>>> [root.run.job for root in find_roots(db, find_target(db, "model-42@3"))]  # doctest: +SKIP
['train.py']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lineagekit.graph.steps import Version, Versions
from lineagekit.store import query, walk, walk_trace
from lineagekit.store.database import Database
from lineagekit.store.found import Build, Metric, Run
from lineagekit.store.targets import Target

_MOST = 1000
"""Datasets inside another one that are traced as that one."""
_MOST_VERSIONS = 100
"""Of a source, that are told."""


@dataclass(frozen=True, slots=True)
class Readers:
    """The runs of one job that read a source."""

    namespace: str
    job: str
    runs: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One version of a source, as runs saw it."""

    version: Version
    first: int
    last: int
    reads: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a dataset that no recorded run wrote."""

    versions: tuple[Seen, ...]
    """The one that was read last first; the newest hundred."""
    total: int
    """How many there are."""
    since: int | None
    """When the first of all was read first; None if none ever was."""
    readers: tuple[Readers, ...]
    """By job, the one that read last first."""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "total": self.total,
            "first_read": self.since,
            "versions": [
                {**one.version.to_json(), "first_read": one.first, "last_read": one.last, "reads": one.reads}
                for one in self.versions
            ],
            "readers": [
                {"namespace": one.namespace, "job": one.job, "runs": one.runs, "last_read": one.last}
                for one in self.readers
            ],
        }


@dataclass(frozen=True, slots=True)
class Root:
    """Where a trace begins."""

    version: Version | None = None
    """What was made; None where a run was meant, with all that it made."""
    run: Run | None = None
    """None for a source."""
    out: int = 0
    """What the run calls its output, by number; 0 for all."""
    model: str = ""
    number: str = ""
    """The version of the model."""
    nth: int = 0
    of: int = 0
    """The `nth` build of so many; or, without `nth`, the newest of so many writes."""
    parts: int = 0
    """How many parts of the dataset the run wrote; 0 for the whole."""
    as_read: bool = False
    """No run wrote it under this name: it is what its last reader read, by another name."""
    source: Source | None = None
    metrics: tuple[Metric, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        told = self.version.to_json() if self.version else {}
        model = {"model": self.model, "version": self.number} if self.model else {}
        return {
            **told,
            **model,
            "run": self.run.run if self.run else None,
            "nth": self.nth or None,
            "of": self.of or None,
            "parts": self.parts,
            "as_read": self.as_read,
            "source": self.source.to_json() if self.source else None,
            "metrics": [
                {"name": one.name, "value": one.value, "of": one.of or None, "on": one.on or None}
                for one in self.metrics
            ],
        }


def find_roots(db: Database, target: Target) -> list[Root]:
    """Where the trace of a target begins: one place, or one for each dataset that was meant."""
    if target.kind == "run":
        run = query.runs(db, [target.run])[target.run]
        return [Root(run=run, metrics=tuple(walk.metrics_of(db, runs=[run.id])))]
    if target.kind in ("build", "model"):
        return [_of_build(db, target)]
    if target.kind == "snapshot":
        return [
            root
            for snap in query.snapshots(db, target.snaps).values()
            for root in _of_snapshot(db, snap.dataset, snap.id)
        ]
    return [root for dataset in target.datasets for root in _of_dataset(db, dataset)]


def _of_build(db: Database, target: Target) -> Root:
    builds = walk.builds_of_model(db, target.model)
    place = _named(builds, target.run) if target.kind == "build" else _newest(db, builds)
    build = builds[place]
    return _root(
        db,
        build.run,
        build.dataset,
        snap=build.snap,
        model=target.model,
        number=build.version,
        nth=place + 1,
        of=len(builds),
    )


def _named(builds: list[Build], run: int) -> int:
    return next(place for place, build in enumerate(builds) if build.run == run)


def _newest(db: Database, builds: list[Build]) -> int:
    """The last one whose run ended well, if any did."""
    for place in reversed(range(len(builds))):
        if query.runs(db, [builds[place].run])[builds[place].run].state == "COMPLETE":
            return place
    return len(builds) - 1


def _of_snapshot(db: Database, dataset: int, snap: int) -> Iterator[Root]:
    maker = walk_trace.newest_maker_of_snapshot(db, snap)
    if maker is not None:
        count = walk_trace.count_makers(db, snap=snap)
        yield _root(db, maker.run, dataset, out=maker.dataset, snap=snap, of=count, parts=maker.parts)
        return
    yield from _as_read(db, dataset, snap) or [
        Root(Versions(db, datasets=[dataset], snaps=[snap]).of(dataset, snap), source=_source(db, dataset, snap))
    ]


def _of_dataset(db: Database, dataset: int) -> Iterator[Root]:
    maker = walk_trace.newest_maker(db, dataset)
    if maker is not None:
        count = walk_trace.count_makers(db, dataset=dataset)
        yield _root(db, maker.run, dataset, out=maker.dataset, snap=maker.snap, of=count, parts=maker.parts)
        return
    yield from _as_read(db, dataset) or _inside(db, dataset) or [_nobody(db, dataset)]


def _as_read(db: Database, dataset: int, snap: int | None = None) -> list[Root]:
    """What its last reader read had another name when it was written."""
    return [
        _root(db, run, out, snap=_written(db, run, out), as_read=True)
        for run, out in walk_trace.bound_makers(db, dataset, snap=snap)
    ]


def _written(db: Database, run: int, dataset: int) -> int | None:
    return next((write.snap for write in walk.writes_of(db, [run]) if write.dataset == dataset), None)


def _inside(db: Database, dataset: int) -> list[Root]:
    """Of a folder that nobody wrote as such, what was written in it."""
    makers = ((inner, walk_trace.newest_maker(db, inner)) for inner in walk.inside(db, dataset)[:_MOST])
    return [
        _root(db, maker.run, inner, out=maker.dataset, snap=maker.snap, parts=maker.parts)
        for inner, maker in makers
        if maker
    ]


def _root(db: Database, run: int, dataset: int, *, snap: int | None, out: int = 0, **more: Any) -> Root:
    made = query.runs(db, [run])[run]
    version = Versions(db, datasets=[dataset], snaps=[snap]).of(dataset, snap, by=made.run)
    out = out or dataset
    return Root(version, made, out, metrics=tuple(_metrics(db, run, out)), **more)


def _metrics(db: Database, run: int, dataset: int) -> Iterable[Metric]:
    """Of this version of a model: what its run reported, and what those reported who read it."""
    readers = walk_trace.readers_of_version(db, dataset, run)
    for metric in walk.metrics_of(db, runs=[run, *readers]):
        if metric.dataset == dataset or (metric.run == run and metric.dataset is None):
            yield metric


def _nobody(db: Database, dataset: int) -> Root:
    return Root(Versions(db, datasets=[dataset], snaps=()).of(dataset, None), source=_source(db, dataset))


def _source(db: Database, dataset: int, snap: int | None = None) -> Source:
    found = walk_trace.sightings(db, dataset, snap=snap, limit=_MOST_VERSIONS)
    versions = Versions(db, datasets=[dataset], snaps={one.snap for one in found})
    seen = tuple(Seen(versions.of(dataset, one.snap), one.first, one.last, one.reads) for one in found)
    total, since = (found[0].versions, found[0].since) if found else (0, None)
    if snap is None:
        readers = tuple(_readers(db, dataset))
    else:
        readers = tuple(Readers(*reader) for reader in walk_trace.readers_of_snapshot(db, dataset, snap))
    return Source(seen, total, since, readers)


def _readers(db: Database, dataset: int) -> Iterator[Readers]:
    """By job. A job that makes several datasets of it has a flow to each."""
    counts: dict[int, tuple[int, int]] = {}
    for flow in walk.flows_from(db, [dataset]):
        if not flow.designed:
            runs, last = counts.get(flow.job, (0, 0))
            counts[flow.job] = max(runs, flow.runs), max(last, flow.last or 0)
    named = walk.job_names(db, counts)
    for job, (runs, last) in sorted(counts.items(), key=lambda one: (-one[1][1], named[one[0]])):
        yield Readers(*named[job], runs, last or None)
