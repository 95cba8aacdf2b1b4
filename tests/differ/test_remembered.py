# SPDX-License-Identifier: Apache-2.0
"""Bytes that are gone: what a store remembers names the columns and about the number of rows that changed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineagekit.differ.diff import diff
from lineagekit.differ.difference import Difference
from lineagekit.differ.job import How
from lineagekit.differ.kept import Known
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.store.index import open_index
from lineagekit.store.log import open_store
from tests.record.jobs import World

ROWS = 5_000


def orders() -> pa.Table:
    rng = np.random.default_rng(1)
    return pa.table(
        {"id": np.arange(ROWS), "amount": rng.normal(50, 9, ROWS), "kind": rng.choice(["a", "b", "c"], ROWS)}
    )


def with_amount(table: pa.Table, rows: slice, factor: float) -> pa.Table:
    amount = table["amount"].to_numpy().copy()
    amount[rows] *= factor
    return table.set_column(1, "amount", pa.array(amount))


def as_bytes(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def record(world: World, path: Path, data: bytes, **named: object) -> None:
    """A run that writes these bytes."""
    job = world.job(**named)
    job.write(path, data)
    job.end()
    world.settle()


@contextmanager
def known(world: World) -> Iterator[Known]:
    with open_store(world.store) as store, open_index(store, store.folder) as index:
        index.catch_up()
        yield Known(store, index.database)


def compare(world: World, a: object, b: object, **options: object) -> Difference:
    with known(world) as store:
        return diff(str(a), str(b), how=How(threads=1), known=store, **options)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def outcomes(found: Difference) -> dict[str, str]:
    return {level.name: level.outcome for level in found.levels}


def test_a_version_that_is_gone_is_compared_by_sums_and_sketch(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    record(world, path, as_bytes(with_amount(orders(), slice(0, 1000, 5), 100)))
    path.unlink()
    found = compare(world, f"{path}@1", f"{path}@2")
    rows = found.rows
    assert rows is not None
    assert (rows.columns, rows.added, rows.removed, rows.exact) == ((("amount", 0),), 0, 0, False)
    assert 160 <= rows.changed <= 240
    assert found.verdict == f"changed (about {rows.changed} rows, columns amount)"
    (column,) = found.statistics or ()
    assert (column.name, column.before.nulls, column.exact) == ("amount", 0, False)
    assert column.after.mean is not None
    assert column.before.mean is not None
    assert column.after.mean > 2 * column.before.mean
    assert column.psi is not None
    assert column.ks == pytest.approx(0.04, abs=0.02)


def test_bytes_at_hand_are_set_against_what_is_remembered(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    path.write_bytes(as_bytes(pa.concat_tables([orders(), orders().slice(0, 50)])))
    found = compare(world, f"{path}@1", path)
    rows = found.rows
    assert rows is not None
    assert (rows.before, rows.after, rows.added) == (ROWS, ROWS + 50, 50)
    assert rows.changed <= 10
    assert outcomes(found)["profile"] == "taken"


def test_a_version_that_is_still_there_is_compared_row_by_row(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    other = world.data / "other.parquet"
    other.write_bytes(as_bytes(with_amount(orders(), slice(7, 8), 2)))
    found = compare(world, f"{path}@1", other)
    assert found.verdict == "changed (1 row, columns amount)"
    assert found.rows is not None
    assert found.rows.examples[0].key == (("id", "7"),)


def test_bytes_that_are_elsewhere_now_are_found_there(world: World) -> None:
    path, copy = world.data / "orders.parquet", world.data / "copy.parquet"
    record(world, path, as_bytes(orders()))
    record(world, copy, as_bytes(orders()))
    record(world, path, as_bytes(with_amount(orders(), slice(7, 8), 2)))
    assert compare(world, f"{path}@1", f"{path}@2").verdict == "changed (1 row, columns amount)"


def test_equal_digests_need_no_bytes(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    record(world, path, as_bytes(orders(), compression="zstd"))
    record(world, path, as_bytes(orders().sort_by([("amount", "ascending")])))
    path.unlink()
    assert compare(world, f"{path}@1", f"{path}@1").verdict == "identical bytes"
    assert compare(world, f"{path}@1", f"{path}@2").verdict == "same content, re-encoded"
    assert compare(world, f"{path}@1", f"{path}@3").verdict == "same rows, other order"


def test_other_columns_leave_the_sums_of_those_that_stayed(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    wider = with_amount(orders(), slice(0, 10), 2).append_column("note", pa.array(["n"] * ROWS))
    record(world, path, as_bytes(wider.rename_columns(["id", "amount", "sort", "note"])))
    path.unlink()
    found = compare(world, f"{path}@1", f"{path}@2")
    assert found.schema is not None
    assert [one.name for one in found.schema.added] == ["note"]
    assert [(one.before, one.after) for one in found.schema.renamed] == [("kind", "sort")]
    assert found.verdict == "changed (columns amount, schema: added, renamed; in how many rows is not known)"
    assert outcomes(found)["rows"] == "unknown"
    assert not found.is_complete


def test_text_and_a_typed_format_are_not_called_other_types(world: World) -> None:
    path, text = world.data / "orders.parquet", world.data / "orders.csv"
    record(world, path, as_bytes(orders()))
    record(world, text, b"id,amount,kind\n1,2,a\n")
    path.unlink()
    found = compare(world, f"{path}@1", text)
    assert found.verdict == "changed (columns kind; in how many rows is not known)"  # text is text in both
    assert found.schema is not None
    assert (found.schema.retyped, found.is_complete) == ((), False)


def test_the_files_of_a_folder_are_known_from_its_manifest(world: World) -> None:
    folder = world.data / "set"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.parquet").write_bytes(as_bytes(orders().slice(number * 10, 10)))
    job = world.job()
    job.read_folder(folder)
    job.end()
    world.settle()
    (folder / "1.parquet").write_bytes(as_bytes(orders().slice(500, 10)))
    (folder / "3.parquet").write_bytes(as_bytes(orders().slice(600, 10)))
    found = compare(world, f"{folder}@1", folder)
    assert found.verdict == "changed (1 file changed, 1 file added)"
    assert outcomes(found)["rows"] == "unknown"


def test_a_name_alone_is_its_newest_version(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    record(world, path, as_bytes(with_amount(orders(), slice(0, 500), 2)))
    path.unlink()
    assert compare(world, f"{path}@2", path).verdict == "identical bytes"


def test_a_binary_that_is_gone_has_size_and_digest(world: World) -> None:
    path = world.data / "model.bin"
    record(world, path, b"\0" * 2000)
    record(world, path, b"\1" * 3000)
    path.unlink()
    assert compare(world, f"{path}@1", f"{path}@2").verdict == "changed (2.0 kB -> 3.0 kB)"


def test_what_nobody_recorded_is_not_found(world: World) -> None:
    record(world, world.data / "a.bin", b"x")
    with pytest.raises(NotFoundError, match="nothing of this name"):
        compare(world, "elsewhere", world.data / "a.bin")


def test_without_a_store_a_version_is_no_file() -> None:
    with pytest.raises(NotFoundError, match=r"no such file: 'orders@1'"):
        diff("orders@1", "orders@2")


def train(world: World, *, lr: float, auc: float) -> str:
    job = world.job()
    job.read(world.data / "orders.parquet")
    job.write(world.data / "model.pkl", f"model {lr}".encode())
    job.say("model", path=str(world.data / "model.pkl"), name="churn", version="")
    job.say("params", params={"lr": lr, "depth": 3})
    job.say("metric", name="auc", value=auc)
    job.end()
    world.settle()
    return job.run


def test_two_runs_compare_by_what_they_read_and_were_set_to(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()), job="make.py")
    first = train(world, lr=0.1, auc=0.9)
    record(world, path, as_bytes(with_amount(orders(), slice(0, 200), 9)), job="make.py")
    second = train(world, lr=0.2, auc=0.8)
    found = compare(world, first, second)
    run = found.run
    assert run is not None
    assert [(use.role, Path(use.name).name, use.outcome) for use in run.uses] == [
        ("input", "orders.parquet", "different"),
        ("output", "model.pkl", "different"),
    ]
    assert "columns amount" in run.uses[0].verdict
    assert {(fact.section, fact.name, fact.before, fact.after) for fact in run.facts} == {
        ("parameter", "lr", "0.1", "0.2"),
        ("metric", "auc", "0.9", "0.8"),
    }
    assert found.verdict == "changed (input orders.parquet, output model.pkl, parameter lr, metric auc)"
    assert compare(world, first, first).verdict == "one and the same run"


def test_a_run_is_not_compared_with_data(world: World) -> None:
    path = world.data / "orders.parquet"
    record(world, path, as_bytes(orders()))
    with pytest.raises(UsageError, match="cannot compare a run with data"):
        compare(world, train(world, lr=0.1, auc=0.9), path)


def test_versions_of_a_model_are_their_runs_and_their_bytes(world: World) -> None:
    record(world, world.data / "orders.parquet", as_bytes(orders()))
    train(world, lr=0.1, auc=0.9)
    train(world, lr=0.2, auc=0.8)
    found = compare(world, "churn@1", "churn@2")
    assert found.verdict == "changed (output model.pkl, parameter lr, metric auc)"
    assert [part.kind for part in found.parts] == ["changed"]
    assert outcomes(found)["model"] == "different"


def test_a_model_has_the_metrics_that_another_run_reported_of_it(world: World) -> None:
    model = world.data / "model.pkl"
    record(world, world.data / "orders.parquet", as_bytes(orders()))
    for number in (1, 2):
        train(world, lr=number / 10, auc=0.9)
        job = world.job(job="evaluate.py")
        job.read(model)
        job.say("metric", name="recall", value=1 - number / 10, of=str(model))
        job.end()
        world.settle()
    run = compare(world, "churn@1", "churn@2").run
    assert run is not None
    assert [(fact.name, fact.before, fact.after) for fact in run.facts if fact.section == "metric"] == [
        ("recall", "0.9", "0.8")
    ]
