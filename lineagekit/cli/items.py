# SPDX-License-Identifier: Apache-2.0
"""Values of options: lists of names with commas between them, and numbers within bounds.

>>> items(["id,label", '"a,b"'])
('id', 'label', 'a,b')
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

from lineagekit.config import MOST_THREADS
from lineagekit.errors import UsageError


def items(values: Iterable[str] | None) -> tuple[str, ...]:
    """Comma-separated, with quotes around a name that has a comma."""
    return tuple(item for value in values or () for item in _cells(value))


def _cells(value: str) -> Iterable[str]:
    try:
        return next(csv.reader([value], strict=True), ())
    except csv.Error as error:
        advice = "Put double quotes around a name that has a comma, a quote or a line end."
        raise UsageError(f"not a list of columns: got {value!r}, expected names and commas", advice=advice) from error


def bounded(threads: int) -> int:
    """As many threads as asked for, at least one and at most what makes sense."""
    if threads < 1:
        raise UsageError(f"not a number of threads: got {threads}, expected 1 or more", advice="Leave out --threads.")
    return min(threads, MOST_THREADS)
