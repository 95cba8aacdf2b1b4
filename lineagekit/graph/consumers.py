# SPDX-License-Identifier: Apache-2.0
"""Consumers: uses summed up for people, one for each model, table, file, and job that makes none of these.

>>> consumers_of(index.database, uses, Known(own=frozenset({orders})))[0].title  # doctest: +SKIP
'model-42'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lineagekit.events.owners import owners_in
from lineagekit.graph.uses import Use
from lineagekit.store import query, walk, walk_uses
from lineagekit.store.database import Database
from lineagekit.store.found import Dataset, Flow, Identity, Read

Kind = Literal["model", "table", "file", "job"]

_DAY = 86_400_000_000
_PATIENCE = 3
"""Mean intervals that a job may be late and still counts as active."""
_FILES = ("file", "s3:", "s3a:", "gs:", "gcs:", "abfs", "wasb", "hdfs:", "dbfs", "http:", "https:")
_STRENGTH: Mapping[Identity, int] = {"name": 0, "pin": 1, "content": 2}


@dataclass(frozen=True, slots=True)
class Consumer:
    """A model, table or file that is made of the target, or a job that reads it and makes none of these."""

    kind: Kind
    title: str
    jobs: tuple[str, ...]
    """Who makes it, the one that did so last first."""
    depth: int
    """1: of the target itself."""
    via: str
    """The dataset that these jobs read."""
    last_use: int | None
    """None for what is only designed."""
    first_use: int | None
    runs: int
    """How many used it; by name over the whole history."""
    owners: tuple[str, ...] = ()
    active: bool | None = None
    """Whether it goes on, by the job's own cadence; None where one run tells of none."""
    identity: Identity = "name"
    """How well is known which bytes were read."""
    weak: tuple[str, ...] = ()
    """Why it may be none after all; empty where some way here is sure."""
    versions: tuple[str, ...] = ()
    """Of a model: those that were built of these bytes."""

    @property
    def job(self) -> str:
        """Who made it last."""
        return self.jobs[0] if self.jobs else ""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Known:
    """What else is needed to sum up uses."""

    own: frozenset[int] = frozenset()
    """What is asked about is no consumer of itself."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Patterns of the settings."""
    newest: int | None = None
    """When anything was heard last."""
    cadence: Mapping[int, Flow] = field(default_factory=dict)
    """Of a job: its flow that was used last, over the whole history."""
    reads: Mapping[tuple[int, int], Read] = field(default_factory=dict)
    """By job and dataset, the last one."""


