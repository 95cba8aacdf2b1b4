# SPDX-License-Identifier: Apache-2.0
"""`lineagekit settle`: hash what jobs left, put their runs into the log, deliver them. Jobs start it themselves.

$ lineagekit settle
settled 3 runs: 7 datasets exact, 1 unknown
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.config import Config
from lineagekit.errors import LineagekitError
from lineagekit.events.account import Account, Use
from lineagekit.record.plan import SILENT, Budget, Plan, Settled
from lineagekit.record.settle import settle
from lineagekit.settings import Settings, current_settings

if TYPE_CHECKING:
    from lineagekit.exchange.destinations import Destination


@dataclass(frozen=True, slots=True)
class Settle:
    """Hash what jobs left in their journals, log their runs and deliver them; jobs start this themselves.

    Example: lineagekit settle
    """

    target: Annotated[str, typer.Option("--run", metavar="ID", show_default=False, help="Only this run.")] = ""
    background: Annotated[bool, typer.Option("--background", help="At lowest priority; leave a busy store alone.")] = (
        False
    )
    now: Annotated[bool, typer.Option("--now", help="Runs that have ended, though their processes go on.")] = False
    live: Annotated[bool, typer.Option("--live", help="Tell of the START of runs that go on, too.")] = False
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Settle, say what came of it, and deliver."""
        folder = Config.from_environment().store_folder
        settings = current_settings(folder)
        destinations = configured_destinations(settings, folder)
        if self.background:
            os.chdir("/")  # a folder that somebody wants to unmount is not held
        settled = settle(folder, runs=[self.target] if self.target else None, plan=self._plan(settings, out))
        out.progress.hide()
        if self.target:
            self._say_recorded(settled)
        elif not self.quiet:
            out.say(_sentence(settled))
        if self.background or self.target:
            deliver_quietly(destinations, folder, hurry=not self.background)
        out.show({**asdict(settled), "accounts": len(settled.accounts)})
        return 0

    def _plan(self, settings: Settings, out: Output) -> Plan:
        silent = 0.0 if self.now else SILENT
        plan = Plan(budget=Budget(settings.budget), content=settings.content, silent=silent, live=self.live)
        if self.background:
            return replace(plan, wait=self.now, niced=not self.now)
        return replace(plan, progress=out.progress)

    def _say_recorded(self, settled: Settled) -> None:
        """One line for whoever ran a job on a terminal; silent elsewhere."""
        if sys.stderr.isatty() and not self.quiet:
            for account in settled.accounts:
                if account.run == self.target:
                    print(f"lineagekit: {recorded(account)}", file=sys.stderr)


def recorded(account: Account) -> str:
    """A run in one line."""
    models = [use for use in account.outputs if use.model is not None]
    counted = (
        (len(account.inputs), "input"),
        (len(account.outputs) - len(models), "output"),
        (len(models), "model"),
    )
    told = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in counted if number]
    told += [f"{metric.name} {metric.value:.4g}" for metric in account.metrics[-3:] if metric.value is not None]
    unknown = sum(_is_unproven(use) for use in (*account.inputs, *account.outputs))
    told += [f"{unknown} unknown"] if unknown else []
    return f"recorded {account.job}: {', '.join(told) or 'no data'} (lineagekit log)"


def configured_destinations(settings: Settings, folder: str) -> list[Destination]:
    """Where events go; nowhere while the settings are wrong, of which `push` and `doctor` tell."""
    from lineagekit.exchange.destinations import find_destinations

    with suppress(LineagekitError):
        return find_destinations(settings, os.environ, folder)
    return []


def deliver_quietly(destinations: Sequence[Destination], folder: str, *, hurry: bool) -> None:
    """One pass to each destination; what is in trouble is served later, and `push --list` and `doctor` say so."""
    from lineagekit.exchange.deliver import deliver
    from lineagekit.exchange.patience import BRIEF, USUAL
    from lineagekit.store.log import open_store

    if destinations:
        with suppress(LineagekitError), open_store(folder) as store:
            deliver(store, destinations, folder, patience=BRIEF if hurry else USUAL)


def _is_unproven(use: Use) -> bool:
    return bool(use.path) and use.state == "unknown"


def _sentence(settled: Settled) -> str:
    if settled.busy:
        return "somebody else is settling this store"
    unknown = sum(settled.unknown.values())
    parts = [f"settled {_count(settled.runs, 'run')}: {_count(settled.exact, 'dataset')} exact, {unknown} unknown"]
    parts += _remarks(
        (settled.killed, "killed"), (settled.emitted, "events of others"), (settled.refused, "refused events")
    )
    parts += _remarks((len(settled.waiting), "still going on"), (settled.foreign, "journals of other hosts"))
    return ", ".join(parts)


def _remarks(*counted: tuple[int, str]) -> Sequence[str]:
    return [f"{number} {what}" for number, what in counted if number]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
