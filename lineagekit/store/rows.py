# SPDX-License-Identifier: Apache-2.0
"""What goes into the log and what comes out of it, as values.

>>> Row(seq=1, key=b"k", run="", kind="run", type="START", time=0, origin="", body=b'{"a":1}').event
{'a': 1}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Outline:
    """What a list of runs shows of an event."""

    job: str
    namespace: str
    inputs: int
    """How many there are, as for `outputs`."""
    outputs: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way into the log."""

    key: bytes
    """16 bytes that are equal for the same event, however often it arrives."""
    run: str
    """Id of the run; "" for an event without one."""
    kind: str
    """run, dataset or job"""
    type: str
    """START, RUNNING, COMPLETE, ABORT, FAIL, OTHER, or "" """
    time: int
    """Microseconds since 1970: when it happened."""
    body: Mapping[str, Any] | bytes
    """The event; or its JSON as it was read, which is kept as it is and far smaller than what it says."""
    outline: Outline | None = None
    """Needed beside JSON only."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal has been settled: what lies before `offset` is in the log."""

    journal: str
    offset: int
    finished: bool = False
    """Nothing will be added to this journal any more."""


@dataclass(frozen=True)
class Row:
    """An event in the log."""

    seq: int
    """Its place in the log: grows, is never used again."""
    key: bytes
    run: str
    kind: str
    type: str
    time: int
    origin: str
    """Which way it came in."""
    body: bytes
    """The event as JSON; empty if the file was damaged here."""

    @property
    def damaged(self) -> bool:
        """Whether the disk lost this event: it has a place, and maybe a run, and nothing else that can be trusted."""
        return not self.body

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event, parsed when it is asked for; empty if damaged."""
        event: dict[str, Any] = json.loads(self.body) if self.body else {}
        return event


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run at a glance: the sum of its events, in whatever order they came."""

    run: str
    job: str
    namespace: str
    state: str
    """COMPLETE, FAIL or ABORT; RUNNING until one of these was heard."""
    began: int
    """Microseconds since 1970, as `ended`."""
    ended: int | None
    inputs: int
    """The most datasets that one event named, as for `outputs`."""
    outputs: int
    seq: int
    """The place of its last event in the log."""


@dataclass(frozen=True, slots=True)
class End:
    """An event that ended a run; of several, `events.summary.outcome` says which counts."""

    seq: int
    type: str
    time: int


@dataclass(frozen=True, slots=True)
class Refinement:
    """What was learned of a dataset of a run after its event was built: another facet for the same thing."""

    key: bytes
    """Of the event."""
    role: str
    """input or output"""
    namespace: str
    name: str
    facet: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that a destination did not take."""

    destination: str
    seq: int
    run: str
    status: str
    reason: str
    at: int
    """Microseconds since 1970: since when."""