def consumers_of(db: Database, uses: Sequence[Use], known: Known) -> list[Consumer]:
    """Sum up: models first, then direct before transitive, then by last use."""
    made = {use.step.dst for use in uses if use.step.dst} - known.own
    people = _People(db, uses, made, known)
    groups: dict[tuple[str, object], list[Use]] = {}
    productive = {use.step.job for use in uses if use.step.dst in made}
    for use in uses:
        if use.step.dst in made:
            groups.setdefault(people.thing(use.step.dst), []).append(use)
        elif use.step.job not in productive:
            groups.setdefault(("job", use.step.job), []).append(use)
    found = [people.consumer(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda one: (one.kind != "model", one.depth, -(one.last_use or 0), one.title))


def cadences(flows: Iterable[Flow]) -> dict[int, Flow]:
    """Of each job, the flow that was used last, and most often."""
    found: dict[int, Flow] = {}
    for flow in flows:
        if flow.last is not None and (
            flow.job not in found or (flow.last, flow.runs) > (found[flow.job].last or 0, found[flow.job].runs)
        ):
            found[flow.job] = flow
    return found


def is_active(flow: Flow | None, newest: int | None) -> bool | None:
    """Whether a job goes on: its last use is no longer ago than three of its own mean intervals, or two days.

    Ago is counted from the newest event in the store and not from now: of what came after that the store knows nothing,
    and in one that was copied last month, or pulled last week, everything would look dead.
    """
    if flow is None or flow.last is None or flow.first is None or newest is None:
        return None
    interval = (flow.last - flow.first) / (flow.runs - 1) if flow.runs > 1 else 0
    if flow.last >= newest - max(_PATIENCE * interval, 2 * _DAY):
        return True
    return False if flow.runs > 1 else None


class _People:
    """Names and owners of all that was reached, looked up at once."""

    def __init__(self, db: Database, uses: Sequence[Use], made: set[int], known: Known) -> None:
        jobs = {use.step.job for use in uses}
        self.datasets = query.datasets(db, made | {use.step.src for use in uses})
        self.models = walk_uses.models_called(db, made)
        self.jobs = {number: _joined(*named) for number, named in walk.job_names(db, jobs).items()}
        self.snaps = query.snapshots(db, {read.snap for read in _reads(uses, known)})
        self._job_owners = walk.owners_of(db, "job", jobs)
        self._owners = walk.owners_of(db, "dataset", made)
        pairs = [(use.step.run, use.step.dst) for use in uses if use.step.run and use.step.dst in self.models]
        self._versions = {(run, made): version for run, made, version in walk_uses.versions_built(db, pairs)}
        self._known = known

    def thing(self, dataset: int) -> tuple[str, object]:
        """What tells a consumer from others: of a model its name, whatever its versions were written to."""
        return ("model", self.models[dataset]) if dataset in self.models else ("dataset", dataset)

    def consumer(self, key: tuple[str, object], uses: list[Use]) -> Consumer:
        """One, by all that leads to it."""
        first = min(uses, key=lambda use: (use.depth, bool(use.doubts), -(use.step.last or 0)))
        jobs = self._jobs_of(uses)
        things = {use.step.dst for use in uses} if key[0] != "job" else set()
        lasts = [use.step.last for use in uses if use.step.last is not None]
        firsts = [use.step.first for use in uses if use.step.first is not None]
        return Consumer(
            kind=kind_of(self.datasets[first.step.dst], first.step.dst in self.models) if things else "job",
            title=self._title(key, first),
            jobs=tuple(self.jobs[job] for job in jobs if job),
            depth=first.depth,
            via=self.datasets[first.step.src].title,
            last_use=max(lasts, default=None),
            first_use=min(firsts, default=None),
            runs=_count_runs(uses),
            owners=self._who(jobs, things),
            active=_any_active(is_active(self._known.cadence.get(job), self._known.newest) for job in jobs),
            identity=self._identity(uses),
            weak=() if any(not use.doubts for use in uses) else tuple(sorted({*first.doubts})),
            versions=self._versions_of(uses),
        )

    def _title(self, key: tuple[str, object], first: Use) -> str:
        if key[0] == "job":
            return self.jobs.get(first.step.job, "")
        return str(key[1]) if key[0] == "model" else self.datasets[first.step.dst].title

    def _jobs_of(self, uses: list[Use]) -> list[int]:
        last: dict[int, int] = {}
        for use in uses:
            last[use.step.job] = max(last.get(use.step.job, 0), use.step.last or 0)
        return sorted(last, key=lambda job: (-last[job], self.jobs.get(job, "")))

    def _who(self, jobs: list[int], things: set[int]) -> tuple[str, ...]:
        patterns = self._known.owners
        owners = [owner for thing in things for owner in self._owners.get(thing, ())]
        owners += [owner for thing in things for owner in owners_in(patterns, self.datasets[thing].title)]
        owners += [owner for job in jobs for owner in self._job_owners.get(job, ())]
        owners += [owner for job in jobs if job for owner in owners_in(patterns, self.jobs[job])]
        return tuple(sorted(set(owners)))

    def _identity(self, uses: list[Use]) -> Identity:
        """Of the best known read."""
        found: set[Identity] = {self.snaps[read.snap].identity for read in _reads(uses, self._known) if read.snap}
        return max(found, key=lambda one: _STRENGTH[one], default="name")

    def _versions_of(self, uses: list[Use]) -> tuple[str, ...]:
        runs = sorted({(use.step.run, use.step.dst) for use in uses} & set(self._versions))
        return tuple(dict.fromkeys(self._versions[pair] for pair in runs if self._versions[pair]))


def kind_of(dataset: Dataset, is_model: bool) -> Kind:
    """What people call it."""
    if is_model or dataset.kind == "MODEL":
        return "model"
    by_place = not dataset.kind and dataset.namespace.startswith(_FILES)
    return "file" if by_place or dataset.kind in ("FILE", "DIRECTORY", "OBJECT") else "table"


def _joined(namespace: str, job: str) -> str:
    return f"{namespace}/{job}" if namespace else job


def _reads(uses: Iterable[Use], known: Known) -> list[Read]:
    found = [use.step.read or known.reads.get((use.step.job, use.step.src)) for use in uses]
    return [read for read in found if read is not None]


def _count_runs(uses: list[Use]) -> int:
    """By content, runs; by name of each job at least those of its most used input."""
    if runs := {use.step.run for use in uses if use.step.run}:
        return len(runs)
    most: dict[int, int] = {}
    for use in uses:
        most[use.step.job] = max(most.get(use.step.job, 0), use.step.runs)
    return sum(most.values())


def _any_active(found: Iterable[bool | None]) -> bool | None:
    told = list(found)
    return True if True in told else None if None in told or not told else False
