# SPDX-License-Identifier: Apache-2.0
"""From suspects to a culprit: rebuild hybrids of a good and a bad build until a cause is sufficient and necessary.

>>> found = bisect(rebuilds, atoms, Judge(0.743, 0.8092))  # doctest: +SKIP
>>> found.status, found.causes  # doctest: +SKIP
('confirmed', (('/data/labels 2026-05-03 was rewritten: ...',),))
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from lineagekit.cause import noisy, search
from lineagekit.cause.atoms import WINDOW, Atoms
from lineagekit.cause.finding import Finding
from lineagekit.cause.noisy import noise_of
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.placebo import judge as judge_nets
from lineagekit.cause.probes import Done, named
from lineagekit.cause.rebuilds import Rebuilds, SpentError
from lineagekit.cause.remainder import go_on
from lineagekit.cause.rivals import separate
from lineagekit.cause.surgeon import Surgeon

_WORSE = 1.5
"""Of the whole difference."""
_ALSO = 0.15
"""Of it as well: what is left without a cause is worse than the good build."""


@dataclass(frozen=True, slots=True)
class Judge:
    """By what rebuilds are judged good."""

    threshold: float = 0.0
    recorded: float | None = None
    """What the good build scored; None where rebuilds are not judged by that."""
    band: float = math.inf
    """By how much healthy builds differ; what is less is not looked into."""


def bisect(rebuilds: Rebuilds, atoms: Atoms, judge: Judge, *, surgeon: Surgeon | None = None) -> Finding:
    """Go on until it is confirmed, or cannot be; killed at any time, it goes on from what is remembered.

    Where the window is a cause, all its feeds have moved together: `surgeon` finds out which of them it was.
    """
    try:
        done = _search(rebuilds, atoms, judge)
        if done.status == "confirmed":
            with suppress(SpentError):
                done = _apart_from_window(rebuilds, atoms, done)
            done = _of_one_piece(rebuilds, atoms, done)
        if done.status == "confirmed" and not rebuilds.spread:
            done = go_on(rebuilds, atoms, done, band=judge.band)
    except SpentError:
        done = Done("stopped", f"{len(rebuilds.history)} probes told, which is as many as allowed")
    finding = _finding(rebuilds, atoms, done)
    if surgeon is not None and frozenset([WINDOW]) in done.causes and done.status == "confirmed":
        try:
            finding = _within_window(rebuilds, atoms, finding, surgeon)
        except SpentError:
            tried = len(rebuilds.history)
            why = f"the window that moved is it; which of its feeds is not known after {tried} rebuilds"
            finding = replace(finding, status="stopped", why=why)
    rebuilds.session.conclude(finding.to_json())
    return finding


def _search(rebuilds: Rebuilds, atoms: Atoms, judge: Judge) -> Done:
    """Where the same hybrid scores now this, now that, verdicts are evidence and no facts."""
    ids = [atom.id for atom in atoms.atoms]
    weights = {atom.id: atom.weight for atom in atoms.atoms}
    everything = frozenset(ids)
    noise = _noise(rebuilds, everything, judge)
    while True:
        told = [(chosen, verdict) for chosen, verdict in rebuilds.told if chosen <= everything]
        if noise:
            step = noisy.next_step(ids, weights, told, noise, most=rebuilds.most)
        else:
            step = search.next_step(ids, weights, dict(told), shares=rebuilds.shares(everything), most=rebuilds.most)
        if isinstance(step, Done):
            return step
        rebuilds.again(step.atoms, step.why)


def _apart_from_window(rebuilds: Rebuilds, atoms: Atoms, done: Done) -> Done:
    """Where a change is bad only with the window that moved: which of both it is, by what each does to the other.

    How much a change shows depends on the days it meets; who moved with each build before is not guilty of that.
    """
    everything = frozenset(atom.id for atom in atoms.atoms)
    causes, notes = list(done.causes), list(done.notes)
    for place, cause in enumerate(causes):
        change, window = cause - {WINDOW}, frozenset([WINDOW])
        if not change or change == cause:
            continue
        for chosen in (change, window):
            rebuilds.outcome(chosen, f"how much of it is {_labels(atoms, chosen)} alone")
        shares = rebuilds.shares(everything)
        if not {change, window, cause} <= shares.keys():
            continue
        of_change, of_window = (
            (shares[one] + shares[cause] - shares[other]) / 2 for one, other in ((change, window), (window, change))
        )
        nets = {"change": of_change, "window": of_window}
        if (found := judge_nets(nets, gap=shares[cause])) is not None:
            causes[place] = change if found == "change" else window
            notes.append(
                f"{_labels(atoms, change)}: {shares[change]:.0%} of the drop on the data of the good build, "
                f"{shares[cause] - shares[window]:.0%} on that of the bad one; that data alone {shares[window]:.0%}"
            )
    return replace(done, causes=tuple(causes), notes=tuple(notes))


def _of_one_piece(rebuilds: Rebuilds, atoms: Atoms, done: Done) -> Done:
    """No culprit where changes only fit each other: with one alone it is worse than the bad build, and so is the rest.

    So it is with feeds of one day that were never seen to change together: each is bad without the others.
    """
    everything = frozenset(atom.id for atom in atoms.atoms)
    shares = rebuilds.shares(everything)
    for cause in done.causes:
        rest = everything - cause
        if shares.get(cause, 0.0) > _WORSE and shares.get(rest, 0.0) > _ALSO:
            why = (
                f"changes of this build belong together: with {_labels(atoms, cause)} alone it is worse than the bad "
                "build is, and with all the others alone worse than the good one"
            )
            return replace(done, status="not separable", why=why, causes=(), suspects=tuple(sorted(everything)))
    return done


def _labels(atoms: Atoms, chosen: frozenset[str]) -> str:
    return named([atom.label for atom in atoms.named(chosen)])


def _noise(rebuilds: Rebuilds, everything: frozenset[str], judge: Judge) -> float:
    """How often a verdict is wrong: 0 where a rebuild of the good build scores what is recorded, or twice the same."""
    good = rebuilds.outcome(frozenset(), "the good build again: it must be good").value
    if good is None or (judge.recorded is not None and math.isclose(good, judge.recorded, rel_tol=1e-9)):
        return 0.0
    goods = rebuilds.times(frozenset(), 2, "once more: does it score the same each time")
    if len(set(goods)) < 2:
        return 0.0
    bads = rebuilds.times(everything, 2, "the bad build, twice: by how much does it differ")
    return noise_of(goods, bads, judge.threshold)


def _finding(rebuilds: Rebuilds, atoms: Atoms, done: Done) -> Finding:
    labels = {atom.id: atom.label for atom in atoms.atoms}
    outcomes = rebuilds.outcomes
    everything = outcomes.get(frozenset(labels))
    return Finding(
        done.status,
        done.why,
        tuple(tuple(labels[one] for one in sorted(cause)) for cause in done.causes),
        tuple(labels[one] for one in done.cleared),
        (*(labels[one] for one in done.untested), *(f"{what}: {why}" for what, why in atoms.untestable.items())),
        len(rebuilds.history),
        rebuilds.paid,
        _value(outcomes.get(frozenset())),
        _value(everything),
        _unread(atoms, everything),
        tuple(labels[one] for one in done.suspects),
        (*_noted(rebuilds), *_notes(done, outcomes), *_belonging(rebuilds, done, frozenset(labels), labels)),
        how=f"{_shown(done, outcomes)}, by {_counted(rebuilds)}" if done.status == "confirmed" else "",
    )


def _shown(done: Done, outcomes: Mapping[frozenset[str], Outcome]) -> str:
    first, *more = (outcomes[cause].verdict for cause in done.causes if cause in outcomes)
    if first == "bad":
        return "sufficient and necessary" + (", the rest for what the first leaves" if "good" in more else "")
    return "bad together with the days that came, necessary, and most of the drop on the average of old and new days"


def _noted(rebuilds: Rebuilds) -> tuple[str, ...]:
    if not (spread := rebuilds.spread):
        return ()
    return (f"not deterministic: built again, one scores {spread:.2g} more or less (standard deviation)",)


def _belonging(rebuilds: Rebuilds, done: Done, everything: frozenset[str], labels: Mapping[str, str]) -> Iterator[str]:
    """A cause that is worse alone than with all that came with it: its other half is among that."""
    shares = rebuilds.shares(everything)
    for cause in done.causes:
        if shares.get(cause, 0.0) > _WORSE:
            names = named([labels[one] for one in sorted(cause)])
            yield (
                f"with {names} alone it is worse than the bad build is: changes of this build belong together,"
                " and what is named may be one half of what went wrong"
            )


def _counted(rebuilds: Rebuilds) -> str:
    by_hand = any(outcome.by_hand for _, outcome in rebuilds.history)
    return f"{len(rebuilds.history)} rebuilds" + (", as told by hand" if by_hand else "")


def _within_window(rebuilds: Rebuilds, atoms: Atoms, finding: Finding, surgeon: Surgeon) -> Finding:
    window = next(atom.label for atom in atoms.atoms if atom.id == WINDOW)
    if atoms.left_behind:
        why = f"the window moved on without {named(atoms.left_behind)}: what came with it fits only what did not come"
        causes = tuple(cause for cause in finding.causes if cause != (window,))
        return replace(finding, status="not separable", why=why, causes=causes, how="")
    if len(surgeon.feeds) == 1:
        (feed,) = surgeon.feeds.values()
        if surgeon.untried():
            return finding
        label = surgeon.label(feed.where)
        return replace(finding, causes=tuple((label,) if c == (window,) else c for c in finding.causes))
    found = separate(surgeon, rebuilds)
    nets = {surgeon.label(feed): net for feed, net in found.nets.items()}
    finding = replace(
        finding, probes=len(rebuilds.history), paid=rebuilds.paid, repairs=nets, notes=(*finding.notes, *found.notes)
    )
    causes = tuple(cause for cause in finding.causes if cause != (window,))
    if not found.feeds:
        return replace(finding, status="not separable", why=found.why, causes=causes, how="")
    causes += tuple((surgeon.label(feed),) for feed in found.feeds)
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
