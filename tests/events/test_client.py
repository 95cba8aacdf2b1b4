# SPDX-License-Identifier: Apache-2.0
"""openlineage-python's own classes take all that is built, and write the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import attr
import pytest
from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde

from lineagekit.events.build import build_events, build_late
from tests.events.accounts import FULL

EVENTS = [*build_events(FULL), build_late(FULL, 2)]

CLASSES = {
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "datasetType": facet_v2.dataset_type_dataset.DatasetTypeDatasetFacet,
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "storage": facet_v2.storage_dataset.StorageDatasetFacet,
    "dataSource": facet_v2.datasource_dataset.DatasourceDatasetFacet,
    "symlinks": facet_v2.symlinks_dataset.SymlinksDatasetFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
    "subset": facet_v2.base_subset_dataset.InputSubsetInputDatasetFacet,
    "sourceCodeLocation": facet_v2.source_code_location_job.SourceCodeLocationJobFacet,
    "sql": facet_v2.sql_job.SQLJobFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "ownership": facet_v2.ownership_job.OwnershipJobFacet,
    "documentation": facet_v2.documentation_job.DocumentationJobFacet,
    "parent": facet_v2.parent_run.ParentRunFacet,
    "executionParameters": facet_v2.execution_parameters_run.ExecutionParametersRunFacet,
    "test": facet_v2.test_run.TestRunFacet,
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "tags": facet_v2.tags_run.TagsRunFacet,
}
PARTS = {
    "fields": facet_v2.schema_dataset.SchemaDatasetFacetFields,
    "identifiers": facet_v2.symlinks_dataset.Identifier,
    "owners": facet_v2.ownership_job.Owner,
    "parameters": facet_v2.execution_parameters_run.ExecutionParameter,
    "tests": facet_v2.test_run.TestExecution,
    "tags": facet_v2.tags_run.TagsRunFacetFields,
    "inputCondition": facet_v2.base_subset_dataset.LocationSubsetCondition,
    "run": facet_v2.parent_run.Run,
    "job": facet_v2.parent_run.Job,
}


def retold(event: dict[str, Any]) -> event_v2.RunEvent:
    """The event made of the classes of the client."""
    run, job = event["run"], event["job"]
    return event_v2.RunEvent(
        eventTime=event["eventTime"],
        eventType=event_v2.RunState(event["eventType"]),
        producer=event["producer"],
        run=event_v2.Run(run["runId"], facets_of(run["facets"])),
        job=event_v2.Job(job["namespace"], job["name"], facets_of(job["facets"])),
        inputs=[dataset(event_v2.InputDataset, one, "inputFacets") for one in event["inputs"]],
        outputs=[dataset(event_v2.OutputDataset, one, "outputFacets") for one in event["outputs"]],
    )


def dataset(class_: Any, told: dict[str, Any], place: str) -> Any:
    own = {place: facets_of(told[place])} if place in told else {place: None}
    return class_(told["namespace"], told["name"], facets=facets_of(told["facets"]), **own)


def facets_of(told: dict[str, Any]) -> dict[str, Any]:
    return {key: facet(key, one) for key, one in told.items()}


def facet(key: str, told: dict[str, Any]) -> Any:
    fields = {name: part(name, value) for name, value in told.items() if not name.startswith("_")}
    class_ = CLASSES.get(key) or custom(told["_schemaURL"], fields)
    if "outputCondition" in fields:
        class_ = facet_v2.base_subset_dataset.OutputSubsetOutputDatasetFacet
    return class_(producer=told["_producer"], **fields)


def part(name: str, value: Any) -> Any:
    class_ = PARTS.get(name)
    if class_ is None or isinstance(value, str):
        return value
    return [class_(**one) for one in value] if isinstance(value, list) else class_(**value)


def custom(url: str, names: Iterable[str]) -> Any:
    """A class as people write one for a facet of their own."""
    attributes = {name: attr.ib(kw_only=True) for name in names}
    body = {"_get_schema": staticmethod(lambda: url)}
    return attr.make_class("Own", attributes, bases=(facet_v2.RunFacet,), class_body=body)


def comparable(text: str) -> Any:
    """Clients of several releases know several revisions of a facet, and write lists and objects that are empty."""
    return without_empty(json.loads(re.sub(r"(?<=/spec/facets/)\d+-\d+-\d+", "X", text)))


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := without_empty(one)) not in ({}, [])}
    return [without_empty(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["eventType"])
def test_the_client_writes_the_same(event: dict[str, Any]) -> None:
    assert comparable(Serde.to_json(retold(event))) == comparable(json.dumps(event))


def test_every_standard_facet_that_is_built_was_compared() -> None:
    seen = {
        key
        for event in EVENTS
        for holder in (event["run"], event["job"], *event["inputs"], *event["outputs"])  # type: ignore[has-type, misc]
        for place in ("facets", "inputFacets", "outputFacets")
        for key in holder.get(place, {})
    }
    assert {key for key in seen if not key.startswith(("lineagekit_", "acme_"))} == set(CLASSES)
