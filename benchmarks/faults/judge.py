# SPDX-License-Identifier: Apache-2.0
"""Is the right change the first one? Asked of blame, and of three simple rules that see the same changes.

    >>> judge(store, case, played)["blame"]  # doctest: +SKIP
    1.0

A rank is the place of the right change, 0 where it is not among those named. A rule that names all is as good as
chance: its rank is the place that the right one has on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.case import Case
from benchmarks.faults.faults import Truth
from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.cause.change import Change
from lineagekit.cause.views import Views
from lineagekit.store import query
from lineagekit.store.index import open_index
from lineagekit.store.log import open_store
from lineagekit.store.targets import find_target

Sureness = str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was answered."""

    verdict: str
    gate: str
    """real, not real, cannot tell; none where nothing was measured."""
    pair: tuple[int, int]
    rank: int
    """Of the right change among the suspects."""
    suspects: tuple[str, ...]
    """What the first ones say."""
    is_tied: bool
    """The first suspect came in one build with others."""
    is_whole: bool
    """Every input that was compared is known."""
    changes: int
    """All of them, whatever was made of them."""
    rivals: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By rule: place of the right one, and of how many that are as likely."""


def judge(folder: Path, case: Case) -> Judged:
    """Ask `blame`, as a person would who knows nothing but the model's name."""
    with open_store(folder, make=False) as store, open_index(store, folder) as index:
        index.catch_up()
        target = find_target(index.database, case.shape.model, kinds=("model",))
        found = blame(index.database, store, target, Question(metric=case.shape.metric))
        sizes = _sizes(Views(index.database, store), found)
    truth = case.fault.truth if case.fault else None
    gate = found.chosen.gate
    return Judged(
        found.verdict,
        gate.verdict if gate else "none",
        (found.chosen.good.number, found.chosen.bad.number),
        _rank(found, truth) if truth else 0,
        tuple(one.change.sentence for one in found.accused[:5]),
        bool(found.accused and found.accused[0].tie),
        not found.alignment.unknown,
        len(found.suspects),
        _rivals([one.change for one in found.suspects], sizes, truth) if truth else {},
    )


def _rank(found: Blame, truth: Truth) -> int:
    """The exam is not among the suspects: it is right to say that it changed, and best to say nothing else."""
    if truth.what != "change":
        is_said = truth.what == "exam" or any(truth.fits(change) for change in found.exam.changes)
        return (len(found.accused) + 1) if is_said and found.exam.state == "changed" else 0
    places = [place for place, one in enumerate(found.accused, 1) if truth.fits(one.change)]
    return places[0] if places else 0


def _rivals(changes: Sequence[Change], sizes: dict[Change, float], truth: Truth) -> dict[str, tuple[int, int]]:
    newest = {change: float(change.at or 0) for change in changes}
    return {
        "newest change": _place(changes, newest, truth),
        "largest diff": _place(changes, sizes, truth),
        "all that changed": _place(changes, dict.fromkeys(changes, 0.0), truth),
    }


def _place(changes: Sequence[Change], scores: dict[Change, float], truth: Truth) -> tuple[int, int]:
    """How many are ahead of the right one, and among how many it is then drawn; (0, 0) if it is not there."""
    right = [scores[change] for change in changes if truth.fits(change)]
    if not right:
        return 0, 0
    best = max(right)
    ahead = sum(scores[change] > best for change in changes)
    return ahead, sum(scores[change] == best for change in changes)


def _sizes(views: Views, found: Blame) -> dict[Change, float]:
    """By how many bytes data differs; of all else, nothing is known to this rule."""
    sizes: dict[Change, float] = {}
    for one in found.suspects:
        change = one.change
        snaps = [
            query.find_snapshots(views.db, digest, dataset=change.dataset)
            for digest in (change.before, change.after)
            if digest and change.dataset
        ]
        known = [float(snap[0].size or 0) for snap in snaps if snap]
        sizes[change] = abs(known[0] - known[-1]) if len(known) == 2 else (known[0] if known else 0.0)
    return sizes
