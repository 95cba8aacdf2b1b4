# SPDX-License-Identifier: Apache-2.0
"""Search for the causes of a regression where a hybrid of two builds is good or bad, and always the same.

    >>> next_step("abcd", {}, {}).why
    'the good build again: it must be good'

    >>> told = {}
    >>> while isinstance(step := next_step("abcd", {"c": 0.9}, told), Probe):
    ...     told[step.atoms] = "bad" if "c" in step.atoms else "good"
    >>> step.status, [sorted(cause) for cause in step.causes], len(told)
    ('confirmed', [['c']], 4)

What comes next is worked out from the verdicts alone, whoever told them: a caller may die and come back, and gives
verdicts of earlier builds for free. It narrows what lies between a good hybrid and a bad one, the likeliest
first, until one change makes the difference, as QuickXplain does; it bets on a single cause as long as nothing speaks
against it. What it found has to be bad alone, and what is left without it good; else it goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

from lineagekit.cause.chain import Chain, chain_of, split
from lineagekit.cause.hunt import Hunt, prior_of
from lineagekit.cause.probes import NONE, Atom, Atoms, Done, Known, Probe, Step, Verdict

_PLAIN = 0.75
"""Of the whole difference: who shows less may be bad by many small things."""
_FEW = 4
"""Of a cause as small as that all parts are tried, where some hybrids could not be built."""


def next_step(
    atoms: Sequence[Atom],
    weights: Mapping[Atom, float],
    told: Mapping[Atoms, Verdict],
    *,
    shares: Mapping[Atoms, float] = MappingProxyType({}),
    most: int | None = None,
) -> Step:
    """Say which hybrid to build next, or what all verdicts told amount to; `most` of them, the free ones included.

    `shares` say how much of the whole difference a hybrid shows: 0 is like the good build, 1 like the bad one.
    """
    mine = {probe: verdict for probe, verdict in told.items() if probe <= frozenset(atoms)}
    hunt = Hunt(tuple(atoms), Known(atoms, mine), prior_of(atoms, weights), shares)
    step = _baselines(hunt) or _causes(hunt)
    if isinstance(step, Done):
        return step
    if most is not None and len(told) >= most:
        return hunt.end("stopped", f"{len(told)} probes told, which is as many as allowed")
    if hunt.known.skipped > hunt.most_skips:
        return hunt.end("inseparable", f"{hunt.known.skipped} hybrids could not be built")
    return step


def _baselines(hunt: Hunt) -> Step | None:
    """Both builds again: without a good and a bad end there is nothing between them."""
    everything = frozenset(hunt.atoms)
    hunt.suspects = everything
    ends: tuple[tuple[Atoms, Verdict, str], ...] = (
        (NONE, "good", "the good build"),
        (everything, "bad", "the bad build"),
    )
    for probe, wanted, name in ends:
        verdict = hunt.known.told.get(probe)
        if verdict is None:
            return Probe(probe, f"{name} again: it must be {wanted}")
        if verdict == "skip":
            return hunt.end("not reproduced", f"{name} could not be built again")
        if verdict != wanted:
            more = "" if wanted == "good" else ": what made it bad is none of these changes"
            return hunt.end("not reproduced", f"{name} is {verdict} when built again{more}")
    return None


def _causes(hunt: Hunt) -> Step:
    """One cause after the other, until without them all is good."""
    left: Atoms | None = frozenset(hunt.atoms)
    while left is not None:
        cause = _sufficient(hunt, left)
        if isinstance(cause, frozenset):
            cause = _separable(hunt, cause)
        if not isinstance(cause, frozenset):
            return cause
        hunt.causes.append(cause)
        left = _left(hunt)
    return _needed(hunt)


def _left(hunt: Hunt) -> Atoms | None:
    """What is bad without the causes found so far."""
    rest = frozenset(hunt.atoms).difference(*hunt.causes)
    verdict = hunt.known.told.get(rest)
    return rest if verdict == "bad" else None if verdict == "good" else hunt.known.smallest_bad(NONE, rest)


def _separable(hunt: Hunt, cause: Atoms) -> Atoms | Step:
    """The cause, with what cannot be built without it: the rest has to be told good, or to hold another cause."""
    everything = frozenset(hunt.atoms)
    while True:
        rest = everything.difference(cause, *hunt.causes)
        verdict = hunt.known.told.get(rest)
        if verdict is None:
            hunt.suspects = hunt.suspects | cause
            return Probe(rest, f"the bad build without {hunt.names(everything - rest)}: good if nothing else is")
        if verdict != "skip" or hunt.known.smallest_bad(NONE, rest) is not None:
            return cause
        grown = _with_blocker(hunt, cause, rest)
        if not isinstance(grown, frozenset):
            return grown
        cause = grown


def _needed(hunt: Hunt) -> Step:
    """Each of several causes has to go: with the others gone it is told to be bad still, or it was none."""
    everything = frozenset(hunt.atoms)
    for cause in list(hunt.causes) if len(hunt.causes) > 1 else ():
        others = [other for other in hunt.causes if other != cause]
        probe = everything.difference(*others)
        verdict = hunt.known.told.get(probe)
        if verdict is None:
            return Probe(probe, f"has {hunt.names(cause)} to go as well")
        if verdict == "good":
            hunt.causes = others
            hunt.notes.append(f"bad alone, and yet need not go: {hunt.names(cause)}")
        if verdict == "skip":
            hunt.notes.append(f"bad alone, and not known whether it has to go: {hunt.names(cause)}")
    count = len(hunt.causes)
    hunt.suspects = NONE
    first = hunt.names(hunt.causes[0])
    if count == 1:
        return hunt.end("confirmed", f"the good build with {first} is bad, and the bad build without it is good")
    return hunt.end("confirmed", f"{count} causes, each of which makes the good build bad; without all it is good")


def _sufficient(hunt: Hunt, bad: Atoms) -> Atoms | Step:
    """A smallest part of a bad hybrid that is bad by itself."""
    found = NONE
    while True:
        member = _member(hunt, found, bad)
        if isinstance(member, Probe):
            return member
        found |= member
        hunt.suspects = hunt.suspects | found
        verdict = hunt.known.told.get(found)
        if verdict is None:
            return Probe(found, f"the good build with {hunt.names(found)}: bad if that is enough")
        if verdict == "bad":
            return _smallest(hunt, found)


def _smallest(hunt: Hunt, found: Atoms) -> Atoms | Probe:
    """Where some hybrids could not be built, perhaps a part is enough."""
    if hunt.known.skipped and len(found) <= _FEW:
        for size in range(1, len(found)):
            for part in combinations(sorted(found, key=hunt.known.place.__getitem__), size):
                if hunt.known.verdict_of(frozenset(part)) is None:
                    return Probe(frozenset(part), f"is {hunt.names(frozenset(part))} enough of it")
    return found


def _member(hunt: Hunt, found: Atoms, bad: Atoms) -> Atoms | Probe:
    """One more change without which it would not be bad; what is found already belongs to it."""
    while True:
        upper = _upper(hunt, found, bad)
        if isinstance(upper, Probe):
            return upper
        lower = hunt.known.largest_good(found, upper, hunt.mass)
        hunt.suspects = upper - lower | found
        pieces = hunt.pieces(upper - lower)
        if len(pieces) == 1:
            return pieces[0]
        hopeful = [piece for piece in pieces if hunt.known.verdict_of(found | piece) != "good"]
        bet = chain_of(hunt.known, upper.difference(*hopeful), hopeful)
        if hopeful and (bet.high - bet.low > 1 or found | bet.pieces[bet.low] not in hunt.known.told):
            step = _narrow(hunt, bet, found)
        else:
            step = _narrow(hunt, chain_of(hunt.known, lower, pieces), None)
        if step is not None:
            return step


def _upper(hunt: Hunt, found: Atoms, bad: Atoms) -> Atoms | Probe:
    """A bad hybrid to look for the cause in: the smallest, unless it is barely bad and the rest of it all is worse.

    Many harmless changes may add up to just enough: who looks for the cause among these finds no end of them.
    """
    upper = hunt.known.smallest_bad(found, bad) or bad
    rest = bad - upper
    if found or not rest or hunt.shares.get(upper, 1.0) >= _PLAIN:
        return upper
    verdict = hunt.known.verdict_of(rest)
    if verdict is None:
        return Probe(rest, f"{hunt.names(upper)} is barely bad: is the rest worse")
    if verdict == "bad" and hunt.shares.get(rest, 0.0) > hunt.shares[upper]:
        return hunt.known.smallest_bad(found, rest) or rest
    return upper


def _narrow(hunt: Hunt, chain: Chain, bet: Atoms | None) -> Atoms | Probe | None:
    """The next hybrid of a chain; the change that makes the difference; or None after two changes were joined.

    Who bets on one change more than those of the bet tries the last candidate alone, which would be the proof as well.
    """
    likeliest = chain.pieces[chain.low]
    alone = None if bet is None else bet | likeliest
    is_last = chain.high - chain.low == 1
    cut = chain.high if is_last else split(chain, [hunt.weigh(piece) for piece in chain.pieces])
    if cut is None:
        others = chain.pieces[chain.low + 1 : chain.high]
        hunt.join(likeliest, next((one for one in reversed(others) if hunt.may_need(likeliest, one)), others[-1]))
        return None
    if alone is not None and cut - chain.low == 1 and hunt.known.verdict_of(alone) is None:
        return Probe(alone, f"{hunt.names(alone)} alone")
    if is_last:
        return likeliest
    tried = NONE.union(*chain.pieces[chain.low : cut])
    return Probe(chain.hybrid(cut), f"is it among {hunt.names(tried)}")


def _with_blocker(hunt: Hunt, cause: Atoms, rest: Atoms) -> Atoms | Step:
    """Where the rest cannot be built without the cause: the cause and what of the rest needs it, as one."""
    base = max(
        (good for good in hunt.known.good if good <= rest), key=lambda good: (hunt.weigh(good), len(good)), default=NONE
    )
    pieces = hunt.pieces(rest - base)
    chain = Chain(base, tuple(pieces), 0, len(pieces), ())
    told = [hunt.known.told.get(chain.hybrid(count)) for count in range(len(pieces) + 1)]
    high = told.index("skip")
    low = max(count for count in range(high) if count == 0 or told[count] == "good")
    if high - low > 1:
        return Probe(chain.hybrid((low + high) // 2), f"what cannot be built without {hunt.names(cause)}")
    grown = cause | pieces[low]
    hunt.join(cause, pieces[low])
    verdict = hunt.known.told.get(grown)
    if verdict is None:
        return Probe(grown, f"the good build with {hunt.names(grown)}, which only build together")
    return grown if verdict == "bad" else hunt.end("inseparable", f"{hunt.names(grown)} cannot be told apart")
