# SPDX-License-Identifier: Apache-2.0
"""What was recorded, told once more: with the clock stretched to a build a day, and with some of the inputs left out.

    >>> retell(recorded, Path("/tmp/told"), Calendar.of(begins), missing=0.05, seed=1)  # doctest: +SKIP

Every time in an event is moved by the same rule, which keeps their order: those of runs, reads, writes, and those that
files had. Nothing else of an event is touched but the inputs that are taken out.
"""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from benchmarks.faults.world import FIRST_DAY, hash_of
from lineagekit.store.log import Entry, entry_of, open_store

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MORNING = time(6, tzinfo=UTC)
_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z|(?<=:)(1[789]\d{17})(?=:)")
"""ISO times, and nanoseconds in the evidence of a file."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where each day begins in truth, and in the story."""

    begins: tuple[int, ...]
    first: int

    @classmethod
    def of(cls, begins: Sequence[int]) -> Calendar:
        """A day of the story for each of these; the first one is the first day of the world."""
        morning = datetime.combine(FIRST_DAY, _MORNING) - _EPOCH
        return cls(tuple(begins), morning // timedelta(microseconds=1) * 1000)

    def move(self, when: int) -> int:
        """The time in the story."""
        day = max(bisect_right(self.begins, when) - 1, 0)
        return self.first + day * _DAY + when - self.begins[day]


def retell(old: Path, new: Path, calendar: Calendar, *, missing: float = 0.0, seed: int = 0) -> None:
    """Make a store of another; `missing` is the share of inputs that nobody noticed."""
    with open_store(old, make=False) as known, open_store(new) as told:
        after = 0
        while rows := known.events(after=after, limit=500):
            told.append(_entries([row.body for row in rows], calendar, missing, seed), origin="faults")
            after = rows[-1].seq
    with sqlite3.connect(new / "lineage.db") as database:
        database.execute("ATTACH ? AS old", (str(old / "lineage.db"),))
        database.execute("INSERT OR IGNORE INTO object SELECT * FROM old.object")


def _entries(bodies: Sequence[bytes], calendar: Calendar, missing: float, seed: int) -> Iterator[Entry]:
    for body in bodies:
        moved = _MOMENT.sub(lambda found: _moved(found, calendar), body)
        event = json.loads(moved)
        if missing:
            event["inputs"] = [one for one in event.get("inputs", ()) if not _is_missing(event, one, missing, seed)]
            moved = json.dumps(event).encode()
        yield entry_of(event, moved)


def _moved(found: re.Match[bytes], calendar: Calendar) -> bytes:
    if found[3]:
        return b"%d" % calendar.move(int(found[3]))
    digits = found[2] or b""
    whole = datetime.fromisoformat(found[1].decode()).replace(tzinfo=UTC) - _EPOCH
    when = calendar.move(int(whole.total_seconds()) * _SECOND + int(digits.ljust(9, b"0") or b"0"))
    text = (_EPOCH + timedelta(seconds=when // _SECOND)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{f'{when % _SECOND:09}'[: len(digits)]}Z".encode() if digits else f"{text}Z".encode()


def _is_missing(event: dict[str, Any], dataset: dict[str, Any], share: float, seed: int) -> bool:
    return hash_of((seed, event["run"]["runId"], dataset["name"])) % 10_000 < share * 10_000
