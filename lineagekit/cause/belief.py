# SPDX-License-Identifier: Apache-2.0
"""Belief: how probable each explanation of a regression is, by verdicts that are wrong now and then.

>>> told = [(frozenset("ab"), "bad"), (frozenset("ac"), "bad")]
>>> belief = Belief(("a", "b", "c", "d"), dict.fromkeys("abcd", 0.25), told, noise=0.1)
>>> sorted(belief.best.atoms), round(belief.chance_of(frozenset("a")), 2)
(['a'], 0.77)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from lineagekit.cause.probes import NONE, Atom, Atoms, Verdict

_ONE, _EITHER, _BOTH, _NEVER, _ALWAYS, _NEITHER = 0.81, 0.05, 0.02, 0.01, 0.01, 0.1
"""Before the first verdict: one cause, two, two that only together are one; no change matters; none of all these."""

_FORGOTTEN = 16.0
"""What is that much less likely than the likeliest (e to the power of it) is left out."""


@dataclass(frozen=True, slots=True)
class Guess:
    """It is bad with any of these changes, or only with all of them; with any of none it never is."""

    atoms: Atoms
    is_any: bool = True

    def is_bad(self, probe: Atoms) -> bool:
        """Whether this hybrid would be."""
        return not self.atoms.isdisjoint(probe) if self.is_any else self.atoms <= probe

    @property
    def causes(self) -> tuple[Atoms, ...]:
        """Each of which is enough."""
        return tuple(frozenset([atom]) for atom in sorted(self.atoms)) if self.is_any else (self.atoms,)


NEVER, ALWAYS = Guess(NONE), Guess(NONE, is_any=False)


class Belief:
    """What all verdicts together say."""

    def __init__(
        self, atoms: tuple[Atom, ...], mass: Mapping[Atom, float], told: Sequence[tuple[Atoms, Verdict]], noise: float
    ) -> None:
        """Of a verdict that is wrong with the probability `noise`; `mass` is how likely each is the cause before."""
        self.atoms, self.everything, self.noise = atoms, frozenset(atoms), noise
        self._count = verdicts = Counter(told)
        self.probes = sorted({probe for probe, verdict in verdicts if verdict != "skip"}, key=sorted)
        self.skipped = {probe for probe, _ in verdicts}.difference(self.probes)
        self._lead = {probe: verdicts[probe, "bad"] - verdicts[probe, "good"] for probe in self.probes}
        count = sum(verdicts[probe, one] for probe in self.probes for one in ("bad", "good"))
        self._odds = math.log((1 - noise) / noise)
        logs = {guess: math.log(prior) + self._fit(guess) for guess, prior in _guesses(atoms, mass)}
        neither = math.log(_NEITHER) - count * (math.log(2) + (math.log(noise) + math.log(1 - noise)) / 2)
        peak = max(neither, *logs.values())
        likely = {guess: math.exp(log - peak) for guess, log in logs.items() if log > peak - _FORGOTTEN}
        total = math.fsum(likely.values()) + math.exp(neither - peak)
        self.guesses = {guess: one / total for guess, one in likely.items()}
        self.neither = math.exp(neither - peak) / total
        """That it is nothing of the kind: verdicts like those of a coin."""

    def _fit(self, guess: Guess) -> float:
        """How well it explains the verdicts: half the odds for each that is as it says, against each that is not."""
        return self._odds / 2 * sum(lead if guess.is_bad(probe) else -lead for probe, lead in self._lead.items())

    @property
    def best(self) -> Guess:
        """The likeliest explanation."""
        return max(self.guesses, key=lambda guess: (self.guesses[guess], -len(guess.atoms), sorted(guess.atoms)))

    def chance_of(self, probe: Atoms) -> float:
        """How likely this hybrid is bad."""
        return math.fsum(chance for guess, chance in self.guesses.items() if guess.is_bad(probe)) + self.neither / 2

    def surprise(self, guess: Guess) -> float:
        """How likely at least so many verdicts are wrong if it is right: small where they are more than noise."""
        wrong = sum(self._count[probe, "good" if guess.is_bad(probe) else "bad"] for probe in self.probes)
        total = sum(self._count[probe, verdict] for probe in self.probes for verdict in ("good", "bad"))
        fewer = (math.comb(total, k) * self.noise**k * (1 - self.noise) ** (total - k) for k in range(wrong))
        return 1 - math.fsum(fewer)

    def blamed(self) -> dict[Atom, float]:
        """How likely each change has a part in it, the likeliest first."""
        parts = dict.fromkeys(self.atoms, 0.0)
        for guess, chance in self.guesses.items():
            for atom in guess.atoms:
                parts[atom] += chance
        return dict(sorted(parts.items(), key=lambda part: -part[1]))

    def doubt(self, probe: Atoms, verdict: Verdict) -> float:
        """How likely it is not so, by the verdicts of this very hybrid, and nothing else."""
        lead = self._lead.get(probe, 0) if verdict == "bad" else -self._lead.get(probe, 0)
        return 1 / (1 + math.exp(self._odds * lead))


def _guesses(atoms: Sequence[Atom], mass: Mapping[Atom, float]) -> Iterator[tuple[Guess, float]]:
    """All explanations, and how likely each is before the first verdict."""
    yield NEVER, _NEVER
    yield ALWAYS, _ALWAYS
    for atom in atoms:
        yield Guess(frozenset([atom])), _ONE * mass[atom]
    together = 1 - math.fsum(mass[atom] ** 2 for atom in atoms)
    for pair in combinations(atoms, 2):
        share = 2 * mass[pair[0]] * mass[pair[1]] / together
        yield Guess(frozenset(pair)), _EITHER * share
        yield Guess(frozenset(pair), is_any=False), _BOTH * share
