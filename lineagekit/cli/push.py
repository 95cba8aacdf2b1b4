# SPDX-License-Identifier: Apache-2.0
"""`lineagekit push`: sends what the store has recorded to Marquez, Kafka or whatever is configured.

$ lineagekit push
marquez: 214 events delivered
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.backlog import describe_backlog, describe_letter
from lineagekit.cli.count import Count
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.config import Config
from lineagekit.errors import LineagekitError, UsageError

if TYPE_CHECKING:
    from lineagekit.exchange.destinations import Destination
    from lineagekit.exchange.patience import Delivered
    from lineagekit.store.log import Store

_LOOK = 5.0  # seconds between two looks at what jobs have left
_QUEUE = 60.0  # seconds that a pass of another process is waited for


@dataclass(frozen=True, slots=True)
class Push:
    """Send what was recorded to Marquez, Kafka, or elsewhere.

    Only what a destination has not got yet is sent; what it does not take is kept, and nothing is lost.

    Example: lineagekit push --to http://localhost:5000
    """

    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="NAME_OR_URL", show_default=False, help="Only there; several are possible."),
    ] = None
    watch: Annotated[bool, typer.Option("--watch", help="Go on sending what comes, until stopped.")] = False
    listing: Annotated[bool, typer.Option("--list", help="Send nothing; tell what waits and what was refused.")] = False
    retry: Annotated[bool, typer.Option("--retry", help="Send what was refused once more.")] = False
    drop: Annotated[bool, typer.Option("--drop", help="Give up what was refused or is parked; send nothing.")] = False
    all: Annotated[bool, typer.Option("--all", help="Send everything from the beginning.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Make one pass over all destinations, or do what was asked for instead."""
        self._refuse_contradictions()
        folder = Config.from_environment().store_folder
        destinations = _find(folder, self.to or ())
        with _open(folder, out, watch=self.watch) as (store, where):
            if self.listing:
                out.say(where)
                return _list(store, destinations, out)
            if self.drop:
                return _drop(store, destinations, out)
            self._prepare(store, destinations, folder, out)
            deliver = _watch if self.watch else _deliver
            return deliver(store, destinations, folder, out)

    def _prepare(self, store: Store, destinations: Sequence[Destination], folder: str, out: Output) -> None:
        """Turn the cursors back or put letters back, where that was asked for."""
        from lineagekit.exchange.backlog import put_back, start_over

        for one in destinations:
            if self.all:
                start_over(store, one.name, folder)
            elif self.retry:
                out.say(f"{one.name}: {_count(put_back(store, one.name), 'event')} put back")

    def _refuse_contradictions(self) -> None:
        modes = {"--list": self.listing, "--drop": self.drop, "--retry": self.retry, "--all": self.all}
        said = [name for name, given in modes.items() if given]
        if self.watch and (self.listing or self.drop):
            said.append("--watch")
        if len(said) > 1:
            raise UsageError(f"{' and '.join(said)} contradict each other", advice="Leave out all but one.")


@contextmanager
def _open(folder: str, out: Output, *, watch: bool) -> Iterator[tuple[Store, str]]:
    """The store, brought up to date for one pass, made if need be for many; and what it is."""
    from lineagekit.cli.freshness import opened_store
    from lineagekit.store.log import open_store

    if watch:
        with open_store(folder) as store:
            yield store, f"store {folder}"
    else:
        with opened_store(out) as opened:
            yield opened


def _find(folder: str, wanted: Sequence[str]) -> Sequence[Destination]:
    from lineagekit.exchange.destinations import ADVICE, choose, find_destinations, is_disabled
    from lineagekit.settings import current_settings

    if is_disabled(os.environ):
        raise UsageError("nothing is sent: OPENLINEAGE_DISABLED is set", advice="Unset it.")
    destinations = choose(find_destinations(current_settings(folder), os.environ, folder), wanted)
    if not destinations:
        raise UsageError("no destination is configured", advice=ADVICE)
    return destinations


def _deliver(store: Store, destinations: Sequence[Destination], folder: str, out: Output) -> int:
    from lineagekit.exchange.backlog import backlog
    from lineagekit.exchange.deliver import deliver
    from lineagekit.exchange.patience import Patience

    progress = Count("events", total=sum(backlog(store, one.name).waiting for one in destinations))
    out.progress = progress
    reports = deliver(store, destinations, folder, patience=Patience(queue=_QUEUE), progress=progress)
    for report in reports:
        _tell(report, out)
    out.show({"destinations": [asdict(report) for report in reports]})
    return _exit_code(reports)


def _watch(store: Store, destinations: Sequence[Destination], folder: str, out: Output) -> int:
    from lineagekit.exchange.deliver import watch

    stop = threading.Event()

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # the second time it is meant at once
        # In a thread, for the signal may have come while this one holds the event's lock.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    out.say(f"delivering to {', '.join(one.name for one in destinations)} until stopped")
    threading.Thread(target=_settle_until, args=(folder, stop), daemon=True).start()
    watch(store, destinations, folder, stop=stop, tell=lambda report: _tell_now(report, out))
    return 0


def _settle_until(folder: str, stop: threading.Event) -> None:
    """Bring in what jobs leave, and the START of those that go on, every few seconds."""
    from lineagekit.record.plan import Plan
    from lineagekit.record.settle import settle
    from lineagekit.settings import load_settings

    while not stop.wait(_LOOK):
        with suppress(LineagekitError):
            settle(folder, plan=replace(Plan.of(load_settings(folder)), wait=False, live=True))


def _tell_now(report: Delivered, out: Output) -> None:
    """Under `--json` a line each, for there is no end at which to show it all."""
    if out.as_json:
        out.write(json.dumps(asdict(report)))
    else:
        _tell(report, out)


def _tell(report: Delivered, out: Output) -> None:
    name = report.destination
    refused = f", {report.refused} refused (lineagekit push --list)" if report.refused else ""
    if report.sent or refused:
        out.say(f"{name}: {_count(report.sent, 'event')} delivered{refused}")
    elif report.state == "done" and not report.waiting:
        out.say(f"{name}: nothing new")
    if report.reason:
        out.complain(f"{name}: {_count(report.waiting, 'event')} waiting. {report.reason}")


def _exit_code(reports: Sequence[Delivered]) -> int:
    if any(report.waiting or report.state != "done" for report in reports):
        return 7
    return int(any(report.refused for report in reports))


def _list(store: Store, destinations: Sequence[Destination], out: Output) -> int:
    from lineagekit.exchange.backlog import backlog

    found = [(one, backlog(store, one.name)) for one in destinations]
    for destination, state in found:
        out.say(*describe_backlog(destination, state))
    out.show(
        {
            "destinations": [
                {"kind": destination.kind, "source": destination.source, **asdict(state)}
                for destination, state in found
            ]
        }
    )
    return 0


def _drop(store: Store, destinations: Sequence[Destination], out: Output) -> int:
    from lineagekit.exchange.backlog import drop

    dropped = [letter for one in destinations for letter in drop(store, one.name)]
    for letter in dropped:
        out.say(f"dropped from {letter.destination}: {describe_letter(letter)}")
    if not dropped:
        out.say("nothing to drop")
    out.show({"dropped": [asdict(letter) for letter in dropped]})
    return 0


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
