# SPDX-License-Identifier: Apache-2.0
"""`lineagekit rerun RUN`: a recorded run once more, on the bytes that it read; does the same come out of it?

$ lineagekit rerun churn@42
store /work/.lineagekit: history from 2026-05-01, last event 6 min ago
pipeline.py of 2026-05-08 14:10: python pipeline.py --day 2026-05-08
equal bytes    /work/model.joblib
auc            0.8121 as before
EQUAL BYTES    all that it wrote is as it was
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineagekit.cli.asking import StoreOption, asked
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe
from lineagekit.cli.times import moment
from lineagekit.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lineagekit.cause.rerun import Rerun
    from lineagekit.store.database import Database

_SAID = {
    "equal bytes": "all that it wrote is as it was",
    "equal content": "the same tables, in other bytes",
    "equal metrics": "other bytes, the same metrics",
    "different": "not the same came out of it",
}


@dataclass(frozen=True, slots=True)
class RerunCommand:
    """Run a recorded run again on what it read, and compare.

    What it read is put back in a workspace, where it is and where it was overwritten since; nothing of yours is
    touched. RUN is a run's id, a job (its latest run), a model (its newest version), or one version of it. Where
    another thing comes out, what else was not as it was is named: code, packages, variables.

    Example: lineagekit rerun churn@42
    """

    target: Annotated[str, typer.Argument(metavar="RUN", show_default=False, help="A run, a job, or MODEL@VERSION.")]
    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND", show_default=False)] = None
    timeout: Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", show_default=False)] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and run nothing.")] = False
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Also where it read from elsewhere.")] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Put back, run, compare."""
        from lineagekit.cause.probe import Prober, config_for
        from lineagekit.cause.recipe import Recipe
        from lineagekit.cause.rerun import check, recorded_of, rerun
        from lineagekit.cause.supply import Supply
        from lineagekit.cause.views import Views
        from lineagekit.cli.holding import held
        from lineagekit.store.kept import Kept
        from lineagekit.store.targets import find_target

        with asked(out, self.store) as it:
            target = find_target(it.db, self.target, kinds=("run", "build", "model"))
            number = target.run or _newest(it.db, target.model)
            if not number:
                raise NotFoundError(f"{self.target} names no run", advice="See: lineagekit log")
            recorded = recorded_of(Views(it.db, it.store), number)
            supply, settings, folder = Supply(Kept(it.store.folder)), it.settings, it.store.folder
            out.say(it.where)
        words = self.command or recorded.command
        check(recorded, words, is_unsafe=self.unsafe)
        run = recorded.run.run
        out.say(f"{safe(run.job)} of {moment(run.began)}: {safe(shlex.join(words))}")
        if gone := recorded.plan.missing(supply):
            raise UsageError(
                f"bytes are gone that it read ({len(gone):,} files): {', '.join(list(gone)[:3])}",
                advice='With keep = "changed" in config.toml what jobs read is kept from now on.',
            )
        if self.dry_run:
            out.show({"run": run.run, "command": words, "folder": recorded.folder})
            return 0
        recipe = held(out, Recipe(tuple(words), recorded.folder or ".", timeout=self.timeout, is_unsafe=self.unsafe))
        with TemporaryDirectory(dir=folder, prefix="rerun-", ignore_cleanup_errors=True) as scratch:
            prober = Prober(
                recorded.plan,
                supply,
                recipe,
                Path(scratch),
                config_for(settings, content=True),
                key=Path(folder, "key"),
            )
            found = rerun(recorded, prober, log=Path(scratch, "log"))
            said = Path(scratch, "log").read_text(errors="replace") if Path(scratch, "log").exists() else ""
        out.say(*_lines(found, said))
        out.show(_to_json(run.run, found))
        return 0 if found.is_equal else 1


def _newest(db: Database, model: str) -> int:
    """The run that made the newest version of a model; 0 where there is none."""
    from lineagekit.store import walk

    builds = walk.builds_of_model(db, model) if model else []
    return max(builds, key=lambda build: build.at or 0).run if builds else 0


def _lines(found: Rerun, said: str) -> Iterator[str]:
    for one in found.outputs:
        change = f": {one.before[:17]} -> {one.after[:17]}" if one.word == "different" else ""
        yield f"{one.word:14} {safe(one.path)}{change}"
    for (name, *_), (before, after) in found.metrics.items():
        now = "as before" if before == after else "-> not told" if after is None else f"-> {after:.6g}"
        yield f"{safe(name):14} {before:.6g} {now}"
    yield f"{found.word.upper():14} {_SAID.get(found.word, '')}{': ' if found.why else ''}{safe(found.why)}".rstrip()
    for sentence in () if found.is_equal else found.settings:
        yield f"not as it was  {safe(sentence)}"
    if not found.is_equal and not found.settings and not found.why:
        yield "not as it was  nothing that is recorded: chance, the clock, or what it reads unseen"
    if found.why and said.strip():
        yield from (f"  {safe(line)}" for line in said.strip().splitlines()[-3:])


def _to_json(run: str, found: Rerun) -> dict[str, Any]:
    return {
        "run": run,
        "equal": found.is_equal,
        "word": found.word,
        "why": found.why or None,
        "settings": list(found.settings),
        "outputs": [
            {"path": one.path, "word": one.word, "before": one.before, "after": one.after} for one in found.outputs
        ],
        "metrics": [
            {"name": name, "of": of, "on": on, "before": before, "after": after}
            for (name, of, on), (before, after) in found.metrics.items()
        ],
        "seconds": found.seconds,
    }
