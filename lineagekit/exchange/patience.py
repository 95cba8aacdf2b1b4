# SPDX-License-Identifier: Apache-2.0
"""How much a pass puts up with, and what came of it.

>>> Patience(tries=1).pause
0.5
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["done", "later", "astray", "busy"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How much one pass puts up with."""

    tries: int = 3
    """For one event, before others are tried to see whether it is the event or the server."""
    pause: float = 0.5
    """Seconds before the second try; each further pause is twice as long, and somewhat random."""
    longest: float = 10.0
    """Seconds: what would take longer (a pause, or failing again and again) ends the pass."""
    slow: float = 4.0
    """How many times longer an answer is waited for where the usual time was not enough."""
    ahead: int = 20
    """Events of other runs that fail before it is the server."""
    parked: int = 20
    """Runs with a parked event that are tried once more in a pass."""
    refusals: int = 100
    """In a row, with nothing accepted before: then it is the address that is wrong."""
    queue: float = 0.0
    """Seconds to stand in line where another process is delivering."""
    page: int = 200
    """Events that are in memory at once."""
    idle: float = 1.0
    """Seconds between two looks into the log, for who watches it."""
    rest: float = 1.0
    """Seconds that who watches leaves a destination alone after it failed; twice as long each time."""


USUAL = Patience()

BRIEF = Patience(tries=1, slow=1.0, longest=1.0, ahead=3, parked=3)
"""For a pass that somebody waits for: what fails is left to the next one."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a pass.

    All of the log was offered (`done`), the server is in trouble (`later`), the settings are wrong (`astray`), or
    another process is at it (`busy`). `waiting` is all that is still to be sent, parked events included.
    """

    destination: str
    state: State
    reason: str = ""
    sent: int = 0
    refused: int = 0
    parked: int = 0
    waiting: int = 0
    wait: float | None = None
