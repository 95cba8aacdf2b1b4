# SPDX-License-Identifier: Apache-2.0
"""A run for people: what all of its events together say, whoever sent them and in whatever order they came.

>>> said = {"eventType": "COMPLETE", "run": {"runId": "r"}, "job": {"namespace": "n", "name": "train"}, "inputs": []}
>>> summarize([said]).job
'train'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineagekit.events.lenient import mapping
from lineagekit.events.owners import dataset_title

FAILED = "FAIL"
ENDS = ("COMPLETE", FAILED, "ABORT")
_CONTENT = {
    "inputs": ("inputFacets", "lineagekit_inputContent"),
    "outputs": ("outputFacets", "lineagekit_outputContent"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A dataset, as one run saw it."""

    namespace: str
    name: str
    facets: Mapping[str, Any]
    content: Mapping[str, Any]
    """Our facet with the digests; empty where the producer has none."""

    @property
    def title(self) -> str:
        """What a person calls it: a path, or namespace and name."""
        return dataset_title(self.namespace, self.name)

    @property
    def digest(self) -> str:
        """What names its bytes best, or ''; a foreign producer's version at last."""
        for key in ("digest", "lks1", "lkt1", "records"):
            if key in self.content:
                return str(self.content[key])
        return str(mapping(self.facets.get("version")).get("datasetVersion", ""))

    @property
    def model(self) -> Mapping[str, Any] | None:
        """Name and version, where it is a model."""
        if mapping(self.facets.get("datasetType")).get("datasetType") == "MODEL":
            return mapping(self.facets.get("lineagekit_model"))
        return None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run."""

    run: str
    job: str
    namespace: str
    state: str
    began: str
    ended: str
    inputs: tuple[Seen, ...]
    outputs: tuple[Seen, ...]
    facets: Mapping[str, Any] = field(default_factory=dict)
    job_facets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metrics(self) -> list[Mapping[str, Any]]:
        """What it measured."""
        return list(mapping(self.facets.get("lineagekit_metrics")).get("metrics", ()))

    @property
    def params(self) -> dict[str, str]:
        """What it was set to."""
        ours = mapping(self.facets.get("lineagekit_params")).get("params")
        theirs = mapping(self.facets.get("executionParameters")).get("parameters", ())
        return {str(one.get("name", one.get("key"))): str(one.get("value", "")) for one in ours or theirs}


def page_of(facets: Mapping[str, Any]) -> str:
    """Where a scheduler shows this run to people, as its facets tell: Airflow's page of the task; "" without one."""
    page = mapping(mapping(facets.get("airflow")).get("taskInstance")).get("log_url")
    return page if isinstance(page, str) and page.startswith(("http://", "https://")) else ""


def outcome(ends: Iterable[str]) -> str:
    """What a run came to, from the types of the events that ended it, oldest first.

    A failure stays one: nobody says FAIL by mistake, but Spark says COMPLETE a moment after it. Our own settler, which
    can only guess that a silent run was killed, says ABORT of it, and the end that comes after all counts.
    """
    state = "RUNNING"
    for end in ends:
        state = state if state == FAILED else end
    return state


def summarize(events: Iterable[Mapping[str, Any]]) -> RunSummary:
    """Put a run together from its events."""
    ordered = sorted(events, key=lambda event: (str(event.get("eventType")) in ENDS, str(event.get("eventTime", ""))))
    times = [str(event.get("eventTime", "")) for event in ordered]
    state = outcome(str(event["eventType"]) for event in ordered if event.get("eventType") in ENDS)
    last = ordered[-1]
    return RunSummary(
        run=str(last["run"]["runId"]),
        job=str(last["job"]["name"]),
        namespace=str(last["job"]["namespace"]),
        state=state,
        began=min(times),
        ended=max(times) if state != "RUNNING" else "",
        inputs=_datasets(ordered, "inputs"),
        outputs=_datasets(ordered, "outputs"),
        facets=_merged(event["run"] for event in ordered),
        job_facets=_merged(event["job"] for event in ordered),
    )


def _datasets(events: Iterable[Mapping[str, Any]], side: str) -> tuple[Seen, ...]:
    of_side, ours = _CONTENT[side]
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for event in events:
        for dataset in event.get(side) or ():
            kept = found.setdefault((str(dataset["namespace"]), str(dataset["name"])), {"facets": {}, "side": {}})
            kept["facets"].update(mapping(dataset.get("facets")))
            kept["side"].update(mapping(dataset.get(of_side)))
    return tuple(
        Seen(namespace, name, kept["facets"], mapping(kept["side"].get(ours)))
        for (namespace, name), kept in found.items()
    )


def _merged(things: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: facet for thing in things for key, facet in mapping(thing.get("facets")).items()}
