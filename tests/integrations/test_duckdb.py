# SPDX-License-Identifier: Apache-2.0
"""DuckDB's own log: what only it knows, of which run that is, and how far its evidence goes."""

from __future__ import annotations

import os

import pytest

from lineagekit.agent.evidence import Evidence
from tests.integrations.batch import Batch, Case, Told

BATCH = Batch(
    prelude="""
import duckdb, os, time, lineagekit
duckdb.sql("copy (select 1 a) to 'in.parquet'")
duckdb.sql("copy (select 1 a) to 'other.parquet'")
prepared = 'from read_parquet(?)'
shared = duckdb.connect()

def later(connection=shared):
    time.sleep(0.02)  # evidence needs a file that is clearly older than the read
    return connection
""",
    cases=[
        Case("known", "later().execute(prepared, ['in.parquet']).fetchall()", "in.parquet"),
        Case("next_run", "later().execute(prepared, ['other.parquet']).fetchall()", "other.parquet"),
        Case(
            "changed_since",
            "later().execute(prepared, ['in.parquet']).fetchall(); os.system('touch in.parquet')",
            "in.parquet",
        ),
        Case(
            "gone_since",
            "later().execute(prepared, ['in.parquet']).fetchall(); os.system('rm in.parquet')",
            "in.parquet",
        ),
        Case("copied_by_parameter", "shared.execute('copy (select 1) to $1', ['out.csv'])", "", "out.csv"),
        Case("moved_elsewhere", "later().execute(prepared, ['in.parquet']); os.chdir('/')", "in.parquet"),
        Case(
            "closed",
            "c = later(duckdb.connect()); c.execute(prepared, ['in.parquet']).fetchall(); c.close()",
            "in.parquet",
        ),
        Case("spilled", "c = duckdb.connect('out.db'); c.sql('create table t as select 1 a'); c.close()", "", "out.db"),
        Case(
            "own_log",
            """
            c = duckdb.connect()
            c.execute("call enable_logging('QueryLog')")
            c.execute("from 'in.parquet'").fetchall()
            assert c.execute("select count(*) from duckdb_logs where type = 'QueryLog'").fetchone()[0] > 0
            kept = c
            """,
            "in.parquet",
        ),
        Case(
            "locked",
            """
            c = duckdb.connect(config={'lock_configuration': True})
            c.execute("from 'in.parquet'").fetchall()
            """,
            "in.parquet",
        ),
        Case(
            "pending_result",
            """
            with lineagekit.run('inner'):
                shared.execute('begin')
                shared.execute('select range from range(10000)')
                assert shared.fetchone() == (0,)
            assert shared.fetchone() == (1,)
            assert len(shared.fetchall()) == 9998
            shared.execute('rollback')
            """,
        ),
        Case(
            "failing",
            "try:\n    duckdb.sql(\"copy (select * from none) to 'out.csv'\")\nexcept duckdb.Error:\n    pass",
        ),
    ],
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("duckdb") / "batch"
    return BATCH.finish(BATCH.start(folder), folder)


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_a_file_is_told_with_its_role(case: Case, told: dict[str, Told]) -> None:
    one = told[case.name]
    assert not one.error
    assert (one.reads, one.writes) == (case.reads, case.writes)
    assert not one.story.troubles


@pytest.mark.parametrize("name", ["known", "next_run", "closed", "moved_elsewhere"])
def test_what_only_the_log_knows_has_evidence(name: str, told: dict[str, Told]) -> None:
    [read] = told[name].story.paths.inputs()
    assert read.evidence == Evidence.of(os.stat(read.path))


@pytest.mark.parametrize("name", ["changed_since", "gone_since"])
def test_what_has_changed_since_has_none(name: str, told: dict[str, Told]) -> None:
    [read] = told[name].story.paths.inputs()
    assert read.evidence is None
