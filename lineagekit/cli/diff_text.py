# SPDX-License-Identifier: Apache-2.0
"""A difference in words: the verdict, the levels with their cost, then what changed, the most telling first.

>>> told(Difference("a.csv", "b.csv", "identical", "identical bytes"))
['a.csv -> b.csv', 'identical bytes']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lineagekit.cli.diff_facts import statistics_lines
from lineagekit.cli.tables import wrapped
from lineagekit.cli.text import safe
from lineagekit.differ.changes import Example, FileChange, FileChanges, RowChanges, SchemaChanges
from lineagekit.differ.difference import Difference, RunChanges
from lineagekit.differ.steps import size_text

Section = tuple[str, Sequence[str]]

_MOST = 10
"""Files, columns, facts that a section shows."""


def told(answer: Difference) -> list[str]:
    """For a terminal."""
    lines = [f"{safe(answer.a)} -> {safe(answer.b)}", *wrapped(safe(answer.verdict))]
    for title, content in _sections(answer):
        is_code = title == "text"  # whose spaces mean something
        shown = (f"  {text}" for text in content) if is_code else (w for t in content for w in wrapped(t, indent="  "))
        lines += ["", title, *shown]
    return lines


def markdown(answer: Difference) -> list[str]:
    """For a ticket or a channel."""
    lines = [f"### `{safe(answer.a)}` → `{safe(answer.b)}`", "", f"**{safe(answer.verdict)}**"]
    for title, content in _sections(answer):
        lines += ["", f"#### {title}", ""]
        is_code = title in ("text", "examples")
        lines += ["```diff", *content, "```"] if is_code else [f"- {line}" for line in content]
    return lines


def _sections(answer: Difference) -> Iterator[Section]:
    if answer.levels:
        yield "levels", list(_levels(answer))
    if answer.files:
        yield "files", list(_files(answer.files))
    if answer.schema:
        yield "schema", list(_schema(answer.schema))
    if answer.rows is not None and answer.rows.differ:
        yield "rows", list(_rows(answer.rows))
        if answer.rows.examples:
            yield "examples", [_example(one) for one in answer.rows.examples]
    if answer.statistics:
        yield "statistics", list(statistics_lines(answer.statistics))
    if answer.text is not None and answer.text.lines:
        yield "text", [safe(line) for line in answer.text.lines] + ["..."] * answer.text.cut
    if answer.run is not None:
        yield from _run(answer.run)
    if answer.parts:
        yield "parts", [f"{safe(part.a)}: {safe(part.verdict)}" for part in answer.parts]


def _levels(answer: Difference) -> Iterator[str]:
    words = {"same": "same", "different": "differ", "unknown": "not compared", "taken": "taken"}
    width = max(len(level.name) for level in answer.levels)
    for level in answer.levels:
        cost = f" ({level.cost})" if level.cost else ""
        yield f"{safe(level.name):{width}}  {words[level.outcome]:12}  {safe(level.told)}{cost}".rstrip()


def _files(files: FileChanges) -> Iterator[str]:
    yield from _some((f"changed  {safe(one.path)}  {_sizes(one)}" for one in files.changed), len(files.changed))
    yield from _some((f"added    {safe(one.path)}  {_sizes(one)}" for one in files.added), len(files.added))
    yield from _some((f"removed  {safe(one.path)}  {_sizes(one)}" for one in files.removed), len(files.removed))
    yield from _some((f"renamed  {safe(one.was)} -> {safe(one.path)}" for one in files.renamed), len(files.renamed))


def _sizes(one: FileChange) -> str:
    return " -> ".join(size_text(size) for size in (one.before, one.after) if size is not None)


def _some(lines: Iterable[str], total: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == _MOST:
            yield f"... and {total - _MOST:,} more: --json lists all"
            return
        yield line


def _schema(schema: SchemaChanges) -> Iterator[str]:
    yield from (f"added    {safe(one.name)} {safe(one.type)}" for one in schema.added)
    yield from (f"dropped  {safe(one.name)} {safe(one.type)}" for one in schema.dropped)
    for renamed in schema.renamed:
        alike = "the same content" if renamed.alike == 1 else f"{renamed.alike:.0%} of its values"
        yield f"renamed  {safe(renamed.before)} -> {safe(renamed.after)} ({alike})"
    for one in schema.retyped:
        note = f" (compared {one.note})" if one.note else ""
        yield f"retyped  {safe(one.name)}: {safe(one.before)} -> {safe(one.after)}{note}"
    if schema.reordered:
        yield "columns stand in another order"
    for names, word in ((schema.nullable, "may hold nulls now"), (schema.required, "may hold no nulls any more")):
        if names:
            yield f"{', '.join(map(safe, names))}: {word}"


def _rows(rows: RowChanges) -> Iterator[str]:
    about = "" if rows.exact else "about "
    counts = [
        f"{about}{count:,} {word}"
        for count, word in ((rows.changed, "changed"), (rows.added, "added"), (rows.removed, "removed"))
        if count
    ]
    yield f"{', '.join(counts)}; {rows.before:,} before, {rows.after:,} after{_matched(rows)}"
    of = (
        f" of {rows.examined:,} changed rows that were looked at" if rows.examined < rows.changed and rows.exact else ""
    )
    for name, count in rows.columns[:_MOST]:
        yield f"{safe(name)}: differs in {count:,}{of or ' changed rows'}" if count else f"{safe(name)}: differs"
    if len(rows.columns) > _MOST:
        yield f"... and {len(rows.columns) - _MOST:,} more columns"


def _matched(rows: RowChanges) -> str:
    how = {
        "given": f", matched by {', '.join(map(safe, rows.key))}",
        "guessed": f", matched by {', '.join(map(safe, rows.key))} (guessed: unique in both; --key names another)",
        "position": ", matched by their places",
        "none": "",
    }[rows.how]
    return how + (f"; {safe(rows.note)}" if rows.note else "")


def _example(one: Example) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[one.kind]
    key = ", ".join(f"{safe(name)}={safe(text)}" for name, text in one.key)
    if one.kind == "changed":
        cells = (f"{safe(name)} {safe(before or '')} -> {safe(after or '')}" for name, before, after in one.cells)
    else:
        cells = (f"{safe(name)} {safe(before or after or '')}" for name, before, after in one.cells)
    return f"{sign} {key}: {', '.join(cells)}"


def _run(run: RunChanges) -> Iterator[Section]:
    for role in ("input", "output"):
        uses = [use for use in run.uses if use.role == role and use.outcome != "same"]
        if uses:
            lines = (f"{safe(use.name)}: {safe(use.verdict or use.outcome)}" for use in uses)
            yield f"{role}s", list(_some(lines, len(uses)))
    for section in ("code", "parameter", "environment", "metric"):
        facts = [fact for fact in run.facts if fact.section == section]
        if facts:
            lines = (f"{safe(fact.name)}: {_value(fact.before)} -> {_value(fact.after)}" for fact in facts)
            yield section, list(_some(lines, len(facts)))


def _value(value: str | None) -> str:
    if value is None:
        return "(none)"
    method, colon, digits = value.rpartition(":")
    is_digest = bool(colon) and len(digits) >= 32 and all(digit in "0123456789abcdef" for digit in digits)
    return safe(f"{method}:{digits[:12]}" if is_digest else value)
