# SPDX-License-Identifier: Apache-2.0
"""The shapes of events that others send: what must be there for lineage, and nothing more.

Fields that nobody knows are passed over, facets that are null are none, run ids need not be UUIDs: producers differ,
and what they sent is kept as it came. `wire.read_event` is the way in.

    >>> RunEvent.model_validate({"eventTime": "2026-11-01T00:00:00Z", "run": {"runId": "r"}, "job": {"namespace": "n",
    ...     "name": "j"}, "inputs": None}).inputs
    ()
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _require_moment(value: object) -> object:
    """Pydantic would take `1700000000` and `2026-11-01` for times too."""
    if not isinstance(value, str) or len(value) < 16 or value[4] != "-":
        raise ValueError("a time such as 2026-11-01T09:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _none_as_empty(value: object) -> object:
    return () if value is None else value


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: facet for key, facet in value.items() if facet is not None} if None in value.values() else value
    return {} if value is None else value


Moment = Annotated[datetime, BeforeValidator(_require_moment), AfterValidator(_in_utc)]
Facets = Annotated[dict[str, dict[str, Any]], BeforeValidator(_without_nulls)]
Name = Annotated[str, Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Run(_Shape):
    """A run."""

    run_id: Name = Field(alias="runId")
    facets: Facets = Field(default_factory=dict)


class Job(_Shape):
    """A job."""

    namespace: str
    name: Name
    facets: Facets = Field(default_factory=dict)


class Dataset(_Shape):
    """A dataset; `role_facets` are its `inputFacets` or `outputFacets`."""

    namespace: str
    name: Name
    facets: Facets = Field(default_factory=dict)


class InputDataset(Dataset):
    """An input of a run or job."""

    role_facets: Facets = Field(default_factory=dict, alias="inputFacets")


class OutputDataset(Dataset):
    """An output of a run or job."""

    role_facets: Facets = Field(default_factory=dict, alias="outputFacets")


Inputs = Annotated[tuple[InputDataset, ...], BeforeValidator(_none_as_empty)]
Outputs = Annotated[tuple[OutputDataset, ...], BeforeValidator(_none_as_empty)]


class RunEvent(_Shape):
    """Something happened to a run; without `event_type` it is as good as OTHER."""

    kind: Literal["run"] = "run"
    time: Moment = Field(alias="eventTime")
    event_type: str | None = Field(default=None, alias="eventType")
    run: Run
    job: Job
    inputs: Inputs = ()
    outputs: Outputs = ()


class JobEvent(_Shape):
    """A job as it was designed."""

    kind: Literal["job"] = "job"
    time: Moment = Field(alias="eventTime")
    job: Job
    inputs: Inputs = ()
    outputs: Outputs = ()


class DatasetEvent(_Shape):
    """A dataset as it was designed."""

    kind: Literal["dataset"] = "dataset"
    time: Moment = Field(alias="eventTime")
    dataset: Dataset


Event = RunEvent | JobEvent | DatasetEvent
