# SPDX-License-Identifier: Apache-2.0
"""What `lineagekit settle` does, and what jobs start by themselves: `python -m lineagekit.cli.settling --run ID`.

Apart from the command, because whoever waits for a job waits for this: typer alone would take 0.2 s to import.

>>> Settling(quiet=True).run(Output("settle"))  # doctest: +SKIP
0
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from lineagekit.cli.output import Output
from lineagekit.config import Config
from lineagekit.errors import LineagekitError
from lineagekit.events.account import Account, Use
from lineagekit.record.plan import SILENT, Plan, Settled
from lineagekit.record.settle import settle
from lineagekit.settings import Settings, current_settings

if TYPE_CHECKING:
    from lineagekit.exchange.destinations import Destination


@dataclass(frozen=True, slots=True)
class Settling:
    """One call: of all that was left, or of one run (`target`) and what it started."""

    target: str = ""
    background: bool = False
    """At lowest priority, leaving a store alone that somebody else is settling."""
    now: bool = False
    """Runs that have ended, though their processes go on."""
    live: bool = False
    """Tell of the START of runs that go on, too."""
    quiet: bool = False

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
        plan = replace(Plan.of(settings), silent=silent, live=self.live, pays=True)
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
    parts += _remarks((settled.refined, "hashed now that were over budget"))
    parts += _remarks((len(settled.waiting), "still going on"), (settled.foreign, "journals of other hosts"))
    return ", ".join(parts)


def _remarks(*counted: tuple[int, str]) -> Sequence[str]:
    return [f"{number} {what}" for number, what in counted if number]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def main(words: Sequence[str] | None = None) -> int:
    """What a job starts when it ends, or whoever ran it waits for."""
    parser = argparse.ArgumentParser(prog="lineagekit settle")
    parser.add_argument("--run", dest="target", default="")
    for name in ("background", "now", "live", "quiet"):
        parser.add_argument(f"--{name}", action="store_true")
    out = Output("settle")
    if words is None and "--background" in sys.argv:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # of whoever started us: it may wait until they are closed
    try:
        return Settling(**vars(parser.parse_args(words))).run(out)
    except LineagekitError as error:
        return out.fail(error)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
