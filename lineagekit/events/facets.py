# SPDX-License-Identifier: Apache-2.0
"""Facets of the OpenLineage standard, one function each, as plain dictionaries.

Arguments are safe already (`values`, `naming`). Facets without variable parts are made once and shared by all events:
treat what is built as immutable.

    >>> version("blake3:00")["datasetVersion"]
    'blake3:00'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

from lineagekit.config import VERSION

Facet = dict[str, object]

PRODUCER = f"https://github.com/lineagekit/lineagekit/tree/{VERSION}"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
RUN_FACET_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"
URL_LIMIT = 255
"""Characters of a job's location in Marquez: a longer one fails the event."""

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def _standard(path: str, name: str = "") -> str:
    return f"https://openlineage.io/spec/facets/{path}.json#/$defs/{name or path.partition('/')[2]}"


_VERSION = _standard("1-0-1/DatasetVersionDatasetFacet")
_TYPE = _standard("1-0-1/DatasetTypeDatasetFacet")
_SCHEMA = _standard("1-2-0/SchemaDatasetFacet")
_STORAGE = _standard("1-0-1/StorageDatasetFacet")
_SOURCE = _standard("1-0-1/DatasourceDatasetFacet")
_SYMLINKS = _standard("1-0-1/SymlinksDatasetFacet")
_INPUT_STATISTICS = _standard("1-0-0/InputStatisticsInputDatasetFacet")
_OUTPUT_STATISTICS = _standard("1-0-2/OutputStatisticsOutputDatasetFacet")
_INPUT_QUALITY = _standard("1-0-3/DataQualityMetricsInputDatasetFacet")
_QUALITY = _standard("1-0-0/DataQualityMetricsDatasetFacet")
_INPUT_SUBSET = _standard("1-0-0/BaseSubsetDatasetFacet", "InputSubsetInputDatasetFacet")
_OUTPUT_SUBSET = _standard("1-0-0/BaseSubsetDatasetFacet", "OutputSubsetOutputDatasetFacet")
_LOCATION = _standard("1-1-0/SourceCodeLocationJobFacet")
_SQL = _standard("1-1-0/SQLJobFacet")
_JOB_TYPE = _standard("2-0-4/JobTypeJobFacet")
_OWNERSHIP = {of: _standard(f"1-0-1/Ownership{of}Facet") for of in ("Job", "Dataset")}
_DOCUMENTATION = _standard("1-1-0/DocumentationJobFacet")
_PARENT = _standard("1-2-0/ParentRunFacet")
_PARAMETERS = _standard("1-0-0/ExecutionParametersRunFacet")
_TEST = _standard("1-0-1/TestRunFacet")
_ENGINE = _standard("1-1-1/ProcessingEngineRunFacet")
_ERROR = _standard("1-0-1/ErrorMessageRunFacet")
_TAGS = _standard("1-0-0/TagsRunFacet")


def version(dataset_version: str) -> Facet:
    """Which version of a dataset: its digest, or a foreign system's name for it."""
    return {"_producer": PRODUCER, "_schemaURL": _VERSION, "datasetVersion": dataset_version}


@lru_cache(maxsize=64)
def dataset_type(name: str) -> Facet:
    """`FILE`, `TABLE`, `MODEL`..."""
    return {"_producer": PRODUCER, "_schemaURL": _TYPE, "datasetType": name}


def schema(columns: Iterable[tuple[str, str]]) -> Facet:
    """Columns with their types."""
    fields = [{"name": name, "type": type_} for name, type_ in columns]
    return {"_producer": PRODUCER, "_schemaURL": _SCHEMA, "fields": fields}


