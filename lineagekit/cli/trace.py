# SPDX-License-Identifier: Apache-2.0
"""`lineagekit trace TARGET`: exactly which bytes made this, back to what no recorded run wrote.

$ lineagekit trace model-42
$ lineagekit trace model-42 --to s3://raw/orders
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import typer

from lineagekit.cli.asking import Asked, StoreOption, asked
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.cli.tracing import coverage_lines, path_lines, root_lines
from lineagekit.cli.tree import Tree, width
from lineagekit.errors import UsageError
from lineagekit.graph.details import detail_of
from lineagekit.graph.trace import Trace as Traced
from lineagekit.graph.trace import trace

Format = Literal["tree", "dot", "mermaid", "openlineage"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Show exactly which bytes made this: runs, code, params, inputs.

    TARGET is a model (its newest build), model-42@3, a dataset (its newest version), orders@9f3c, a run or a job.
    With --to, the ways between two of them. Signs: ~ who wrote it is not certain, ? the bytes are not known.

    Example: lineagekit trace model-42
    """

    target: Annotated[str, typer.Argument(metavar="TARGET", help="Model, dataset, version, digest, run, or job.")]
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, metavar="N", show_default=False, help="So many runs deep.")
    ] = None
    to: Annotated[
        str, typer.Option("--to", metavar="TARGET", show_default=False, help="Only the ways between the two.")
    ] = ""
    format: Annotated[Format, typer.Option("--format", help="How to print it.")] = "tree"
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Ask, and print."""
        if self.format != "tree" and (self.json or self.to):
            other = "--json" if self.json else "--to"
            raise UsageError(f"two answers at once: got --format {self.format} and {other}", advice="Give one of them.")
        with asked(out, self.store) as it:
            if self.to:
                return self._show_paths(out, it)
            found = trace(
                it.db, it.store, self.target, depth=self.depth, complete=it.settings.complete, details=out.as_json
            )
            if self.format == "tree":
                if not out.as_json:
                    out.say(it.where, *_text(it, found))
                out.show(found.to_json(), coverage=found.coverage.to_json())
            else:
                out.say(*self._rendered(it, found))
        return 0

    def _show_paths(self, out: Output, it: Asked) -> int:
        from lineagekit.graph.paths import find_paths

        found = find_paths(it.db, it.store, self.target, self.to, complete=it.settings.complete)
        out.say(it.where, *path_lines(found, width()))
        out.show(found.to_json(), coverage=found.coverage.to_json())
        return 0

    def _rendered(self, it: Asked, found: Traced) -> Iterator[str]:
        from lineagekit.graph.render import as_dot, as_events, as_mermaid

        if self.format == "openlineage":
            return as_events(found, it.store)
        return as_dot(found) if self.format == "dot" else as_mermaid(found)


def _text(it: Asked, found: Traced) -> Iterator[str]:
    columns = width()
    tree = Tree(found, partial(detail_of, it.store), columns=columns)
    for root in found.roots:
        yield from root_lines(found, root, columns)
        yield from tree.lines(root)
    yield from coverage_lines(found, tree.marks, columns)
