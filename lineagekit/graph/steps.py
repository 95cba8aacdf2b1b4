# SPDX-License-Identifier: Apache-2.0
"""What a trace is made of: versions of datasets, and the runs that read and wrote them, each with how sure it is.

>>> Version(Dataset(1, "file", "/data/a.csv", ""), "content", "blake3:0f451c99cb2967aa").short
'0f451c99cb29'
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lineagekit.graph.details import Detail
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Dataset, How, Identity, Read, Run, Snapshot
from lineagekit.store.walk_trace import run_flows

HOW = {
    How.NOBODY: "nobody",
    How.COPY: "copy",
    How.TIME: "times",
    How.DIGEST: "digest",
    How.EVIDENCE: "evidence",
}
"""How it is known who wrote what was read, in words."""
WEAK = (HOW[How.COPY], HOW[How.TIME])
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Version:
    """Bytes under a name; where nothing tells them from others, what one run wrote there."""

    dataset: Dataset
    identity: Identity
    text: str = ""
    """`algorithm:hex`, or a foreign system's version; "" where only the name is known."""
    size: int | None = None
    pin: str = ""
    """What a foreign system calls it, beside a digest."""
    by: str = ""
    """Where only the name is known, the run that wrote it."""
    snap: int = 0

    @property
    def short(self) -> str:
        """The first 12 digits of its digest, or its pin; "?" where neither is known."""
        if self.identity == "content":
            return self.text.rpartition(":")[2][:_SHORT]
        return self.text or "?"

    @property
    def key(self) -> str:
        """What tells it from all other versions."""
        return f"{self.dataset.title}@{self.text or self.by or '?'}"

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "dataset": self.dataset.title,
            "namespace": self.dataset.namespace,
            "name": self.dataset.name,
            "identity": self.identity,
            "digest": self.text if self.identity == "content" else None,
            "pin": (self.text if self.identity == "pin" else self.pin) or None,
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote what was read, or some parts of it."""

    run: int
    """Its number; 0 for nobody who is known."""
    out: int
    """What it calls the dataset that it wrote."""
    via: str
    """The same as a title, where it is another name than the one that was read."""
    how: str
    parts: int
    """0 for the whole."""


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset as one run read it."""

    version: Version
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A run on the way: what it read, and what it wrote."""

    run: Run
    inputs: tuple[Input, ...]
    outputs: tuple[Version, ...]
    flows: frozenset[tuple[int, int]] | None = None
    """Which dataset went into which, by number, where the run says so."""
    detail: Detail | None = None
    """Code and parameters, where they were asked for."""

    def inputs_of(self, output: int) -> Iterable[Input]:
        """What went into one of its outputs; 0 for any."""
        if self.flows is None or not output:
            return self.inputs
        return [one for one in self.inputs if (one.version.dataset.id, output) in self.flows]


class Versions:
    """Versions by the numbers of the index, all asked for at once."""

    def __init__(self, db: Database, *, datasets: Iterable[int], snaps: Collection[int | None]) -> None:
        """Ask for them."""
        self.datasets: Mapping[int, Dataset] = query.datasets(db, datasets)
        self._snapshots: Mapping[int, Snapshot] = query.snapshots(db, snaps)
        self._pins = walk.pins_of(db, snaps)

    def of(self, dataset: int, snap: int | None, *, by: str = "") -> Version:
        """One of them; `by` is the run that wrote it, if one run did."""
        found = self._snapshots.get(snap or 0)
        if found is None:
            return Version(self.datasets[dataset], "name", by=by)
        pin = self._pins.get(found.id, "") if found.identity == "content" else ""
        return Version(self.datasets[dataset], found.identity, found.text, found.size, pin, snap=found.id)


def steps_of(db: Database, reads: Iterable[Read], *, runs: Mapping[int, Run], followed: Collection[int]) -> list[Step]:
    """The runs that were followed, with these reads; the newest first."""
    used: dict[int, dict[int, list[Read]]] = {}
    for read in reads:
        if read.parts >= 0:  # else it is shown by another name
            used.setdefault(read.run, {}).setdefault(read.dataset, []).append(read)
    every = [read for of_run in used.values() for some in of_run.values() for read in some]
    writes = walk.writes_of(db, followed)
    versions = Versions(
        db,
        datasets={one.dataset for one in writes} | {number for read in every for number in (read.dataset, read.via)},
        snaps={write.snap for write in writes} | {read.snap for read in every},
    )
    flows = _flows(db, followed)
    outputs: dict[int, list[Version]] = {}
    for write in writes:
        outputs.setdefault(write.run, []).append(versions.of(write.dataset, write.snap, by=runs[write.run].run))
    steps = [
        Step(
            runs[run],
            _sorted(_input(some, versions, runs) for some in used.get(run, {}).values()),
            tuple(sorted(outputs.get(run, ()), key=lambda one: one.key)),
            flows.get(run),
        )
        for run in followed
    ]
    return sorted(steps, key=lambda step: (-step.run.began, step.run.run))


def _flows(db: Database, runs: Iterable[int]) -> dict[int, frozenset[tuple[int, int]]]:
    return {run: frozenset(pairs) for run, pairs in run_flows(db, runs).items()}


def _input(reads: list[Read], versions: Versions, runs: Mapping[int, Run]) -> Input:
    first = reads[0]
    by = runs[first.src].run if len(reads) == 1 and first.src else ""
    origins = [_origin(read, versions) for read in reads]
    origins.sort(key=lambda one: (not one.run, *((runs[one.run].began, runs[one.run].run) if one.run else ())))
    return Input(versions.of(first.dataset, first.snap, by=by), tuple(origins))


def _origin(read: Read, versions: Versions) -> Origin:
    via = versions.datasets[read.via].title if read.via else ""
    return Origin(read.src, read.via or read.dataset, via, HOW[How(read.how)], read.parts)


def _sorted(inputs: Iterable[Input]) -> tuple[Input, ...]:
    return tuple(sorted(inputs, key=lambda one: one.version.key))
