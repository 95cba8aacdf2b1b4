# SPDX-License-Identifier: Apache-2.0
"""From suspects to a culprit: rebuild hybrids of a good and a bad build until a cause is sufficient and necessary.

>>> found = bisect(rebuilds, atoms)  # doctest: +SKIP
>>> found.status, found.causes  # doctest: +SKIP
('confirmed', (('/data/labels 2026-05-03 was rewritten: ...',),))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lineagekit.cause.atoms import WINDOW, Atoms
from lineagekit.cause.finding import Finding
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.placebo import Surgeon, separate
from lineagekit.cause.probes import Done
from lineagekit.cause.rebuilds import Rebuilds, SpentError
from lineagekit.cause.search import next_step


def bisect(rebuilds: Rebuilds, atoms: Atoms, *, most: int | None = None, surgeon: Surgeon | None = None) -> Finding:
    """Go on until it is confirmed, or cannot be; killed at any time, it goes on from what is remembered.

    Where the window is a cause, all its feeds have moved together: `surgeon` finds out which of them it was.
    """
    done = _search(rebuilds, atoms, most)
    finding = _finding(rebuilds, atoms, done)
    if surgeon is not None and frozenset([WINDOW]) in done.causes and done.status == "confirmed":
        try:
            finding = _within_window(rebuilds, atoms, finding, surgeon)
        except SpentError:
            tried = len(rebuilds.outcomes)
            why = f"the window that moved is it; which of its feeds is not known after {tried} rebuilds"
            finding = replace(finding, status="stopped", why=why)
    rebuilds.session.conclude(finding.to_json())
    return finding


def _search(rebuilds: Rebuilds, atoms: Atoms, most: int | None) -> Done:
    ids = [atom.id for atom in atoms.atoms]
    weights = {atom.id: atom.weight for atom in atoms.atoms}
    while True:
        step = next_step(ids, weights, rebuilds.told, most=most)
        if isinstance(step, Done):
            return step
        rebuilds.outcome(step.atoms, step.why)


def _finding(rebuilds: Rebuilds, atoms: Atoms, done: Done) -> Finding:
    labels = {atom.id: atom.label for atom in atoms.atoms}
    outcomes = rebuilds.outcomes
    everything = outcomes.get(frozenset(labels))
    return Finding(
        done.status,
        done.why,
        tuple(tuple(labels[one] for one in sorted(cause)) for cause in done.causes),
        tuple(labels[one] for one in done.cleared),
        tuple(labels[one] for one in done.untested),
        len(outcomes),
        rebuilds.paid,
        _value(outcomes.get(frozenset())),
        _value(everything),
        _unread(atoms, everything),
        tuple(labels[one] for one in done.suspects),
        _notes(done, outcomes),
        how=f"sufficient and necessary, by {_counted(rebuilds)}" if done.status == "confirmed" else "",
    )


def _counted(rebuilds: Rebuilds) -> str:
    by_hand = any(outcome.by_hand for outcome in rebuilds.outcomes.values())
    return f"{len(rebuilds.outcomes)} rebuilds" + (", as told by hand" if by_hand else "")


def _within_window(rebuilds: Rebuilds, atoms: Atoms, finding: Finding, surgeon: Surgeon) -> Finding:
    window = next(atom.label for atom in atoms.atoms if atom.id == WINDOW)
    if len(surgeon.feeds) == 1:
        (feed,) = surgeon.feeds.values()
        label = surgeon.label(feed.where)
        return replace(finding, causes=tuple((label,) if c == (window,) else c for c in finding.causes))
    found = separate(surgeon, rebuilds)
    nets = {surgeon.label(feed): net for feed, net in found.nets.items()}
    finding = replace(
        finding, probes=len(rebuilds.outcomes), paid=rebuilds.paid, repairs=nets, notes=(*finding.notes, *found.notes)
    )
    if found.feed is None:
        causes = tuple(cause for cause in finding.causes if cause != (window,))
        return replace(finding, status="not separable", why=found.why, causes=causes, how="")
    label = surgeon.label(found.feed)
    causes = tuple((label,) if cause == (window,) else cause for cause in finding.causes)
    return replace(finding, causes=causes, how=f"{found.why}; by {_counted(rebuilds)}")


def _value(outcome: Outcome | None) -> float | None:
    return outcome.value if outcome else None


def _notes(done: Done, outcomes: Mapping[frozenset[str], Outcome]) -> tuple[str, ...]:
    """What the search has noticed, and why hybrids could not be built."""
    why = dict.fromkeys(outcome.why for outcome in outcomes.values() if outcome.verdict == "skip")
    return (*done.notes, *(f"could not be judged: {one}" for one in why if one))


def _unread(atoms: Atoms, everything: Outcome | None) -> tuple[str, ...]:
    """Atoms of files of which the bad build's rebuild read none: nothing was learned of these."""
    if everything is None or not everything.read:
        return ()
    return tuple(
        atom.label
        for atom in atoms.atoms
        if any(pair[1] for pair in atom.files.values()) and not any(path in everything.read for path in atom.files)
    )
