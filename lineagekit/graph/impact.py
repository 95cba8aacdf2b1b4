# SPDX-License-Identifier: Apache-2.0
"""Impact: who uses this, and who breaks if it is deleted; by name, or who used exactly these bytes.

>>> impact(index.database, "s3://raw/orders").counts  # doctest: +SKIP
{'model': 3, 'table': 11, 'job': 2}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lineagekit.errors import UsageError
from lineagekit.events.owners import owners_in
from lineagekit.graph.columns import ColumnLineage, check_columns
from lineagekit.graph.consumers import Consumer, Known, cadences, consumers_of
from lineagekit.graph.coverage import Coverage, coverage_of
from lineagekit.graph.links import Link, Start, links_of
from lineagekit.graph.uses import Bounds, Node, State, Step, Steps, Use, by_content, by_name, spread
from lineagekit.settings import Settings
from lineagekit.store import query, walk, walk_uses
from lineagekit.store.database import Database
from lineagekit.store.found import Flow, Read, Snapshot
from lineagekit.store.targets import Target, find_target

if TYPE_CHECKING:
    from networkx import DiGraph

By = Literal["name", "content", "pin", "run"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of an answer is wanted."""

    version: str = ""
    """Only these bytes: a digest, or what a foreign system calls them."""
    depth: int | None = None
    since: int | None = None
    """Only uses since then, in microseconds since 1970."""
    columns: tuple[str, ...] = ()
    models: bool = False
    """Only models."""


