# SPDX-License-Identifier: Apache-2.0
"""Run facets of our own: `lineagekit_code`, `_params`, `_metrics`, `_environment`, `_event`, `_run`, and `_model`.

Their schemas are in `schemas/`, at the same names as their URLs; a published one is never changed, a new version gets a
new folder in the URL.

>>> listed_params({"C": 0.3, "seed": None})
[{'name': 'C', 'type': 'float', 'value': '0.3'}, {'name': 'seed', 'type': 'null', 'value': ''}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from math import isfinite
from typing import TypeGuard

from lineagekit.events.account import Account, Code, Metric, ModelName
from lineagekit.events.facets import PRODUCER, Facet
from lineagekit.events.naming import JOB_LIMIT, NAMESPACE_LIMIT, escape_name, run_id
from lineagekit.events.values import KEY_LIMIT, Plain, count, float_name, integer_text, plain, plain_mapping, text

MOST_ITEMS = 5000
"""Of parameters, modules, packages; and what was cut is counted beside."""
MOST_METRICS = 1000


def schema_url(file: str, name: str = "") -> str:
    """Where the schema of a facet of ours is, for good; `name` where a file has several."""
    return f"https://lineagekit.dev/schemas/1-0-0/Lineagekit{file}.json#/$defs/Lineagekit{name or file}"


_CODE = schema_url("CodeRunFacet")
_PARAMS = schema_url("ParamsRunFacet")
_METRICS = schema_url("MetricsRunFacet")
_ENVIRONMENT = schema_url("EnvironmentRunFacet")
_EVENT = schema_url("EventRunFacet")
_RUN = schema_url("RunRunFacet")
_MODEL = schema_url("ModelDatasetFacet")


def event(journal: str, sequence: int) -> Facet:
    """What names an event for good: with the run, this is all that its identity depends on."""
    return {"_producer": PRODUCER, "_schemaURL": _EVENT, "journal": text(journal), "sequence": sequence}


@lru_cache(maxsize=256)
def model(named: ModelName) -> Facet:
    """That a dataset is a model, and what people call it."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _MODEL}
    for key, value in zip(("name", "version"), named, strict=True):
        if value:
            facet[key] = text(value)
    return facet


def listed_params(values: Mapping[str, object]) -> list[dict[str, str]]:
    """Name, type and value of each, as texts: 1 and 1.0 are one number on other machines."""
    return [_param(name, value) for name, value in islice(values.items(), MOST_ITEMS)]


def params(listed: Sequence[Mapping[str, str]], total: int) -> Facet:
    """What a run was set to."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _PARAMS, "params": listed}
    return {**facet, "paramsTotal": total} if total > len(listed) else facet


def value_text(value: object) -> str:
    """A parameter's value as one text: JSON for what has parts."""
    if isinstance(value, str):
        return text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return integer_text(value)
    if isinstance(value, float):
        return repr(value) if isfinite(value) else float_name(value)
    return text(_json(value))


def _json(value: object) -> str:
    """With nulls and NaN, since it is a text; what is too deep or too long for JSON is cut first."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(plain([value]), ensure_ascii=False, sort_keys=True)[1:-1]


def _param(name: str, value: object) -> dict[str, str]:
    type_ = "null" if value is None else type(value).__name__
    return {"name": text(name, 255), "type": text(type_, 255), "value": value_text(value)}


def chosen_metrics(metrics: Sequence[Metric]) -> list[Metric]:
    """All of them; of too many the last of each name, and of those the last thousand."""
    if len(metrics) <= MOST_METRICS:
        return list(metrics)
    last = {(metric.name, metric.of, metric.on): metric for metric in metrics}
    return list(last.values())[-MOST_METRICS:]


def metrics(chosen: Sequence[Metric], total: int) -> Facet:
    """What was measured, of which model, on which data."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _METRICS, "metrics": [_metric(one) for one in chosen]}
    return {**facet, "metricsTotal": total} if total > len(chosen) else facet


def metric_details(metric: Metric) -> dict[str, Plain]:
    """Whatever was said of it beside name and value."""
    told: dict[str, Plain] = {}
    if metric.of:
        told["of"] = escape_name(metric.of)
    if metric.on:
        told["on"] = escape_name(metric.on)
    if metric.higher_is_better is not None:
        told["higherIsBetter"] = metric.higher_is_better
    if (step := count(metric.step)) is not None:
        told["step"] = step
    return told


