# SPDX-License-Identifier: Apache-2.0
"""A trace as nodes and edges: versions of datasets and runs, from what came first to what was made of it.

>>> [edge.source.key for edge in edges_of(found.roots, found.steps, found.runs)]  # doctest: +SKIP
['/data/raw.csv@blake3:0f45...', 'run 01a1917d-...']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineagekit.graph.steps import Step, Version
from lineagekit.store.found import Run

if TYPE_CHECKING:
    import networkx

    from lineagekit.graph.roots import Root


@dataclass(frozen=True, slots=True)
class Node:
    """A run, or a version of a dataset."""

    key: str
    run: Run | None = None
    version: Version | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        if self.version is not None:
            return self.version.to_json()
        return {"run": self.run.run, "job": self.run.job, "began": self.run.began} if self.run else {}


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` was made of `source`: a run of what it read, a version by the run that wrote it."""

    source: Node
    target: Node
    how: str = ""
    """Of a version that was read: how it is known that this run wrote it."""
    parts: int = 0


def run_node(run: Run) -> Node:
    """A run."""
    return Node(f"run {run.run}", run=run)


def version_node(version: Version) -> Node:
    """A version of a dataset."""
    return Node(version.key, version=version)


def nodes_of(roots: Iterable[Root], steps: Iterable[Step], runs: Mapping[int, Run]) -> dict[str, Node]:
    """All nodes of a trace by their keys, also those that nothing leads to."""
    versions = [version for root in roots for version in _made(root, steps)]
    versions += [one.version for step in steps for one in step.inputs]
    nodes = [*map(version_node, versions), *map(run_node, sorted(runs.values(), key=lambda run: (run.began, run.run)))]
    return {node.key: node for node in nodes}


def edges_of(roots: Iterable[Root], steps: Iterable[Step], runs: Mapping[int, Run]) -> list[Edge]:
    """All edges of a trace, each once: what two runs read was written once."""
    return list(dict.fromkeys(_edges(roots, steps, runs)))


def _edges(roots: Iterable[Root], steps: Iterable[Step], runs: Mapping[int, Run]) -> Iterator[Edge]:
    nodes = {number: run_node(run) for number, run in runs.items()}
    for root in roots:
        for version in _made(root, steps):
            if root.run:
                yield Edge(nodes[root.run.id], version_node(version))
    for step in steps:
        for one in step.inputs:
            read = version_node(one.version)
            yield Edge(read, nodes[step.run.id])
            for origin in one.origins:
                if origin.run:
                    yield Edge(nodes[origin.run], read, origin.how, origin.parts)


def _made(root: Root, steps: Iterable[Step]) -> Iterable[Version]:
    """What was meant; of a run, all that it wrote."""
    if root.version is not None:
        return [root.version]
    return [version for step in steps if step.run == root.run for version in step.outputs]


def graph_of(nodes: Mapping[str, Node], edges: Iterable[Edge]) -> networkx.DiGraph[str]:
    """The graph that networkx knows."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for key, node in nodes.items():
        graph.add_node(key, kind="run" if node.run else "version", **node.to_json())
    for edge in edges:
        graph.add_edge(edge.source.key, edge.target.key, how=edge.how or None, parts=edge.parts)
    return graph
