# SPDX-License-Identifier: Apache-2.0
"""What doctor can say of Spark: from what the query listener told, and from the note of the last session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lineagekit.record.spark import spark_health, spark_text
from lineagekit.store.admit import admit
from lineagekit.store.log import open_store


def told(run: str, job: str, facet: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "eventType": "OTHER" if facet else "START",
        "eventTime": "2026-11-26T14:00:00Z",
        "producer": "https://example.com",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": {"lineagekit_spark": facet} if facet else {}},
        "job": {"namespace": "shop", "name": job},
        "inputs": [],
        "outputs": [],
    }


def counts(application: str, executions: int, writes: int, reported: int, failed: int = 0) -> dict[str, Any]:
    numbers = {"executions": executions, "writes": writes, "failed": failed, "reported": reported}
    return {"application": application, **numbers, "query": {"name": "command"}}


def health(folder: Path, *events: dict[str, Any]) -> dict[str, Any]:
    with open_store(str(folder)) as store:
        store.append([admit(event) for event in events])
        return spark_health(store, str(folder))


def test_of_an_application_the_last_counts_are_told_in_whichever_run_they_are(tmp_path: Path) -> None:
    app, query = "01a2182e-ba17-7cc3-945f-775e1df43da5", "01a2182f-ba17-7cc3-945f-775e1df43da5"
    found = health(
        tmp_path,
        told(app, "daily", None),
        told(query, "daily.write", counts(app, 7, 3, 2, failed=1)),
        told(app, "daily", counts(app, 5, 2, 2)),
    )
    (one,) = found["applications"]
    assert one == {"run": app, "job": "daily", "executions": 7, "writes": 3, "failed": 1, "reported": 2}
    (line,) = [line for line in spark_text(found) if "daily" in line]
    assert "Spark ran 3 writes (1 query failed), the agent reported 2" in line


def test_an_agent_that_told_of_nothing_is_suspected_itself(tmp_path: Path) -> None:
    app = "01a2182e-ba17-7cc3-945f-775e1df43da5"
    lines = "\n".join(spark_text(health(tmp_path, told(app, "daily", counts(app, 2, 2, 0)))))
    assert "it may not know this Spark. Name another version of it in LINEAGEKIT_SPARK_JAR" in lines
    lines = "\n".join(spark_text(health(tmp_path, told(app, "daily", counts(app, 3, 3, 1)))))
    assert "of 2 there is no lineage" in lines
    assert "LINEAGEKIT_SPARK_JAR" not in lines


def test_all_that_was_told_needs_no_advice(tmp_path: Path) -> None:
    app = "01a2182e-ba17-7cc3-945f-775e1df43da5"
    found = health(tmp_path, told(app, "daily", counts(app, 2, 2, 2)))
    (line,) = [line for line in spark_text(found) if "daily" in line]
    assert line.endswith("Spark ran 2 writes, the agent reported all")


def test_why_the_last_session_was_not_recorded_is_told(tmp_path: Path) -> None:
    (tmp_path / "spark.json").write_text(json.dumps({"at": 1, "what": "no jar: got /x. Correct the path."}))
    found = health(tmp_path)
    assert any("no jar: got /x. Correct the path." in line for line in spark_text(found))
    (tmp_path / "spark.json").write_text("{")
    assert health(tmp_path)["trouble"] == ""


def test_where_there_is_no_spark_nothing_is_said(tmp_path: Path) -> None:
    found = health(tmp_path)
    found["installed"] = {}
    assert list(spark_text(found)) == []
