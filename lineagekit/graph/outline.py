# SPDX-License-Identifier: Apache-2.0
"""A trace as a tree for people: each run once, many runs of one job together, chains of a job with itself folded.

>>> [type(item).__name__ for item in Outline(found).items(found.root)]  # doctest: +SKIP
['Writing', 'Branch', 'Writing', 'Branch']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from lineagekit.graph.roots import Root
from lineagekit.graph.steps import WEAK, Version
from lineagekit.graph.trace import Trace
from lineagekit.store.found import Run

MOST = 20
"""Inputs of a run that are shown."""
_LEAST = 5
"""Of these at least, those that nobody wrote."""

Pair = tuple[int, int]
"""A run, and which of its outputs; 0 for all."""
Job = tuple[str, str]


@dataclass(slots=True)
class Writing:
    """Runs of one job that wrote a version, or several: of one run there is more to tell."""

    place: tuple[bool, ...]
    """For each level of the tree whether it is the last there."""
    job: Job
    runs: list[Run]
    pairs: list[Pair]
    parts: int = 0
    how: set[str] = field(default_factory=set)
    via: set[str] = field(default_factory=set)
    path: tuple[Job, ...] = ()
    """Jobs from the top down to here."""
    is_above: bool = False
    """All of it was shown before."""
    is_beyond: bool = False
    """It was not followed."""
    folded: Counter[Job] = field(default_factory=Counter)
    """Earlier runs of jobs above that come from one another, by job."""

    @property
    def is_weak(self) -> bool:
        """Whether it is not certain that these runs wrote it."""
        return not self.how.isdisjoint(WEAK)


@dataclass(slots=True)
class Branch:
    """A dataset that was read, in one version or several, and who wrote it."""

    place: tuple[bool, ...] = ()
    versions: dict[str, Version] = field(default_factory=dict)
    reads: int = 0
    parts: int = 0
    unwritten: int = 0
    """How many of the reads, or of their parts, nobody who is known wrote."""
    writings: dict[Job, Writing] = field(default_factory=dict)
    is_above: bool = False
    """All of it was shown before."""

    @property
    def title(self) -> str:
        """Of the dataset."""
        return next(iter(self.versions.values())).dataset.title


@dataclass(frozen=True, slots=True)
class More:
    """Inputs that are not shown."""

    place: tuple[bool, ...]
    inputs: int
    unwritten: int
    """Of these, those that nobody who is known wrote."""
    runs: int
    """That wrote the others."""


Item = Writing | Branch | More


class Outline:
    """The tree of a trace; what was shown under one root is not shown again under the next."""

    def __init__(self, trace: Trace, *, most: int = MOST) -> None:
        """Show at most so many inputs of a run."""
        self._steps = {step.run.id: step for step in trace.steps}
        self._runs, self._most = trace.runs, most
        self._shown: set[Pair] = set()

    def items(self, root: Root) -> Iterator[Item]:
        """From top to bottom. An item is ready to be shown when it is given out."""
        todo: list[Item] = []
        if root.run:
            todo.append(Writing((), (root.run.namespace, root.run.job), [root.run], [(root.run.id, root.out)]))
        while todo:
            item = todo.pop()
            below: list[Item] = []
            if isinstance(item, Writing):
                below = self._below(item)
            elif isinstance(item, Branch):
                item.is_above = bool(item.writings) and all(map(self._is_above, item.writings.values()))
                below = [] if item.is_above and not item.unwritten else list(item.writings.values())
            yield item
            todo += reversed(below)

    def _below(self, writing: Writing) -> list[Item]:
        writing.is_beyond = all(run not in self._steps for run, _ in writing.pairs)
        fresh = [pair for pair in map(self._key, writing.pairs) if pair not in self._shown and pair[0] in self._steps]
        writing.is_above = self._is_above(writing)
        loop: Set[Job] = frozenset()
        if writing.job in writing.path and fresh:
            loop = frozenset(writing.path[writing.path.index(writing.job) :])
            chain = self._chain(fresh, loop)
            if len(chain) > 1:
                fresh = chain
                writing.runs = sorted(
                    {run: self._steps[run].run for run, _ in chain}.values(), key=lambda run: run.began
                )
                writing.folded = Counter((run.namespace, run.job) for run in writing.runs)
            else:
                loop = frozenset()
        self._shown.update(fresh)
        return self._branches(fresh, writing, loop)

    def _is_above(self, writing: Writing) -> bool:
        return all(pair[0] in self._steps and self._key(pair) in self._shown for pair in writing.pairs)

    def _key(self, pair: Pair) -> Pair:
        """A run that does not say which input went into which output is shown once, whatever led to it."""
        step = self._steps.get(pair[0])
        return pair if step is None or step.flows is not None else (pair[0], 0)

    def _chain(self, first: list[Pair], loop: Set[Job]) -> list[Pair]:
        """These runs and all that they come from by way of these jobs alone."""
        found = dict.fromkeys(first)
        todo = list(first)
        while todo:
            run, out = todo.pop()
            for one in self._steps[run].inputs_of(out):
                for origin in one.origins:
                    pair = self._key((origin.run, origin.out))
                    if pair in found or pair in self._shown or pair[0] not in self._steps:
                        continue
                    if self._job(pair[0]) in loop:
                        found[pair] = None
                        todo.append(pair)
        return list(found)

    def _job(self, run: int) -> Job:
        return self._runs[run].namespace, self._runs[run].job

    def _branches(self, pairs: list[Pair], above: Writing, without: Set[Job]) -> list[Item]:
        """What these runs read, but for what jobs of the fold wrote."""
        found: dict[int, Branch] = {}
        path = (*above.path, above.job)
        inputs = {(run, one.version.key): (run, one) for run, out in pairs for one in self._steps[run].inputs_of(out)}
        for _, one in inputs.values():
            origins = [origin for origin in one.origins if not (origin.run and self._job(origin.run) in without)]
            if not origins:
                continue
            branch = found.setdefault(one.version.dataset.id, Branch())
            branch.versions[one.version.key] = one.version
            branch.reads += 1
            for origin in origins:
                branch.parts += origin.parts
                if not origin.run:
                    branch.unwritten += origin.parts or 1
                    continue
                job = self._job(origin.run)
                writing = branch.writings.setdefault(job, Writing((), job, [], [], path=path))
                writing.pairs.append((origin.run, origin.out))
                writing.parts += origin.parts
                writing.how.add(origin.how)
                if origin.via:
                    writing.via.add(origin.via)
        return self._placed(list(found.values()), above.place)

    def _placed(self, branches: list[Branch], place: tuple[bool, ...]) -> list[Item]:
        """What nobody wrote first, each in the order of names; and not too many."""
        branches.sort(key=lambda branch: (bool(branch.writings), branch.title))
        written = [branch for branch in branches if branch.writings]
        sources = branches[: len(branches) - len(written)]
        room = max(self._most - len(written), _LEAST)
        shown, rest = sources[:room] + written[: self._most], sources[room:] + written[self._most :]
        for number, branch in enumerate(shown):
            branch.place = (*place, not rest and number == len(shown) - 1)
            for writing in branch.writings.values():
                writing.place = branch.place
                ids = {run for run, _ in writing.pairs}
                writing.runs = sorted((self._runs[run] for run in ids), key=lambda run: (run.began, run.run))
        if not rest:
            return list(shown)
        runs = {run for branch in rest for writing in branch.writings.values() for run, _ in writing.pairs}
        lacking = sum(not branch.writings for branch in rest)
        return [*shown, More((*place, True), len(rest), lacking, len(runs))]
