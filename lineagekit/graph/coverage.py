# SPDX-License-Identifier: Apache-2.0
"""Coverage: how much of an answer is known by its bytes, and what the store cannot know. No answer is surer than that.

>>> Coverage(content=41, pin=2, name=1, weak=3).summary
'44 inputs: 41 by content, 2 by version, 1 by name only; 3 bound by run times or copies only'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import How, Read, Sender

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known how well, of the reads that an answer rests on."""

    content: int = 0
    """Inputs whose bytes are known by a digest."""
    pin: int = 0
    """By a foreign system's version."""
    name: int = 0
    """By the name only."""
    weak: int = 0
    """Bound to the run that wrote them by run times, or because the same bytes were elsewhere before."""
    sources: int = 0
    """That no recorded run wrote."""
    unknown: tuple[str, ...] = ()
    """Datasets whose bytes are not known, the first twenty."""
    begins: int | None = None
    """When the recorded history begins."""
    senders: tuple[Sender, ...] = ()
    """Who ever sent events, the one that was heard last first."""
    complete: bool = False
    """The user says that nothing goes unrecorded."""

    @property
    def summary(self) -> str:
        """In one line."""
        total = self.content + self.pin + self.name
        parts = [(self.content, "by content"), (self.pin, "by version"), (self.name, "by name only")]
        told = ", ".join(f"{count:,} {how}" for count, how in parts if count) or "none"
        weak = f"; {self.weak:,} bound by run times or copies only" if self.weak else ""
        return f"{total:,} input{'' if total == 1 else 's'}: {told}{weak}"

    def to_json(self) -> dict[str, Any]:
        """For the envelope."""
        return {
            "inputs": {"content": self.content, "pin": self.pin, "name": self.name},
            "weak": self.weak,
            "sources": self.sources,
            "unknown": list(self.unknown),
            "history_begins": self.begins,
            "senders": [
                {"producer": one.producer, "namespace": one.namespace, "last_heard": one.last, "events": one.events}
                for one in self.senders
            ],
            "complete": self.complete,
        }


def coverage_of(db: Database, reads: Iterable[Read], *, complete: bool) -> Coverage:
    """Of an answer that rests on these reads."""
    uses = {(read.run, read.dataset): read for read in reads if read.parts >= 0}
    weak = sum(read.how in (How.TIME, How.COPY) for read in reads if read.parts >= 0)
    snaps = query.snapshots(db, (read.snap for read in uses.values()))
    counts = {"content": 0, "pin": 0, "name": 0}
    unknown: dict[int, None] = {}
    for read in uses.values():
        identity = snaps[read.snap].identity if read.snap is not None else "name"
        counts[identity] += 1
        if identity == "name":
            unknown[read.dataset] = None
    named = query.datasets(db, list(unknown)[:_MOST_TOLD])
    known = walk.senders(db)
    return Coverage(
        **counts,
        weak=weak,
        sources=sum(read.how == How.NOBODY for read in uses.values()),
        unknown=tuple(named[one].title for one in list(unknown)[:_MOST_TOLD]),
        begins=min((one.first for one in known), default=None),
        senders=tuple(known),
        complete=complete,
    )
