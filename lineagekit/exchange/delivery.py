# SPDX-License-Identifier: Apache-2.0
"""The way of the log to one destination: in order, each event until it is judged, and nothing that one event blocks.

    >>> with closing(Delivery(store, destination, "/data/.lineagekit")) as delivery:  # doctest: +SKIP
    ...     delivery.run()
    Delivered(destination='marquez', state='done', reason='', sent=214, refused=0, parked=0, waiting=0, wait=None)

The outbox is the log. Its cursor moves after each event, so that who is killed sends at most that one again. An event
that fails while others pass is parked, and holds up only its own run; to know which it is, the event or the server, the
next ones are tried before it is decided.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from lineagekit.errors import UsageError
from lineagekit.exchange.answers import Answer
from lineagekit.exchange.claim import claim
from lineagekit.exchange.destinations import Destination, Sender
from lineagekit.exchange.last_word import as_end, wants_end_again
from lineagekit.exchange.outbox import BEHIND, PARKED, REFUSED, Outbox, deliverable
from lineagekit.exchange.patience import USUAL, Delivered, Patience, State
from lineagekit.store.log import Letter, Row, Store

_DAMAGED = Answer("refused", "the store's file is damaged at this event")
_STOPPED = Answer("again", "stopped", reached=False)
_log = logging.getLogger(__name__)


def ignore(count: int) -> None:
    """Progress that nobody watches."""


class Delivery:
    """Passes to one destination; a connection is opened when there is something to send, and kept."""

    def __init__(
        self,
        store: Store,
        destination: Destination,
        folder: str,
        *,
        stop: threading.Event | None = None,
        progress: Callable[[int], None] = ignore,
    ) -> None:
        """Open nothing yet. `folder` is the store's; `stop` ends a pass behind the event that is on its way."""
        self._store, self._destination, self._folder = store, destination, folder
        self._stop, self._progress = stop or threading.Event(), progress
        self._patience = USUAL
        self._sender: Sender | None = None
        self._outbox: Outbox
        self._sent = self._refused = self._in_a_row = 0

    def run(self, patience: Patience = USUAL) -> Delivered:
        """Make one pass. Raises StoreError."""
        self._patience = patience
        self._sent = self._refused = self._in_a_row = 0
        name = self._destination.name
        while True:
            with claim(self._folder, name, wait=patience.queue, stop=self._stop) as mine:
                if not mine:
                    return self._report("busy", Answer("again", "another process is delivering to it"))
                end = self._pass()
            if end:
                return self._report("astray" if end.verdict == "astray" else "later", end)
            # Who appended an event and found the lock taken relies on its being seen here.
            if not self._store.events(after=self._store.cursor(name), limit=1):
                return self._report("done")

    def nothing(self) -> Delivered:
        """The report of a pass that was not made."""
        return Delivered(self._destination.name, "done")

    def close(self) -> None:
        """Let go of the connection; the next event opens a new one."""
        sender, self._sender = self._sender, None
        if sender:
            sender.close()

    def _report(self, state: State, end: Answer | None = None) -> Delivered:
        name = self._destination.name
        letters = [letter for letter in self._store.letters(name) if letter.status != REFUSED]
        parked = [letter.reason for letter in letters if letter.status == PARKED]
        behind = 0 if state == "done" else self._store.last_seq() - self._store.cursor(name)
        reason, wait = (end.reason, end.wait) if end else ("".join(parked[:1]), None)
        return Delivered(name, state, reason, self._sent, self._refused, len(parked), behind + len(letters), wait)

    def _pass(self) -> Answer | None:
        """First the log, then what was left behind in it; the answer that ended it early, if one did."""
        self._outbox = Outbox(self._store, self._destination.name, self._destination.has)
        try:
            return self._send_log() or self._send_letters()
        except UsageError as error:
            return Answer("astray", str(error), reached=False)
        finally:
            self._refused += self._outbox.refused

    def _send_log(self) -> Answer | None:
        failure, began = None, 0.0
        for row in self._outbox.rows(self._patience.page):
            if self._stop.is_set():
                return _STOPPED
            if self._outbox.holds(row):
                self._outbox.leave(row, BEHIND)
                continue
            answer = self._insist(row)
            if self._ends(answer):
                return answer
            if answer.verdict == "again":
                failure, began = answer, began or time.monotonic()
                self._outbox.leave(row, PARKED, answer.reason)
                if self._outbox.suspects > self._patience.ahead or self._too_long(began):
                    return answer
            elif end := self._judged(row, answer):
                return end
        return failure if self._outbox.aside else None

    def _judged(self, row: Row, answer: Answer) -> Answer | None:
        """The event is accepted or refused; where all are refused, it is not the events."""
        self._progress(1)
        if answer.verdict == "accepted":
            self._outbox.accept(row)
            self._sent += 1
            return None
        _log.debug("%s refused event %d: %s", self._destination.name, row.seq, answer.reason)
        self._outbox.leave(row, REFUSED, answer.reason)
        self._in_a_row += not self._sent
        if self._in_a_row < self._patience.refusals:
            return None
        said = f"it refused {self._in_a_row} events in a row and took none, the last because of {answer.reason}"
        return Answer("astray", said, answer.status)

    def _insist(self, row: Row) -> Answer:
        """Send it, several times if need be; once only where another event has failed already."""
        if row.damaged:
            return _DAMAGED
        tries = 1 if self._outbox.aside else self._patience.tries
        was_slow = False
        for nth in range(tries):
            answer = self._send(row, self._patience.slow if was_slow else 1.0)
            given_up = nth + 1 == tries or (was_slow and answer.slow)
            if answer.verdict != "again" or given_up or not self._rest(answer, nth):
                break
            was_slow = was_slow or answer.slow
        return answer

    def _send(self, row: Row, patience: float) -> Answer:
        answer = self._tell(row, patience)
        if answer.verdict == "again":
            _log.debug("%s did not take event %d: %s", self._destination.name, row.seq, answer.reason)
        return answer

    def _tell(self, row: Row, patience: float) -> Answer:
        """Post it; of a run that has ended so that it stays ended: only then the event is there."""
        end = self._outbox.end_known(row) if self._destination.believes_last else None
        if end is None:
            return self._post(deliverable(row), patience)
        told = deliverable(row)
        answer = self._post(told if row.type == "START" else as_end(told, end.type), patience)
        if answer.verdict != "accepted" or not wants_end_again(row, end):
            return answer
        for one in self._store.events_at([end.seq]):
            repeated = _DAMAGED if one.damaged else self._post(deliverable(one), patience)
            answer = answer if repeated.verdict == "refused" else repeated
        return answer

    def _post(self, body: bytes, patience: float) -> Answer:
        if self._sender is None:
            self._sender = self._destination.open()
        return self._sender.send(body, patience=patience)

    def _rest(self, answer: Answer, nth: int) -> bool:
        """Wait before the next try; False if there is to be none."""
        pause = self._patience.pause * 2**nth * random.uniform(0.5, 1.0) if answer.wait is None else answer.wait
        return pause <= self._patience.longest and not self._stop.wait(pause)

    def _ends(self, answer: Answer) -> bool:
        """Whether no event could fare better in this pass."""
        wants_rest = (answer.wait or 0.0) > self._patience.longest
        return answer.verdict == "astray" or (answer.verdict == "again" and (not answer.reached or wants_rest))

    def _too_long(self, began: float) -> bool:
        return time.monotonic() - began > self._patience.longest

    def _send_letters(self) -> Answer | None:
        """All that were put back or set free, and some of the runs that are parked, whichever: each has its turn."""
        runs = self._outbox.waiting()
        parked = [run for run in runs if run[0].status == PARKED]
        free = [run for run in runs if run[0].status != PARKED]
        began = time.monotonic()
        for letters in free + random.sample(parked, min(len(parked), self._patience.parked)):
            if end := self._send_run(letters):
                return end
            if self._too_long(began) and letters[0].status == PARKED:
                break
        return None

    def _send_run(self, letters: Sequence[Letter]) -> Answer | None:
        """A run's letters in order, up to the first that fails."""
        for row in self._outbox.fetch(letters, self._patience.page):
            if self._stop.is_set():
                return _STOPPED
            answer = _DAMAGED if row.damaged else self._send(row, self._patience.slow)
            if self._ends(answer):
                return answer
            if answer.verdict == "again":
                self._outbox.keep(row, PARKED, answer.reason)
                return None
            if answer.verdict == "refused":
                self._outbox.keep(row, REFUSED, answer.reason)
                continue
            self._outbox.settle(row)
            self._sent += 1
            self._progress(1)
        return None
