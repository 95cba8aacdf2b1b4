# SPDX-License-Identifier: Apache-2.0
"""An event in JSON as openlineage-python's classes, which its transports ask for their fields.

    >>> to_class({"eventType": "START", "run": {"runId": "0197..."}, ...})  # doctest: +SKIP
    RunEvent(eventTime='2026-11-01T00:00:00Z', ...)

Facets stay what they are: a transport passes them on. Only a parent is made one of their class, because the transport
for Kafka finds the partition of a run by it.
"""

from __future__ import annotations

from typing import Any


def to_class(event: dict[str, Any]) -> Any:
    """A RunEvent, JobEvent or DatasetEvent. Raises ValueError, TypeError or KeyError where they do not allow it."""
    from openlineage.client import event_v2

    made: Any
    common = {"eventTime": event["eventTime"], "producer": event.get("producer", "")}
    if "run" in event:
        kind = event_v2.RunState(event["eventType"]) if event.get("eventType") else None
        made = event_v2.RunEvent(run=_run(event["run"]), eventType=kind, **_job_and_datasets(event), **common)
    elif "job" in event:
        made = event_v2.JobEvent(**_job_and_datasets(event), **common)
    else:
        made = event_v2.DatasetEvent(dataset=event_v2.StaticDataset(**_known(event["dataset"], "facets")), **common)
    made.schemaURL = event.get("schemaURL", made.schemaURL)
    return made


def _job_and_datasets(event: dict[str, Any]) -> dict[str, Any]:
    from openlineage.client import event_v2

    return {
        "job": event_v2.Job(**_known(event["job"], "facets")),
        "inputs": [event_v2.InputDataset(**_known(one, "facets", "inputFacets")) for one in event.get("inputs") or ()],
        "outputs": [
            event_v2.OutputDataset(**_known(one, "facets", "outputFacets")) for one in event.get("outputs") or ()
        ],
    }


def _run(run: dict[str, Any]) -> Any:
    from openlineage.client import event_v2

    facets = dict(run.get("facets") or {})
    if "parent" in facets:
        facets["parent"] = _parent(facets["parent"])
    return event_v2.Run(runId=run["runId"], facets=facets)


def _parent(facet: dict[str, Any]) -> Any:
    from openlineage.client.facet_v2 import parent_run

    made = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=facet["run"]["runId"]),
        job=parent_run.Job(namespace=facet["job"]["namespace"], name=facet["job"]["name"]),
        producer=facet.get("_producer", ""),
    )
    if root := facet.get("root"):
        made.root = parent_run.Root(
            run=parent_run.RootRun(runId=root["run"]["runId"]),
            job=parent_run.RootJob(namespace=root["job"]["namespace"], name=root["job"]["name"]),
        )
    made._schemaURL = facet.get("_schemaURL", made._schemaURL)
    return made


def _known(thing: dict[str, Any], *facets: str) -> dict[str, Any]:
    """Namespace, name and facets: the only fields that the classes have."""
    return {"namespace": thing["namespace"], "name": thing["name"], **{key: thing.get(key) or {} for key in facets}}
