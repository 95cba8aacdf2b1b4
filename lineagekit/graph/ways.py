# SPDX-License-Identifier: Apache-2.0
"""Ways through a graph that is given by what each node comes from: the shortest first, and how many there are.

>>> find_ways({"model": ["a", "b"], "a": ["raw"], "b": ["c"], "c": ["raw"]}, ["model"], {"raw"}, most=1)
Ways(paths=(('raw', 'a', 'model'),), total=2, is_exact=True)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Parents = Mapping[Key, Sequence[Key]]

_TRIED = 1000
"""In a graph with cycles ways can only be counted one by one."""


@dataclass(frozen=True, slots=True)
class Ways(Generic[Key]):
    """Some of the ways, from the goal to where the search began."""

    paths: tuple[tuple[Key, ...], ...]
    total: int
    is_exact: bool = True
    """Else there are at least so many."""


def find_ways(parents: Parents[Key], starts: Iterable[Key], goals: Set[Key], *, most: int) -> Ways[Key]:
    """Ways from these nodes back to the first goal on each, none of which passes a node twice."""
    first = list(dict.fromkeys(starts))
    left = _distances(parents, first, goals)
    paths = tuple(islice(_shortest_first(parents, first, left), most))
    total = _count(parents, first, left)
    if total is not None:
        return Ways(paths, total)
    tried = sum(1 for _ in islice(_shortest_first(parents, first, left), _TRIED))
    return Ways(paths, tried, is_exact=tried < _TRIED)


def _distances(parents: Parents[Key], starts: Iterable[Key], goals: Set[Key]) -> dict[Key, int]:
    """Of all nodes between: how far it is to the next goal."""
    children: dict[Key, list[Key]] = {}
    seen = dict.fromkeys(starts)
    todo = list(seen)
    reached: list[Key] = []
    while todo:
        node = todo.pop()
        if node in goals:
            reached.append(node)
            continue
        for parent in parents.get(node, ()):
            children.setdefault(parent, []).append(node)
            if parent not in seen:
                seen[parent] = None
                todo.append(parent)
    left = dict.fromkeys(reached, 0)
    level = reached
    while level:
        after = dict.fromkeys(child for node in level for child in children.get(node, ()) if child not in left)
        left.update(dict.fromkeys(after, left[level[0]] + 1))
        level = list(after)
    return left


def _shortest_first(parents: Parents[Key], starts: Iterable[Key], left: Mapping[Key, int]) -> Iterator[tuple[Key, ...]]:
    """Each step is a step towards a goal that can be reached, so the next way is never far."""
    heap: list[tuple[int, int, tuple[Key, ...]]] = []
    count = 0
    for start in starts:
        if start in left:
            heappush(heap, (left[start], count, (start,)))
            count += 1
    while heap:
        _, _, path = heappop(heap)
        if not left[path[0]]:
            yield path
            continue
        for parent in parents.get(path[0], ()):
            if parent in left and parent not in path:
                count += 1
                heappush(heap, (len(path) + left[parent], count, (parent, *path)))


def _count(parents: Parents[Key], starts: Sequence[Key], left: Mapping[Key, int]) -> int | None:
    """How many ways there are; None where some run in a circle."""
    counts: dict[Key, int] = {}
    open_: set[Key] = set()
    todo = [node for node in starts if node in left]
    while todo:
        node = todo[-1]
        above = [parent for parent in parents.get(node, ()) if parent in left] if left[node] else []
        if node not in counts and node not in open_:
            open_.add(node)
            if not open_.isdisjoint(above):
                return None
            todo += [parent for parent in above if parent not in counts]
            continue
        todo.pop()
        if node in open_:
            open_.remove(node)
            counts[node] = sum(counts[parent] for parent in above) if left[node] else 1
    return sum(counts[node] for node in starts if node in left)
