# SPDX-License-Identifier: Apache-2.0
"""Which columns of two tables belong together, as which type they are compared, and what was done to the schema.

>>> pairing = pair_columns(before, after)  # doctest: +SKIP
>>> pairing.changes.retyped  # doctest: +SKIP
(Retyped(name='amount', before='int32', after='int64', note=''),)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from lineagekit.differ.changes import Column, Renamed, Retyped, SchemaChanges
from lineagekit.differ.scan import Plan, Reader
from lineagekit.differ.tables import Table
from lineagekit.differ.typed import Common, common_type, is_same, share_parsed
from lineagekit.errors import UnsupportedTypeError
from lineagekit.identity.tables.logical import is_text, logical_type

_MOST_ODD = 0.5
"""Share of texts that say no value of the other side's type, from which values are compared as text instead."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A column on either side; `type` is what both are compared as, None where they are of one type."""

    before: str
    after: str
    type: pa.DataType | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs in the order of the first table, the changes, and the columns that cannot be compared."""

    pairs: tuple[Pair, ...]
    changes: SchemaChanges
    incomparable: tuple[str, ...] = ()

    def plans(self, a: Table, b: Table) -> tuple[Plan, Plan]:
        """How both tables are read to be compared."""
        numeric = [self._looks_numeric(pair, a, b) for pair in self.pairs]
        left, right = (
            tuple(
                Reader.of(table, pair.before if table is a else pair.after, pair.type, as_numbers=looks)
                for pair, looks in zip(self.pairs, numeric, strict=True)
            )
            for table in (a, b)
        )
        return Plan(a, left), Plan(b, right)

    def _looks_numeric(self, pair: Pair, a: Table, b: Table) -> bool:
        """Text that says numbers on both sides has the statistics of numbers."""
        if not (a.is_text and b.is_text and pair.type is None):
            return False
        return all(_says_numbers(table, name) for table, name in ((a, pair.before), (b, pair.after)))


def pair_columns(a: Table, b: Table, renamed: Sequence[Renamed] = ()) -> Pairing:
    """Pair columns by name, and those that are known to be renamed."""
    new_names = {one.before: one.after for one in renamed}
    shared = [(name, new_names.get(name, name)) for name in a.names if name in b.names or name in new_names]
    pairs, retyped, incomparable = [], [], []
    for before, after in shared:
        one, other = a.schema.field(before).type, b.schema.field(after).type
        if is_same(one, other):
            pairs.append(Pair(before, after))
            continue
        common = _common(a, b, before, after)
        if common is None:
            incomparable.append(before)
        else:
            pairs.append(Pair(before, after, *common))
        if not (a.is_text or b.is_text):
            note = "not comparable" if common is None else common.note
            retyped.append(Retyped(after, logical_type(one), logical_type(other), note))
    kept = {after for _, after in shared}
    changes = SchemaChanges(
        added=_columns(b, kept),
        dropped=_columns(a, {before for before, _ in shared}),
        renamed=tuple(renamed),
        retyped=tuple(retyped),
        reordered=[name for name in b.names if name in {after for _, after in shared}]
        != [after for _, after in shared],
        **_nullability(a, b, shared),
    )
    return Pairing(tuple(pairs), changes, tuple(incomparable))


def _columns(table: Table, shared: set[str]) -> tuple[Column, ...]:
    return tuple(Column(field.name, logical_type(field.type)) for field in table.schema if field.name not in shared)


def _nullability(a: Table, b: Table, shared: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Only where both formats say so."""
    if a.is_text or b.is_text or "jsonl" in (a.format, b.format):
        return {}
    fields = [(after, a.schema.field(before).nullable, b.schema.field(after).nullable) for before, after in shared]
    return {
        "nullable": tuple(name for name, before, after in fields if after and not before),
        "required": tuple(name for name, before, after in fields if before and not after),
    }


def _common(a: Table, b: Table, before: str, after: str) -> Common | None:
    """The common type; text, where too many cells of a text column say no value of the other side's type."""
    one, other = a.schema.field(before).type, b.schema.field(after).type
    common = common_type(one, other)
    if common is None or is_text(one) == is_text(other) or pa.types.is_large_binary(common.type):
        return common
    table, name = (a, before) if is_text(one) else (b, after)
    if 1 - share_parsed(table.first([name]).column(0), common.type) <= _MOST_ODD:
        return common
    typed, column = (b, after) if is_text(one) else (a, before)
    sample = typed.first([column]).column(0)
    try:
        Reader.of(typed, column, pa.string()).read(sample, Plan(typed, ()).engine())
    except UnsupportedTypeError:
        return None
    return Common(pa.string(), "as text")


def _says_numbers(table: Table, name: str) -> bool:
    array = table.first([name]).column(0)
    return is_text(array.type) and array.null_count < len(array) and share_parsed(array, pa.float64()) == 1.0
