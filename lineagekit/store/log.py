# SPDX-License-Identifier: Apache-2.0
"""The log: every event once, in the order of arrival, in one file that many processes share.

    >>> with open_store("/data/.lineagekit") as store:  # doctest: +SKIP
    ...     store.append([entry_of(event)], origin="emit")
    ...     store.events(after=0, limit=10)
    1
    [Row(seq=1, ...)]

All that can fail raises `StoreError`, and then nothing of it happened. Several calls become one transaction inside
`with store.write():`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from lineagekit.errors import BadDataError, NotFoundError, StoreError, UnreadableError
from lineagekit.events.said import Name
from lineagekit.events.wire import event_key
from lineagekit.store import aliases, debts, entries, letters, objects, refinements, runs, verdicts, windows
from lineagekit.store.database import Database, open_database
from lineagekit.store.migrations import migrate
from lineagekit.store.refinements import resolve
from lineagekit.store.rows import End, Entry, Letter, Mark, Refinement, Row, RunRow
from lineagekit.store.windows import Window

__all__ = [
    "End",
    "Entry",
    "Letter",
    "Mark",
    "Refinement",
    "Row",
    "RunRow",
    "Store",
    "Window",
    "entry_of",
    "open_store",
    "resolve",
]

FILE = "lineage.db"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def open_store(folder: str | os.PathLike[str], *, make: bool = True) -> Store:
    """The store in a folder, made if need be; without `make` raises NotFoundError where there is none."""
    path = os.path.join(os.path.abspath(folder), FILE)
    if not _exists(path):
        if not make:
            raise NotFoundError(
                f"no store in {os.fspath(folder)}",
                advice="Record a run first (lineagekit run -- COMMAND), or name another store (LINEAGEKIT_STORE).",
            )
        _make(path)
    return Store(open_database(path))


def entry_of(event: Mapping[str, Any], raw: bytes = b"") -> Entry:
    """An OpenLineage event as it goes into the log, with the JSON it came as. Raises BadDataError if it has no time."""
    kind = next((kind for kind in ("run", "job") if event.get(kind) is not None), "dataset")
    run = str(event["run"]["runId"]) if kind == "run" else ""
    type_ = str(event.get("eventType") or "")
    return Entry(event_key(event), run, kind, type_, _microseconds(event), raw or event, runs.outline_of(event))


class Store:
    """An open log. Threads may share it; after a fork the child opens its own."""

    def __init__(self, database: Database) -> None:
        """Take over an open file and bring it to the newest shape; `open_store` is the way in."""
        self._database = database
        try:
            migrate(database)
        except StoreError:
            database.close()
            raise

    @property
    def folder(self) -> str:
        """Where it is."""
        return os.path.dirname(self._database.path)

    def __enter__(self) -> Self:
        """The store itself, closed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def write(self, *, durable: bool = False) -> AbstractContextManager[object]:
        """One transaction around several calls: all of them or none. `durable` survives the loss of power."""
        return self._database.write(durable=durable)

    def append(
        self, new: Iterable[Entry], *, origin: str = "", marks: Iterable[Mark] = (), durable: bool = False
    ) -> int:
        """Append events and marks in one transaction; how many were new. An event whose key is there is passed over.

        What is deleted because of this (a journal) needs `durable`.
        """
        return entries.append(self._database, new, origin=origin, marks=marks, durable=durable)

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Events behind a place, in the order of the log; a damaged one is there, and says so."""
        return entries.events(self._database, after=after, limit=limit)

    def events_at(self, seqs: Iterable[int]) -> list[Row]:
        """Events at these places, in the order of the log."""
        return entries.events_at(self._database, seqs)

    def last_seq(self) -> int:
        """The place of the newest event; 0 if there is none."""
        return entries.last_seq(self._database)

    def run_events(self, run: str) -> list[Row]:
        """Events of a run, in the order of the log."""
        return entries.run_events(self._database, run)

    def each_event(self, run: str) -> Iterator[Row]:
        """The same, for whoever may have seen enough before the last one."""
        return entries.each_event(self._database, run)

    def event_of(self, key: bytes) -> Row | None:
        """The event with this key; None if it is not there, or damaged."""
        return entries.event_of(self._database, key)

    def damaged(self) -> list[int]:
        """Places of events that the disk lost. Reads the whole log."""
        return entries.damaged(self._database)

    def mark(self, journal: str) -> int:
        """The offset up to which a journal was settled; 0 if it never was."""
        return entries.offset_of(self._database, journal)

    def marks_of(self, journals: Iterable[str]) -> dict[str, int]:
        """The offsets of many at once; journals that were never settled are left out."""
        return entries.offsets_of(self._database, journals)

    def marks(self) -> dict[str, Mark]:
        """Every journal's mark, by the journal's id."""
        return entries.read_marks(self._database)

    def recent_runs(self, limit: int = 20, *, job: str | None = None, since: int | None = None) -> list[RunRow]:
        """Runs that began last (since a moment, in microseconds), newest first."""
        return runs.recent_runs(self._database, limit, job=job, since=since)

    def find_run(self, run: str) -> RunRow | None:
        """The run with exactly this id."""
        return runs.find_run(self._database, run)

    def find_runs(self, text: str, *, limit: int = 100) -> list[RunRow]:
        """Runs whose id begins with this text or whose job has this name, newest first."""
        return runs.find_runs(self._database, text, limit)

    def settled(self, run: str) -> bool:
        """Whether the end of this run is in the log."""
        return runs.is_settled(self._database, run)

    def settled_of(self, these: Iterable[str]) -> set[str]:
        """Those of these runs whose end is in the log."""
        return runs.settled_of(self._database, these)

    def ends_of(self, run: str) -> list[End]:
        """Events that ended this run, in the order of the log."""
        return runs.ends_of(self._database, run)

    def refine(self, learned: Iterable[Refinement]) -> int:
        """Keep what was learned of datasets after their events were built; how many were new."""
        return refinements.refine(self._database, learned)

    def refinements(self, key: bytes) -> list[Refinement]:
        """All that was learned after this event, oldest first; `resolve` says what to believe."""
        return refinements.refinements(self._database, key)

    def last_refinement(self) -> int:
        """The number of what was learned last; 0 if nothing was."""
        return refinements.last_refinement(self._database)

    def refined_runs(self, after: int) -> list[str]:
        """Runs of which something was learned behind this number."""
        return refinements.refined_runs(self._database, after)

    def owe(self, host: str, keys: Iterable[bytes]) -> None:
        """Note that digests of these events are still to be taken, by this host."""
        debts.owe(self._database, host, keys)

    def debts(self, host: str) -> list[bytes]:
        """Keys of the events that this host may know more of, oldest first."""
        return debts.debts(self._database, host)

    def settle_debt(self, key: bytes) -> None:
        """Note that all that can be learned of this event is learned."""
        debts.settle_debt(self._database, key)

    def keep_object(self, kind: str, digest: str, body: bytes) -> None:
        """Keep the bytes that a digest stands for: kind "manifest" for `lkd1:`, "profile" for `lkt1:`."""
        objects.keep_object(self._database, kind, digest, body)

    def object(self, kind: str, digest: str) -> bytes | None:
        """The bytes; None if they were never kept or are damaged."""
        return objects.find_object(self._database, kind, digest)

    def cursor(self, destination: str) -> int:
        """The place up to which a destination was served; 0 if it never was."""
        return letters.cursor(self._database, destination)

    def set_cursor(self, destination: str, seq: int) -> None:
        """Move it, forward or back."""
        letters.set_cursor(self._database, destination, seq)

    def add_letter(self, destination: str, seq: int, *, status: str, reason: str) -> None:
        """Note that a destination did not take an event, and why; noted again, the first time stays."""
        letters.add_letter(self._database, destination, seq, status=status, reason=reason)

    def letters(self, destination: str | None = None) -> list[Letter]:
        """Letters of a destination, or of all, in the order of the log."""
        return letters.letters(self._database, destination)

    def remove_letters(self, destination: str, seqs: Iterable[int]) -> int:
        """Forget letters, because they were delivered or given up; how many there were."""
        return letters.remove_letters(self._database, destination, seqs)

    def set_alias(self, left: Name, right: Name) -> None:
        """Say that what is called `left`, and all below it, is `right`."""
        aliases.set_alias(self._database, left, right)

    def remove_alias(self, left: Name) -> bool:
        """Take it back; whether there was one."""
        return aliases.remove_alias(self._database, left)

    def aliases(self) -> list[tuple[Name, Name]]:
        """What people said of names."""
        return aliases.aliases(self._database)

    def set_verdict(self, run: str, said: str) -> None:
        """Say that a run is good or bad; "" takes it back."""
        if said:
            verdicts.set_verdict(self._database, run, said)
        else:
            verdicts.remove_verdict(self._database, run)

    def verdicts(self) -> dict[str, str]:
        """What people said of runs: good or bad."""
        return verdicts.verdicts(self._database)

    def windows(self, source: str) -> list[Window]:
        """The stretches of a server's history that are in the log, oldest first."""
        return windows.windows(self._database, source)

    def keep_window(self, source: str, window: Window, *, merge: int) -> None:
        """Note that a stretch was read; it joins the one before it if both hold no more than `merge` events."""
        windows.keep_window(self._database, source, window, merge=merge)


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UnreadableError(f"the store {path} cannot be read: {error.strerror}") from error
    return True


def _make(path: str) -> None:
    """The folder, closed to others, that git does not see, and an empty file for SQLite."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, text in ((os.path.join(folder, ".gitignore"), b"*\n"), (path, b"")):
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                if text and not os.fstat(descriptor).st_size:
                    os.write(descriptor, text)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"no store can be made in {folder}: {error.strerror}",
            advice="Name a folder that can be written (LINEAGEKIT_STORE).",
        ) from error


def _microseconds(event: Mapping[str, Any]) -> int:
    try:
        moment = datetime.fromisoformat(event["eventTime"].upper())  # some write t and z
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise BadDataError(f"an event has no time: got {event.get('eventTime')!r}, expected ISO 8601") from error
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
