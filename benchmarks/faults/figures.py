# SPDX-License-Identifier: Apache-2.0
"""Figures: how often the right change is first or among the first three, with what is known of that number.

>>> share(19, 20)
'0.95 [0.76, 0.99]'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.96


def wilson(successes: float, count: int) -> tuple[float, float]:
    """The interval of a share, at 95 %."""
    if not count:
        return 0.0, 1.0
    p, z2 = successes / count, _Z**2
    middle = (p + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z * math.sqrt(p * (1 - p) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(successes: float, count: int) -> str:
    """A share with its interval."""
    low, high = wilson(successes, count)
    return f"{successes / count if count else math.nan:.2f} [{low:.2f}, {high:.2f}]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the right one is: so many are ahead of it, and it is one of so many that are as likely; 0 if nowhere."""

    ahead: int
    alike: int

    @classmethod
    def of_rank(cls, rank: int) -> Place:
        """Of a list without ties; 0 is nowhere."""
        return cls(rank - 1, 1) if rank else cls(0, 0)

    def within(self, first: int) -> float:
        """How likely it is among the first ones."""
        return min(1.0, max(0.0, (first - self.ahead) / self.alike)) if self.alike else 0.0

    @property
    def reciprocal(self) -> float:
        """One by its place, on average."""
        if not self.alike:
            return 0.0
        return sum(1 / (self.ahead + place) for place in range(1, self.alike + 1)) / self.alike


def line(name: str, places: Sequence[Place]) -> str:
    """One row of the table."""
    count = len(places)
    first, third = (share(sum(place.within(k) for place in places), count) for k in (1, 3))
    mean = sum(place.reciprocal for place in places) / count if count else math.nan
    return f"  {name:18} {first:18} {third:18} {mean:.2f}"
