# SPDX-License-Identifier: Apache-2.0
"""The rival of the placebo on a window that moves: each feed of it is a change like any other, swapped as a whole.

    >>> swap(plan, surgeon, prober, told, log=Path("/tmp/log")).causes  # doctest: +SKIP
    (frozenset({'raw/s03', 'raw/labels'}),)

The dates among the parameters go with whatever is swapped: without them the command would not look for what came.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lineagekit.cause.atoms import WINDOW
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.outcome import Verdict
from lineagekit.cause.probe import Prober
from lineagekit.cause.probes import Done
from lineagekit.cause.search import next_step
from lineagekit.cause.surgeon import Surgeon

_SWAP, _MOST = "swap:", 24
Told = dict[frozenset[str], Verdict]


def swap(plan: Plan, surgeon: Surgeon, prober: Prober, ends: tuple[Verdict, Verdict], *, log: Path) -> tuple[Done, int]:
    """Search the feeds of the window, as if they were of no one day; what was found, and after how many rebuilds."""
    feeds = [feed.where for feed in surgeon.feeds.values()]
    told: Told = {frozenset(): ends[0], frozenset(feeds): ends[1]}
    weights = {where: 1 / (place + 1) for place, where in enumerate(feeds)}
    while not isinstance(step := next_step(feeds, weights, told, most=_MOST), Done):
        told[step.atoms] = swapped(plan, surgeon, prober, step.atoms, log=log)
    return step, len(told) - 2


def swapped(plan: Plan, surgeon: Surgeon, prober: Prober, chosen: frozenset[str], *, log: Path) -> Verdict:
    """Of the good build with these feeds as in the bad one, whole."""
    others = [feed for feed in surgeon.feeds.values() if feed.where not in chosen]
    paths = set().union(*(feed.paths for feed in others))
    (window,) = (atom for atom in plan.atoms if atom.id == WINDOW)
    before: Mapping[str, str | None] = {path: window.files[path][0] for path in paths & window.files.keys()}
    name = _SWAP + ",".join(sorted(chosen))
    plan.operations[name] = ({}, before)
    return prober.probe(frozenset([WINDOW, name]), log=log).verdict
