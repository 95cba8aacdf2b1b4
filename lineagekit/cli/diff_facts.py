# SPDX-License-Identifier: Apache-2.0
"""The statistics of changed columns as sentences that a person can check, the ones that drifted most first.

>>> facts = Facts(9, nulls=0, mean=4.1), Facts(9, nulls=3, mean=391.0)
>>> list(statistics_lines([ColumnChange("amount", "float64", *facts, psi=0.3, sample=(9, 9))]))
['amount float64: nulls 0 -> 3, mean 4.1 -> 391; PSI 0.300 (of 9 values)']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lineagekit.cli.text import safe
from lineagekit.differ.changes import ColumnChange, Facts

_MOST = 10
_MOST_CATEGORIES = 5


def statistics_lines(columns: Sequence[ColumnChange]) -> Iterator[str]:
    """A line for each column."""
    ordered = sorted(columns, key=lambda one: -(one.psi or 0))
    for column in ordered[:_MOST]:
        changes = ", ".join(_changes(column)) or "other values"
        drift = _drift(column)
        yield f"{safe(column.name)} {safe(column.type)}".rstrip() + f": {changes}" + (f"; {drift}" if drift else "")
    if len(ordered) > _MOST:
        yield f"... and {len(ordered) - _MOST:,} more columns: --json tells of all"


def _changes(column: ColumnChange) -> Iterator[str]:
    before, after = column.before, column.after
    for word, field in (("nulls", "nulls"), ("NaNs", "nans"), ("distinct", "distinct")):
        one, other = getattr(before, field), getattr(after, field)
        if one != other and not (field == "distinct" and _is_near(one, other)):
            about = "about " if field == "distinct" and max(one or 0, other or 0) > 1000 else ""
            yield f"{word} {about}{_number(one)} -> {_number(other)}"
    for field in ("low", "mean", "high"):
        one, other = getattr(before, field), getattr(after, field)
        if _number(one) != _number(other):
            yield f"{field} {_number(one)} -> {_number(other)}"
    medians = [_number(facts.quantiles[2]) if len(facts.quantiles) == 5 else "" for facts in (before, after)]
    if medians[0] != medians[1]:
        yield f"median {medians[0] or 'none'} -> {medians[1] or 'none'}"
    yield from _shares(before, after)
    for word, names in (("new", column.new_categories), ("gone", column.gone_categories)):
        if names:
            more = f" and {len(names) - _MOST_CATEGORIES} more" if len(names) > _MOST_CATEGORIES else ""
            yield f"{word}: {', '.join(map(safe, names[:_MOST_CATEGORIES]))}{more}"


def _shares(before: Facts, after: Facts) -> Iterator[str]:
    """The category whose share moved most."""
    one, other = dict(before.shares), dict(after.shares)
    moved = [(abs(other[name] - one[name]), name) for name in one if name in other]
    if moved and max(moved)[0] >= 0.005:
        name = max(moved)[1]
        yield f"share of {safe(name)} {one[name]:.1%} -> {other[name]:.1%}"


def _drift(column: ColumnChange) -> str:
    scores = [f"{word} {score:.3f}" for word, score in (("PSI", column.psi), ("KS", column.ks)) if score is not None]
    a, b = column.sample
    of = f"{a:,} values" if a == b and a else f"{a:,} and {b:,} values"
    return f"{', '.join(scores)} (of {of})" if scores else ""


def _is_near(one: int | None, other: int | None) -> bool:
    """Estimates of distinct values that tell nothing apart."""
    return one is not None and other is not None and min(one, other) > 1000 and abs(one - other) < 0.1 * max(one, other)


def _number(value: float | int | str | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return safe(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
