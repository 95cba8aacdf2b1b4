# SPDX-License-Identifier: Apache-2.0
"""Trace: exactly which bytes made this, back to what no recorded run wrote.

    >>> with open_store(folder) as store, open_index(store, folder) as index:  # doctest: +SKIP
    ...     trace(index.database, store, "model-42").steps[0].run.job
    'train.py'

It follows what each run read to the run that wrote exactly that, not the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lineagekit.errors import UsageError
from lineagekit.graph.coverage import Coverage, coverage_of
from lineagekit.graph.details import detail_of
from lineagekit.graph.nodes import Edge, Node, edges_of, graph_of, nodes_of
from lineagekit.graph.roots import Root, find_roots
from lineagekit.graph.steps import Input, Step, Version, steps_of
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Read, Run
from lineagekit.store.log import Store
from lineagekit.store.targets import Target, find_target

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class Trace:
    """Where something came from."""

    target: Target
    roots: tuple[Root, ...]
    """Where the trace begins: one, unless the target is a pattern, a digest under several names, or a folder."""
    steps: tuple[Step, ...]
    """The runs that were followed, the newest first."""
    sources: tuple[Version, ...]
    """What was read and no recorded run wrote."""
    coverage: Coverage
    runs: Mapping[int, Run] = field(repr=False)
    """All runs by their numbers, also those that were not followed because of the depth."""
    depth: int | None = None

    @property
    def root(self) -> Root:
        """The first place where it begins."""
        return self.roots[0]

    @property
    def beyond(self) -> tuple[Run, ...]:
        """Runs that were not followed because of the depth."""
        followed = {step.run.id for step in self.steps}
        return tuple(run for number, run in self.runs.items() if number not in followed)

    @property
    def graph(self) -> networkx.DiGraph[str]:
        """The same as a graph: versions of datasets and runs, from what came first to what was made of it."""
        return graph_of(self.nodes, self.edges)

    @property
    def nodes(self) -> dict[str, Node]:
        """Versions of datasets and runs, by their keys."""
        return nodes_of(self.roots, self.steps, self.runs)

    @property
    def edges(self) -> list[Edge]:
        """What was made of what."""
        return edges_of(self.roots, self.steps, self.runs)

    def to_json(self) -> dict[str, Any]:
        """As plain values; moments are microseconds since 1970."""
        return {
            "target": {"text": self.target.text, "kind": self.target.kind},
            "roots": [root.to_json() for root in self.roots],
            "steps": [_step_json(step, self.runs) for step in self.steps],
            "sources": [version.to_json() for version in self.sources],
            "depth": self.depth,
            "not_followed": [run.run for run in self.beyond],
        }


def trace(
    db: Database,
    store: Store,
    target: Target | str,
    *,
    depth: int | None = None,
    complete: bool = False,
    details: bool = True,
) -> Trace:
    """Follow a target back to its sources, or so many runs deep. `complete` says that all runs are recorded.

    Without `details` the steps lack code and parameters, which take a look into the log for each run.
    Raises NotFoundError for a target that nobody recorded, UsageError for one that may be several things.
    """
    if depth is not None and depth < 1:
        raise UsageError(f"no depth: got {depth}, expected 1 or more", advice="--depth 1 is the run that made it.")
    meant = find_target(db, target) if isinstance(target, str) else target
    roots = find_roots(db, meant)
    made = {(root.run.id, root.out) for root in roots if root.run}
    reads = walk.upstream(db, made, depth=None if depth is None else depth - 1)
    followed = _followed({run for run, _ in made}, reads, depth)
    runs = query.runs(db, followed | {read.src for read in reads if read.src})
    steps = steps_of(db, reads, runs=runs, followed=followed)
    if details:
        steps = [replace(step, detail=detail_of(store, step.run.run)) for step in steps]
    coverage = coverage_of(db, reads, complete=complete)
    return Trace(meant, tuple(roots), tuple(steps), _sources(steps), coverage, runs, depth)


def _followed(first: set[int], reads: Iterable[Read], depth: int | None) -> set[int]:
    """The runs whose inputs were looked at."""
    if depth is None:
        return first | {read.src for read in reads if read.src}
    sources: dict[int, set[int]] = {}
    for read in reads:
        sources.setdefault(read.run, set()).add(read.src)
    found, level = set(first), set(first)
    for _ in range(depth - 1):
        level = {src for run in level for src in sources.get(run, ()) if src} - found
        if not level:
            break
        found |= level
    return found


def _sources(steps: Iterable[Step]) -> tuple[Version, ...]:
    found = {
        one.version.key: one.version
        for step in steps
        for one in step.inputs
        if any(not origin.run for origin in one.origins)
    }
    return tuple(found[key] for key in sorted(found))


def _step_json(step: Step, runs: Mapping[int, Run]) -> dict[str, Any]:
    run = step.run
    return {
        "run": run.run,
        "namespace": run.namespace,
        "job": run.job,
        "state": run.state,
        "began": run.began,
        "ended": run.ended,
        **(step.detail.to_json() if step.detail else {}),
        "inputs": [_input_json(one, runs) for one in step.inputs],
        "outputs": [one.to_json() for one in step.outputs],
    }


def _input_json(one: Input, runs: Mapping[int, Run]) -> dict[str, Any]:
    origins = [
        {
            "run": runs[origin.run].run if origin.run else None,
            "how": origin.how,
            "parts": origin.parts,
            "as": origin.via or None,
        }
        for origin in one.origins
    ]
    return {**one.version.to_json(), "origins": origins}
