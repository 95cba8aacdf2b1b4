# SPDX-License-Identifier: Apache-2.0
"""The survey: which runs the journals speak of, which processes belong to each, and which of them can be settled.

    >>> [(run.id, run.stage) for run in judge_runs(surveys, now=now, age=age, is_settled=is_settled)]  # doctest: +SKIP
    [('0197...', 'ended')]

Nothing of a journal is kept in memory but where each run begins and ends in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lineagekit.record.facts import EMITTED, LARGEST, Fact, runs_of
from lineagekit.record.journals import HEAD, Head, Owner, Standing, read_on

Stage = Literal["ended", "killed", "late", "emitted", "open"]
"""All but `open` can be settled now; `emitted` is no run, but the events that a process made itself."""

ORPHAN = 24 * 3600 * 10**9
"""Nanoseconds after which a run whose beginning nobody recorded is given up: its owner may still be at work."""


class Called(NamedTuple):
    """What a run was called, and how well founded that is."""

    rank: int
    namespace: str
    job: str


@dataclass(slots=True)
class Mention:
    """A run in one journal: where its facts begin and end, and when the last was written."""

    first: int
    last: int = 0
    at: int = 0
    began: int = 0
    """When, in nanoseconds; 0 where another journal says so, or none."""
    ended: bool = False
    facts: list[tuple[int, Fact]] | None = None
    """What is new, each with the offset behind it, where the journal is so small that it is remembered."""


@dataclass(slots=True)
class Survey:
    """One journal, from where it was settled to `end`: the runs of which it says something new."""

    path: str
    owner: Owner
    standing: Standing
    start: int
    end: int
    runs: dict[str, Mention] = field(default_factory=dict)

    @property
    def settled(self) -> int:
        """The offset before which nothing is left to do."""
        return min((mention.first for mention in self.runs.values()), default=self.end)


@dataclass(frozen=True, slots=True)
class Found:
    """A run, where it is spoken of, and whether it can be settled."""

    id: str
    stage: Stage
    members: tuple[Survey, ...]


@dataclass(slots=True)
class Names:
    """What runs were called, as far as the journals say: children name their parents by id only."""

    known: dict[str, Called] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)

    def is_below(self, run: str, wanted: Collection[str]) -> bool:
        """Whether a run is one of these, or was started by one of them, however many steps away."""
        seen: set[str] = set()
        while run and run not in seen:
            if run in wanted:
                return True
            seen.add(run)
            run = self.parents.get(run, "")
        return False

    def learn(self, run: str, fact: Fact) -> None:
        """Take a `run` fact; the best-founded name stays."""
        parent = fact.get("parent")
        if isinstance(parent, str) and parent:
            self.parents[run] = parent
        rank, namespace, job = fact.get("rank"), fact.get("namespace"), fact.get("job")
        if isinstance(job, str) and job:
            called = Called(rank if type(rank) is int else 0, namespace if isinstance(namespace, str) else "", job)
            earlier = self.known.get(run)
            if earlier is None or called.rank > earlier.rank:
                self.known[run] = called


def survey(
    head: Head, owner: Owner, standing: Standing, *, start: int, taken: Callable[[str], int], names: Names
) -> Survey:
    """Read a journal from `start`; facts of a run that lie before `taken(its mark)` were settled already.

    Raises OSError.
    """
    found = Survey(head.path, owner, standing, start, start)
    is_small = head.size <= HEAD
    skipped: dict[str, int] = {}
    for begin, end, fact in read_on(head, start):
        found.end = end
        for run in runs_of(fact, owner.id):
            if start and run not in skipped:
                skipped[run] = taken(mark_of(owner.id, run))
            if start and end <= skipped[run]:
                continue
            mention = found.runs.get(run)
            if mention is None:
                mention = found.runs[run] = Mention(begin, facts=[] if is_small else None)
            mention.last = end
            _note(mention, fact)
            if mention.facts is not None:
                mention.facts.append((end, fact))
            if mention.began and fact["fact"] == "run":
                names.learn(run, fact)
    if standing == "dead":  # what is torn at the end stays so
        found.end = head.size
    return found


def mark_of(journal: str, run: str) -> str:
    """The name of the mark of one run in a journal, for runs that were settled while an earlier one goes on."""
    return f"{journal}/{run}"


def judge_runs(surveys: Iterable[Survey], *, now: int, age: int, is_settled: Callable[[str], bool]) -> list[Found]:
    """Every run of which something new is said, those that began first in front."""
    members: dict[str, list[Survey]] = {}
    for one in surveys:
        for run in one.runs:
            members.setdefault(run, []).append(one)
    return [Found(run, _stage(run, of, now, age, is_settled), tuple(of)) for run, of in members.items()]


def _note(mention: Mention, fact: Fact) -> None:
    at, kind = fact.get("at"), fact.get("fact")
    if type(at) is int and mention.at < at <= LARGEST:
        mention.at = at
    if kind == "run":
        mention.began = mention.began or mention.at or 1
    elif kind == "end":
        mention.ended = True
    elif kind == "pause":
        mention.began = 0  # another process goes on with it, and this one's death says nothing of it


def _stage(run: str, members: list[Survey], now: int, age: int, is_settled: Callable[[str], bool]) -> Stage:
    """By run, not by file: all processes that have a part in it must have had their say."""
    mentions = [one.runs[run] for one in members]
    if run.startswith(EMITTED):
        return "emitted"
    pending = [one.runs[run] for one in members if one.standing != "dead" and not one.runs[run].ended]
    silent = all(now - mention.at > age for mention in pending)
    if is_settled(run):
        return "late" if silent else "open"
    if any(mention.ended for mention in mentions):
        return "ended" if silent else "open"
    if pending or not (any(mention.began for mention in mentions) or _is_orphan(mentions, now)):
        return "open"
    return "killed"


def _is_orphan(mentions: list[Mention], now: int) -> bool:
    return now - max(mention.at for mention in mentions) > ORPHAN
