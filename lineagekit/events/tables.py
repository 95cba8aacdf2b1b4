# SPDX-License-Identifier: Apache-2.0
"""Which tables a statement reads and writes: parsed here, outside of the job, which had better things to do.

>>> tables_of("SELECT o.x FROM shop.orders o JOIN customers c ON o.id = c.id")
('customers', 'shop.orders')
>>> tables_in("INSERT INTO daily SELECT id FROM orders").written
('daily',)
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_LONGEST = 100_000
"""Characters of a statement that is parsed: nobody wrote a longer one by hand."""


class Tables(NamedTuple):
    """Names as the statement has them, sorted."""

    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def tables_in(statement: str) -> Tables:
    """None where it cannot be parsed."""
    if not statement or len(statement) > _LONGEST:
        return Tables()
    from openlineage_sql import parse

    parsed = parse([statement])
    if not parsed:
        return Tables()
    read, written = ({table.qualified_name for table in tables} for tables in (parsed.in_tables, parsed.out_tables))
    return Tables(tuple(sorted(read)), tuple(sorted(written)))


def tables_of(statement: str) -> tuple[str, ...]:
    """The tables that it reads; without any, what was read is known by its digest all the same."""
    return tables_in(statement).read
