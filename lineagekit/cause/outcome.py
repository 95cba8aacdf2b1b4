# SPDX-License-Identifier: Apache-2.0
"""What came of a rebuild.

>>> Outcome("skip", why="the command ended with exit code 1").verdict
'skip'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "bad", "skip"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a probe."""

    verdict: Verdict
    value: float | None = None
    seconds: float = 0.0
    why: str = ""
    """Of a skip."""
    read: frozenset[str] = frozenset()
    by_hand: bool = False
    """A person said so: no journal has proven what was read."""
