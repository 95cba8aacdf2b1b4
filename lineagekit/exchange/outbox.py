# SPDX-License-Identifier: Apache-2.0
"""What of the log one destination has got: a cursor, and letters for the events that could not go in their turn.

    >>> outbox = Outbox(store, "marquez")  # doctest: +SKIP
    >>> for row in outbox.rows(200):  # doctest: +SKIP
    ...     outbox.accept(row) if sent(row) else outbox.leave(row, REFUSED, "422: no producer")

Cursor and letters move in one transaction. While it is not known whether the server or the event is at fault, the
cursor stays where it is and what is left behind is only remembered: nothing of it happened until one event is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lineagekit.events.edges import EVENT_FACET
from lineagekit.events.wire import mend_names
from lineagekit.exchange.last_word import deciding
from lineagekit.store.log import End, Letter, Row, Store

REFUSED = "refused"
"""Dead until a person decides."""

PARKED = "parked"
"""The server stumbles over it, while it takes others: tried again, and nothing waits for it but its own run."""

BEHIND = "behind"
"""Waits for one before it in its run."""

RETRY = "retry"
"""Was refused, and a person put it back."""


_OURS = f'"{EVENT_FACET}":'.encode()


def deliverable(row: Row) -> bytes:
    """The event as it can be sent: what others made is mended where a name would poison the server for good."""
    if _OURS in row.body:
        return row.body
    mended = mend_names(row.event)
    return row.body if mended == row.event else json.dumps(mended, separators=(",", ":"), allow_nan=False).encode()


class Outbox:
    """The log as one destination sees it, for the time of one pass."""

    def __init__(self, store: Store, name: str, has: str = "") -> None:
        """Learn which runs something waits in. What has this origin came from there."""
        self.refused = 0
        self.aside: list[tuple[int, str, str]] = []
        self._store, self._name, self._has = store, name, has
        self._waiting: set[int] = set()
        self._held = {letter.run for letter in self._letters()} - {""}

    @property
    def suspects(self) -> int:
        """How many events have failed without one that was accepted since."""
        return sum(status == PARKED for _, status, _ in self.aside)

    def rows(self, page: int) -> Iterator[Row]:
        """Events behind the cursor, up to the end of the log at the time when it is reached.

        Those that came from there are passed over: a server keeps whatever it gets once more.
        """
        after = self._store.cursor(self._name)
        while rows := self._store.events(after=after, limit=page):
            yield from (row for row in rows if not self._came_from_there(row))
            after = rows[-1].seq
            if self._came_from_there(rows[-1]) and not self.aside:
                self._store.set_cursor(self._name, after)

    def holds(self, row: Row) -> bool:
        """Whether something before it in its run is still to be sent."""
        return row.run in self._held

    def accept(self, row: Row) -> None:
        """It is there; so the server is well, and what was left aside is the fault of the events."""
        with self._store.write():
            for seq, status, reason in self.aside:
                self._add(seq, status, reason)
            self._store.set_cursor(self._name, row.seq)
        self.aside.clear()

    def leave(self, row: Row, status: str, reason: str = "") -> None:
        """It cannot go now: make a letter of it, or, as long as the server is in doubt, remember it."""
        if status != REFUSED and row.run:
            self._held.add(row.run)
        if status == PARKED or self.aside:
            self.aside.append((row.seq, status, reason))
            return
        with self._store.write():
            self._add(row.seq, status, reason)
            self._store.set_cursor(self._name, row.seq)

    def waiting(self) -> list[list[Letter]]:
        """Letters that are to be sent, run by run, each run in order."""
        runs: dict[str | int, list[Letter]] = {}
        for letter in self._letters():
            runs.setdefault(letter.run or letter.seq, []).append(letter)
        return list(runs.values())

    def fetch(self, letters: Sequence[Letter], page: int) -> Iterator[Row]:
        """Their events."""
        for start in range(0, len(letters), page):
            yield from self._store.events_at([letter.seq for letter in letters[start : start + page]])

    def settle(self, row: Row) -> None:
        """The event of a letter is there at last."""
        self._store.remove_letters(self._name, [row.seq])
        self._waiting.discard(row.seq)

    def keep(self, row: Row, status: str, reason: str) -> None:
        """The event of a letter could not go this time either."""
        with self._store.write():
            self._add(row.seq, status, reason)

    def end_known(self, row: Row) -> End | None:
        """What the destination has heard of the end of this event's run, if that is not the event itself."""
        ends = self._store.ends_of(row.run) if row.run else []
        if not ends or ends == [End(row.seq, row.type, row.time)]:
            return None
        reached = max(row.seq, self._store.cursor(self._name))
        told = (one for one in ends if one.seq == row.seq or one.seq not in self._waiting)
        end = deciding(one for one in told if one.seq <= reached)
        return end if end and end.seq != row.seq else None

    def _came_from_there(self, row: Row) -> bool:
        return bool(self._has) and row.origin == self._has

    def _letters(self) -> list[Letter]:
        found = [letter for letter in self._store.letters(self._name) if letter.status != REFUSED]
        self._waiting = {letter.seq for letter in found}
        return found

    def _add(self, seq: int, status: str, reason: str) -> None:
        self.refused += status == REFUSED
        (self._waiting.discard if status == REFUSED else self._waiting.add)(seq)
        self._store.add_letter(self._name, seq, status=status, reason=reason)
