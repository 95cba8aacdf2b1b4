# SPDX-License-Identifier: Apache-2.0
"""The verdict: one phrase, said first.

>>> table_verdict(SchemaChanges(), RowChanges(9, 9, changed=2, columns=(("x", 2),)))
('changed', 'changed (2 rows, columns x)')
"""

from __future__ import annotations

from collections.abc import Sequence

from lineagekit.differ.changes import FileChanges, RowChanges, SchemaChanges
from lineagekit.differ.difference import Kind, TextChanges

Verdict = tuple[Kind, str]
_MOST_NAMES = 5


def table_verdict(
    schema: SchemaChanges, rows: RowChanges | None, *, formats: tuple[str, str] = ("", ""), is_typed: bool = False
) -> Verdict:
    """Of two tables whose bytes differ."""
    words = schema.words()
    if rows is None:
        if words:
            return "changed", f"changed (schema: {', '.join(words)}; rows were not compared)"
        return "unknown", "not known (the bytes differ, rows were not compared)"
    if rows.differ:
        return _of_rows(rows, words)
    if words:
        return "schema only", f"schema only (columns {', '.join(words)})".replace("columns nullability", "nullability")
    other = f", other format ({formats[0]} v. {formats[1]})" if is_typed else ""
    if rows.reordered:
        return "other order", f"same rows, other order{other}"
    return ("other format", f"same table{other}") if is_typed else ("same content", "same content, re-encoded")


def _of_rows(rows: RowChanges, words: list[str]) -> Verdict:
    about = "" if rows.exact else "about "
    if rows.at_end and not words:
        return "appended", f"appended ({about}{_rows(rows.added)})"
    parts = []
    if rows.changed:
        parts.append(f"{about}{_rows(rows.changed)}")
    for count, word in ((rows.added, "added"), (rows.removed, "removed")):
        if count:
            parts.append(f"{about}{count:,} {word}" if rows.changed or parts else f"{about}{_rows(count)} {word}")
    if rows.columns:
        parts.append(_names([name for name, _ in rows.columns]))
    if words:
        parts.append(f"schema: {', '.join(words)}")
    return "changed", f"changed ({', '.join(parts)})"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def footer_verdict(schema: SchemaChanges, counts: tuple[int | None, int | None], columns: Sequence[str]) -> Verdict:
    """Of two tables whose rows were not to be read."""
    parts = [f"{counts[0]:,} -> {counts[1]:,} rows"] if None not in counts and counts[0] != counts[1] else []
    parts += [_names(columns)] if columns else []
    parts += [f"schema: {', '.join(schema.words())}"] if schema else []
    if not parts:
        return table_verdict(schema, None)
    return "changed", f"changed ({', '.join(parts)}; rows were not read)"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"columns {', '.join(names[:_MOST_NAMES])}{more}"


def files_verdict(files: FileChanges) -> Verdict:
    """Of two folders that are no tables."""
    counts = [(len(getattr(files, word)), word) for word in ("changed", "added", "removed", "renamed")]
    parts = [f"{count:,} {'file' if count == 1 else 'files'} {word}" for count, word in counts if count]
    return "changed", f"changed ({', '.join(parts)})"


def text_verdict(text: TextChanges) -> Verdict:
    """Of two texts whose bytes differ."""
    if not text.added and not text.removed:
        return "same content", "same content, re-encoded (other line ends)"
    line = "line" if text.added == 1 else "lines"
    return "changed", f"changed (text: {text.added:,} {line} added, {text.removed:,} removed)"
