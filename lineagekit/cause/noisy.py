# SPDX-License-Identifier: Apache-2.0
"""Search for the causes where verdicts are wrong now and then: what was asked once may be asked again.

    >>> noise_of([0.90, 0.92, 0.91], [0.80, 0.82, 0.81], 0.86) < 0.05
    True

    >>> told = []
    >>> while isinstance(step := next_step("abcd", {}, told, noise=0.1), Probe):
    ...     told.append((step.atoms, "bad" if "c" in step.atoms else "good"))
    >>> step.status, [sorted(cause) for cause in step.causes]
    ('confirmed', [['c']])

Every explanation (this change, either of these two, these two together, none of them) has a probability, which each
verdict makes larger or smaller; next comes the hybrid of which it is least certain what it will be. A cause is
confirmed once its explanation is sure, and what has to be shown of it was told so often that it cannot be chance.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from lineagekit.cause.belief import Belief, Guess
from lineagekit.cause.hunt import prior_of
from lineagekit.cause.probes import NONE, Atom, Atoms, Done, Known, Probe, Status, Step, Verdict, named, sort_out

Told = Sequence[tuple[Atoms, Verdict]]
T = TypeVar("T", bound=Hashable)
SURE = 0.98
"""An explanation as probable as that, and each half of a proof."""
LEAST_NOISE = 0.01
"""Nothing measured by a few repeats is less."""
_HOPELESS = 0.4
"""From there on it would take dozens of repeats of everything."""
_GONE = 0.998
"""It was recorded as good, or bad: more than a proof is needed to say that it is not any more."""
_PROOF = 0.2
_USELESS = 0.001
"""What is that certain to be good or bad tells nothing."""
_ALONE = 4
_VERDICTS: tuple[Verdict, ...] = ("good", "bad")


def next_step(
    atoms: Sequence[Atom], weights: Mapping[Atom, float], told: Told, noise: float, *, most: int | None = None
) -> Step:
    """Say which hybrid to build next, perhaps again, or what the verdicts amount to; each is wrong with `noise`."""
    belief = Belief(tuple(atoms), prior_of(atoms, weights), told, min(max(noise, LEAST_NOISE), _HOPELESS))
    if noise >= _HOPELESS:
        return _end(belief, "stopped", f"a verdict is wrong {noise:.0%} of the time. Judge by the mean of more repeats")
    step = _baselines(belief) or _causes(belief)
    allowed = _enough(belief) if most is None else most
    if isinstance(step, Probe) and len(told) >= allowed:
        return _end(belief, "stopped", f"{len(told)} probes told, which is as many as allowed")
    return step


def _baselines(belief: Belief) -> Step | None:
    """Both builds, until it cannot be chance that one is good and the other is bad."""
    ends: tuple[tuple[Atoms, Verdict, str], ...] = (
        (NONE, "good", "the good build"),
        (belief.everything, "bad", "the bad build"),
    )
    for probe, wanted, name in sorted(ends, key=lambda end: -belief.doubt(end[0], end[1])):
        doubt = belief.doubt(probe, wanted)
        if probe in belief.skipped:
            return _end(belief, "not reproduced", f"{name} could not be built again")
        if doubt >= _GONE:
            return _end(belief, "not reproduced", f"{name} is not {wanted} when built again, and again")
        if doubt > 1 - SURE:
            return Probe(probe, f"{name} again: it must be {wanted}")
    return None


def _causes(belief: Belief) -> Step:
    """What is least certain, and once an explanation is sure, what has to be shown of it."""
    best = belief.best
    is_sure = belief.guesses[best] >= SURE
    if belief.neither >= SURE or (is_sure and not best.atoms):
        return _end(belief, "inseparable", "the verdicts fit neither one cause nor two")
    halves = sorted(_halves(belief, best), key=lambda half: -belief.doubt(*half))
    missing = [probe for probe, verdict in halves if belief.doubt(probe, verdict) > 1 - SURE]
    if is_sure:
        return _shown(belief, best, missing or ([] if belief.surprise(best) > 1 - SURE else [halves[0][0]]))
    probe = _most_telling(belief, missing)
    if probe is None:
        return _end(belief, "inseparable", f"what is left to try could not be built, {len(belief.skipped)} hybrids")
    return Probe(probe, f"is it among {_names(belief, probe)}")


def _shown(belief: Belief, best: Guess, missing: Sequence[Atoms]) -> Step:
    """The proof of what is sure, as far as it is missing; more of it where more verdicts than the noise are wrong."""
    names = _names(belief, best.atoms)
    if not missing:
        return _confirmed(belief, best)
    if not belief.skipped.isdisjoint(missing):
        return _end(belief, "inseparable", f"all points at {names}, and what would show it could not be built")
    return Probe(missing[0], f"{names}: with it bad, without it good, until it cannot be chance")


def _halves(belief: Belief, guess: Guess) -> list[tuple[Atoms, Verdict]]:
    """What has to be shown of it: each cause alone is bad, and without them all it is good."""
    sufficient: list[tuple[Atoms, Verdict]] = [(cause, "bad") for cause in guess.causes]
    return [*sufficient, (belief.everything - guess.atoms, "good")]


def _most_telling(belief: Belief, halves: Sequence[Atoms]) -> Atoms | None:
    """The hybrid that is as likely good as bad; a half of the proof may be a little less so."""
    ranks: dict[Atoms, float] = {}
    for probe in (*halves, *_splits(belief)):
        if probe not in ranks and probe not in belief.skipped:
            ranks[probe] = abs(belief.chance_of(probe) - 0.5) - (_PROOF if probe in halves else 0)
    useful = [probe for probe, rank in ranks.items() if rank < 0.5 - _USELESS]
    return min(useful, key=ranks.__getitem__, default=None)


def _splits(belief: Belief) -> Iterator[Atoms]:
    """Hybrids that part what is likely: the likeliest changes, some of them, one alone, all but one."""
    parts = belief.blamed()
    order = list(parts)
    half = bisect_left(range(len(order)), 0.5, key=lambda count: belief.chance_of(frozenset(order[:count])))
    for count in (half - 1, half):
        yield frozenset(order[:count])
        yield belief.everything.difference(order[:count])
    mass, some = 0.0, []
    for atom in order:
        if mass + parts[atom] <= 0.5 + 1e-9:
            some.append(atom)
            mass += parts[atom]
    yield frozenset(some)
    for atom in order[:_ALONE]:
        yield frozenset([atom])
        yield belief.everything - {atom}


def _confirmed(belief: Belief, best: Guess) -> Done:
    names = _names(belief, best.atoms)
    repeats = f"each told so often that it is chance less than {1 - SURE:.0%} of the time"
    if len(best.causes) == 1:
        why = f"the good build with {names} is bad, and the bad build without it is good; {repeats}"
    else:
        why = f"{names}: each makes the good build bad, and without all it is good; {repeats}"
    return _end(belief, "confirmed", why, best.causes)


def _end(belief: Belief, status: Status, why: str, causes: tuple[Atoms, ...] = ()) -> Done:
    """The end, with all that is known; what was told too seldom to be sure clears nothing."""
    sure: dict[Atoms, Verdict] = {}
    for probe in belief.probes:
        for verdict in _VERDICTS:
            if belief.doubt(probe, verdict) <= 1 - SURE:
                sure[probe] = verdict
    suspects = frozenset(atom for atom, chance in belief.blamed().items() if chance > 1 - SURE and not causes)
    sorted_out = sort_out(belief.atoms, Known(belief.atoms, sure), causes, suspects)
    return Done(status, why, causes, *sorted_out)


def _enough(belief: Belief) -> int:
    """As many as the hardest explanation among so many changes should need, four times over."""
    noise, bits = belief.noise, math.log2(len(belief.guesses) + 1)
    capacity = 1 + noise * math.log2(noise) + (1 - noise) * math.log2(1 - noise)
    return math.ceil(4 * (bits + 8) / capacity)


def _names(belief: Belief, atoms: Atoms) -> str:
    return named(atom for atom in belief.atoms if atom in atoms)


def _beyond(t: float, freedom: int) -> float:
    """Student's t: the share above; with t as the tangent of an angle its density is a power of a cosine."""
    steps = 2000
    width = math.pi / steps
    heights = [math.cos((step + 0.5) * width - math.pi / 2) ** (freedom - 1) for step in range(steps)]
    angle = math.atan(t / math.sqrt(freedom)) + math.pi / 2
    return max(0.0, math.fsum(heights[math.floor(angle / width) :]) / math.fsum(heights))


