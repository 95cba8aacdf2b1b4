# SPDX-License-Identifier: Apache-2.0
"""`lineagekit diff A B`: how two files, folders, versions, runs or models differ; the verdict first.

$ lineagekit diff orders@1 orders.csv
orders@1 -> orders.csv
changed (about 100 rows, columns amount)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.asking import StoreOption, asked
from lineagekit.cli.diff_text import markdown, told
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.cli.progress import Progress
from lineagekit.config import Config
from lineagekit.errors import UsageError

if TYPE_CHECKING:
    from lineagekit.differ.difference import Difference
    from lineagekit.differ.kept import Known

SAME, DIFFER, NOT_KNOWN = 0, 1, 5
"""What --exit-code says."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Say how two files, folders, versions, runs or models differ.

    Paths and URIs; versions of what was recorded (orders@9f3c07, orders@1, where
    the bytes may be gone), runs, and versions of a model (model-42@1 model-42@2).

    With --exit-code: 0 the same data, however encoded or ordered; 1 they differ;
    5 no difference is known, and not all could be compared.

    Example: lineagekit diff orders.csv orders.parquet --key id
    """

    a: Annotated[str, typer.Argument(metavar="A", show_default=False, help="What it was before.")]
    b: Annotated[str, typer.Argument(metavar="B", show_default=False, help="What it is now.")]
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", metavar="COL,...", show_default=False, help="Columns that tell rows apart; else guessed."
        ),
    ] = None
    rows: Annotated[
        int, typer.Option("--rows", min=0, max=1000, help="Examples of each kind of change; 0 reads no rows.")
    ] = 3
    md: Annotated[bool, typer.Option("--md", help="Markdown, for a ticket or a channel.")] = False
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Answer in the exit code too.")] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Compare, and print the answer in one of three shapes."""
        from lineagekit.differ.diff import diff
        from lineagekit.differ.job import How
        from lineagekit.identity.cache import open_cache

        if self.md and out.as_json:
            raise UsageError("two shapes at once: got --md and --json, expected one", advice="Leave one out.")
        key, config = _columns(self.key), Config.from_environment()
        with closing(open_cache(config.cache_folder)) as cache, self._known(out) as (known, where):
            how = How(config.threads, cache, out.progress)
            answer = diff(self.a, self.b, key=key, rows=self.rows, how=how, known=known)
        for warning in answer.warnings:
            out.warn(warning)
        out.say(*([where] if where and not self.md else []), *(markdown(answer) if self.md else told(answer)))
        out.show(answer.to_json())
        return exit_code_of(answer) if self.exit_code else 0

    @contextmanager
    def _known(self, out: Output) -> Iterator[tuple[Known | None, str]]:
        """The store, where one is named or a side is no path."""
        from lineagekit.differ.kept import Known
        from lineagekit.differ.sides import is_at_hand

        if is_at_hand(self.a) and is_at_hand(self.b):
            yield None, ""
            return
        with asked(out, self.store) as it:
            out.progress = Progress()
            yield Known(it.store, it.db), it.where


def exit_code_of(answer: Difference) -> int:
    """For a script that goes on where nothing changed."""
    if answer.differs:
        return DIFFER
    return SAME if answer.is_complete or answer.kind == "identical" else NOT_KNOWN


def _columns(named: list[str] | None) -> tuple[str, ...]:
    """Comma-separated, with quotes around a name that has a comma."""
    try:
        cells = [cell.strip() for value in named or () for row in csv.reader([value], strict=True) for cell in row]
    except csv.Error as error:
        raise UsageError(f"not a list of columns: got {named}", advice="Say --key id,day.") from error
    if named and not all(cells):
        raise UsageError(f"no column: got --key {', '.join(named)!r}, expected names", advice="Say --key id,day.")
    return tuple(cells)
