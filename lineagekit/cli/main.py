# SPDX-License-Identifier: Apache-2.0
"""The front door: finds the command, runs it, and is the one place where an error becomes text and an exit code.

    >>> main(["--version"])
    lineagekit 0.1.0
    0

Help and version are answered before typer is loaded, and of the commands only the one that was named.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from typing import Protocol

from lineagekit.cli import stdio
from lineagekit.cli.output import Output
from lineagekit.config import VERSION
from lineagekit.errors import LineagekitError, UsageError

COMMANDS = {
    "run": "lineagekit.cli.run:Run",
    "log": "lineagekit.cli.log:Log",
    "show": "lineagekit.cli.show:Show",
    "trace": "lineagekit.cli.trace:Trace",
    "impact": "lineagekit.cli.impact:Impact",
    "diff": "lineagekit.cli.diff:Diff",
    "push": "lineagekit.cli.push:Push",
    "ingest": "lineagekit.cli.ingest:Ingest",
    "pull": "lineagekit.cli.pull:Pull",
    "settle": "lineagekit.cli.settle:Settle",
    "blame": "lineagekit.cli.blame:BlameCommand",
    "bisect": "lineagekit.cli.bisect:BisectCommand",
    "rerun": "lineagekit.cli.rerun:RerunCommand",
    "mark": "lineagekit.cli.mark:Mark",
    "alias": "lineagekit.cli.alias:Alias",
    "reindex": "lineagekit.cli.reindex:Reindex",
    "gc": "lineagekit.cli.gc:Gc",
    "fingerprint": "lineagekit.cli.fingerprint:Fingerprint",
    "doctor": "lineagekit.cli.doctor:Doctor",
    "init": "lineagekit.cli.init:Init",
    "hooks": "lineagekit.cli.hooks:Hooks",
    "demo": "lineagekit.cli.demo:Demo",
}

FIRST_SCREEN = """\
Usage: lineagekit COMMAND [OPTIONS]

Names data by its bytes, and records which run made it of what.

Ask
  blame        Say why a model got worse: what changed, likeliest cause first.
  impact       Say who uses this, and who breaks if it is deleted.
  trace        Show exactly which bytes made this: runs, code, params, inputs.
  diff         Say how two files, folders, versions, runs or models differ.

Prove
  bisect       Rebuild hybrids of two builds until the cause is shown.

Record
  run          Record what a command reads and writes; it runs as without.
  log          List the runs that were recorded, newest first.
  push         Send what was recorded to Marquez, Kafka, or elsewhere.

Set up
  doctor       Check store, destinations and gaps, and say what to do.
  demo         Run a pipeline for ten days, break it on one, ask for the cause.

Everywhere
  --json       The answer as one JSON object on standard output.
  -v           Say on standard error what is done, and with what.
  --version    Print the version.
  --install-completion, --show-completion

"lineagekit help COMMAND" explains one command, "help --all" lists them all."""

_COMPLETION = "_LINEAGEKIT_COMPLETE"  # typer's protocol: set by the shell when it asks what could come next


class Command(Protocol):
    """What typer makes of a command line: its fields are the options."""

    def run(self, out: Output) -> int:
        """Do it, show the answer on `out`, return the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = _spell_out_help(list(sys.argv[1:] if argv is None else argv))
    stdio.prepare()
    out = Output(_name(words), as_json="--json" in _options(words))
    try:
        return _answer(words, out)
    except LineagekitError as error:
        return out.fail(error)
    except KeyboardInterrupt:
        return 130
    finally:
        out.progress.hide()


def _answer(words: list[str], out: Output) -> int:
    name = _name(words)
    if _COMPLETION in os.environ:
        return _run(words, COMMANDS, out)
    if sorted(words) in (["--version"], ["--json", "--version"]):
        out.say(f"lineagekit {VERSION}")
        out.show({"version": VERSION})
    elif not words or words in (["--help"], ["-h"]):
        out.say(FIRST_SCREEN)
    elif words == ["--help", "--all"]:
        out.say(*_all_commands())
    else:
        return _run(words, [_known(name)] if name else [], out)
    return 0


def _run(words: list[str], names: Iterable[str], out: Output) -> int:
    command = _parse(words, names, out)
    return command if isinstance(command, int) else command.run(out)


def _parse(words: list[str], names: Iterable[str], out: Output) -> Command | int:
    """Let typer read the words; it answers `--help` and completion itself, with an exit code."""
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            return _ask_typer(words, names)
    finally:
        if text := said.getvalue():
            out.write(text.removesuffix("\n"))


def _ask_typer(words: list[str], names: Iterable[str]) -> Command | int:
    import typer

    from lineagekit.cli.flags import front

    app = typer.Typer(rich_markup_mode=None)
    app.callback()(front)
    for name in names:
        app.command(name)(_load(name))
    try:
        command: Command | int = typer.main.get_command(app).main(words, prog_name="lineagekit", standalone_mode=False)
    except typer.TyperException as error:
        raise UsageError(error.format_message(), advice=f"Run: {' '.join(['lineagekit help', *names])}") from error
    return command


def _load(name: str) -> type[Command]:
    module, _, command = COMMANDS[name].partition(":")
    loaded: type[Command] = getattr(import_module(module), command)
    return loaded


def _known(name: str) -> str:
    if name in COMMANDS:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    advice = f"Did you mean: lineagekit {close[0]}" if close else "Run: lineagekit help"
    raise UsageError(f"unknown command: got {name}, expected one of {', '.join(sorted(COMMANDS))}", advice=advice)


def _all_commands() -> Iterable[str]:
    width = max(map(len, COMMANDS))
    for name in COMMANDS:
        yield f"{name:{width}}  {(_load(name).__doc__ or '').splitlines()[0]}"


def _spell_out_help(words: list[str]) -> list[str]:
    """`help X` is `X --help`, `help` is `--help` and `help --all` is `--help --all`."""
    if words[:1] != ["help"]:
        return words
    return [w for w in words[1:] if w != "--all"] + ["--help"] + ["--all"] * ("--all" in words)


def _options(words: list[str]) -> list[str]:
    """The words that may be options: after `--` all are names."""
    return words[: words.index("--")] if "--" in words else words


def _name(words: list[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")
