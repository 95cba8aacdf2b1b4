# SPDX-License-Identifier: Apache-2.0
"""Rebuilds of one session: each hybrid once, remembered before the next one begins.

>>> rebuilds.outcome(frozenset({"1"}), "the good build with 1").verdict  # doctest: +SKIP
'bad'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        self.session, self._builder, self._tell, self._most = session, builder, tell, most
        self.outcomes = dict(session.outcomes())
        self.paid = 0

    @property
    def told(self) -> Mapping[Chosen, Verdict]:
        """The verdict of each."""
        return {chosen: outcome.verdict for chosen, outcome in self.outcomes.items()}

    def outcome(self, chosen: Chosen, why: str) -> Outcome:
        """Of this hybrid; raises SpentError where it would be one too many."""
        if chosen not in self.outcomes:
            number = len(self.outcomes) + 1
            if self._most is not None and number > self._most:
                raise SpentError
            self._tell(number, chosen, why, None)
            outcome = self._builder.probe(chosen, log=self.session.log(number))
            self.session.add(chosen, outcome)
            self.outcomes[chosen] = outcome
            self.paid += 1
            self._tell(number, chosen, why, outcome)
        return self.outcomes[chosen]