def outcome(metric: Metric) -> Facet:
    """A metric as the standard's `test` facet tells of one: measured is passed, without a number is skipped."""
    measured = metric.value is not None and isfinite(metric.value)
    told: Facet = {"name": text(metric.name, 255), "status": "pass" if measured else "skip", "type": "metric"}
    if metric.value is not None:
        told["actual"] = value_text(metric.value)
    details = metric_details(metric)
    return {**told, "params": details} if details else told


def _metric(metric: Metric) -> dict[str, Plain]:
    told: dict[str, Plain] = {"name": text(metric.name, 255), **metric_details(metric)}
    value = plain(metric.value)
    if value is not None:
        told["text" if isinstance(value, str) else "value"] = value
    return told


def code(code: Code) -> Facet:
    """What ran: commit, and digests of each module of the project."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _CODE}
    for key, value in (("repository", code.repository), ("commit", code.commit), ("entry", code.entry)):
        if value:
            facet[key] = escape_name(value)
    if code.dirty is not None:
        facet["dirty"] = code.dirty
    if code.modules:
        facet["modules"] = list(map(_module, code.modules[:MOST_ITEMS]))
    if len(code.modules) > MOST_ITEMS:
        facet["modulesTotal"] = len(code.modules)
    if code.cells:
        facet["cells"] = plain(code.cells[:MOST_ITEMS])
    if code.clock:
        facet["clock"] = [escape_name(place) for place in code.clock[:MOST_ITEMS]]
    return facet


@lru_cache(maxsize=4096)
def _module(module: tuple[str, str, tuple[str, ...]]) -> Facet:
    """Remembered: the runs of a project run the same modules."""
    name, path, digests = module
    return {"name": text(name), "path": escape_name(path), "digests": [text(one) for one in digests]}


def environment(values: Mapping[str, object]) -> Facet:
    """What the code ran in: names and digests, never values of variables."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _ENVIRONMENT}
    for key, value in values.items():
        kept = _texts(tuple(value.items())) if _is_texts(value) else plain(value)
        if kept is not None and not key.startswith("_"):
            facet[text(key, KEY_LIMIT)] = kept
    return facet


def _is_texts(value: object) -> TypeGuard[dict[str, str]]:
    return type(value) is dict and {*map(type, value.values())} == {str}


@lru_cache(maxsize=64)
def _texts(pairs: tuple[tuple[str, str], ...]) -> Facet:
    """Remembered: the runs of a project load the same packages."""
    return {text(key, KEY_LIMIT): text(value) for key, value in pairs[:MOST_ITEMS]}


def run(account: Account) -> Facet:
    """How the run came about, what went wrong on our side, what nobody watched."""
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _RUN}
    for key, value in (("how", account.how), ("host", account.host)):
        if value:
            facet[key] = text(value)
    for key, path in (("cwd", account.cwd), ("entry", account.entry)):
        if path:
            facet[key] = escape_name(path)
    if account.argv:
        facet["argv"] = [text(word) for word in account.argv[:MOST_METRICS]]
    if account.exit is not None:
        facet["exit"] = plain(account.exit)
    if account.killed:
        facet["killed"] = True
    _add_said(facet, account)
    _add_gaps(facet, account)
    return facet


def _add_said(facet: Facet, account: Account) -> None:
    if account.extra:
        facet["extra"] = plain_mapping(account.extra)
    if len(account.job) * 4 > JOB_LIMIT and len(escape_name(account.job).encode()) > JOB_LIMIT:
        facet["job"] = text(escape_name(account.job), 100_000)
    if run_id(account.run) != account.run.lower():
        facet["run"] = text(account.run)
    if len(account.namespace) * 4 > NAMESPACE_LIMIT:
        facet["namespace"] = text(account.namespace)


def _add_gaps(facet: Facet, account: Account) -> None:
    if account.troubles:
        facet["troubles"] = [
            {"where": text(one.where), "error": text(one.error), "count": count(one.count) or 1}
            for one in account.troubles[:MOST_METRICS]
        ]
    if account.unwatched:
        facet["unwatched"] = [text(peer) for peer in account.unwatched[:MOST_METRICS]]
