# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of an event, from what a run used.

>>> early_dataset(Use("file", "/data/a.parquet", path="/data/a.parquet"))["facets"]["datasetType"]["datasetType"]
'FILE'
"""

from __future__ import annotations

from functools import lru_cache

from lineagekit.events import facets
from lineagekit.events.account import Columns, Use
from lineagekit.events.content import content, version_of
from lineagekit.events.facets import Facet
from lineagekit.events.naming import TYPE_LIMIT, safe_column, safe_name, safe_namespace, shorten
from lineagekit.events.ours import model
from lineagekit.events.quality import measured_columns
from lineagekit.events.values import text

MOST_COLUMNS = 1000
"""Columns that an event tells of; how many there are is in our facet."""
MOST_LOCATIONS = 1000

_FILES = frozenset({"file", "s3", "gs", "abfss", "wasbs", "hdfs", "dbfs", "oss", "cos", "r2", "http", "https"})
_TOPICS = frozenset({"kafka", "pubsub"})


def early_dataset(use: Use) -> Facet:
    """A dataset in START: as much as Marquez makes a dataset's version of; the rest is told once, at the end."""
    namespace = safe_namespace(use.namespace)
    told = {"dataSource": facets.data_source(namespace)}
    if columns := _columns(use):
        told["schema"] = _schema(columns)
    if use.realpath and use.realpath != use.path:
        told["symlinks"] = facets.symlinks([("file", safe_name(use.realpath))])
    if kind := _type(use):
        told["datasetType"] = facets.dataset_type(kind)
    return {"namespace": namespace, "name": safe_name(use.name), "facets": told}


def input_dataset(use: Use, early: Facet) -> Facet:
    """An input with its facets; `early` is what START has of it."""
    told = _content("input", use)
    seen = {"lineagekit_inputContent": told}
    if statistics := _statistics("input", told):
        seen["inputStatistics"] = statistics
    if measured := _measured("input", use):
        seen["dataQualityMetrics"] = measured
    if use.subset:
        seen["subset"] = _subset("input", use)
    return {**early, "facets": _facets(use, early, told), "inputFacets": seen}


def output_dataset(use: Use, early: Facet) -> Facet:
    """An output, likewise."""
    told = _content("output", use)
    seen = {"lineagekit_outputContent": told}
    if statistics := _statistics("output", told):
        seen["outputStatistics"] = statistics
    if use.subset:
        seen["subset"] = _subset("output", use)
    whole = _facets(use, early, told)
    if measured := _measured("output", use):
        whole["dataQualityMetrics"] = measured
    return {**early, "facets": whole, "outputFacets": seen}


def _content(role: str, use: Use) -> Facet:
    facet = content(role, use)
    total = len(_columns(use))
    if total > MOST_COLUMNS:
        facet["columnsTotal"] = total
    return facet


def _facets(use: Use, early: Facet, content: Facet) -> dict[str, Facet]:
    told: dict[str, Facet] = {**early["facets"]}  # type: ignore[dict-item]
    if known := version_of(content) or _pinned_version(use):
        told["version"] = facets.version(known)
    if (layer := _scheme(use.namespace)) in _FILES:
        told["storage"] = facets.storage(layer, text(use.format, 255))
    if use.model is not None:
        told["lineagekit_model"] = model(use.model)
    if use.owners:
        told["ownership"] = facets.ownership("Dataset", (text(owner, 255) for owner in use.owners))
    return told


def _statistics(role: str, content: Facet) -> Facet | None:
    rows, size, files = content.get("rows"), content.get("bytes"), content.get("files")
    return None if rows == size == files is None else facets.statistics(role, rows, size, files)


def _pinned_version(use: Use) -> str:
    """A foreign system's own word for it, where there is no digest: what Spark says of Delta and Iceberg."""
    versions = (pin.get("version") for pin in use.pins)
    return text(str(next((one for one in versions if one not in (None, "")), "")))


def _type(use: Use) -> str:
    scheme = _scheme(use.namespace)
    if use.model is not None:
        return "MODEL"
    if use.path or scheme in _FILES:
        return "FILE"
    return "TOPIC" if scheme in _TOPICS else "TABLE" if use.kind == "query" or _columns(use) else ""


def _scheme(namespace: str) -> str:
    return namespace.partition(":")[0]


def _columns(use: Use) -> Columns:
    return use.columns or (use.snapshot.columns if use.snapshot is not None else ())


@lru_cache(maxsize=64)
def _schema(columns: Columns) -> Facet:
    shown = columns[:MOST_COLUMNS]
    return facets.schema((safe_column(name), shorten(text(type_), TYPE_LIMIT) or "unknown") for name, type_ in shown)


def _measured(role: str, use: Use) -> Facet | None:
    snapshot = use.snapshot
    if snapshot is None or snapshot.profile is None or use.state == "unknown":
        return None
    columns = measured_columns(snapshot, MOST_COLUMNS)
    return facets.quality(role, snapshot.profile.rows, snapshot.bytes, columns) if columns else None


def _subset(role: str, use: Use) -> Facet:
    return facets.subset(role, [safe_name(location) for location in use.subset[:MOST_LOCATIONS]])
