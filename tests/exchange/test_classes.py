# SPDX-License-Identifier: Apache-2.0
"""An event that becomes one of openlineage-python's classes says the same afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openlineage.client import event_v2
from openlineage.client.serde import Serde

from lineagekit.exchange.classes import to_class
from tests.exchange.worlds import make_event

FACET = {"_producer": "https://p", "_schemaURL": "https://openlineage.io/spec/facets/1-1-1/X.json#/$defs/X"}
PARENT = {
    "_producer": "https://p",
    "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/ParentRunFacet.json#/$defs/ParentRunFacet",
    "run": {"runId": "01970000-0000-7000-8000-000000000009"},
    "job": {"namespace": "tests", "name": "dag.task"},
}
ROOT = {"run": {"runId": "01970000-0000-7000-8000-000000000008"}, "job": {"namespace": "tests", "name": "dag"}}

EVENTS = {
    "run": make_event(
        1,
        "COMPLETE",
        inputs=[{"namespace": "file", "name": "/a", "facets": {"own": {**FACET, "deep": [{"x": 1.5}]}}}],
        outputs=[{"namespace": "file", "name": "/b", "outputFacets": {"own": {**FACET, "bytes": 7}}}],
    ),
    "run with a parent": make_event(1, "START", run={"runId": ROOT["run"]["runId"], "facets": {"parent": PARENT}}),
    "run with a root": make_event(
        1, "START", run={"runId": ROOT["run"]["runId"], "facets": {"parent": {**PARENT, "root": ROOT}}}
    ),
    "run without a type": {key: value for key, value in make_event(1, "START").items() if key != "eventType"},
    "job": {
        "eventTime": "2026-11-01T00:00:00Z",
        "producer": "https://p",
        "schemaURL": "https://openlineage.io/spec/1-0-5/OpenLineage.json#/definitions/JobEvent",
        "job": {"namespace": "tests", "name": "train", "facets": {"own": FACET}},
        "inputs": [{"namespace": "file", "name": "/a"}],
    },
    "dataset": {
        "eventTime": "2026-11-01T00:00:00Z",
        "producer": "https://p",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
        "dataset": {"namespace": "file", "name": "/a", "facets": {"own": FACET}},
    },
}


def without_empty(value: Any) -> Any:
    """An empty table and one that is not there say the same."""
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := without_empty(one)) not in ({}, [], None)}
    return [without_empty(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", EVENTS)
def test_nothing_is_lost_or_added(kind: str) -> None:
    said = json.loads(Serde.to_json(to_class(EVENTS[kind])))
    assert without_empty(said) == without_empty(EVENTS[kind])


def test_each_event_has_its_class() -> None:
    classes = [type(to_class(EVENTS[kind])) for kind in ("run", "job", "dataset")]
    assert classes == [event_v2.RunEvent, event_v2.JobEvent, event_v2.DatasetEvent]


@pytest.mark.parametrize(
    "event",
    [
        make_event(1, "START", run={"runId": "not-a-uuid"}),
        make_event(1, "BEGIN"),
        make_event(1, "START", eventTime="yesterday"),
        {"eventTime": "2026-11-01T00:00:00Z"},
        make_event(1, "START", inputs=[{"name": "x"}]),
    ],
)
def test_what_they_do_not_allow_is_an_error(event: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        to_class(event)
