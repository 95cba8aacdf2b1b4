# SPDX-License-Identifier: Apache-2.0
"""What is left without the causes that were found: where that is much by itself, it has causes of its own.

A build is bad if it shows more than half of the drop; who shows a third of it is no culprit by that, and goes free. So
the search goes on with what is left, and half of what that shows decides.

>>> go_on(rebuilds, atoms, done, band=0.01).causes  # doctest: +SKIP
(frozenset({'3'}), frozenset({'7'}))
"""

from __future__ import annotations

from dataclasses import replace

from lineagekit.cause import search
from lineagekit.cause.atoms import Atoms
from lineagekit.cause.outcome import Verdict
from lineagekit.cause.probes import Done, named
from lineagekit.cause.rebuilds import Chosen, Rebuilds, SpentError

_MUCH = 0.25
"""Of the whole difference."""


def go_on(rebuilds: Rebuilds, atoms: Atoms, done: Done, *, band: float) -> Done:
    """The same, with the causes of what is left; what is within the `band` of healthy builds is left alone."""
    everything = frozenset(atom.id for atom in atoms.atoms)
    left = everything.difference(*done.causes)
    share = rebuilds.shares(everything).get(left, 0.0)
    if share < _MUCH or share * rebuilds.gap(everything) <= band:
        return done
    note = f"without {named([atom.label for atom in atoms.named(everything - left)])} {share:.0%} of the drop is left"
    try:
        more = _search(rebuilds, atoms, left, everything)
    except SpentError:
        more = None
    if more is None or more.status != "confirmed":
        return replace(done, notes=(*done.notes, f"{note}: not known of what"))
    cleared = tuple(one for one in done.cleared if one not in frozenset().union(*more.causes))
    causes = (*done.causes, *more.causes)
    return replace(done, causes=causes, cleared=cleared, notes=(*done.notes, f"{note}, judged by half of that"))


def _search(rebuilds: Rebuilds, atoms: Atoms, left: Chosen, everything: Chosen) -> Done:
    ids = [atom.id for atom in atoms.atoms if atom.id in left]
    weights = {atom.id: atom.weight for atom in atoms.atoms}
    while True:
        shares = rebuilds.shares(everything)
        whole = shares[left]
        ours = {chosen: share / whole for chosen, share in shares.items() if chosen <= left}
        told: dict[Chosen, Verdict] = {chosen: "skip" for chosen in rebuilds.outcomes if chosen <= left}
        told |= {chosen: "bad" if share >= 0.5 else "good" for chosen, share in ours.items()}
        step = search.next_step(ids, weights, told, shares=ours)
        if isinstance(step, Done):
            return step
        rebuilds.again(step.atoms, step.why)
