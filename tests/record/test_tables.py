# SPDX-License-Identifier: Apache-2.0
"""The tables of a statement are parsed outside of the job, and what cannot be parsed has none."""

from __future__ import annotations

import pytest

from lineagekit.events.tables import tables_of
from tests.record.jobs import World


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT o.x FROM shop.orders o JOIN customers c ON o.id = c.id WHERE c.k = ?", ("customers", "shop.orders")),
        ("WITH t AS (SELECT * FROM raw) SELECT * FROM t", ("raw",)),
        ("SELEKT nothing", ()),
        ("", ()),
        ("SELECT 1 -- " + "x" * 200_000, ()),
    ],
)
def test_a_statement_reads_these_tables(statement: str, tables: tuple[str, ...]) -> None:
    assert tables_of(statement) == tables


def test_the_tables_of_a_query_are_told_with_it(world: World) -> None:
    job = world.job()
    job.say("result", kind="query", namespace="postgres://db:5432", name="crm", statement="SELECT x FROM t", digest="")
    job.end()
    world.settle(silent=0.0)
    (facet,) = world.inputs(job.run).values()
    assert facet["tables"] == ["t"]
