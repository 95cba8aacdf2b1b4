# SPDX-License-Identifier: Apache-2.0
"""Pull raw events out of Marquez into the log: whatever is not there yet, once, however often it is tried.

    >>> with open_store(folder) as store:  # doctest: +SKIP
    ...     pull(store, find_source("http://localhost:5000", settings, os.environ))
    Pulled(source='http://localhost:5000', events=1204, new=320, known=884, ...)

A window of time and its events go into the log in one transaction, so who is killed loses that window at most and goes
on there. Marquez hands out events of runs; what it knows of jobs and datasets alone it keeps to itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Protocol
from urllib.parse import urlencode

from lineagekit.collector import seldom_collecting
from lineagekit.errors import BadDataError, StoreError
from lineagekit.events.summary import ENDS
from lineagekit.exchange.ahead import ahead
from lineagekit.exchange.answers import shorten
from lineagekit.exchange.endpoint import pulled_from
from lineagekit.exchange.last_word import as_said
from lineagekit.exchange.pages import END, FIRST, Reader, UnansweredError, moment
from lineagekit.exchange.sources import Marquez
from lineagekit.exchange.windows import Piece, Scan
from lineagekit.store.admit import admit
from lineagekit.store.log import Entry, Store, Window
from lineagekit.store.windows import NOTHING, add_keys

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

OVERLAP = 2 * 3600 * 1_000_000
"""Microseconds before the newest event that are read in any case: most of what comes late comes there."""

_OVERLAP_WINDOWS = 10  # at most
_ORDER = {"START": 0, **dict.fromkeys(ENDS, 2)}
_NAMED = 20  # refused events that are told one by one


class Meter(Protocol):
    """Who shows how far it is: told how many events there are, if that is known, and of each few that are done."""

    total: int | None

    def __call__(self, count: int, /) -> None:
        """Add some."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull: of the `events` that were read some are new, known, refused, or of others."""

    source: str
    events: int = 0
    new: int = 0
    known: int = 0
    """In the log already, or refused by an earlier pull."""
    refused: int = 0
    others: int = 0
    """Of jobs in other namespaces than were asked for."""
    windows: int = 0
    """Those that were new, had changed, or are of the last hours."""
    first: int | None = None
    """When the server's history begins, or the part that was asked for, in microseconds since 1970; None if empty."""
    last: int | None = None
    reasons: tuple[str, ...] = ()
    """Why the first few were refused, each by its name."""


def pull(
    store: Store,
    source: Marquez,
    *,
    since: int | None = None,
    until: int | None = None,
    namespaces: Collection[str] = (),
    progress: Meter | None = None,
) -> Pulled:
    """Copy what is new of a server's history, or of a part of it, into the log. Raises StoreError.

    `namespaces` are those of jobs; Marquez cannot look for them, so all is read, and some of it kept.
    """
    intake = _Intake(store, source, frozenset(namespaces))
    begin, end = max(FIRST, FIRST if since is None else since), min(END, END if until is None else until)
    known = [window for window in intake.windows() if window.since < end and window.until > begin]
    stop = threading.Event()
    with closing(Reader(source.endpoint, source.patience, stop)) as reader, seldom_collecting():
        try:
            first, last, total = _edges(reader, begin, end)
            fresh = _fresh(known, last)
            if progress is not None:
                progress.total = max(total - sum(one.count for one in known if one.until <= fresh), 0)
            for piece in ahead(Scan(reader, known, page=source.page).run(begin, end, fresh=fresh), stop):
                taken = intake.take(piece)
                if progress is not None:
                    progress(taken)
        except UnansweredError as error:
            raise intake.failure(error) from error
    return replace(intake.pulled, first=first, last=last)


