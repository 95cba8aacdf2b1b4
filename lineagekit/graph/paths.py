# SPDX-License-Identifier: Apache-2.0
"""Paths: the ways on which one thing became another, from run to run, or else by names over all time.

>>> find_paths(db, store, "model-42", "s3://raw/orders").total  # doctest: +SKIP
3
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lineagekit.graph.coverage import Coverage, coverage_of
from lineagekit.graph.nodes import Edge, Node
from lineagekit.graph.steps import WEAK
from lineagekit.graph.trace import Trace, trace
from lineagekit.graph.ways import Ways, find_ways
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Dataset, Flow
from lineagekit.store.log import Store
from lineagekit.store.targets import Target, find_target

MOST = 10
"""Ways that are shown."""

Stop = tuple[int, int]
"""Of a way by names: a dataset and 0, or the dataset that is made and the job that makes it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a way: a dataset, or what made the next one of it."""

    title: str
    kind: Literal["dataset", "job"]
    node: Node | None = None
    """The version or the run; None where only names are known."""
    is_weak: bool = False
    """It is not certain that the run before it wrote this version."""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        if self.node is None:
            return {"kind": self.kind, self.kind: self.title, "weak": False}
        return {"kind": self.kind, **self.node.to_json(), "weak": self.is_weak}


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways between two things, from what came first to what was made of it."""

    first: str
    last: str
    """What was made, as the person called it; the other one is `first`."""
    by: Literal["run", "name", ""]
    """From each run to the one that wrote what it read, or by names over all time; "" where nothing leads."""
    ways: tuple[tuple[Place, ...], ...]
    """The shortest."""
    total: int
    is_exact: bool
    """Else there are at least so many."""
    coverage: Coverage

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "first": self.first,
            "last": self.last,
            "by": self.by or None,
            "total": self.total,
            "total_is_exact": self.is_exact,
            "ways": [[place.to_json() for place in way] for way in self.ways],
        }


def find_paths(db: Database, store: Store, one: str, other: str, *, complete: bool = False) -> Paths:
    """Ways between two targets, whichever of them came first: from run to run if there are any, else by names."""
    pair = find_target(db, one), find_target(db, other)
    traces = []
    for last, first in (pair, pair[::-1]):
        traces.append(found := trace(db, store, last, complete=complete, details=False))
        ways = _by_runs(db, found, first)
        if ways.total:
            places = _placed(found, ways)
            return Paths(first.text, last.text, "run", places, ways.total, ways.is_exact, found.coverage)
    nothing = coverage_of(db, (), complete=complete)
    for last, first in (pair, pair[::-1]):
        named = _by_names(db, _datasets(db, last), _datasets(db, first))
        if named.total:
            return Paths(first.text, last.text, "name", _named(db, named), named.total, named.is_exact, nothing)
    return Paths(other, one, "", (), 0, True, traces[0].coverage)


def _by_runs(db: Database, found: Trace, first: Target) -> Ways[str]:
    edges = found.edges
    parents: dict[str, list[str]] = {}
    for edge in edges:
        parents.setdefault(edge.target.key, []).append(edge.source.key)
    nodes = found.nodes
    starts = [key for root in found.roots if root.run for key in _start(nodes, root.run.id)]
    return find_ways(parents, starts, _goals(db, first, nodes, edges), most=MOST)


def _start(nodes: Mapping[str, Node], run: int) -> Iterable[str]:
    return [key for key, node in nodes.items() if node.run and node.run.id == run]


def _goals(db: Database, first: Target, nodes: Mapping[str, Node], edges: Iterable[Edge]) -> set[str]:
    """The nodes that a target means."""
    if first.kind == "snapshot":
        return {key for key, node in nodes.items() if node.version and node.version.snap in first.snaps}
    if first.run:
        made = {edge.target.key for edge in edges if edge.source.run and edge.source.run.id == first.run}
        if first.kind == "run" or not made:
            return set(_start(nodes, first.run))
        return made
    wanted = _around(db, first.datasets)
    return {key for key, node in nodes.items() if node.version and node.version.dataset.id in wanted}


