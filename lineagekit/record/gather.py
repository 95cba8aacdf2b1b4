# SPDX-License-Identifier: Apache-2.0
"""Gathering: the facts that several processes wrote of the same runs, in the order of time, as one story a run.

    >>> stories = gather(found)  # doctest: +SKIP
    >>> stories["0197..."].paths.outputs()  # doctest: +SKIP

Journals are read side by side, a piece of each at a time, so what is in memory is the stories and not the facts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lineagekit.record.facts import LARGEST, Fact, runs_of
from lineagekit.record.journals import read_journal
from lineagekit.record.story import Story
from lineagekit.record.survey import Found, Survey


class _Told(NamedTuple):
    """A fact, in the order in which things happened: by time, then by journal and place."""

    at: int
    journal: str
    offset: int
    fact: Fact
    runs: tuple[str, ...]


def gather(found: Iterable[Found]) -> dict[str, Story]:
    """The stories of these runs, by id. Raises OSError where a journal cannot be read any more."""
    stories, unread = {}, []
    for run in found:
        story = stories[run.id] = Story(run.id)
        if any(member.runs[run.id].facts is None for member in run.members):
            unread.append(run)
            continue
        streams = [_remembered(member, run.id) for member in run.members]
        for at, journal, _, fact in streams[0] if len(streams) == 1 else heapq.merge(*streams):
            story.take(fact, journal, at)
    for group in _related(unread):
        wanted = {run.id for run in group}
        journals = {member.path: member for run in group for member in run.members}.values()
        for told in heapq.merge(*(_read(member, wanted) for member in journals)):
            for id_ in told.runs:
                stories[id_].take(told.fact, told.journal, told.at)
    return stories


def _related(found: Iterable[Found]) -> Iterable[list[Found]]:
    """Runs that share a journal, directly or through others, together; most share theirs with nobody."""
    leader: dict[str, str] = {}

    def find(path: str) -> str:
        while (above := leader.setdefault(path, path)) != path:
            path = above
        return path

    runs = list(found)
    for run in runs:
        for member in run.members[1:]:
            leader[find(member.path)] = find(run.members[0].path)
    groups: dict[str, list[Found]] = {}
    for run in runs:
        groups.setdefault(find(run.members[0].path), []).append(run)
    return groups.values()


def _remembered(member: Survey, run: str) -> Iterator[tuple[int, str, int, Fact]]:
    """What a small journal says of a run: time, journal, offset, fact."""
    last, journal = 0, member.owner.id
    for offset, fact in member.runs[run].facts or ():
        last = _time(fact, last)
        yield last, journal, offset, fact


def _read(member: Survey, wanted: set[str]) -> Iterator[_Told]:
    """What a journal says of these runs and what was not settled before."""
    mentions = {run: mention for run, mention in member.runs.items() if run in wanted}
    start = min(mention.first for mention in mentions.values())
    end = max(mention.last for mention in mentions.values())
    last = 0
    for begin, offset, fact in read_journal(member.path, start, end):
        last = _time(fact, last)
        runs = tuple(
            run
            for run in runs_of(fact, member.owner.id)
            if run in mentions and mentions[run].first <= begin and offset <= mentions[run].last
        )
        if runs:
            yield _Told(last, member.owner.id, offset, fact, runs)


def _time(fact: Fact, last: int) -> int:
    """Facts of a journal are in order, whatever its clock says."""
    at = fact.get("at")
    return at if type(at) is int and last <= at <= LARGEST else last