@lru_cache(maxsize=1024)
def storage(layer: str, file_format: str) -> Facet:
    """Where it lies, and in which format."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _STORAGE, "storageLayer": layer}
    return {**facet, "fileFormat": file_format} if file_format else facet


@lru_cache(maxsize=1024)
def data_source(namespace: str) -> Facet:
    """The system that a namespace names. Never left out: Marquez fails for good where it is missing."""
    uri = namespace if _SCHEME.match(namespace) else f"{namespace}://" if _SCHEME.match(namespace + ":") else ""
    uri = uri or "namespace:" + quote(namespace)
    return {"_producer": PRODUCER, "_schemaURL": _SOURCE, "name": namespace, "uri": uri}


def symlinks(identifiers: Iterable[tuple[str, str]]) -> Facet:
    """Other names of the same place."""
    named = [{"namespace": namespace, "name": name, "type": "LOCATION"} for namespace, name in identifiers]
    return {"_producer": PRODUCER, "_schemaURL": _SYMLINKS, "identifiers": named}


def statistics(role: str, rows: object, size: object, files: object) -> Facet:
    """How much an input or output is."""
    url = _INPUT_STATISTICS if role == "input" else _OUTPUT_STATISTICS
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": url}
    if rows is not None:
        facet["rowCount"] = rows
    if size is not None:
        facet["size"] = size
    if files is not None:
        facet["fileCount"] = files
    return facet


def quality(role: str, rows: int, size: int | None, columns: Mapping[str, Facet]) -> Facet:
    """What its columns hold, in numbers."""
    url = _INPUT_QUALITY if role == "input" else _QUALITY
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": url, "rowCount": rows, "columnMetrics": columns}
    return {**facet, "bytes": size} if size is not None else facet


def subset(role: str, locations: Sequence[str]) -> Facet:
    """Which part of it was read or written."""
    condition = {"type": "location", "locations": locations}
    if role == "input":
        return {"_producer": PRODUCER, "_schemaURL": _INPUT_SUBSET, "inputCondition": condition}
    return {"_producer": PRODUCER, "_schemaURL": _OUTPUT_SUBSET, "outputCondition": condition}


def source_code_location(where: Mapping[str, str]) -> Facet:
    """The commit and path of a script; `where` has at least `url`."""
    return {"_producer": PRODUCER, "_schemaURL": _LOCATION, "type": "git", **where}


def sql(query: str, dialect: str) -> Facet:
    """The statements of a job."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _SQL, "query": query}
    return {**facet, "dialect": dialect} if dialect else facet


JOB_TYPE: Facet = {
    "_producer": PRODUCER,
    "_schemaURL": _JOB_TYPE,
    "processingType": "BATCH",
    "integration": "LINEAGEKIT",
    "jobType": "JOB",
}


def ownership(of: str, owners: Iterable[str]) -> Facet:
    """Who answers for a `Job` or a `Dataset`."""
    return {"_producer": PRODUCER, "_schemaURL": _OWNERSHIP[of], "owners": [{"name": name} for name in owners]}


def documentation(description: str) -> Facet:
    """What a job is for."""
    return {"_producer": PRODUCER, "_schemaURL": _DOCUMENTATION, "description": description}


def parent(run: str, job: tuple[str, str], root: tuple[str, tuple[str, str]] | None) -> Facet:
    """The run that began this one, and the run that began them all."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _PARENT, **_run_and_job(run, job)}
    return {**facet, "root": _run_and_job(*root)} if root else facet


def _run_and_job(run: str, job: tuple[str, str]) -> Facet:
    return {"run": {"runId": run}, "job": {"namespace": job[0], "name": job[1]}}


def execution_parameters(parameters: Iterable[tuple[str, str]]) -> Facet:
    """What a run was set to, as texts."""
    listed = [{"key": name, "name": name, "value": value} for name, value in parameters]
    return {"_producer": PRODUCER, "_schemaURL": _PARAMETERS, "parameters": listed}


def outcomes(tests: Sequence[Facet]) -> Facet:
    """What was measured; the facet's key is `test`."""
    return {"_producer": PRODUCER, "_schemaURL": _TEST, "tests": tests}


@lru_cache(maxsize=64)
def processing_engine(python: str) -> Facet:
    """What ran the job."""
    return {
        "_producer": PRODUCER,
        "_schemaURL": _ENGINE,
        "name": "Python",
        "version": python,
        "openlineageAdapterVersion": VERSION,
    }


def error_message(message: str, stack_trace: str) -> Facet:
    """Why a run failed."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _ERROR, "message": message, "programmingLanguage": "PYTHON"}
    return {**facet, "stackTrace": stack_trace} if stack_trace else facet


def tags(pairs: Iterable[tuple[str, str]]) -> Facet:
    """What the author said of a run."""
    listed = [{"key": key, "value": value, "source": "USER"} for key, value in pairs]
    return {"_producer": PRODUCER, "_schemaURL": _TAGS, "tags": listed}
