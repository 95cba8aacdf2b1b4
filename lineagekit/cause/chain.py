# SPDX-License-Identifier: Apache-2.0
"""A chain of hybrids from a good one to a bad one, one piece more each time: where between does it turn bad.

>>> known = Known("abcd", {frozenset("ab"): "good", frozenset("abc"): "skip"})
>>> chain = chain_of(known, frozenset(), [frozenset(atom) for atom in "abcd"])
>>> chain.low, chain.high, chain.skipped, split(chain, [1, 1, 1, 1])
(2, 4, (3,), None)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lineagekit.cause.probes import Atoms, Known


@dataclass(frozen=True, slots=True)
class Chain:
    """It turns bad with one of `pieces[low:high]`."""

    base: Atoms
    pieces: tuple[Atoms, ...]
    low: int
    """So many of the pieces and it is still good."""
    high: int
    """So many and it is bad."""
    skipped: tuple[int, ...]
    """Between them: so many and it could not be built."""

    def hybrid(self, count: int) -> Atoms:
        """The base with so many pieces."""
        return self.base.union(*self.pieces[:count])


def chain_of(known: Known, base: Atoms, pieces: Sequence[Atoms]) -> Chain:
    """Lay it out by all that is known; with all pieces it is bad.

    From a base that cannot be built, what cannot be built either is only not bad yet.
    """
    chain = Chain(base, tuple(pieces), 0, len(pieces), ())
    verdicts = [known.verdict_of(chain.hybrid(count)) for count in range(len(pieces) + 1)]
    not_bad = ("good", "skip") if verdicts[0] == "skip" else ("good",)
    high = next((count for count, verdict in enumerate(verdicts) if count and verdict == "bad"), len(pieces))
    low = max((count for count in range(1, high) if verdicts[count] in not_bad), default=0)
    skipped = tuple(count for count in range(low + 1, high) if verdicts[count] == "skip")
    return Chain(base, chain.pieces, low, high, skipped)


def split(chain: Chain, weights: Sequence[float]) -> int | None:
    """How many pieces to try next, nearest to half of the weight; None if no split between could be built.

    What cannot be built is closed in from both ends: the piece from which on it cannot, and the one with which it can.
    """
    low, high = chain.low, chain.high
    if not chain.skipped:
        half = sum(weights[low:high]) / 2
        return min(range(low + 1, high), key=lambda cut: (abs(sum(weights[low:cut]) - half), cut))
    first, last = chain.skipped[0], chain.skipped[-1]
    if first - low > 1:
        return (low + first) // 2
    return (last + high + 1) // 2 if high - last > 1 else None
