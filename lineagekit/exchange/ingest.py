# SPDX-License-Identifier: Apache-2.0
"""Bring OpenLineage events from anywhere into the log: the good ones go in, each other is told with its reason.

    >>> with open("events.jsonl", "rb") as stream, open_store("/data/.lineagekit") as store:  # doctest: +SKIP
    ...     ingest(store, stream, origin="ingest:events.jsonl")
    Ingested(new=998, known=2, refused=1, refusals=(Refused(line=17, reason='...: job.name is missing'),))

Every few thousand events are one transaction: whoever is killed has lost nothing of those before, and to run it again
adds what is missing. While one batch is written, the next one is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

from lineagekit.errors import BadDataError, UnreadableError
from lineagekit.exchange.delivery import ignore
from lineagekit.exchange.reading import read_values
from lineagekit.exchange.scanning import Found
from lineagekit.store.admit import admit
from lineagekit.store.log import Entry, Store

KEPT = 1000
"""Refusals that are kept with their reason; more are only counted."""

_BATCH = 2000  # events
_BATCH_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Refused:
    """What was no event, and why; `line` is where it begins."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of a stream: events that are `new`, those that the log had, and how much was no event."""

    new: int
    known: int
    refused: int
    refusals: tuple[Refused, ...]
    """The first thousand of them."""

    @property
    def events(self) -> int:
        """All that were events."""
        return self.new + self.known


def ingest(
    store: Store,
    stream: BinaryIO,
    *,
    origin: str = "ingest",
    progress: Callable[[int], None] = ignore,
    refuse: Callable[[Refused], None] | None = None,
) -> Ingested:
    """Append all events of a stream; `progress` gets how many were read, `refuse` at once whatever is none.

    Raises StoreError, and UnreadableError where the stream fails; what came before is in the log then.
    """
    intake = _Intake(refuse)
    new = 0
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="lineagekit-ingest") as writer:
        written: Future[int] | None = None
        for batch in intake.batches(stream):
            new += written.result() if written else 0
            # Durable, because the file may be deleted on the strength of our answer.
            written = writer.submit(store.append, batch, origin=origin, durable=True)
            progress(len(batch))
        new += written.result() if written else 0
    return Ingested(new, intake.admitted - new, intake.refused, tuple(intake.refusals))


@dataclass(slots=True)
class _Intake:
    """Goes through a stream, and counts."""

    refuse: Callable[[Refused], None] | None
    admitted: int = 0
    refused: int = 0
    refusals: list[Refused] = field(default_factory=list)

    def batches(self, stream: BinaryIO) -> Iterator[list[Entry]]:
        """Entries, as many at a time as may be held."""
        batch: list[Entry] = []
        size = 0
        failure: UnreadableError | None = None
        try:
            for entry in self._entries(stream):
                batch.append(entry)
                size += len(entry.body)
                if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
        except UnreadableError as error:  # what came before goes in all the same
            failure = error
        if batch:
            yield batch
        if failure is not None:
            raise failure

    def _entries(self, stream: BinaryIO) -> Iterator[Entry]:
        for found in read_values(stream):
            entry = self._admit(found)
            if entry is not None:
                self.admitted += 1
                yield entry

    def _admit(self, found: Found) -> Entry | None:
        reason = found.reason
        if not reason:
            try:
                return admit(found.value, found.raw)
            except BadDataError as error:
                reason = error.message
        self._tell(Refused(found.line, reason))
        return None

    def _tell(self, refused: Refused) -> None:
        self.refused += 1
        if len(self.refusals) < KEPT:
            self.refusals.append(refused)
        if self.refuse is not None:
            self.refuse(refused)