def _around(db: Database, datasets: Iterable[int]) -> set[int]:
    """These, what lies in them, and what they lie in: who reads a folder reads what is in it."""
    wanted = set(datasets)
    for dataset in datasets:
        wanted |= {*walk.inside(db, dataset, pieces=True), *walk.around(db, dataset)}
    return wanted


def _placed(found: Trace, ways: Ways[str]) -> tuple[tuple[Place, ...], ...]:
    nodes = found.nodes
    weak = {(edge.source.key, edge.target.key) for edge in found.edges if edge.how in WEAK}
    ends = {f"run {root.run.run}": root.version for root in found.roots if root.run}
    placed = []
    for path in ways.paths:
        places = [
            _place(nodes[key], is_weak=number > 0 and (path[number - 1], key) in weak)
            for number, key in enumerate(path)
        ]
        last = ends.get(path[-1])
        if last is not None:
            places.append(_place(Node(last.key, version=last), is_weak=False))
        placed.append(tuple(places))
    return tuple(placed)


def _place(node: Node, *, is_weak: bool) -> Place:
    if node.run is not None:
        return Place(node.run.job, "job", node)
    title = node.version.dataset.title if node.version else ""
    return Place(title, "dataset", node, is_weak)


def _datasets(db: Database, target: Target) -> list[int]:
    if target.kind == "run":
        return [write.dataset for write in walk.writes_of(db, [target.run])]
    return list(target.datasets)


def _by_names(db: Database, last: Sequence[int], first: Sequence[int]) -> Ways[Stop]:
    """A job is a place for each dataset that it makes: what went into another one is no way here."""
    goals = {(dataset, 0) for dataset in _around(db, first)} if first else set()
    parents: dict[Stop, list[Stop]] = {}
    level: set[int] = set(last)
    seen = set(level)
    while level:
        flows = _flows_into(db, level)
        for dataset, flow in flows:
            made, read = (flow.dst, flow.job), (flow.src, 0)
            _add(parents, (dataset, 0), made)
            _add(parents, made, read)
        level = {flow.src for _, flow in flows} - seen
        seen |= level
    starts = dict.fromkeys(stop for dataset in last for stop in parents.get((dataset, 0), ()))
    return find_ways(parents, starts, goals, most=MOST)


def _add(parents: dict[Stop, list[Stop]], node: Stop, parent: Stop) -> None:
    known = parents.setdefault(node, [])
    if parent not in known:
        known.append(parent)


def _flows_into(db: Database, datasets: Iterable[int]) -> list[tuple[int, Flow]]:
    """What makes these, or a part of them, or a whole that they are a part of: each with the one that was asked for."""
    asked: dict[int, list[int]] = {}
    for dataset in datasets:
        for made in (dataset, *walk.inside(db, dataset, pieces=True), *walk.around(db, dataset)):
            asked.setdefault(made, []).append(dataset)
    return [(dataset, flow) for flow in walk.flows_into(db, asked) if flow.src for dataset in asked[flow.dst]]


def _named(db: Database, ways: Ways[Stop]) -> tuple[tuple[Place, ...], ...]:
    stops = {stop for path in ways.paths for stop in path}
    datasets = query.datasets(db, (dataset for dataset, _ in stops))
    jobs = walk.job_names(db, (job for _, job in stops if job))
    return tuple(
        (*(_named_place(stop, datasets, jobs) for stop in path), Place(datasets[path[-1][0]].title, "dataset"))
        for path in ways.paths
    )


def _named_place(stop: Stop, datasets: Mapping[int, Dataset], jobs: Mapping[int, tuple[str, str]]) -> Place:
    dataset, job = stop
    return Place(jobs[job][1], "job") if job else Place(datasets[dataset].title, "dataset")
