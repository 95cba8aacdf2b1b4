# SPDX-License-Identifier: Apache-2.0
"""Uses, layer by layer: who reads this, who reads what is made of it, and how sure each step is.

By name along flows, one question a layer; by content along reads that are bound to the run that wrote what was read.
Whatever was reached once ends there, so circles end; it is gone through again only where it turns out to be surer, or
where more of its columns arrive.

    >>> [use.depth for use in spread(start, by_name(index.database), Bounds())]  # doctest: +SKIP
    [1, 1, 2]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lineagekit.graph.columns import ColumnLineage, Columns, Hop
from lineagekit.store import walk, walk_uses
from lineagekit.store.database import Database
from lineagekit.store.found import Flow, How, Read

Doubt = Literal["design", "whole", "parts", "time", "copy", "columns"]
"""Why a step is not sure: only designed; by the whole around it; by some part of what that run wrote; bound by run
times; by the same bytes elsewhere; which columns is not known."""

Doubts = frozenset[Doubt]
Node = tuple[int, int]
"""A run (0: any) and a dataset."""

SURE: Doubts = frozenset()
_WHOLE: Doubts = frozenset({"whole"})
_DESIGN: Doubts = frozenset({"design"})
_COLUMNS: Doubts = frozenset({"columns"})
_BOUND: Mapping[int, Doubts] = {How.TIME: frozenset({"time"}), How.COPY: frozenset({"copy"})}


class State(NamedTuple):
    """How something was reached."""

    columns: Columns = None
    doubts: Doubts = SURE

    def joined(self, other: State) -> State:
        """Both ways: all columns of either, and no doubt where one has none."""
        everything = self.columns is None or other.columns is None
        columns = None if everything else (self.columns or SURE) | (other.columns or SURE)
        return State(columns, self.doubts if self.doubts and other.doubts else SURE)


class Step(NamedTuple):
    """A job read `src` and made `dst` of it (0: nothing)."""

    origins: tuple[tuple[Node, Doubts], ...]
    """What was reached before and leads here: `src` itself, or what is inside or around it."""
    job: int
    src: int
    dst: int
    run: int
    """0 by name."""
    first: int | None
    last: int | None
    runs: int
    read: Read | None
    doubts: Doubts

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Tells steps apart."""
        return self.run, self.job, self.src, self.dst


class Use(NamedTuple):
    """A step that was gone: after how many, and how sure all of the way is."""

    step: Step
    depth: int
    doubts: Doubts


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far to go."""

    depth: int | None = None
    lineage: ColumnLineage | None = None
    """Where only some columns are asked for."""


Steps = Callable[[Collection[Node]], Iterable[Step]]


def spread(start: Mapping[Node, State], steps: Steps, bounds: Bounds) -> list[Use]:
    """All uses of what to start with, and of what was made of it."""
    reached, fresh = dict(start), dict(start)
    uses: dict[tuple[int, int, int, int], Use] = {}
    depth = 0
    while fresh and depth != bounds.depth:
        depth += 1
        found = list(steps(fresh))
        if bounds.lineage is not None:
            bounds.lineage.load(step.src for step in found)
        arrived: dict[Node, State] = {}
        for step in found:
            state = _after(step, fresh, bounds.lineage)
            if state is None:
                continue
            known = uses.get(step.key)
            uses[step.key] = Use(step, depth, state.doubts) if known is None else _surer(known, state.doubts)
            if step.dst:
                _arrive((step.run, step.dst), state, reached, arrived)
        fresh = arrived
    return list(uses.values())


def _arrive(node: Node, state: State, reached: dict[Node, State], arrived: dict[Node, State]) -> None:
    known = reached.get(node)
    joined = state if known is None else known.joined(state)
    if joined != known:
        reached[node] = arrived[node] = joined


def _after(step: Step, states: Mapping[Node, State], lineage: ColumnLineage | None) -> State | None:
    """How what a step makes is reached; None where none of the columns goes that way."""
    state: State | None = None
    for node, doubts in step.origins:
        if (before := states.get(node)) is not None:
            way = State(before.columns, before.doubts | doubts)
            state = way if state is None else state.joined(way)
    if state is None:
        return None
    followed = lineage.follow(Hop(step.job, step.src, step.dst), state.columns) if lineage else None
    if lineage is None:
        return State(None, state.doubts | step.doubts)
    if followed is None:
        return None
    return State(followed.columns, state.doubts | step.doubts | (SURE if followed.is_known else _COLUMNS))


def _surer(use: Use, doubts: Doubts) -> Use:
    return use if doubts else use._replace(doubts=SURE)


def by_name(db: Database, *, since: int | None = None) -> Steps:
    """Steps along flows, from a dataset, what lies inside, and what lies around it; never up and then down again."""

    def steps(nodes: Collection[Node]) -> Iterator[Step]:
        origins: dict[int, list[tuple[Node, Doubts]]] = {dataset: [((0, dataset), SURE)] for _, dataset in nodes}
        for of, dataset, side in walk_uses.related(db, [dataset for _, dataset in nodes]):
            doubts = _WHOLE if side == walk_uses.AROUND else SURE
            origins.setdefault(dataset, []).append(((0, of), doubts))
        for flow in _told_best(walk.flows_from(db, origins), since):
            yield Step(
                tuple(origins[flow.src]),
                *(flow.job, flow.src, flow.dst, 0, flow.first, flow.last, flow.runs),
                None,
                _DESIGN if flow.designed else SURE,
            )

    return steps


def _told_best(flows: Iterable[Flow], since: int | None) -> list[Flow]:
    """A flow that is designed and recorded is recorded. A design has no time that could be too long ago."""
    found: dict[Hop, Flow] = {}
    for flow in flows:
        if flow.designed or since is None or (flow.last is not None and flow.last >= since):
            hop = Hop(flow.job, flow.src, flow.dst)
            if hop not in found or found[hop].designed:
                found[hop] = flow
    return list(found.values())


def by_content(db: Database, datasets: Collection[int], snaps: Collection[int]) -> Steps:
    """Steps along bound reads; from (0, dataset) those who read exactly these bytes of it."""

    def steps(nodes: Collection[Node]) -> Iterator[Step]:
        made = [node for node in nodes if node[0]]
        if len(made) < len(nodes):
            for passed in walk_uses.uses_of_bytes(db, datasets, snaps):
                yield _by_read(passed, (0, passed.read.dataset), SURE)
        for passed in walk_uses.uses_of(db, made) if made else ():
            read = passed.read
            yield _by_read(passed, (read.src, read.via or read.dataset), _BOUND.get(read.how, SURE))

    return steps


def _by_read(passed: walk_uses.Passed, origin: Node, doubts: Doubts) -> Step:
    read = passed.read
    return Step(
        ((origin, SURE),),
        *(passed.job, read.dataset, passed.made, read.run, read.at, read.at, 1),
        read,
        doubts,
    )
