# SPDX-License-Identifier: Apache-2.0
"""What is seen of runs beside their data: where a scheduler shows them, and what their producer kept to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cause.views import Views
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.store import query
from lineagekit.store.admit import admit
from lineagekit.store.index import open_index
from lineagekit.store.log import open_store

SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
APP, WRITE = "01a2182e-ba17-7cc3-945f-775e1df43da5", "01a2182f-ba17-7cc3-945f-775e1df43da5"


def event(run: str, job: str, facets: dict[str, Any], *, producer: str = SPARK) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-26T14:00:00Z",
        "producer": producer,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": facets},
        "job": {"namespace": "shop", "name": job},
        "inputs": [],
        "outputs": [],
    }


def below(parent: str) -> dict[str, Any]:
    return {"parent": {"run": {"runId": parent}, "job": {"namespace": "shop", "name": "nightly"}}}


@pytest.fixture
def views(tmp_path: Path) -> Iterator[Any]:
    with open_store(str(tmp_path)) as store, open_index(store, str(tmp_path)) as index:

        def look(*events: dict[str, Any]) -> Views:
            store.append([admit(one) for one in events])
            index.catch_up()
            return Views(index.database, store)

        yield look


def test_an_application_that_wrote_more_than_was_told_is_named(views: Any) -> None:
    counts = {"application": APP, "executions": 9, "writes": 3, "reported": 2, "failed": 0}
    told = {**below(APP), "lineagekit_spark": counts}
    looked = views(event(APP, "nightly", {}), event(WRITE, "nightly.x.out", told))
    runs = {run.run: number for number, run in query.runs(looked.db, query.all_runs(looked.db)).items()}
    expected = "nightly: Spark ran 3 writes, the agent reported 2: of 1 there is no lineage"
    assert list(looked.gaps([runs[WRITE]])) == [expected]


def test_an_application_that_told_all_is_not(views: Any) -> None:
    counts = {"application": APP, "executions": 9, "writes": 3, "reported": 3, "failed": 0}
    looked = views(event(APP, "nightly", {"lineagekit_spark": counts}), event(WRITE, "nightly.x.out", below(APP)))
    assert list(looked.gaps(query.all_runs(looked.db))) == []


def test_the_page_of_a_task_is_that_of_its_scheduler(views: Any) -> None:
    facets = {"airflow": {"taskInstance": {"log_url": "https://airflow.example.com/dags/x"}}}
    looked = views(event(WRITE, "shop.train", facets, producer="https://github.com/apache/airflow/x"))
    assert looked.page(WRITE) == "https://airflow.example.com/dags/x"
    assert looked.page(APP) == ""


def test_a_page_that_is_no_address_is_none(views: Any) -> None:
    facets = {"airflow": {"taskInstance": {"log_url": "javascript:alert(1)"}}}
    assert views(event(WRITE, "shop.train", facets)).page(WRITE) == ""


def folder_read(digest: str) -> dict[str, Any]:
    told = event(WRITE, "train", {}, producer="https://lineagekit.dev")
    facet = {"_producer": "x", "_schemaURL": "x", "state": "exact", "digest": digest}
    told["inputs"] = [{"namespace": "file", "name": "/raw/a", "inputFacets": {"lineagekit_inputContent": facet}}]
    return told


@pytest.mark.parametrize(("most", "count"), [(3, 3), (2, 0)])
def test_a_folder_that_was_read_whole_is_known_file_by_file_unless_it_has_too_many(
    views: Any, monkeypatch: pytest.MonkeyPatch, most: int, count: int
) -> None:
    monkeypatch.setattr("lineagekit.cause.views._MOST_PIECES", most)
    digests = [Digest("blake3", f"{number:064x}") for number in range(3)]
    manifest = Manifest.from_entries(Entry(f"day={n}/p.csv", 9, one) for n, one in enumerate(digests))
    looked = views(folder_read(str(manifest.digest)))
    with looked._store.write():
        looked._store.keep_object("manifest", str(manifest.digest), "".join(manifest.to_lines()).encode())
    (run,) = query.all_runs(looked.db)
    (use,) = looked.of(run).inputs.values()
    assert [(piece.path, piece.digest) for piece in use.touch.pieces] == [
        (f"day={number}/p.csv", str(one)) for number, one in enumerate(digests)
    ][:count]


def test_a_damaged_manifest_tells_of_no_files(views: Any) -> None:
    digest = "lkd1:" + "0" * 64
    looked = views(folder_read(digest))
    with looked._store.write():
        looked._store.keep_object("manifest", digest, b'{"algorithm":"blake3","entries":2,"manifest":"x"}\n{"digest"')
    (run,) = query.all_runs(looked.db)
    (use,) = looked.of(run).inputs.values()
    assert use.touch.pieces == ()
