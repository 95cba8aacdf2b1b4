# SPDX-License-Identifier: Apache-2.0
"""What a person typed, and what it means."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.store import query
from lineagekit.store.database import Database
from lineagekit.store.targets import find_target
from tests.store.told import dataset, digest, run, run_id, told

ORDERS, TABLE, ODD = "/data/orders.csv", "crm.public.customers", "/data/a@b:c.csv"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    events = [
        *run("clean", 1, 5, writes=[dataset(ORDERS, "output", at=4, digest="abc1")]),
        *run(
            "clean",
            11,
            15,
            writes=[
                dataset(
                    ORDERS,
                    "output",
                    at=14,
                    digest="abd2",
                    version=digest("abd2"),
                    pins=[{"system": "delta", "version": "12"}],
                )
            ],
        ),
        *run("load", 1, 5, writes=[dataset(TABLE, "output", namespace="postgres://db:5432")]),
        *run("load", 6, 7, reads=[dataset("raw/2026.parquet", namespace="s3://bucket")], writes=[ODD]),
        *run("train", 20, 25, writes=[dataset("/models/m.pkl", "output", at=24, digest="e1", model="model-42")]),
        *run("train", 30, 35, writes=[dataset("/models/m.pkl", "output", at=34, digest="e2", model="model-42")]),
    ]
    with told(tmp_path_factory.mktemp("store"), events) as (_, index):
        yield index.database


def title(db: Database, text: str) -> str:
    (number,) = find_target(db, text).datasets
    return query.datasets(db, [number])[number].title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ORDERS, ORDERS),
        ("file:///data/orders.csv", ORDERS),
        ("file:/data/orders.csv", ORDERS),
        ("orders.csv", ORDERS),
        ("s3://bucket/raw/2026.parquet", "s3://bucket/raw/2026.parquet"),
        ("s3a://bucket/raw/2026.parquet", "s3://bucket/raw/2026.parquet"),
        ("s3://bucket:raw/2026.parquet", "s3://bucket/raw/2026.parquet"),
        ("postgres://db:5432:crm.public.customers", "postgres://db:5432/crm.public.customers"),
        ("postgres://db/crm.public.customers", "postgres://db:5432/crm.public.customers"),
        (TABLE, "postgres://db:5432/crm.public.customers"),
        ("customers", "postgres://db:5432/crm.public.customers"),
        (ODD, ODD),
        ("/data/ord*", ORDERS),
        ("s3://bucket/*", "s3://bucket/raw/2026.parquet"),
    ],
)
def test_a_dataset_is_found_by_every_spelling_of_its_name(db: Database, text: str, expected: str) -> None:
    assert title(db, text) == expected


@pytest.mark.parametrize(
    ("text", "digest_"),
    [
        (f"{ORDERS}@abc1", "abc1"),
        ("orders.csv@abd2", "abd2"),
        (f"{ORDERS}@{digest('abc1')}", "abc1"),
        (f"{ORDERS}@1", "abc1"),
        (f"{ORDERS}@2", "abd2"),
        (f"{ORDERS}@-1", "abd2"),
        (f"{ORDERS}@12", "abd2"),
        (f"{ORDERS}@v12", "abd2"),
        (digest("abc1"), "abc1"),
        ("abc1abc1", "abc1"),
        ("model-42@1", "e1"),
        ("model-42@-1", "e2"),
        ("model-42@e2e2", "e2"),
    ],
)
def test_a_version_is_found_by_digest_number_and_foreign_version(db: Database, text: str, digest_: str) -> None:
    target = find_target(db, text)
    (snap,) = target.snaps
    assert target.is_version
    assert query.snapshots(db, [snap])[snap].text == digest(digest_)


def test_a_model_is_found_by_its_name_and_a_version_of_it_with_its_run(db: Database) -> None:
    assert find_target(db, "model-42").kind == "model"
    run_of = query.runs(db, [find_target(db, "model-42@2").run])
    assert [one.run for one in run_of.values()] == [run_id("train", 30)]


@pytest.mark.parametrize("text", [run_id("train", 30), run_id("train", 30)[:8], "train", "shop/train"])
def test_a_run_is_found_by_its_id_and_the_latest_of_a_job_by_its_name(db: Database, text: str) -> None:
    target = find_target(db, text)
    assert query.runs(db, [target.run])[target.run].run == run_id("train", 30)


@pytest.mark.parametrize(
    "text", ["orders.cvs", "/nowhere", "nothing@1", f"{ORDERS}@ffff", f"{ORDERS}@9", "*.nothing", "@", ""]
)
def test_what_was_never_recorded_is_not_found(db: Database, text: str) -> None:
    with pytest.raises(NotFoundError):
        find_target(db, text)


def test_the_nearest_names_are_told(db: Database) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean /data/orders\.csv"):
        find_target(db, "orders.cvs")


def test_what_may_be_two_versions_is_asked_back(db: Database) -> None:
    with pytest.raises(UsageError, match="several versions"):
        find_target(db, f"{ORDERS}@ab")


def test_only_what_was_asked_for_counts(db: Database) -> None:
    with pytest.raises(NotFoundError):
        find_target(db, "train", kinds=("dataset",))
