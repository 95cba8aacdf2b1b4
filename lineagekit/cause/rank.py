# SPDX-License-Identifier: Apache-2.0
"""Rank changes as suspects: what is exact first, then by when it came, how rarely its like comes, and how far it is.

A score orders, and is no probability: nothing is a culprit before a rebuild has shown it.

    >>> [suspect.change.where for suspect in rank(changes, evidence)]  # doctest: +SKIP
    ['/data/labels', 'features.py']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lineagekit.cause.change import SETTINGS, Change, Kind

Status = Literal["suspect", "carrier", "cleared", "inert"]

_WEIGHT: dict[Kind, float] = {
    "restated": 0.9,
    "schema": 0.9,
    "out of band": 0.9,
    "missing": 0.8,
    "stale": 0.8,
    "source": 0.75,
    "input removed": 0.75,
    "input added": 0.7,
    "code": 0.75,
    "params": 0.75,
    "writer": 0.6,
    "late": 0.6,
    "response": 0.6,
    "hidden": 0.7,
    "environment": 0.6,
    "packages": 0.6,
    "entered": 0.15,
    "expired": 0.02,
}
UNUSUAL, _HALF = 2.0, 3.0
"""Surprise from which on a feed that always changes is a suspect, and which makes it half of what it can be.

Of a dozen healthy feeds the most surprising one has between one and two.
"""
_LARGE = 0.3
_NEW_PARAM, _PATCH, _HABITUAL = 0.55, 0.45, 0.2
"""Of a parameter that nobody had set before, whose default was there all along; of a package of which only the last
number went up, which promises no other behaviour; of a fact that is a feed's habit.
"""
_HABIT = 0.9
"""How much of its weight a change loses whose like comes with every build."""


ALWAYS = 0.8
"""Who changes with more builds than these changes with every build."""
_ORDER = {"suspect": 0, "carrier": 1, "cleared": 2, "inert": 3}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change with what speaks for and against it."""

    change: Change
    score: float
    status: Status
    reasons: tuple[str, ...]
    onset: int | None = None
    """The build in which it came."""
    tie: int = 0
    """Suspects of one number came in one build, and the record cannot tell them apart; 0 is no tie."""
    owners: tuple[str, ...] = ()
    confirmed: str = ""
    """How rebuilds have shown that it is the cause; only then it is a culprit."""
    page: str = ""
    """Where its scheduler shows the run in which it is."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the record says of one change beside the two builds."""

    onset: int | None = None
    rate: float = 0.0
    """In what share of the builds before something of its kind changed."""
    surprise: float = 0.0
    """How unlike its own history: 1 is as much as it ever was."""
    size: float = 0.0
    """How large the difference is by itself, 0 to 1: what counts while there is too little history."""
    since: int = 0
    """From when on it is that unlike: of a feed that always changes, when its newest bytes came says nothing."""
    reasons: tuple[str, ...] = ()
    cleared: str = ""
    """Why it cannot be it."""
    unusual: bool = True
    """Of an exact fact: that the feed does not do so by habit."""


def rank(
    changes: Sequence[Change], evidence: Mapping[Change, Evidence], *, steps: Sequence[int], is_explained: bool = False
) -> list[Suspect]:
    """All changes, the likeliest first; `steps` are the builds with which it got worse, where the grades tell.

    Where another exam explains it already, a feed that always moves has to be twice as unlike itself.
    """
    least = UNUSUAL * 2 if is_explained else UNUSUAL
    suspects = [_judge(change, evidence.get(change, Evidence()), steps, least) for change in changes]
    return _tied(sorted(suspects, key=place_of))


def place_of(suspect: Suspect) -> tuple[int, float, str, str]:
    """To sort by: the likeliest first, by what is recorded alone."""
    return _ORDER[suspect.status], -suspect.score, suspect.change.where, suspect.change.key


def _judge(change: Change, known: Evidence, steps: Sequence[int], least: float) -> Suspect:
    status: Status = "inert" if change.inert else "cleared" if known.cleared else "suspect"
    weight = _weight(change) if known.unusual else _HABITUAL
    weight *= 1 - _HABIT * known.rate
    is_habit = change.is_carrier or known.rate > ALWAYS
    if known.surprise >= least:
        # A feed that moves every day is accused by how it moved, and only by that.
        weight = max(weight, 0.95 / (1 + (_HALF / known.surprise) ** 2))
    elif known.size >= _LARGE:
        weight = max(weight, _WEIGHT["restated"] * known.size)
    elif is_habit and status != "inert":
        status = "carrier"
    weight *= _timing(known.onset, steps, change) * 0.98 ** len(change.path)
    return Suspect(change, round(weight, 6), status, _reasons(change, known, steps), known.onset)


def _weight(change: Change) -> float:
    if change.kind == "params" and not change.before:
        return _NEW_PARAM
    if change.kind == "packages" and change.before.split(".")[:2] == change.after.split(".")[:2]:
        return _PATCH
    return _WEIGHT[change.kind]


def _timing(onset: int | None, steps: Sequence[int], change: Change) -> float:
    """What came with a bad build is likelier than what came before, which good builds had already."""
    if onset is None or not steps:
        return 0.8
    if onset in steps:
        return 1.0
    # A part takes effect as more and more of the window has it.
    lag = min((step - onset for step in steps if step > onset), default=0)
    return 0.7 if change.kind not in SETTINGS and 0 < lag <= 4 else 0.3


def _reasons(change: Change, known: Evidence, steps: Sequence[int]) -> tuple[str, ...]:
    told = [*known.reasons, *change.details]
    if change.inert:
        told.append("the same content in other bytes" if change.kind not in SETTINGS else "nothing that runs differs")
    if known.cleared:
        told.append(known.cleared)
    if known.onset is not None:
        word = "the first bad one" if known.onset in steps[:1] else "a worse one" if known.onset in steps else ""
        told.append(f"came with build {known.onset}" + (f", {word}" if word else ""))
    if known.rate > ALWAYS:
        told.append("changes with every build")
    elif known.rate == 0 and change.kind != "stale" and not change.is_carrier and not known.reasons:
        told.append("never changed in the builds before")
    return tuple(told)


def _tied(suspects: list[Suspect]) -> list[Suspect]:
    """Number those that came in one build."""
    by_onset: dict[int, list[Suspect]] = {}
    for one in suspects:
        if one.status == "suspect" and one.onset is not None:
            by_onset.setdefault(one.onset, []).append(one)
    ties = {id(one): number for number, same in by_onset.items() if len(same) > 1 for one in same}
    return [replace(one, tie=ties.get(id(one), 0)) for one in suspects]
