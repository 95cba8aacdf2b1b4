# SPDX-License-Identifier: Apache-2.0
"""Tally: what one pass learns of a column, in bounded memory: its content's sum, nulls, bounds, categories, a sample.

>>> tally = Tally()
>>> tally.add(pa.array([1, 2, None]), np.array([11, 12, 13], np.uint64), np.array([0, 2]))
>>> tally.nulls, tally.low, tally.mean, tally.sample().tolist()
(1, 1, 1.5, [1.0, nan])
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from lineagekit.differ.cells import Numbers, total
from lineagekit.differ.typed import numbers_of
from lineagekit.identity.tables.logical import is_text, plain

MOST_CATEGORIES = 200
SMALLEST = 1024
"""Hashes that are kept to estimate how many distinct values there are: good to 3 %."""
_ALL = (1 << 64) - 1

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Tally:
    """Of one column over consecutive rows; `plus` joins those of parts."""

    as_numbers: bool = False
    """A column of text is looked at as numbers, as long as it is."""
    rows: int = 0
    total: int = 0
    nulls: int = 0
    nans: int = 0
    counted: int = 0
    low: Any = None
    high: Any = None
    sum: float = 0.0
    is_ordered: bool = True
    categories: dict[str, int] | None = field(default_factory=dict)
    smallest: Numbers = field(default_factory=lambda: np.empty(0, np.uint64))
    is_all_smallest: bool = True
    """No hash was left out of the smallest: there are just so many distinct ones."""
    samples: list[Floats] = field(default_factory=list)

    def add(self, array: pa.Array, cells: Numbers, sampled: npt.NDArray[np.int64]) -> None:
        """Add rows: the values, their cell hashes, and which of them belong to the sample."""
        self.rows += len(array)
        self.total = (self.total + total(cells)) % (1 << 64)
        self.nulls += _count_nulls(array)
        self._add_categories(array)
        self._add_smallest(cells)
        if self.is_ordered:
            self._add_numbers(array, sampled)

    def _add_categories(self, array: pa.Array) -> None:
        if self.categories is None or not len(array):
            return
        kind = plain(array.type)
        if not (t.is_boolean(kind) or t.is_integer(kind) or is_text(kind)):
            self.categories = None
            return
        counts = pc.value_counts(array)
        if len(counts) > MOST_CATEGORIES:
            self.categories = None
            return
        for value, count in zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True):
            if value is not None:
                self.categories[str(value)] = self.categories.get(str(value), 0) + count
        if len(self.categories) > MOST_CATEGORIES:
            self.categories = None

    def _add_smallest(self, cells: Numbers) -> None:
        if not self.is_all_smallest:
            cells = cells[cells <= self.smallest[-1]]
        if len(cells):
            self._keep_smallest(_distinct(self.smallest, cells))

    def _keep_smallest(self, distinct: Numbers) -> None:
        self.is_all_smallest = self.is_all_smallest and len(distinct) <= SMALLEST
        self.smallest = distinct[:SMALLEST]

    def _add_numbers(self, array: pa.Array, sampled: npt.NDArray[np.int64]) -> None:
        if self.as_numbers:
            try:
                array = pc.cast(array, pa.float64())
            except pa.ArrowInvalid:
                self._give_up()
                return
        values = numbers_of(array)
        if values is None:
            self._give_up()
            return
        self._add_bounds(values)
        if len(values) == len(array):
            self.samples.append(values[sampled].astype(np.float64))
            return
        taken = array.take(pa.array(sampled))
        filled = np.full(len(taken), np.nan)
        some = numbers_of(taken)
        if some is not None:
            filled[~np.asarray(taken.is_null())] = some
        self.samples.append(filled)

    def _give_up(self) -> None:
        self.is_ordered, self.samples, self.low, self.high = False, [], None, None

    def _add_bounds(self, values: npt.NDArray[Any]) -> None:
        if not len(values):
            return
        low, high = values.min(), values.max()
        if low != low:  # a NaN among them, which few columns have
            missing = np.isnan(values)
            self.nans += int(missing.sum())
            self._add_bounds(values[~missing])
            return
        self.low = low.item() if self.low is None else min(self.low, low.item())
        self.high = high.item() if self.high is None else max(self.high, high.item())
        self.counted += len(values)
        with np.errstate(over="ignore", invalid="ignore"):
            self.sum += float(values.sum(dtype=np.float64))

    @property
    def mean(self) -> float | None:
        """Of the numbers; None where there are none, or an infinity among them."""
        return self.sum / self.counted if self.counted and np.isfinite(self.sum) else None

    def sample(self) -> Floats:
        """The sampled values in the order of rows; what is null is NaN."""
        return np.concatenate(self.samples) if self.samples else np.empty(0)

    def thin(self, kept: npt.NDArray[np.bool_]) -> None:
        """Keep only these of the sampled rows."""
        if self.samples:
            self.samples = [self.sample()[kept]]

    def distinct(self, null: int) -> int:
        """How many distinct values there are, about; `null` is the hash of a null, which is no value."""
        if self.is_all_smallest:
            return len(self.smallest) - int(np.isin(np.uint64(null), self.smallest))
        return min(self.rows - self.nulls, round((len(self.smallest) - 1) * _ALL / int(self.smallest[-1])))

    def plus(self, other: Tally) -> None:
        """Add what was learned of the rows behind these."""
        for name in ("rows", "nulls", "nans", "counted", "sum"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.total = (self.total + other.total) % (1 << 64)
        lows, highs = ([x for x in pair if x is not None] for pair in ((self.low, other.low), (self.high, other.high)))
        self.low, self.high = min(lows, default=None), max(highs, default=None)
        if not (self.is_ordered and other.is_ordered):
            self._give_up()
        self.samples += other.samples if self.is_ordered else []
        self._join_categories(other)
        distinct = _distinct(self.smallest, other.smallest)
        self.is_all_smallest = self.is_all_smallest and other.is_all_smallest
        self._keep_smallest(distinct)

    def _join_categories(self, other: Tally) -> None:
        if self.categories is None or other.categories is None:
            self.categories = None
            return
        for value, count in other.categories.items():
            self.categories[value] = self.categories.get(value, 0) + count
        if len(self.categories) > MOST_CATEGORIES:
            self.categories = None


def _distinct(one: Numbers, other: Numbers) -> Numbers:
    """Sorted, each once; np.unique builds a hash table first, which takes ten times as long."""
    both = np.sort(np.concatenate([one, other]))
    return both[np.concatenate([[True], both[1:] != both[:-1]])] if len(both) else both


def _count_nulls(array: pa.Array) -> int:
    kind = array.type
    if t.is_dictionary(kind) or t.is_run_end_encoded(kind):
        return int(pc.sum(array.is_null()).as_py() or 0)
    return int(array.null_count)