@dataclass(frozen=True, slots=True)
class Impact:
    """Who uses it, as far as was recorded."""

    target: str
    """What it is called."""
    by: By
    consumers: tuple[Consumer, ...]
    coverage: Coverage
    versions: tuple[str, ...] = ()
    """The bytes that were meant."""
    owners: tuple[str, ...] = ()
    """Of the target."""
    last_read: int | None = None
    """When it was read last, whatever the scope; of bytes, by any of these consumers."""
    last_write: int | None = None
    newest: int | None = None
    """When anything was heard last: of later times nothing is known."""
    unknown_reads: int = 0
    """Of bytes: runs that read the dataset and may have seen these, for their own are not known."""
    left_out: int = 0
    """Consumers beyond the scope: no models, or not used since then."""
    runs: int = 0
    """Of bytes: runs that they went into, itself or by what was made of them."""
    scope: Scope = field(default_factory=Scope)
    root: str = ""
    """The target, with its version if only that is meant: the first node of the graph."""
    links: tuple[Link, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Consumers of each kind."""
        kinds = [one.kind for one in self.consumers]
        return {kind: kinds.count(kind) for kind in ("model", "table", "file", "job") if kind in kinds}

    @property
    def is_nobody(self) -> bool:
        """Whether it is known that nobody uses it, which nothing but the user's word on coverage can make it."""
        return not self.consumers and self.coverage.complete and not self.unknown_reads

    @property
    def graph(self) -> DiGraph[str]:
        """What leads from the target to its consumers."""
        import networkx

        made: DiGraph[str] = networkx.DiGraph()
        made.add_node(self.root, kind="target", depth=0)
        for link in self.links:
            made.add_edge(link.src, link.dst, job=link.job, last_use=link.last_use, weak=link.weak)
        for one in self.consumers:
            made.add_node(one.title, kind=one.kind, depth=one.depth)
        return made

    def to_json(self) -> dict[str, Any]:
        """As plain values; coverage goes beside it."""
        return {
            "target": self.target,
            "by": self.by,
            "versions": list(self.versions),
            "counts": self.counts,
            "nobody": self.is_nobody,
            "consumers": [one.to_json() for one in self.consumers],
            "owners": list(self.owners),
            "last_read": self.last_read,
            "last_write": self.last_write,
            "newest_event": self.newest,
            "unknown_reads": self.unknown_reads,
            "left_out": self.left_out,
            "runs": self.runs,
            "links": [[link.src, link.dst, link.job] for link in self.links],
        }


def impact(db: Database, target: str, *, scope: Scope | None = None, settings: Settings | None = None) -> Impact:
    """Who uses this. Raises NotFoundError for what was never recorded, which is not the same as nobody."""
    scope, settings = scope or Scope(), settings or Settings()
    meant = _meant(db, target, scope.version)
    near = {one: side for _, one, side in walk_uses.related(db, meant.datasets)}
    inside = {one for one, side in near.items() if side == walk_uses.INSIDE}
    if scope.columns:
        check_columns(db, {*meant.datasets, *inside}, scope.columns)
    uses = _uses(db, meant, scope)
    coverage, known = _known(db, uses, settings)
    if _by_name(meant):
        known = replace(known, own=frozenset({*meant.datasets, *inside}))
    consumers = consumers_of(db, uses, known)
    shown = [one for one in consumers if _is_wanted(one, scope)]
    about = _about(db, meant, near, settings)
    return replace(
        about,
        consumers=tuple(shown),
        coverage=coverage,
        newest=known.newest,
        left_out=len(consumers) - len(shown),
        runs=len({use.step.run for use in uses if use.step.run}),
        scope=scope,
        links=tuple(links_of(db, uses, Start(about.root, meant.datasets, _by_name(meant)))),
    )


def _meant(db: Database, target: str, version: str) -> Target:
    if not version:
        return find_target(db, target)
    if find_target(db, target).kind not in ("dataset", "model"):
        raise UsageError(f"{target} with a version: got {version}, expected a dataset or model", advice="Name one.")
    return find_target(db, f"{target}@{version}", kinds=("snapshot", "build"))


def _by_name(meant: Target) -> bool:
    return meant.kind in ("dataset", "model")


def _uses(db: Database, meant: Target, scope: Scope) -> list[Use]:
    columns = frozenset(scope.columns) or None
    bounds = Bounds(scope.depth, ColumnLineage(db) if columns else None)
    steps: Steps
    if _by_name(meant):
        start: dict[Node, State] = {(0, dataset): State(columns) for dataset in meant.datasets}
        steps = by_name(db, since=scope.since)
    else:
        start = _versions_meant(db, meant, State(columns))
        steps = by_content(db, meant.datasets, meant.snaps)
    return spread(start, steps, bounds)


def _versions_meant(db: Database, meant: Target, state: State) -> dict[Node, State]:
    """These bytes, by whoever wrote them; or all that a run made."""
    start: dict[Node, State] = {(0, dataset): state for dataset in meant.datasets if meant.snaps}
    for writer in walk_uses.writers_of_bytes(db, meant.snaps):
        node = (writer.run, writer.dataset)
        doubtful = state._replace(doubts=frozenset({"parts"}))
        start[node] = state if not writer.is_part else start.get(node, doubtful)
    if meant.kind == "build":
        start |= {(meant.run, dataset): state for dataset in meant.datasets}
    elif meant.kind == "run":
        start |= {(write.run, write.dataset): state for write in walk.writes_of(db, [meant.run])}
    return start


def _known(db: Database, uses: Sequence[Use], settings: Settings) -> tuple[Coverage, Known]:
    """How well it is known, and what consumers are summed up by."""
    steps = [use.step for use in uses]
    last = {(step.job, step.last, step.src) for step in steps if step.read is None and step.last is not None}
    lasts: dict[tuple[int, int], Read] = {(job, read.dataset): read for job, read in walk_uses.last_reads(db, last)}
    reads = [*lasts.values(), *(step.read for step in steps if step.read is not None)]
    coverage = coverage_of(db, reads, complete=settings.complete)
    by_run = {(step.job, step.src, step.dst) for step in steps if step.read is not None}
    flows = [_flow(step) for step in steps if step.read is None] + (walk_uses.flows_of(db, by_run) if by_run else [])
    heard = [one.last for one in coverage.senders] + [flow.last for flow in flows if flow.last is not None]
    newest = max(heard, default=None)
    return coverage, Known(owners=settings.owners, newest=newest, cadence=cadences(flows), reads=lasts)


def _flow(step: Step) -> Flow:
    return Flow(step.job, step.src, step.dst, False, step.first, step.last, step.runs)


def _is_wanted(one: Consumer, scope: Scope) -> bool:
    recent = scope.since is None or one.last_use is None or one.last_use >= scope.since
    return recent and (one.kind == "model" or not scope.models)


def _about(db: Database, meant: Target, near: Mapping[int, int], settings: Settings) -> Impact:
    """What is known of the target itself; `near` is what lies inside and around it."""
    whole = {*meant.datasets, *(one for one, side in near.items() if side == walk_uses.INSIDE)}
    named = query.datasets(db, meant.datasets)
    titles = [named[dataset].title for dataset in meant.datasets]
    owners = {owner for found in walk.owners_of(db, "dataset", whole).values() for owner in found}
    owners |= {owner for title in titles for owner in owners_in(settings.owners, title)}
    snaps = query.snapshots(db, meant.snaps)
    of_bytes = meant.kind == "snapshot"
    title = _title(db, meant, titles)
    return Impact(
        target=title,
        root=f"{title}@{snaps[meant.snaps[0]].text}" if of_bytes else title,
        by=_by(meant, snaps.values()),
        consumers=(),
        coverage=Coverage(),
        versions=tuple(dict.fromkeys(one.text for one in snaps.values())),
        owners=tuple(sorted(owners)),
        last_read=walk.last_read(db, whole),
        last_write=walk_uses.last_write(db, whole),
        unknown_reads=walk_uses.unknown_reads(db, meant.datasets, meant.snaps, near) if of_bytes else 0,
    )


def _by(meant: Target, snaps: Iterable[Snapshot]) -> By:
    if _by_name(meant):
        return "name"
    kinds = {one.identity for one in snaps}
    return "content" if "content" in kinds else "pin" if kinds else "run"


def _title(db: Database, meant: Target, titles: list[str]) -> str:
    if meant.kind == "run":
        run = query.runs(db, [meant.run])[meant.run]
        return f"run {run.run} of {run.job}"
    if meant.model:
        return meant.text if meant.kind == "build" else meant.model
    return titles[0] if len(titles) == 1 else f"{meant.text} ({len(titles)} datasets)"
