# SPDX-License-Identifier: Apache-2.0
"""`lineagekit mark good MODEL@VERSION`: says which builds were good or bad, for `blame` to go by.

$ lineagekit mark good churn@41
build 41 of churn is good. Undo: lineagekit mark none churn@41
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.asking import StoreOption, asked
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe
from lineagekit.errors import UsageError

SAID = ("good", "bad", "none")


@dataclass(frozen=True, slots=True)
class Mark:
    """Say that a build of a model was good, or bad, or take that back.

    Marked builds come before the step in the grades, and after what is named, when blame chooses which two to compare.

    Example: lineagekit mark good churn@41
    """

    said: Annotated[str, typer.Argument(metavar="good|bad|none", show_default=False, help="What it was.")]
    build: Annotated[str, typer.Argument(metavar="MODEL@VERSION", show_default=False, help="Which build.")]
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Keep it beside the log."""
        from lineagekit.cause.builds import find_series
        from lineagekit.cause.choose import named_build
        from lineagekit.cause.views import Views
        from lineagekit.store.targets import find_target

        if self.said not in SAID:
            raise UsageError(f"got {self.said!r}, expected one of {', '.join(SAID)}")
        model, mark, version = self.build.rpartition("@")
        if not mark:
            raise UsageError(f"got {self.build!r}, expected MODEL@VERSION", advice=f"Run: lineagekit show {self.build}")
        with asked(out, self.store) as it:
            target = find_target(it.db, model, kinds=("model", "dataset"))
            build = named_build(find_series(Views(it.db, it.store), target), version)
            it.store.set_verdict(build.id, "" if self.said == "none" else self.said)
        undo = f"lineagekit mark none {self.build}"
        words = "is not marked any more" if self.said == "none" else f"is {self.said}. Undo: {undo}"
        out.say(it.where, f"build {build.number} of {safe(model)} {words}")
        out.show({"model": model, "build": build.number, "run": build.id, "said": self.said, "undo": undo})
        return 0
