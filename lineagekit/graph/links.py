# SPDX-License-Identifier: Apache-2.0
"""Links of an impact: what leads from the target to its consumers, by the names that people know.

>>> links_of(index.database, uses, Start("/data/raw.csv", [17], always=True))  # doctest: +SKIP
[Link(src='/data/raw.csv', dst='model-42', job='train.py', ...)]
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lineagekit.graph.uses import Use
from lineagekit.store import query, walk, walk_uses
from lineagekit.store.database import Database


@dataclass(frozen=True, slots=True)
class Link:
    """A job made one thing of another; without a job one is a part of the other."""

    src: str
    dst: str
    job: str
    last_use: int | None = None
    weak: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Where an answer begins: what it is called, and the datasets that it is."""

    title: str
    datasets: Collection[int]
    always: bool
    """By name; of bytes only the first step is from them, and the dataset may come again with others."""


def links_of(db: Database, uses: Sequence[Use], start: Start) -> list[Link]:
    """One for each job between two things, whatever its runs."""
    titles = _titles(db, uses)
    jobs = {number: f"{space}/{job}" if space else job for number, (space, job) in _jobs(db, uses).items()}
    found: dict[tuple[str, str, str], Link] = {}
    for use in uses:
        is_first, job = use.depth == 1, jobs.get(use.step.job, "")
        own = start.datasets if (start.always or is_first) and len(start.datasets) == 1 else ()
        (_, origin), _ = use.step.origins[0]
        way = [start.title] * is_first + [start.title if one in own else titles[one] for one in (origin, use.step.src)]
        for one, other in pairwise(way):
            if one != other:
                found.setdefault((one, other, ""), Link(one, other, ""))
        is_back = start.always and use.step.dst in start.datasets
        key = way[-1], job if is_back else titles.get(use.step.dst, job), job
        found[key] = _joined(found.get(key), use, key)
    return list(found.values())


def _titles(db: Database, uses: Sequence[Use]) -> dict[int, str]:
    """Models by their names."""
    numbers = {origin for use in uses for (_, origin), _ in use.step.origins[:1]}
    numbers |= {number for use in uses for number in (use.step.src, use.step.dst) if number}
    titles = {number: one.title for number, one in query.datasets(db, numbers).items()}
    return titles | walk_uses.models_called(db, numbers)


def _jobs(db: Database, uses: Sequence[Use]) -> dict[int, tuple[str, str]]:
    return walk.job_names(db, {use.step.job for use in uses})


def _joined(known: Link | None, use: Use, key: tuple[str, str, str]) -> Link:
    """Of several runs the last use, and no doubt where one has none."""
    lasts = [one for one in (known.last_use if known else None, use.step.last) if one is not None]
    is_sure = not use.doubts or (known is not None and not known.weak)
    return Link(*key, max(lasts, default=None), () if is_sure else tuple(sorted(use.doubts)))
