# SPDX-License-Identifier: Apache-2.0
"""`lineagekit blame MODEL`: why it got worse: the changes between a good and a bad build, the likeliest cause first.

$ lineagekit blame churn
store /work/.lineagekit: history from 2026-05-01, last event 6 min ago
churn  auc 0.871 -> 0.812  REAL (drop 0.059, band 0.011, 21 builds)
builds 41 -> 42: the grades step down at build 42
 1 SUSPECT  /data/labels 2026-05-03 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01
            came with build 42, the first bad one; never changed in the builds before
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.asking import StoreOption, asked
from lineagekit.cli.blame_json import blame_json
from lineagekit.cli.blame_text import blame_lines
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.errors import UsageError

EXIT_CODES = {
    "culprit confirmed": 1,
    "suspects": 1,
    "nothing changed": 5,
    "cannot tell": 1,
    "no regression": 3,
    "evaluation changed": 4,
}
"""What --exit-code says."""


@dataclass(frozen=True, slots=True)
class BlameCommand:
    """Say why a model got worse: what changed, likeliest cause first.

    Without --good and --bad, marked builds count (lineagekit mark), then the step in the grades. A score orders, and
    is no proof: that is for a rebuild to show.

    Example: lineagekit blame model-42
    """

    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False, help="Its name, or its file.")]
    good: Annotated[str, typer.Option("--good", metavar="REF", show_default=False, help="Number or version.")] = ""
    bad: Annotated[str, typer.Option("--bad", metavar="REF", show_default=False, help="Likewise.")] = ""
    metric: Annotated[str, typer.Option("--metric", metavar="NAME", show_default=False, help="Judge by this one.")] = ""
    higher: Annotated[bool | None, typer.Option("--higher/--lower", help="Which way that metric is better.")] = None
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many suspects at most.")] = 10
    md: Annotated[bool, typer.Option("--md", help="As Markdown, for the incident channel.")] = False
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="1 suspects, 3 no regression, 4 evaluation changed, 5 not known.")
    ] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Ask, and say all of it."""
        from lineagekit.cause.blame import Question, blame
        from lineagekit.store.targets import find_target

        if self.md and out.as_json:
            raise UsageError("--md and --json contradict each other", advice="Leave out one.")
        with asked(out, self.store) as it:
            target = find_target(it.db, self.model, kinds=("model", "build", "dataset"))
            question = Question(self.metric, self.good, self.bad, self.higher, it.settings.complete, it.settings.owners)
            found = blame(it.db, it.store, target, question)
        lines = list(blame_lines(found, limit=self.number))
        out.say(*(["```", it.where, *lines, "```"] if self.md else [it.where, *lines]))
        out.show(blame_json(found), coverage=found.coverage.to_json())
        return EXIT_CODES[found.verdict] if self.exit_code else 0