class _Intake:
    """What takes windows into the log, and counts."""

    def __init__(self, store: Store, source: Marquez, namespaces: frozenset[str]) -> None:
        self._store, self._source, self._namespaces = store, source, namespaces
        # Windows that were read for some namespaces are not whole for anybody else.
        asked = [("namespace", namespace) for namespace in sorted(namespaces)]
        self._scope = f"{source.name}?{urlencode(asked)}" if asked else source.name
        self._reached: int | None = None
        self.pulled = Pulled(source.name)

    def windows(self) -> list[Window]:
        """What earlier pulls have read."""
        return self._store.windows(self._scope)

    def take(self, piece: Piece) -> int:
        """One window and its events, in one transaction; how many there were."""
        entries, others, refusals = self._sift(piece.events)
        window = replace(piece.window, digest=_digest(entries))
        as_it_was = piece.known is not None and piece.known.digest == window.digest
        with self._store.write():
            new = 0 if as_it_was else self._store.append(entries, origin=pulled_from(self._source.name))
            self._store.keep_window(self._scope, window, merge=self._source.page)
        refused = 0 if as_it_was else len(refusals)
        sofar, events = self.pulled, len(piece.events)
        self.pulled = replace(
            sofar,
            events=sofar.events + events,
            new=sofar.new + new,
            known=sofar.known + events - new - others - refused,
            refused=sofar.refused + refused,
            others=sofar.others + others,
            windows=sofar.windows + bool(events),
            reasons=(*sofar.reasons, *refusals[:refused])[:_NAMED],
        )
        self._reached = max((entry.time for entry in entries), default=self._reached)
        return events

    def failure(self, error: UnansweredError) -> StoreError:
        """The same, with how far it came."""
        events = self.pulled.events
        reached = f" up to {moment(self._reached)[:19]}" if self._reached is not None else ""
        came = f"after {events:,} event{'s' * (events != 1)}{reached}" if events else "before the first event"
        advice = "What was pulled is kept: run lineagekit pull again, and it goes on." if events else ""
        return StoreError(
            f"{self._source.name} stopped answering {came}: {error.message}", advice=f"{error.advice} {advice}".strip()
        )

    def _sift(self, events: Sequence[Any]) -> tuple[list[Entry], int, list[str]]:
        """Those that are lineage and wanted, how many are of others, and why the rest is refused."""
        entries, others, refusals = [], 0, []
        for event in events:
            try:
                told = as_said(without_nulls(event))
                entry = admit(told, _to_json(told))
            except BadDataError as error:
                refusals.append(f"{_name(event)}: {error.message}")
                continue
            if self._namespaces and told.get("job", {}).get("namespace") not in self._namespaces:
                others += 1
            else:
                entries.append(entry)
        # Those of one moment come in any order.
        entries.sort(key=lambda entry: (entry.time, _ORDER.get(entry.type, 1), entry.key))
        return entries, others, refusals


def without_nulls(value: Any) -> Any:
    """A JSON value without the keys that are null: Marquez adds one for each facet that it knows. BadDataError."""
    try:
        return _without_nulls(value)
    except RecursionError as error:
        raise BadDataError("it is nested too deep") from error


def _without_nulls(value: Any) -> Any:
    if type(value) is dict:
        return {k: v if type(v) is str else _without_nulls(v) for k, v in value.items() if v is not None}
    if type(value) is list:
        return [v if type(v) is str else _without_nulls(v) for v in value]
    return value


def _to_json(event: Any) -> bytes | None:
    """Its JSON, if that can be had fast; None leaves it to `admit`."""
    if orjson is not None:
        with suppress(TypeError):  # numbers beyond 64 bits, and what is nested too deep
            return orjson.dumps(event)
    return None


def _edges(reader: Reader, since: int, until: int) -> tuple[int | None, int | None, int]:
    """When the first and the last event of a stretch happened, and how many there are."""
    first = reader.page(since, until, limit=1)
    last = reader.page(since, until, limit=1, newest=True)
    return _time(first.events), _time(last.events), last.total


def _time(events: Sequence[Any]) -> int | None:
    try:
        return admit(events[0]).time if events else None
    except BadDataError:
        return None


def _fresh(known: Sequence[Window], last: int | None) -> int:
    """From when on all is read again, however little it has changed."""
    now = time.time_ns() // 1000
    newest = now if last is None else min(last, now)
    return max([newest - OVERLAP, *(one.since for one in known[-_OVERLAP_WINDOWS:][:1])])


def _digest(entries: Iterable[Entry]) -> bytes:
    return reduce(add_keys, (entry.key for entry in entries), NOTHING)


def _name(event: object) -> str:
    """What a person finds a refused event by."""
    if not isinstance(event, dict):
        return shorten(f"what is no event ({event!r})")
    run = event.get("run")
    run = run.get("runId") if isinstance(run, dict) else None
    return shorten(f"{event.get('eventType')} of run {run} at {event.get('eventTime')}")
