# SPDX-License-Identifier: Apache-2.0
"""Two tables whose rows can be read: schema, statistics, rows; each level as far as the one before leaves a question.

>>> content = compare_content(before, after, steps, Asked())  # doctest: +SKIP
>>> content.schema.words(), content.rows.changed  # doctest: +SKIP
(['added'], 100)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lineagekit.differ.changes import ColumnChange, RowChanges, SchemaChanges
from lineagekit.differ.footers import changed_facts, footer_facts
from lineagekit.differ.pairing import Pairing, pair_columns
from lineagekit.differ.renames import find_renames
from lineagekit.differ.rows import Asked, Compared, compare_rows
from lineagekit.differ.statistics import changed_columns
from lineagekit.differ.steps import Steps
from lineagekit.differ.tables import Table, open_tables, without_unions
from lineagekit.identity.streams import Source


@dataclass(frozen=True, slots=True)
class Content:
    """What was found; None is what was not compared."""

    schema: SchemaChanges
    statistics: tuple[ColumnChange, ...] | None = None
    rows: RowChanges | None = None
    formats: tuple[str, str] = ("", "")
    is_typed: bool = False
    """Text on one side was compared as what it says."""
    counts: tuple[int | None, int | None] = (None, None)
    """Rows, where that is known without reading them."""


def open_both(a: Sequence[Source], b: Sequence[Source]) -> tuple[Table, Table]:
    """Open both sides; one without files has the columns of the other, and no row."""
    before, after = open_tables(a), open_tables(b)
    if not a:
        before = replace(after, parts=(), rows=0)
    if not b:
        after = replace(before, parts=(), rows=0)
    return before, after


def compare_content(a: Table, b: Table, steps: Steps, asked: Asked, sources: Sequence[Sequence[Source]]) -> Content:
    """Compare two tables; `sources` are their files, for what their footers say where rows are not to be read."""
    with steps.step("schema") as step:
        a, b, pairing = _pair(a, b, steps, asked)
        words = pairing.changes.words()
        told = (
            f"{len(a.names)} and {len(b.names)} columns" if len(a.names) != len(b.names) else f"{len(a.names)} columns"
        )
        step.found(bool(words), f"{', '.join(words)}: {told}" if words else told)
    content = Content(
        pairing.changes, formats=(a.format, b.format), is_typed=a.is_text != b.is_text, counts=(a.rows, b.rows)
    )
    if not asked.examples:
        return replace(content, statistics=_from_footers(a, b, steps, sources))
    compared = _rows(pairing, a, b, steps, asked)
    if compared is None:
        return content
    with steps.step("statistics") as step:
        columns = changed_columns(pairing.plans(a, b), compared.sides)
        step.found(bool(columns), f"{len(columns)} of {len(pairing.pairs)} columns differ")
        step.cost = "learned with the rows"
    return replace(content, rows=compared.rows, statistics=columns)


def _pair(a: Table, b: Table, steps: Steps, asked: Asked) -> tuple[Table, Table, Pairing]:
    (a, left_out), (b, also_left_out) = without_unions(a), without_unions(b)
    for name in dict.fromkeys((*left_out, *also_left_out)):
        steps.skip(f"column {name}", "its type has no canonical form, so its values are not compared")
    for note in dict.fromkeys((*a.notes, *b.notes)):
        steps.warnings.append(note)
    pairing = pair_columns(a, b)
    if asked.examples and pairing.changes.dropped and pairing.changes.added:
        changes = pairing.changes
        if renamed := find_renames(a, b, changes, threads=asked.threads, progress=asked.progress):
            pairing = pair_columns(a, b, renamed)
    for name in pairing.incomparable:
        steps.skip(f"column {name}", "its two types have nothing in common, so its values are not compared")
    return a, b, pairing


def _from_footers(
    a: Table, b: Table, steps: Steps, sources: Sequence[Sequence[Source]]
) -> tuple[ColumnChange, ...] | None:
    """Statistics that cost no row."""
    found = None
    if a.format == b.format == "parquet":
        with steps.step("statistics") as step:
            before, after = (footer_facts(side) for side in sources)
            found = changed_facts(before, after)
            step.found(bool(found) or a.rows != b.rows, f"{a.rows:,} and {b.rows:,} rows; {len(found)} columns differ")
            step.cost = "from Parquet footers, no row was read"
    else:
        steps.skip("statistics", "only Parquet says them without rows being read")
    steps.skip("rows", "not to be read (--rows 0)")
    return found


def _rows(pairing: Pairing, a: Table, b: Table, steps: Steps, asked: Asked) -> Compared | None:
    if not pairing.pairs:
        steps.skip("rows", "no column is in both")
        return None
    with steps.step("rows") as step:
        left, right = pairing.plans(a, b)
        compared = compare_rows(left, right, asked)
        rows = compared.rows
        step.found(rows.differ or rows.reordered, _told(rows))
        again, parts = sum(compared.again), len(a.parts) + len(b.parts)
        step.cost = "read once" + (f", {again} of {parts} parts again" if again else "")
        return compared


def _told(rows: RowChanges) -> str:
    counts = f"{rows.before:,} rows" if rows.before == rows.after else f"{rows.before:,} and {rows.after:,} rows"
    how = {
        "given": f"by {', '.join(rows.key)}",
        "guessed": f"by {', '.join(rows.key)} (guessed)",
        "position": "by place",
        "none": "as multisets",
    }[rows.how if rows.differ else "none"]
    return f"{counts}, compared {how}" + (f"; {rows.note}" if rows.note else "")
