# SPDX-License-Identifier: Apache-2.0
"""Which tables a statement reads: parsed here, outside of the job, which had better things to do.

>>> tables_of("SELECT o.x FROM shop.orders o JOIN customers c ON o.id = c.id")
('customers', 'shop.orders')
"""

from __future__ import annotations

from functools import lru_cache

_LONGEST = 100_000
"""Characters of a statement that is parsed: nobody wrote a longer one by hand."""


@lru_cache(maxsize=4096)
def tables_of(statement: str) -> tuple[str, ...]:
    """The tables, sorted; none where it cannot be parsed: what was read is known by its digest all the same."""
    if not statement or len(statement) > _LONGEST:
        return ()
    from openlineage_sql import parse

    parsed = parse([statement])
    return tuple(sorted(table.qualified_name for table in parsed.in_tables)) if parsed else ()
