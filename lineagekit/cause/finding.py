# SPDX-License-Identifier: Apache-2.0
"""What rebuilds have shown, for people and for the store.

>>> Finding("not reproduced", "the good build is bad when built again").to_json()["causes"]
[]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rebuilds have shown."""

    status: str
    """confirmed, not separable, not reproduced, or what stopped it."""
    why: str
    causes: tuple[tuple[str, ...], ...] = ()
    """Of each, the changes that are bad together; culprits only if it is confirmed."""
    cleared: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    probes: int = 0
    paid: int = 0
    """Of these, now; the others were remembered."""
    good: float | None = None
    bad: float | None = None
    """What the two baselines scored."""
    unread: tuple[str, ...] = ()
    """What the command never read: it cannot be judged by this command."""
    suspects: tuple[str, ...] = ()
    """What it may still be."""
    notes: tuple[str, ...] = ()
    repairs: Mapping[str, float] = field(default_factory=dict)
    """By feed of a window that moved, how much of the drop its parts that came account for."""
    how: str = ""
    """How it was shown; "" unless it is confirmed."""

    def to_json(self) -> dict[str, Any]:
        """For the envelope, and for the session."""
        return {name: list(map(_plain, value)) if isinstance(value, tuple) else value for name, value in self._items()}

    def _items(self) -> list[tuple[str, Any]]:
        return list(asdict(self).items())


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
