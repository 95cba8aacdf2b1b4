# SPDX-License-Identifier: Apache-2.0
"""Events of openlineage-python as plain values: what its own serializer makes of them, in one walk."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import attr
import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    documentation_job,
    error_message_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.serde import Serde

from lineagekit.agent import foreign
from lineagekit.agent.foreign import as_mapping

RUN = "0198c0de-0000-7000-8000-000000000000"


class Info(dict[str, Any]):
    """Airflow tells of its tasks in dictionaries of a kind of its own."""


class Color(Enum):
    RED = "red"


@attr.define
class Facet:
    """One that a user has written."""

    value: Any


def event(**facets: Any) -> RunEvent:
    parent = parent_run.ParentRunFacet(parent_run.Run(RUN), parent_run.Job("prod", "shop"))
    fields = [
        schema_dataset.SchemaDatasetFacetFields("x", "int", fields=[]),
        schema_dataset.SchemaDatasetFacetFields("y"),
    ]
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2026-11-01T06:00:00Z",
        run=Run(RUN, {"parent": parent, **facets}),
        job=Job("prod", "shop.load", {"documentation": documentation_job.DocumentationJobFacet("loads")}),
        inputs=[InputDataset("file", "/a", facets={"schema": schema_dataset.SchemaDatasetFacet(fields=fields)})],
        outputs=[
            OutputDataset(
                "file",
                "/b",
                outputFacets={"stats": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=5)},
            )
        ],
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        "é\n",
        1,
        1.5,
        True,
        [],
        {},
        [None, {}, {"a": None}, [], "x"],
        (1, (2, 3)),
        {"a": {"b": None, "c": [{"d": 1}]}},
        Info(a=1, b=Info(), c=None),
        Color.RED,
        RunState.START,
        Facet({"a": Facet([Facet(None), Facet(1)])}),
    ],
    ids=repr,
)
def test_one_walk_makes_what_the_serializer_makes(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = event(ours=Facet(value), error=error_message_run.ErrorMessageRunFacet("no", "python"))
    expected = json.loads(Serde.to_json(told))
    monkeypatch.delattr(foreign, "_through_json")  # it is not asked
    assert as_mapping(told) == expected


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 1, tzinfo=UTC),
        uuid.UUID(RUN),
        {1: "a"},
        {"a", "b"},
        b"bytes",
        object(),
        type("int64", (int,), {})(5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_has_no_word_for_is_left_to_the_serializer(value: Any) -> None:
    told = event(ours=Facet(value))
    assert as_mapping(told) == json.loads(Serde.to_json(told))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]], ids=repr)
def test_a_number_that_is_none_is_null(value: Any) -> None:
    told = as_mapping(event(ours=Facet(value)))
    json.dumps(told, allow_nan=False)
    assert told["run"]["runId"] == RUN


def test_a_mapping_and_text_stay_what_they_are() -> None:
    assert as_mapping({"a": None, "b": [{}]}) == {"a": None, "b": [{}]}
    assert as_mapping('{"a": NaN}') == {"a": None}
    assert as_mapping("[1]") == {"event": [1]}
