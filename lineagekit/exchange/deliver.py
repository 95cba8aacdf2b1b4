# SPDX-License-Identifier: Apache-2.0
"""Deliver what waits in the log: once to every destination, or again and again until told to stop.

    >>> with open_store(folder) as store:  # doctest: +SKIP
    ...     deliver(store, find_destinations(settings, os.environ), folder)
    [Delivered(destination='marquez', state='done', reason='', sent=214, refused=0, parked=0, waiting=0, wait=None)]

Destinations are served side by side: one that is down holds up no other.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace

from lineagekit.errors import StoreError
from lineagekit.exchange.delivery import Delivery, ignore
from lineagekit.exchange.destinations import Destination
from lineagekit.exchange.patience import USUAL, Delivered, Patience
from lineagekit.store.log import Store

_LONGEST = 60.0  # seconds that a destination is left alone at most after it failed
_PARKED_AGAIN, _PARKED_LONGEST = 60.0, 3600.0  # seconds before what is parked is tried again; longer each time


def deliver(
    store: Store,
    destinations: Sequence[Destination],
    folder: str,
    *,
    patience: Patience = USUAL,
    stop: threading.Event | None = None,
    progress: Callable[[int], None] = ignore,
) -> list[Delivered]:
    """Make one pass to each destination. Raises StoreError; whatever a destination does is in its report."""
    stop = stop or threading.Event()

    def deliver_one(destination: Destination) -> Delivered:
        with closing(Delivery(store, destination, folder, stop=stop, progress=progress)) as delivery:
            return delivery.run(patience)

    return _side_by_side(deliver_one, destinations, stop)


def watch(
    store: Store,
    destinations: Sequence[Destination],
    folder: str,
    *,
    stop: threading.Event,
    tell: Callable[[Delivered], None],
    patience: Patience = USUAL,
) -> list[Delivered]:
    """Deliver until `stop` is set, and `tell` whatever is new; the last report of each destination."""

    def watch_one(destination: Destination) -> Delivered:
        with closing(Delivery(store, destination, folder, stop=stop)) as delivery:
            return _watch_one(delivery, tell, stop, patience)

    return _side_by_side(watch_one, destinations, stop)


def _side_by_side(
    work: Callable[[Destination], Delivered], destinations: Sequence[Destination], stop: threading.Event
) -> list[Delivered]:
    if len(destinations) < 2:
        return [work(one) for one in destinations]
    with ThreadPoolExecutor(max_workers=len(destinations), thread_name_prefix="lineagekit-deliver") as threads:
        futures = [threads.submit(work, one) for one in destinations]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() for future in futures):  # one has raised, or the user has had enough
                stop.set()
        return [future.result() for future in futures]


class _Parked:
    """When parked events are due again: they are tried in longer and longer intervals, as long as there are any."""

    def __init__(self) -> None:
        self._pause, self._due = _PARKED_AGAIN, 0.0

    def patience(self, usual: Patience) -> Patience:
        return usual if time.monotonic() >= self._due else replace(usual, parked=0)

    def learn(self, report: Delivered) -> None:
        if not report.parked:
            self._pause, self._due = _PARKED_AGAIN, 0.0
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _PARKED_LONGEST)


def _watch_one(
    delivery: Delivery, tell: Callable[[Delivered], None], stop: threading.Event, patience: Patience
) -> Delivered:
    parked, failures = _Parked(), 0
    last = told = delivery.nothing()
    while not stop.is_set():
        report = _run(delivery, parked.patience(patience))
        if stop.is_set() and not report.sent:
            break
        parked.learn(report)
        if report.sent or report.refused or (report.state, report.reason) != (told.state, told.reason):
            tell(report)
            told = report
        last = report
        failed = report.state in ("later", "astray")
        failures = failures + 1 if failed else 0
        if failed:
            delivery.close()  # keys and names are looked up anew
        stop.wait(max(report.wait or 0.0, _pause(failures, patience.rest)) if failed else patience.idle)
    return last


def _run(delivery: Delivery, patience: Patience) -> Delivered:
    """A pass; a store that does not answer now may do so later."""
    try:
        return delivery.run(patience)
    except StoreError as error:
        return replace(delivery.nothing(), state="later", reason=str(error))


def _pause(failures: int, rest: float) -> float:
    """Seconds: twice as long each time, and somewhat random, so that not all come back at once."""
    return min(rest * 2.0 ** min(failures - 1, 30), _LONGEST) * random.uniform(0.5, 1.0)