def noise_of(values_good: Sequence[float], values_bad: Sequence[float], threshold: float) -> float:
    """How often one more verdict would be wrong, by both builds' repeats: Student's t, so few repeats make it larger.

    0 where all repeats agree, 0.5 where nothing can be said: no repeats, or no threshold between the two.
    """
    freedom = len(values_good) + len(values_bad) - 2
    if min(len(values_good), len(values_bad)) < 1 or freedom < 1:
        return 0.5
    sides = [(statistics.fmean(values), len(values)) for values in (values_good, values_bad)]
    if (sides[0][0] - threshold) * (sides[1][0] - threshold) >= 0:
        return 0.5
    squares = sum(
        (value - mean) ** 2
        for values, (mean, _) in zip((values_good, values_bad), sides, strict=True)
        for value in values
    )
    if squares == 0:
        return 0.0
    spread = math.sqrt(squares / freedom)
    wrong = max(_beyond(abs(mean - threshold) / (spread * math.sqrt(1 + 1 / count)), freedom) for mean, count in sides)
    return max(wrong, LEAST_NOISE)


def not_deterministic(told: Iterable[tuple[Atoms, T]]) -> Atoms | None:
    """A hybrid that came out differently when it was built again (verdicts, values or digests), if there is one.

    >>> not_deterministic([(frozenset("a"), 0.91), (frozenset("b"), 0.88), (frozenset("a"), 0.9)])
    frozenset({'a'})
    """
    first: dict[Atoms, T] = {}
    return next((atoms for atoms, result in told if first.setdefault(atoms, result) != result), None)
