# SPDX-License-Identifier: Apache-2.0
"""What an event says beside its data: code, parameters, environment, metrics, owners; ours and the standard's.

>>> said = Said("run", "COMPLETE", 0)
>>> read_facts({"lineagekit_metrics": {"metrics": [{"name": "auc", "value": 0.9, "of": "/m.pkl"}]}}, {}, said)
>>> said.grades[0].value
0.9
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lineagekit.events.lenient import Facets, count, facet, objects, text
from lineagekit.events.said import Grade, Said

_NOT_COMPARED = ("_producer", "_schemaURL")


def read_facts(run: Facets, job: Facets, said: Said) -> None:
    """Add them to what was read of an event."""
    if "lineagekit_metrics" in run:
        said.grades = tuple(_grades(facet(run, "lineagekit_metrics")))
    if "ownership" in job:
        said.owners = tuple(read_owners(facet(job, "ownership")))
    code = facet(run, "lineagekit_code") or _location(facet(job, "sourceCodeLocation"), facet(job, "sourceCode"))
    params = facet(run, "lineagekit_params").get("params") or facet(run, "executionParameters").get("parameters")
    environment = facet(run, "lineagekit_environment") or _engine(facet(run, "processing_engine"))
    for kind, found in (("code", code), ("params", _params(params)), ("environment", environment)):
        if found:
            said.facts[kind] = {key: value for key, value in found.items() if key not in _NOT_COMPARED}


def read_owners(facet: Facets) -> Iterator[str]:
    """Names in an `ownership` facet."""
    return (name for one in objects(facet.get("owners")) if (name := text(one.get("name"))))


def _params(params: object) -> Mapping[str, str]:
    return {
        name: text(one.get("value"))
        for one in objects(params)
        if (name := text(one.get("name")) or text(one.get("key")))
    }


def _location(location: Facets, source: Facets) -> Facets:
    """What other producers say of their code."""
    found = {key: text(location.get(key)) for key in ("url", "version", "path") if location.get(key)}
    if code := text(source.get("sourceCode")):
        found["source"] = code
    return found


def _engine(engine: Facets) -> Facets:
    return {key: text(engine.get(key)) for key in ("name", "version") if engine.get(key)}


def _grades(metrics: Facets) -> Iterator[Grade]:
    for metric in objects(metrics.get("metrics")):
        value, better = metric.get("value", metric.get("text")), metric.get("higherIsBetter")
        if name := text(metric.get("name")):
            yield Grade(
                name,
                float(value) if isinstance(value, int | float) else text(value) or None,
                text(metric.get("of")),
                text(metric.get("on")),
                better if isinstance(better, bool) else None,
                count(metric.get("step")),
            )
