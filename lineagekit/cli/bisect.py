# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect MODEL -- CMD`: rebuild hybrids of a good and a bad build until the cause is shown.

$ lineagekit bisect returns -- python pipeline.py --day {day}
store /work/.lineagekit: history from 2026-05-01, last event 6 min ago
returns  builds 7 -> 8; auc, good from 0.743
  1 /data/labels 2026-05-03 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01
  2 the window that moved: 3 files, day
probe 1  as build 7                                      0.8092  good    4.0 s
probe 2  as build 8                                       0.676  bad     4.1 s
probe 3  build 7 with change 1                           0.6811  bad     4.0 s
probe 4  build 8 without change 1                        0.8101  good    4.1 s
CULPRIT  /data/labels 2026-05-03 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01
         sufficient and necessary, by 4 rebuilds
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.asking import StoreOption
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.errors import UsageError

if TYPE_CHECKING:
    from lineagekit.cli.bisecting import Options

_VERBS = ("start", "good", "bad", "skip", "run", "log", "replay", "reset")


@dataclass(frozen=True, slots=True)
class BisectCommand:
    """Rebuild hybrids of two builds until the cause is shown.

    COMMAND rebuilds the model and reports the metric. It runs in a workspace: there the recorded paths have the bytes
    that are tried, and what it writes stays there. {name} stands for a parameter's value. By hand, as in git, where
    COMMAND cannot run on this machine: bisect start MODEL, then good, bad or skip; run, log, replay, reset.

    Example: lineagekit bisect churn -- python pipeline.py --day {day}
    """

    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False, help="Its name, or its file.")]
    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND", show_default=False)] = None
    good: Annotated[str, typer.Option("--good", metavar="REF", show_default=False, help="Number or version.")] = ""
    bad: Annotated[str, typer.Option("--bad", metavar="REF", show_default=False, help="Likewise.")] = ""
    metric: Annotated[str, typer.Option("--metric", metavar="NAME", show_default=False, help="Judge by this one.")] = ""
    higher: Annotated[bool | None, typer.Option("--higher/--lower", help="Which way that metric is better.")] = None
    metric_file: Annotated[
        str, typer.Option("--metric-file", metavar="FILE:KEY", show_default=False, help="A JSON file it writes.")
    ] = ""
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Judge by the exit code: 0 good, 125 skip, else bad.")
    ] = False
    threshold: Annotated[
        float | None, typer.Option("--threshold", metavar="X", show_default=False, help="Good from here on; half-way.")
    ] = None
    only: Annotated[
        int | None, typer.Option("--only", metavar="N", show_default=False, help="This suspect against the rest.")
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=WORD", show_default=False, help="Add WORD to COMMAND: lr=--rate={value}"),
    ] = None
    param_file: Annotated[
        str, typer.Option("--param-file", metavar="FILE", show_default=False, help="JSON it reads parameters from.")
    ] = ""
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=GOOD,BAD", show_default=False, help="Try a variable too."),
    ] = None
    repeat: Annotated[int, typer.Option("--repeat", min=1, metavar="N", help="Build each N times.")] = 1
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", show_default=False, help="Of one rebuild.")
    ] = None
    max_probes: Annotated[
        int | None, typer.Option("--max-probes", min=2, metavar="N", show_default=False, help="Rebuilds at most.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be tried, and run nothing.")] = False
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was tried of these builds before.")] = False
    regrade: Annotated[bool, typer.Option("--regrade", help="COMMAND grades: both models on both exams.")] = False
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Also where the workspace cannot hold all of it.")] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Ask blame, then rebuild."""
        from lineagekit.cli import regrading
        from lineagekit.cli.bisect_by_hand import do
        from lineagekit.cli.bisecting import open_case, try_all

        if self.model in _VERBS:
            return do(self.model, self.command or [], self._options(), out)
        if not self.command:
            raise UsageError("no command to rebuild with", advice="Name it after --: lineagekit bisect MODEL -- make")
        options = self._options()
        if self.regrade:
            return regrading.do(out, self.model, options, self.command)
        return try_all(out, open_case(out, self.model, options, self.command), options)

    def _options(self) -> Options:
        from lineagekit.cause.recipe import Recipe
        from lineagekit.cli.bisecting import Options

        recipe = Recipe(
            (),
            os.getcwd(),
            metric_file=_with_key(self.metric_file),
            timeout=self.timeout,
            is_unsafe=self.unsafe,
            by_exit_status=self.exit_status,
            repeat=self.repeat,
            param_file=self.param_file,
            words=dict(_named(text, "NAME=WORD") for text in self.set_ or ()),
        )
        return Options(
            recipe,
            self.good,
            self.bad,
            self.metric,
            self.higher,
            self.threshold,
            self.only,
            dict(map(_pair, self.env or ())),
            self.store,
            self.dry_run,
            self.reset,
            self.max_probes,
        )


def _named(text: str, expected: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not name or not mark:
        raise UsageError(f"no name and value: got {text!r}, expected {expected}")
    return name, value


def _with_key(text: str) -> str:
    path, _, key = text.rpartition(":")
    if text and not (path and key):
        raise UsageError(
            f"--metric-file: got {text}, expected FILE:KEY",
            advice="KEY is the number's name in the JSON: metrics.json:rmse, or metrics.json:test.rmse.",
        )
    return text


def _pair(text: str) -> tuple[str, tuple[str | None, str | None]]:
    """`NAME=GOOD,BAD`; an empty side is unset."""
    name, values = _named(text, "NAME=GOOD,BAD")
    good, comma, bad = values.partition(",")
    if not comma:
        raise UsageError(f"no two values: got {text!r}, expected NAME=GOOD,BAD", advice="An empty one is unset.")
    return name, (good or None, bad or None)
