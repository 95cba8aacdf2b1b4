# SPDX-License-Identifier: Apache-2.0
"""Probes: hybrids of a good and a bad build, what was told of them, and what follows for those nobody has run.

    >>> known = Known("abcd", {frozenset("ab"): "bad", frozenset("bcd"): "good"})
    >>> known.verdict_of(frozenset("abc")), known.verdict_of(frozenset("d")), known.verdict_of(frozenset("ac"))
    ('bad', 'good', None)

An atom is a change that can be made or left; a probe is the set of atoms that are as in the bad build, where all others
are as in the good one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Atom = str
Atoms = frozenset[Atom]
Verdict = Literal["good", "bad", "skip"]
"""A skip could not be built, or not as intended: it is neither good nor bad."""
Status = Literal["confirmed", "not reproduced", "inseparable", "not separable", "stopped"]
NONE: Atoms = frozenset()


@dataclass(frozen=True, slots=True)
class Probe:
    """A hybrid to build next, and what it is for."""

    atoms: Atoms
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a search.

    Only of a *confirmed* one may the causes be called culprits: the good build with any one of them is bad, and the bad
    build without all of them is good. Otherwise they are what is sufficient so far.
    """

    status: Status
    why: str
    causes: tuple[Atoms, ...] = ()
    suspects: tuple[Atom, ...] = ()
    """What it may still be."""
    cleared: tuple[Atom, ...] = ()
    """What was as in the bad build while all was good."""
    untested: tuple[Atom, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader has to know beside: changes that only build together, verdicts that contradict each other."""


Step = Probe | Done


class Known:
    """Verdicts, and what follows from them as long as more changes never make it better."""

    def __init__(self, atoms: Iterable[Atom], told: Mapping[Atoms, Verdict]) -> None:
        """Take over the verdicts; in which order they came does not matter."""
        self.place = {atom: place for place, atom in enumerate(atoms)}
        self.told = told
        ordered = sorted(told, key=self.key)
        self.bad = [one for one in ordered if told[one] == "bad"]
        self.good = [one for one in ordered if told[one] == "good"]
        self.skipped = len(told) - len(self.bad) - len(self.good)

    @cached_property
    def contradiction(self) -> tuple[Atoms, Atoms] | None:
        """A bad hybrid and a good one that has all its changes, and more: from then on nothing is inferred."""
        return next(((bad, good) for bad in self.bad for good in self.good if bad <= good), None)

    def key(self, atoms: Atoms) -> tuple[int, list[int]]:
        """Small sets first, equal ones always in the same order."""
        return len(atoms), sorted(self.place[atom] for atom in atoms)

    def verdict_of(self, atoms: Atoms) -> Verdict | None:
        """What was told, or else what follows from it; None if it has to be built."""
        if atoms in self.told:
            return self.told[atoms]
        if self.contradiction is None:
            if any(bad <= atoms for bad in self.bad):
                return "bad"
            if any(atoms <= good for good in self.good):
                return "good"
        return None

    def smallest_bad(self, least: Atoms, most: Atoms) -> Atoms | None:
        """The smallest hybrid told to be bad between two others."""
        return next((bad for bad in self.bad if least <= bad <= most), None)

    def largest_good(self, least: Atoms, most: Atoms, mass: Mapping[Atom, float]) -> Atoms:
        """The hybrid known to be good between two others that leaves the least; the smaller of these if none is known.

        A part of what is good is good as well, unless verdicts contradict each other.
        """
        found = least
        for good in self.good:
            part = good & most if self.contradiction is None else good
            is_more = math.fsum(mass[atom] for atom in part) > math.fsum(mass[atom] for atom in found)
            if least <= part < most and is_more:
                found = part
        return found


def named(atoms: Iterable[Atom], *, most: int = 3) -> str:
    """Names for a sentence.

    >>> named(["labels", "features.py"]), named("abcdef")
    ('labels and features.py', 'a, b, c and 3 more')
    """
    texts = [str(atom) for atom in atoms]
    if len(texts) > most + 1:
        texts = [*texts[:most], f"{len(texts) - most} more"]
    return " and ".join(part for part in (", ".join(texts[:-1]), texts[-1] if texts else "nothing") if part)


def sort_out(
    atoms: Sequence[Atom], known: Known, causes: Sequence[Atoms], suspects: Atoms
) -> tuple[tuple[Atom, ...], tuple[Atom, ...], tuple[Atom, ...]]:
    """All atoms that are no cause: suspects, cleared, untested."""
    settled: Atoms = NONE.union(*causes)
    shown: Atoms = NONE.union(*known.good)
    doubted = tuple(atom for atom in atoms if atom in suspects - settled)
    rest = [atom for atom in atoms if atom not in suspects | settled]
    return doubted, tuple(one for one in rest if one in shown), tuple(one for one in rest if one not in shown)
