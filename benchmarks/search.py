# SPDX-License-Identifier: Apache-2.0
"""Claim: a culprit is proven with fewer rebuilds than plain search algorithms need; with noise, nearly as few as Bayes.

Worlds: so many changes, of which one is the cause, two are, or two only together. The prior puts the culprit first 7
times of 10 (good), says nothing, or puts it last (wrong). Rebuilds beyond those of the two builds themselves. The
rivals rebuild without what they found as well, and are run again until that is good. None but ours asks, of several
causes, whether each has to go.

    python benchmarks/search.py [--worlds N] [--noisy-worlds N]
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lineagekit.cause import noisy, search
from lineagekit.cause.probes import Atom, Atoms, Done, Probe, Verdict

SIZES = (4, 8, 16, 32)
NOISES = (0.05, 0.1, 0.2)
Causes = frozenset[Atoms]


@dataclass
class World:
    """Changes, which of them are at fault, and how suspicious each looks."""

    atoms: list[Atom]
    causes: Causes
    weights: dict[Atom, float]
    dice: random.Random
    noise: float = 0.0
    told: dict[Atoms, Verdict] = field(default_factory=dict)
    probes: int = 0
    """Rebuilds of hybrids: neither of the good build nor of the bad one."""

    def ask(self, probe: Atoms) -> Verdict:
        """Rebuild it; where there is no noise no hybrid is rebuilt twice."""
        if self.noise == 0 and probe in self.told:
            return self.told[probe]
        self.probes += 0 < len(probe) < len(self.atoms)
        is_bad = any(cause <= probe for cause in self.causes) != (self.dice.random() < self.noise)
        self.told[probe] = "bad" if is_bad else "good"
        return self.told[probe]

    def is_bad(self, probe: Atoms) -> bool:
        """What a rival wants to know."""
        return self.ask(probe) == "bad"


Search = Callable[[World], Causes]
MAKERS: dict[str, Callable[[Sequence[Atom], random.Random], Causes]] = {
    "single": lambda atoms, dice: frozenset([frozenset(dice.sample(atoms, 1))]),
    "two causes": lambda atoms, dice: frozenset(frozenset([one]) for one in dice.sample(atoms, 2)),
    "pair": lambda atoms, dice: frozenset([frozenset(dice.sample(atoms, 2))]),
}


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--noisy-worlds", type=int, default=200)
    chosen = parser.parse_args()
    without_noise(chosen.worlds)
    with_noise(chosen.noisy_worlds)


def without_noise(count: int) -> None:
    """Ours against the rivals, in the same worlds."""
    searches: dict[str, Search] = {
        "ours": ours,
        "quickxplain": quickxplain,
        "qx + prior": quickxplain_prior,
        "ddmin": ddmin,
        "one by one": one_by_one,
    }
    print(f"rebuilds, mean (median), {count} worlds each; right where it is not 100 %")
    print(f"  {'causes':10} {'prior':8} {'n':>3}" + "".join(f"{name:>16}" for name in searches) + "   target (single)")
    for kind in MAKERS:
        for prior in ("good", "uniform", "wrong"):
            for size in SIZES:
                figures = [measured(one, count, kind, prior, size) for one in searches.values()]
                texts = [
                    f"{statistics.fmean(paid):.1f} ({statistics.median(paid):g}){share(right)}"
                    for paid, right in figures
                ]
                print(f"  {kind:10} {prior:8} {size:3}" + "".join(f"{text:>16}" for text in texts), end="")
                print(verdict(statistics.median(figures[0][0]), size, figures[0][1]) if kind == "single" else "")


def with_noise(count: int) -> None:
    """Ours against Bayes that is told a single cause is at fault, and confirms nothing."""
    print(
        f"wrong verdicts: rebuilds, mean, and right, {count} worlds each; of a single cause; the target is for n = 32"
    )
    print(
        f"  {'noise':>5} {'prior':8} {'n':>3} {'ours':>15} {'bayes, no proof':>17} {'ratio':>7}   target 1.5x and 95 %"
    )
    for noise in NOISES:
        for prior in ("uniform", "good"):
            for size in SIZES[1:]:
                paid, right = measured(ours_noisy, count, "single", prior, size, noise)
                theirs, found = measured(bayes, count, "single", prior, size, noise)
                ratio = statistics.fmean(paid) / statistics.fmean(theirs)
                met = "met" if ratio <= 1.5 and right >= 0.95 else "MISSED"
                texts = f"{statistics.fmean(paid):.1f} {right:7.1%}", f"{statistics.fmean(theirs):.1f} {found:7.1%}"
                print(f"  {noise:5} {prior:8} {size:3} {texts[0]:>15} {texts[1]:>17} {ratio:6.2f}x   {met}")


def share(right: float) -> str:
    """Of those that were right, if not all."""
    return "" if right == 1 else f" {right:.0%}"


def verdict(median: float, size: int, right: float) -> str:
    """Whether a single cause was as cheap as it has to be."""
    most = math.ceil(math.log2(size)) + 2
    return f"   <= {most}: {'met' if median <= most and right == 1 else 'MISSED'}"


def measured(find: Search, count: int, kind: str, prior: str, size: int, noise: float = 0.0) -> tuple[list[int], float]:
    """Rebuilds in each world, and the share of worlds in which exactly the causes were found."""
    paid, right = [], 0
    for seed in range(count):
        dice = random.Random(f"{kind} {prior} {size} {noise} {seed}")
        atoms = [f"change {number}" for number in range(size)]
        causes = MAKERS[kind](atoms, dice)
        world = World(atoms, causes, suspicion(atoms, causes, prior, dice), dice, noise)
        right += find(world) == causes
        paid.append(world.probes)
    return paid, right / count


def suspicion(atoms: Sequence[Atom], causes: Causes, prior: str, dice: random.Random) -> dict[Atom, float]:
    """How likely each looks: falls with its rank."""
    if prior == "uniform":
        return {}
    guilty = frozenset().union(*causes)
    ranked = dice.sample(atoms, len(atoms))
    if prior == "wrong":
        ranked.sort(key=lambda atom: atom in guilty)
    for atom in sorted(guilty) if prior == "good" else ():
        if dice.random() < 0.7:
            ranked.remove(atom)
            ranked.insert(0, atom)
    return {atom: 1 / (rank + 1) ** 1.2 for rank, atom in enumerate(ranked)}


def ours(world: World) -> Causes:
    """What bisect does."""
    while isinstance(step := search.next_step(world.atoms, world.weights, world.told), Probe):
        world.ask(step.atoms)
    return proven(step)


def ours_noisy(world: World) -> Causes:
    """What bisect does where rebuilds differ by chance."""
    told: list[tuple[Atoms, Verdict]] = []
    while isinstance(step := noisy.next_step(world.atoms, world.weights, told, world.noise), Probe):
        told.append((step.atoms, world.ask(step.atoms)))
    return proven(step)


def proven(done: Done) -> Causes:
    """None, unless it is confirmed."""
    return frozenset(done.causes) if done.status == "confirmed" else frozenset()


def until_good(find: Callable[[World, list[Atom]], Atoms]) -> Search:
    """Find one cause after the other, until what is left is good."""

    def all_of_them(world: World) -> Causes:
        found: list[Atoms] = []
        left = list(world.atoms)
        while left and (not found or world.is_bad(frozenset(left))):
            found.append(find(world, left))
            left = [atom for atom in left if atom not in found[-1]]
        return frozenset(found)

    return all_of_them


@until_good
def quickxplain(world: World, atoms: list[Atom]) -> Atoms:
    """Junker's, with halves of equal size."""
    return explain(world, frozenset(), False, atoms, lambda rest: len(rest) // 2)


@until_good
def quickxplain_prior(world: World, atoms: list[Atom]) -> Atoms:
    """The likeliest are taken away last, and the halves are as likely."""

    def half(rest: list[Atom]) -> int:
        heavy = [sum(world.weights.get(atom, 1.0) for atom in rest[:cut]) for cut in range(len(rest) + 1)]
        return min(range(1, len(rest)), key=lambda cut: abs(heavy[cut] - heavy[-1] / 2))

    ranked = sorted(atoms, key=lambda atom: world.weights.get(atom, 1.0))
    return explain(world, frozenset(), False, ranked, half)


def explain(world: World, base: Atoms, is_new: bool, rest: list[Atom], half: Callable[[list[Atom]], int]) -> Atoms:
    """What of the rest makes the base bad; whether that is bad already is asked if something was added to it."""
    if is_new and world.is_bad(base):
        return frozenset()
    if len(rest) == 1:
        return frozenset(rest)
    cut = half(rest)
    of_second = explain(world, base.union(rest[:cut]), True, rest[cut:], half)
    of_first = explain(world, base | of_second, bool(of_second), rest[:cut], half)
    return of_second | of_first


@until_good
def ddmin(world: World, atoms: list[Atom]) -> Atoms:
    """Zeller's: parts, then complements, then smaller parts."""
    left, parts = atoms, 2
    while len(left) >= 2:
        chunks = [left[place * len(left) // parts : (place + 1) * len(left) // parts] for place in range(parts)]
        rests = [[atom for atom in left if atom not in chunk] for chunk in chunks] if parts > 2 else []
        part = next((chunk for chunk in chunks if chunk and world.is_bad(frozenset(chunk))), None)
        rest = next((one for one in rests if world.is_bad(frozenset(one))), None) if part is None else None
        if part is not None:
            left, parts = part, 2
        elif rest is not None:
            left, parts = rest, max(parts - 1, 2)
        elif parts >= len(left):
            break
        else:
            parts = min(len(left), 2 * parts)
    return frozenset(left)


@until_good
def one_by_one(world: World, atoms: list[Atom]) -> Atoms:
    """Take one away after the other; what makes it good stays."""
    left = frozenset(atoms)
    for atom in atoms:
        if len(left) > 1 and world.is_bad(left - {atom}):
            left -= {atom}
    return left


def bayes(world: World) -> Causes:
    """Halve the probability until one change has 95 % of it."""
    noise = max(world.noise, 0.01)
    chance = {atom: world.weights.get(atom, 1.0) for atom in world.atoms}
    while True:
        total = sum(chance.values())
        chance = {atom: one / total for atom, one in sorted(chance.items(), key=lambda item: -item[1])}
        likeliest = next(iter(chance))
        if chance[likeliest] >= 0.95 or world.probes >= 60:
            return frozenset([frozenset([likeliest])])
        some, mass = set(), 0.0
        for atom, one in chance.items():
            if mass + one <= 0.5 + 1e-9:
                some.add(atom)
                mass += one
        probe = frozenset(some or {likeliest})
        is_bad = world.is_bad(probe)
        chance = {atom: one * (1 - noise if (atom in probe) == is_bad else noise) for atom, one in chance.items()}


if __name__ == "__main__":
    main()
