# SPDX-License-Identifier: Apache-2.0
"""Fourteen kinds of fault, each of a share of a table's rows, as they happen to feeds.

>>> broken = Fault("nulls", share=0.3, seed=1).apply(table)  # doctest: +SKIP

Of *stale* and *restated* the table is not changed here: whole partitions come again, or are written again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]
_UNITS = (1000.0, 100.0, 0.01, 0.454, 1.609)
_NUMBERS = ("amount", "balance", "visits", "rate")
_DEFAULTS = {"amount": 0.0, "balance": 0.0, "visits": 1, "rate": 0.5}

STRONG, WEAK = (0.2, 0.6), (0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to how many rows; the column and the unit are the seed's choice, the same on every day."""

    kind: str
    share: float
    seed: int

    def apply(self, table: pa.Table, day: int) -> pa.Table:
        """The table with the fault."""
        rng = np.random.default_rng([self.seed, day])
        hit = rng.random(table.num_rows) < self.share
        return KINDS[self.kind](table, hit, np.random.default_rng(self.seed))


Change = Callable[[pa.Table, Array, np.random.Generator], pa.Table]


def _unit(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    factor = rng.choice(_UNITS)
    return _numbers(table, hit, rng, lambda values: values * factor)


def _sign(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    return _numbers(table, hit, rng, lambda values: -values)


def _shift(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    off = rng.choice([-1, 1]) * rng.uniform(0.5, 1.0)
    return _numbers(table, hit, rng, lambda values: values + off * np.nanstd(values))


def _default(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    name = _a_number(table, rng)
    return _set(table, name, hit, np.full(table.num_rows, float(_DEFAULTS[name])))


def _scramble(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    return _shuffled(table, _a_number(table, rng), hit, rng)


def _nulls(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    names = [name for name in table.column_names if name not in ("user", "label")]
    name = str(rng.choice(names))
    column = table[name].combine_chunks()
    return _with(table, name, pa.array(column.to_pylist(), column.type, mask=hit | _is_null(column)))


def _keys(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    """Another form of text, or numbers of another range."""
    keys = table["user"].to_pylist()
    changed = [(f"0{key[1:]}" if isinstance(key, str) else key * 7 % 100_003 + 10_000) for key in keys]
    return _with(
        table, "user", pa.array([new if is_hit else old for old, new, is_hit in zip(keys, changed, hit, strict=True)])
    )


def _duplicates(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    return pa.concat_tables([table, table.filter(pa.array(hit))])


def _truncation(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    return table.slice(0, table.num_rows - int(hit.sum()))


def _categories(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    """One category is called by another's name, or by a new one."""
    names = [name for name in table.column_names if name.startswith("kind")]
    name = str(rng.choice(names))
    values = table[name].to_pylist()
    known = sorted({value for value in values if value})
    old = str(rng.choice(known))
    new = str(rng.choice(known)) if rng.random() < 0.5 else f"{old.upper()}"
    often = len(values) / max(1, values.count(old))
    hit = np.random.default_rng(len(values)).random(len(values)) < min(1.0, hit.mean() * often)
    return _with(
        table,
        name,
        pa.array([new if value == old and is_hit else value for value, is_hit in zip(values, hit, strict=True)]),
    )


def _labels(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    """Labels of one class become the other."""
    labels = _labels_of(table)
    return _set_labels(table, np.where(hit & (labels == rng.integers(2)), 1 - labels, labels))


def _balanced_labels(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    """As many of each class become the other: their share stays as it was."""
    labels = _labels_of(table)
    flips = hit.sum() // 2
    for value in (0, 1):
        rows = np.flatnonzero(_labels_of(table) == value)
        chosen = np.random.default_rng([len(rows), value]).permutation(rows)[:flips]
        labels[chosen] = 1 - value
    return _set_labels(table, labels)


def _untouched(table: pa.Table, hit: Array, rng: np.random.Generator) -> pa.Table:
    return table


KINDS: dict[str, Change] = {
    "unit": _unit,
    "sign": _sign,
    "shift": _shift,
    "nulls": _nulls,
    "default": _default,
    "scramble": _scramble,
    "keys": _keys,
    "duplicates": _duplicates,
    "truncation": _truncation,
    "categories": _categories,
    "labels": _labels,
    "balanced labels": _balanced_labels,
    "stale": _untouched,
    "restated": _labels,
}


def _a_number(table: pa.Table, rng: np.random.Generator) -> str:
    return str(rng.choice([name for name in table.column_names if name in _NUMBERS]))


def _numbers(table: pa.Table, hit: Array, rng: np.random.Generator, change: Callable[[Array], Array]) -> pa.Table:
    name = _a_number(table, rng)
    return _set(table, name, hit, change(table[name].to_numpy().astype(np.float64)))


def _set(table: pa.Table, name: str, hit: Array, values: Array) -> pa.Table:
    column = table[name].combine_chunks()
    missing = _is_null(column)
    old = np.where(missing, 0, column.to_numpy(zero_copy_only=False)).astype(np.float64)
    new = np.where(hit & ~missing, values, old)
    if pa.types.is_integer(column.type):
        new = np.rint(new).astype(np.int64)
    return _with(table, name, pa.array(new, column.type, mask=missing if missing.any() else None))


def _shuffled(table: pa.Table, name: str, hit: Array, rng: np.random.Generator) -> pa.Table:
    rows = np.arange(table.num_rows)
    rows[hit] = rng.permutation(rows[hit])
    return _with(table, name, table[name].combine_chunks().take(pa.array(rows)))


def _labels_of(table: pa.Table) -> Array:
    labels = table["label"].to_pylist()
    return np.array([1 if label in ("yes", 1) else 0 for label in labels])


def _set_labels(table: pa.Table, labels: Array) -> pa.Table:
    is_text = pa.types.is_string(table["label"].type)
    return _with(table, "label", pa.array(np.where(labels == 1, "yes", "no") if is_text else labels.astype(np.int64)))


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _is_null(column: pa.Array) -> Array:
    return column.is_null().to_numpy(zero_copy_only=False)
