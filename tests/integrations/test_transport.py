# SPDX-License-Identifier: Apache-2.0
"""openlineage-python with our transport: events reach the journal, whatever becomes of the process."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.integrations.jobs import run_job

EMIT = """
import os, sys
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.uuid import generate_new_uuid

def emit(client, name, facets={}):
    client.emit(RunEvent(
        eventTime="2026-01-01T00:00:00Z", eventType=RunState.COMPLETE, producer="https://example.com",
        run=Run(str(generate_new_uuid())), job=Job("ns", name), inputs=[],
        outputs=[OutputDataset("file", "/out.csv", outputFacets=facets)],
    ))
"""
TYPE = {"OPENLINEAGE__TRANSPORT__TYPE": "lineagekit_python.LineagekitTransport"}


def test_an_event_survives_a_fork_and_an_exit_without_goodbye(tmp_path: Path) -> None:
    code = (
        EMIT
        + """
client = OpenLineageClient()
emit(client, "parent")
child = os.fork()
if child == 0:
    emit(client, "child")
    os._exit(0)
os.waitpid(child, 0)
emit(client, "after")
assert client.transport.close(1.0) is True
assert client.transport.kind == "lineagekit"
os._exit(0)
"""
    )
    job = run_job(tmp_path, code, environ=TYPE, prefix="")
    assert {fact["event"]["job"]["name"] for fact in job.of("event")} == {"parent", "child", "after"}
    assert len(job.of("journal")) == 2
    assert job.of("run") == []


def test_a_store_and_the_transport_behind_are_taken_from_the_configuration(tmp_path: Path) -> None:
    code = (
        EMIT
        + """
behind = {"type": "http", "url": "https://lineage.example.com", "auth": {"type": "api_key", "apiKey": "hunter2secret"}}
config = {"type": "lineagekit_python.LineagekitTransport", "store": "other", "unknown": 1, "transport": behind}
for _ in range(2):
    emit(OpenLineageClient(config={"transport": dict(config)}), "elsewhere")
"""
    )
    job = run_job(tmp_path, code, prefix="")
    assert job.facts == []
    forward = tmp_path / "other" / "forward.json"
    assert json.loads(forward.read_text())["auth"]["apiKey"] == "hunter2secret"
    assert stat.S_IMODE(forward.stat().st_mode) == 0o600
    (journal,) = (tmp_path / "other" / "journal").iterdir()
    assert journal.read_bytes().count(b'"elsewhere"') == 2
    assert b"hunter2" not in journal.read_bytes()


def test_a_number_that_is_none_loses_no_event_and_a_single_event_needs_no_hooks(tmp_path: Path) -> None:
    code = (
        EMIT
        + """
from openlineage.client.generated import data_quality_metrics_input_dataset as quality
columns = {"x": quality.ColumnMetrics(sum=float("nan"))}
facet = quality.DataQualityMetricsInputDatasetFacet(columnMetrics=columns, rowCount=3)
emit(OpenLineageClient(), "odd", {"quality": facet})
assert type(open).__name__ == "builtin_function_or_method"
"""
    )
    job = run_job(tmp_path, code, environ=TYPE, prefix="")
    (event,) = (fact["event"] for fact in job.of("event"))
    assert event["outputs"][0]["outputFacets"]["quality"]["rowCount"] == 3


@pytest.mark.parametrize("environ", [{"LINEAGEKIT_DISABLED": "1"}, {"LINEAGEKIT_STORE": "/proc/nowhere"}])
def test_where_nothing_can_be_written_nothing_is_raised(tmp_path: Path, environ: dict[str, str]) -> None:
    job = run_job(tmp_path, EMIT + "\nemit(OpenLineageClient(), 'lost')\n", environ={**TYPE, **environ}, prefix="")
    assert job.facts == []


def test_a_job_that_is_recorded_emits_into_the_same_journal(tmp_path: Path) -> None:
    job = run_job(tmp_path, EMIT + "\nopen('in.txt', 'w').close()\nemit(OpenLineageClient(), 'mine')\n", environ=TYPE)
    assert len(job.of("journal")) == 1
    assert len(job.of("event")) == len(job.of("end")) == 1
