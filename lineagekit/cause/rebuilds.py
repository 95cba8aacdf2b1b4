# SPDX-License-Identifier: Apache-2.0
"""Rebuilds of one session: each hybrid once, remembered before the next one begins.

>>> rebuilds.outcome(frozenset({"1"}), "the good build with 1").verdict  # doctest: +SKIP
'bad'
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lineagekit.cause.outcome import Outcome, Verdict
from lineagekit.cause.session import Session

Chosen = frozenset[str]
Tell = Callable[[int, Chosen, str, Outcome | None], None]
"""Called before a rebuild, with None, and after it: its number, what is as in the bad build, what it is for."""


class Builder(Protocol):
    """Rebuilds a hybrid, and judges it."""

    def probe(self, chosen: Chosen, *, log: Path) -> Outcome:
        """Do it; the command's output goes to `log`."""


class SpentError(Exception):
    """As many rebuilds as allowed."""


class Rebuilds:
    """What was built so far, and builds what is not."""

    def __init__(self, session: Session, builder: Builder, tell: Tell, most: int | None = None) -> None:
        """Of `most`, those that are remembered count as well."""
        self.session, self._builder, self._tell, self.most = session, builder, tell, most
        self.history = [(chosen, told) for chosen, told in session.outcomes() if told.verdict != "skip" or told.by_hand]
        """All, oldest first; a hybrid may have been built again. What could not be judged before may be now."""
        self._logs = sum(1 for _ in session.outcomes())
        self.paid = 0

    @property
    def outcomes(self) -> dict[Chosen, Outcome]:
        """The last of each hybrid."""
        return dict(self.history)

    @property
    def told(self) -> list[tuple[Chosen, Verdict]]:
        """All verdicts."""
        return [(chosen, outcome.verdict) for chosen, outcome in self.history]

    @property
    def spread(self) -> float:
        """Standard deviation of what one hybrid scores when it is built again; 0 where that was never seen."""
        groups = [values for chosen in self.outcomes if len(values := self.values(chosen)) > 1]
        freedom = sum(len(values) - 1 for values in groups)
        squares = sum((value - statistics.fmean(values)) ** 2 for values in groups for value in values)
        return math.sqrt(squares / freedom) if freedom else 0.0

    def values(self, chosen: Chosen) -> list[float]:
        """What this hybrid scored, each time."""
        return [outcome.value for one, outcome in self.history if one == chosen and outcome.value is not None]

    def shares(self, everything: Chosen) -> dict[Chosen, float]:
        """How much of the difference between the good and the bad build each shows; nothing without numbers."""
        values = {chosen: value for chosen, outcome in self.outcomes.items() if (value := outcome.value) is not None}
        good, bad = values.get(frozenset()), values.get(everything)
        if good is None or bad is None or good == bad:
            return {}
        return {chosen: (good - value) / (good - bad) for chosen, value in values.items()}

    def gap(self, everything: Chosen) -> float:
        """The difference between the good and the bad build; 0 without numbers."""
        values = [*self.values(frozenset())[-1:], *self.values(everything)[-1:]]
        return abs(values[0] - values[1]) if len(values) > 1 else 0.0

    def outcome(self, chosen: Chosen, why: str) -> Outcome:
        """Of this hybrid, built if it was not yet; raises SpentError where that would be one too many."""
        found = self.outcomes.get(chosen)
        return self.again(chosen, why) if found is None else found

    def again(self, chosen: Chosen, why: str) -> Outcome:
        """Build this hybrid, whether it was built before or not; raises SpentError."""
        number = len(self.history) + 1
        if self.most is not None and number > self.most:
            raise SpentError
        self._tell(number, chosen, why, None)
        self._logs += 1  # what is told of it names the log of a rebuild that was skipped
        outcome = self._builder.probe(chosen, log=self.session.log(self._logs))
        self.session.add(chosen, outcome)
        self.history.append((chosen, outcome))
        self.paid += 1
        self._tell(number, chosen, why, outcome)
        return outcome

    def times(self, chosen: Chosen, count: int, why: str) -> list[float]:
        """Have this hybrid built so often; what it scored."""
        while sum(one == chosen for one, _ in self.history) < count:
            self.again(chosen, why)
        return self.values(chosen)
