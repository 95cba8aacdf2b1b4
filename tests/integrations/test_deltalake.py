# SPDX-License-Identifier: Apache-2.0
"""Delta tables: a folder as one dataset, and the table's own version as a pin of what was read and written."""

from __future__ import annotations

import pytest

from tests.integrations.batch import Batch, Case, Told

BATCH = Batch(
    prelude="""
import deltalake, pyarrow as pa
from deltalake import DeltaTable, write_deltalake
table = pa.table({"a": [1, 2]})
write_deltalake("in", table)
write_deltalake("in", table, mode="append")
write_deltalake("with space", table)
""",
    cases=[
        Case("newest", "DeltaTable('in').to_pyarrow_table()", "in"),
        Case("earlier", "DeltaTable('in', version=0).to_pyarrow_table()", "in"),
        Case("with_space", "DeltaTable('with space')", "with space"),
        Case("new", "write_deltalake('out', table)", "", "out"),
        Case("append", "write_deltalake('in', table, mode='append')", "in", "in"),
        Case("overwrite", "write_deltalake(DeltaTable('in'), table, mode='overwrite')", "in", "in"),
        Case("delete", "DeltaTable('in').delete('a = 1')", "in", "in"),
        Case(
            "merge",
            """
            merger = DeltaTable('in').merge(pa.table({'a': [9]}), 's.a = t.a', source_alias='s', target_alias='t')
            merger.when_not_matched_insert_all().execute()
            """,
            "in",
            "in",
        ),
        Case("compact", "DeltaTable('in').optimize.compact()", "in", "in"),
        Case("failed", "try:\n    write_deltalake('in', table)\nexcept Exception:\n    pass\nDeltaTable('in')", "in"),
        Case("none", "try:\n    DeltaTable('none')\nexcept Exception:\n    pass"),
    ],
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("deltalake") / "batch"
    return BATCH.finish(BATCH.start(folder), folder)


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_a_table_is_told_with_its_role(case: Case, told: dict[str, Told]) -> None:
    one = told[case.name]
    assert not one.error
    assert (one.reads, one.writes) == (case.reads, case.writes)
    assert not one.story.troubles


@pytest.mark.parametrize(("name", "version"), [("newest", "1"), ("earlier", "0"), ("append", "1"), ("failed", "1")])
def test_what_was_read_is_pinned(name: str, version: str, told: dict[str, Told]) -> None:
    [read] = told[name].story.paths.inputs()
    [pin] = read.shape.pins
    assert (pin["system"], pin["version"]) == ("delta", version)
    assert read.shape.format == "delta"
    assert read.is_folder


@pytest.mark.parametrize(
    ("name", "version"), [("new", "0"), ("append", "2"), ("overwrite", "2"), ("delete", "2"), ("merge", "2")]
)
def test_what_was_written_is_pinned(name: str, version: str, told: dict[str, Told]) -> None:
    [written] = told[name].story.paths.outputs()
    assert [pin["version"] for pin in written.shape.pins] == [version]
    assert written.is_folder


def test_an_opened_table_tells_its_id(told: dict[str, Told]) -> None:
    [pin] = told["newest"].story.paths.inputs()[0].shape.pins
    assert len(str(pin["id"])) == 36
