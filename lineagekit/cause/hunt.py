# SPDX-License-Identifier: Apache-2.0
"""One look at all verdicts: what is found so far, what it may still be, and how likely each change is.

>>> hunt = Hunt(("a", "b", "c"), Known("abc", {}), prior_of("abc", {"b": 0.9}))
>>> hunt.join(frozenset("a"), frozenset("c"))
>>> [hunt.names(piece) for piece in hunt.pieces(frozenset("abc"))]
['b', 'a and c']
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineagekit.cause.probes import NONE, Atom, Atoms, Done, Known, Status, named, sort_out

_UNIFORM = 0.5
"""How much of the prior is spread evenly: a wrong one then costs one probe, and not one for each change."""


def prior_of(atoms: Iterable[Atom], weights: Mapping[Atom, float]) -> dict[Atom, float]:
    """How likely each is the cause: scores order well and are too even, and may be wrong.

    >>> prior_of("ab", {"a": 0.9, "b": 0.3})
    {'a': 0.7, 'b': 0.3}
    """
    squares = {atom: max(0.0, weights.get(atom, 0.0)) ** 2 for atom in atoms}
    total, count = sum(squares.values()), len(squares)
    uniform = _UNIFORM if total else 1.0
    return {atom: (1 - uniform) * one / (total or 1.0) + uniform / count for atom, one in squares.items()}


@dataclass(slots=True)
class Hunt:
    """What one look at the verdicts has found."""

    atoms: tuple[Atom, ...]
    known: Known
    mass: Mapping[Atom, float]
    shares: Mapping[Atoms, float] = field(default_factory=dict)
    """How much of the whole difference a hybrid shows, where that was measured."""
    joined: list[Atoms] = field(default_factory=list)
    """Changes that only build together."""
    causes: list[Atoms] = field(default_factory=list)
    suspects: Atoms = NONE
    notes: list[str] = field(default_factory=list)

    @property
    def most_skips(self) -> int:
        """After so many unbuildable hybrids it is given up."""
        return len(self.atoms) + 8

    def pieces(self, atoms: Atoms) -> list[Atoms]:
        """What may be the cause, the likeliest first; joined changes are one."""
        groups = [group & atoms for group in self.joined]
        alone = [frozenset([atom]) for atom in atoms.difference(*self.joined)]
        found = [group for group in (*groups, *alone) if group]
        return sorted(found, key=lambda piece: (-self.weigh(piece), self.known.key(piece)))

    def weigh(self, piece: Atoms) -> float:
        """How likely it is that the cause is in it."""
        return math.fsum(self.mass[atom] for atom in piece)

    def join(self, one: Atoms, other: Atoms) -> None:
        """From now on treat them as one change."""
        touched = [group for group in self.joined if group & (one | other)]
        self.joined = [group for group in self.joined if group not in touched]
        self.joined.append((one | other).union(*touched))

    def may_need(self, one: Atoms, other: Atoms) -> bool:
        """Whether one may be what the other cannot be built without: nothing was built with only one of them."""
        built = (*self.known.good, *self.known.bad)
        return all((one.isdisjoint(probe) and other.isdisjoint(probe)) or one | other <= probe for probe in built)

    def names(self, atoms: Atoms) -> str:
        """Name them in a sentence."""
        return named(sorted(atoms, key=self.known.place.__getitem__))

    def _inseparable(self) -> list[Atoms]:
        """What was joined, and never built in part since."""
        return [group for group in self.joined if all(self.may_need(frozenset([one]), group) for one in group)]

    def end(self, status: Status, why: str) -> Done:
        """The end, with all that is known."""
        suspects, cleared, untested = sort_out(self.atoms, self.known, self.causes, self.suspects)
        notes = [*self.notes, *(f"only build together: {self.names(group)}" for group in self._inseparable())]
        if self.known.contradiction:
            bad, good = self.known.contradiction
            notes.append(
                f"changes mask each other: bad with {self.names(bad)}, and good with more ({self.names(good - bad)})"
            )
        return Done(status, why, tuple(self.causes), suspects, cleared, untested, tuple(notes))
