# SPDX-License-Identifier: Apache-2.0
"""Which engine hashes on an executor, by what its process has hashed; and the sums of what it answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from lineagekit_spark.states import bucket_leaves, row_hashes, table_state

from lineagekit.errors import BadDataError, UnsupportedTypeError
from lineagekit.identity.tables.arrow import from_arrow
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.layout import Layout
from lineagekit.identity.tables.states import TableState

TABLE = pa.table({"i": np.arange(5000), "s": [f"row {i}" for i in range(5000)]})
NAMES = TABLE.schema.names
SCHEMA_HASH = Layout.of(TABLE.schema).schema_hash
CHOICES = """
import numba
from lineagekit_spark.engines import choose_engine
{before}
print(*[choose_engine(words).name for words in (1_000_000, 1_500_000, 10, 100_000_000)])
"""


def choices(tmp_path: Path, before: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHOICES.format(before=before)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def cache_in(folder: Path) -> str:
    return f"numba.config.CACHE_DIR = {str(folder)!r}"


def test_compiled_code_is_loaded_once_a_process_has_enough_to_do(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    compiled = """
from pathlib import Path
from lineagekit.identity.tables.lanes import hash_rows
Path(hash_rows.stats.cache_path).mkdir(parents=True, exist_ok=True)
Path(hash_rows.stats.cache_path, "lanes.hash_rows-1.nbi").touch()
"""
    found = choices(tmp_path, f"{cache_in(tmp_path)}\n{compiled}")
    assert found == ["pure", "fast", "fast", "fast"]


def test_where_nothing_is_compiled_yet_much_more_has_to_be_done_first(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    assert choices(tmp_path, cache_in(tmp_path)) == ["pure", "pure", "pure", "fast"]


def test_without_numba_the_pure_engine_goes_on(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['numba'] = None"
    assert choices(tmp_path, hidden) == ["pure"] * 4


def states(table: pa.Table, size: int) -> TableState:
    (answer,) = table_state(SCHEMA_HASH, NAMES, iter(table.to_batches(size)))
    return TableState.from_bytes(SCHEMA_HASH, answer["state"][0].as_py())


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_states_of_parts_add_up_whatever_the_batches(size: int) -> None:
    whole = digest_table(from_arrow(TABLE)).state
    assert states(TABLE.slice(0, 1234), size) + states(TABLE.slice(1234), size) == whole


def test_a_partition_without_batches_has_the_state_of_no_rows() -> None:
    (answer,) = table_state(SCHEMA_HASH, NAMES, iter([]))
    assert TableState.from_bytes(SCHEMA_HASH, answer["state"][0].as_py()) == TableState(SCHEMA_HASH)


def test_batches_of_other_types_than_planned_are_refused() -> None:
    other = pa.table({"i": pa.array([1], pa.int32()), "s": ["x"]})
    with pytest.raises(UnsupportedTypeError, match="executors got other types than the frame has: i int32, s utf8"):
        list(table_state(SCHEMA_HASH, NAMES, iter(other.to_batches())))


def sorted_hashes() -> list[bytes]:
    hashes = pa.Table.from_batches(list(row_hashes(SCHEMA_HASH, NAMES, iter(TABLE.to_batches(700)))))
    return sorted(hashes["hash"].to_pylist())


def in_batches(hashes: list[bytes], size: int) -> list[pa.RecordBatch]:
    return pa.table({"hash": pa.array(hashes, pa.binary())}).to_batches(size)


@pytest.mark.parametrize("size", [3, 5000])
def test_leaves_of_sorted_hashes_make_the_local_lkm1_and_lkt1(size: int) -> None:
    from lineagekit.identity.tables.states import sorted_hex_of_leaves

    rows = pa.Table.from_batches(list(bucket_leaves(SCHEMA_HASH, iter(in_batches(sorted_hashes(), size)))))
    local = {
        digest.algorithm: digest.hex for digest in digest_table(from_arrow(TABLE), TableOptions(sort=True)).digests
    }
    assert rows["bucket"].to_pylist() == list(range(256))
    assert sorted_hex_of_leaves(SCHEMA_HASH, 5000, rows["leaf"].to_pylist()) == local["lkm1"]
    summed = sum(
        (TableState.from_bytes(SCHEMA_HASH, state) for state in rows["state"].to_pylist()), TableState(SCHEMA_HASH)
    )
    assert summed.hex() == local["lkt1"]


def test_hashes_that_come_unsorted_are_refused() -> None:
    backwards = in_batches(sorted_hashes()[::-1], 5000)
    with pytest.raises(BadDataError, match="row hashes came out of order: got 0xfe after 0xff"):
        list(bucket_leaves(SCHEMA_HASH, iter(backwards)))
