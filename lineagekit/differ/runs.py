# SPDX-License-Identifier: Apache-2.0
"""Two runs: what they read and wrote, code, parameters, environment, metrics.

>>> compare_runs("model-42@1", before, "model-42@2", after, store=None).verdict  # doctest: +SKIP
'changed (input orders.csv, parameter lr, metric auc)'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineagekit.differ.changes import Level
from lineagekit.differ.difference import Difference, FactChange, RunChanges, UseChange
from lineagekit.differ.kept import Kept, kept_of
from lineagekit.differ.remembered import compare_kept
from lineagekit.differ.steps import Steps
from lineagekit.events.lenient import facet, objects, text
from lineagekit.events.summary import RunSummary, Seen
from lineagekit.store.log import Store

_SECTIONS = ("code", "parameter", "environment", "metric")
_NOT_COMPARED = ("_producer", "_schemaURL")
_MOST_NAMES, _MOST_VERDICTS = 5, 10
Values = Mapping[str, str]


def compare_runs(
    named: tuple[str, str],
    before: RunSummary,
    after: RunSummary,
    store: Store,
    *,
    grades: tuple[Values, Values] = ({}, {}),
) -> Difference:
    """Compare two runs; datasets by the digests that the runs saw. `grades` are metrics that others reported."""
    uses = tuple(_uses("input", before.inputs, after.inputs, store))
    uses += tuple(_uses("output", before.outputs, after.outputs, store))
    facts: list[FactChange] = []
    same, unknown = [], []
    for section in _SECTIONS:
        one, other = _values(section, before), _values(section, after)
        if section == "metric":
            one, other = {**grades[0], **one}, {**grades[1], **other}
        changes = [
            FactChange(section, name, one.get(name), other.get(name))
            for name in {**one, **other}
            if one.get(name) != other.get(name)
        ]
        if bool(one) != bool(other) or not one:
            unknown.append(section)
        elif not changes:
            same.append(section)
        if one and other:
            facts += changes
    run = RunChanges(before.run, after.run, uses, tuple(facts), tuple(same), tuple(unknown))
    kind, verdict = _verdict(run, before, after)
    return Difference(*named, kind, verdict, tuple(_levels(run)), run=run)  # type: ignore[arg-type]


def _verdict(run: RunChanges, before: RunSummary, after: RunSummary) -> tuple[str, str]:
    changed = [f"{use.role} {_last(use.name)}" for use in run.uses if use.outcome == "different"]
    changed += [f"{fact.section} {_last(fact.name)}" for fact in run.facts]
    if before.run == after.run:
        return "identical", "one and the same run"
    if not changed:
        unknown = [use for use in run.uses if use.outcome == "unknown"]
        if unknown or run.unknown:
            return "unknown", "no difference is known, and not all is known"
        return "identical", "same inputs, outputs, code, parameters, environment and metrics"
    more = f" and {len(changed) - _MOST_NAMES} more" if len(changed) > _MOST_NAMES else ""
    return "changed", f"changed ({', '.join(changed[:_MOST_NAMES])}{more})"


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] or name


def _levels(run: RunChanges) -> Iterator[Level]:
    for role in ("input", "output"):
        uses = [use for use in run.uses if use.role == role]
        different = sum(use.outcome == "different" for use in uses)
        unknown = sum(use.outcome == "unknown" for use in uses)
        outcome = "different" if different else "unknown" if unknown else "same"
        told = f"{len(uses)} {role}{'' if len(uses) == 1 else 's'}: {different} differ"
        yield Level(f"{role}s", outcome, told + (f", {unknown} not known" if unknown else ""))  # type: ignore[arg-type]
    for section in _SECTIONS:
        changes = sum(fact.section == section for fact in run.facts)
        if section in run.unknown:
            yield Level(section, "unknown", "was not recorded of both")
        else:
            yield Level(section, "different" if changes else "same", f"{changes} differ" if changes else "")


def _uses(role: Any, before: tuple[Seen, ...], after: tuple[Seen, ...], store: Store) -> Iterator[UseChange]:
    one, other = {seen.title: seen for seen in before}, {seen.title: seen for seen in after}
    verdicts = 0
    for name in {**one, **other}:
        left, right = one.get(name), other.get(name)
        if left is None or right is None:
            digest = (left or right).digest  # type: ignore[union-attr]
            word = "added" if left is None else "removed"
            yield UseChange(
                role, name, "different", "" if left is None else digest, "" if right is None else digest, word
            )
            continue
        kept = kept_of(left, store), kept_of(right, store)
        outcome = _outcome(*kept)
        verdict = ""
        if outcome == "different" and verdicts < _MOST_VERDICTS:
            verdicts += 1
            verdict = compare_kept(name, kept[0], name, kept[1], Steps()).verdict
        elif outcome == "unknown":
            verdict = "; ".join(dict.fromkeys(one.reason for one in kept if one.reason)) or "no digests to compare"
        yield UseChange(role, name, outcome, left.digest, right.digest, verdict)


def _outcome(before: Kept, after: Kept) -> Any:
    for one in before.digests:
        other = after.digest(one.algorithm)
        if other is not None and other.method == one.method:
            if one == other:
                return "same"
            return "different"
    if before.pin and after.pin and before.pin != after.pin:
        return "different"
    return "unknown"


def _values(section: str, run: RunSummary) -> Values:
    """The facts of one section by name, as texts."""
    if section == "parameter":
        return run.params
    if section == "metric":
        return {_metric_name(one): text(one.get("value", one.get("text"))) for one in objects(run.metrics)}
    return dict(_code(run) if section == "code" else _flat(facet(run.facets, "lineagekit_environment")))


def _metric_name(metric: Mapping[str, Any]) -> str:
    on = text(metric.get("on"))
    return text(metric.get("name")) + (f" on {on}" if on else "")


def _code(run: RunSummary) -> Iterator[tuple[str, str]]:
    """Modules by their digests; where there is none, what is said of the commit."""
    code = facet(run.facets, "lineagekit_code")
    modules = objects(code.get("modules"))
    for module in modules:
        digests = module.get("digests")
        if isinstance(digests, list) and digests:
            yield text(module.get("path")) or text(module.get("name")), text(digests[0])
    if not modules:
        location = code or facet(run.job_facets, "sourceCodeLocation")
        for name in ("commit", "version", "entry", "path", "dirty"):
            if name in location:
                yield name, str(location[name])


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if name in _NOT_COMPARED:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else str(value)
