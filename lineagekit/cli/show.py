# SPDX-License-Identifier: Apache-2.0
"""`lineagekit show TARGET`: one run, whole, or one dataset or model with its versions.

$ lineagekit show train.py
"""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from lineagekit.cli.asking import Asked, StoreOption, asked
from lineagekit.cli.card import card_text
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.events.lenient import mapping, texts
from lineagekit.events.summary import RunSummary, Seen, page_of, summarize
from lineagekit.graph.card import card
from lineagekit.record.reasons import explain
from lineagekit.store.query import runs
from lineagekit.store.targets import find_target

_MOST = 20  # datasets that a pattern shows


@dataclass(frozen=True, slots=True)
class Show:
    """Show one run, dataset or model: versions, digests, metrics.

    A run is named by the beginning of its id or by its job, a dataset by path, URI or name, a model by its name.

    Example: lineagekit show model-42
    """

    target: Annotated[str, typer.Argument(metavar="TARGET", show_default=False, help="A run, job, dataset or model.")]
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many versions at most.")] = 10
    events: Annotated[bool, typer.Option("--events", help="The OpenLineage events of a run as they are.")] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Find what was meant, and print it."""
        with asked(out, self.store) as it:
            target = find_target(it.db, self.target)
            if target.run and target.kind == "run":
                return self._show_run(out, it, runs(it.db, [target.run])[target.run].run)
            if self.events:
                raise UsageError(f"{self.target} is no run", advice="Leave out --events, or name a run.")
            cards = [card(it.db, dataset, limit=self.number) for dataset in target.datasets[:_MOST]]
        out.say(it.where, *(line for one in cards for line in card_text(one)))
        out.show({"datasets": [one.to_json() for one in cards], "total": len(target.datasets)})
        return 0

    def _show_run(self, out: Output, it: Asked, run: str) -> int:
        events = [row.event for row in it.store.run_events(run) if not row.damaged]
        if not events:
            raise NotFoundError(f"nothing is left of run {run}", advice="Its events are damaged on the disk.")
        if self.events:
            out.say(*(json_format.dumps(event, indent=2, ensure_ascii=False) for event in events))
            out.show({"events": events})
            return 0
        summary = summarize(events)
        out.say(it.where, *_text(summary))
        out.show(_to_json(summary))
        return 0


def _text(run: RunSummary) -> Iterator[str]:
    yield f"run {run.run}"
    yield f"job {run.namespace}/{run.job}  {run.state}  {run.began}" + (f" to {run.ended}" if run.ended else "")
    if page := page_of(run.facets):
        yield f"page {page}"
    if error := mapping(run.facets.get("errorMessage")).get("message"):
        yield f"error {error}"
    for title, datasets in (("reads", run.inputs), ("writes", run.outputs)):
        for seen in datasets:
            yield from _dataset(title, seen)
    if run.params:
        yield "params  " + ", ".join(f"{name}={value}" for name, value in run.params.items())
    for metric in run.metrics:
        about = "".join(f" {word} {metric[word]}" for word in ("of", "on") if word in metric)
        yield f"metric  {metric['name']} {metric.get('value', metric.get('text', '?'))}{about}"
    yield from _code(run)
    yield from _gaps(run)


def _dataset(title: str, seen: Seen) -> Iterator[str]:
    sizes = [f"{seen.content[k]:,} {k}" for k in ("rows", "files", "bytes") if k in seen.content]
    told = [*_model(seen.model), *sizes]
    yield f"{title:7} {seen.title}" + (f"  ({', '.join(told)})" if told else "")
    if seen.digest:
        yield f"        {seen.digest}"
    if reason := seen.content.get("reason"):
        why = explain(str(reason))
        yield f"        unknown: {reason}. {why.advice}".rstrip()


def _model(model: Mapping[str, Any] | None) -> Iterator[str]:
    if model is not None:
        yield " ".join(["model", *(str(model[key]) for key in ("name", "version") if model.get(key))])


def _code(run: RunSummary) -> Iterator[str]:
    code = mapping(run.facets.get("lineagekit_code"))
    if code.get("commit"):
        dirty = " with changes" if code.get("dirty") else ""
        yield f"code    commit {code['commit'][:12]}{dirty} of {code.get('repository', '')}"
    for module in code.get("modules", ()):
        digest = next(iter(module.get("digests", ())), "no digest")
        yield f"code    {module['path']}  {digest[:19]}"
    for place in texts(code.get("clock")):
        yield f"clock   {place}"


def _gaps(run: RunSummary) -> Iterator[str]:
    told = mapping(run.facets.get("lineagekit_run"))
    for peer in told.get("unwatched", ()):
        yield f"unwatched {peer}"
    for trouble in told.get("troubles", ()):
        if not str(trouble.get("where", "")).startswith("absent:"):
            yield f"trouble {trouble['where']}: {trouble.get('error', '')} ({trouble.get('count', 1)} times)"


def _to_json(run: RunSummary) -> dict[str, Any]:
    return {
        "run": run.run,
        "job": run.job,
        "namespace": run.namespace,
        "state": run.state,
        "began": run.began,
        "ended": run.ended,
        "page": page_of(run.facets) or None,
        "inputs": [_seen_json(seen) for seen in run.inputs],
        "outputs": [_seen_json(seen) for seen in run.outputs],
        "params": run.params,
        "metrics": [dict(metric) for metric in run.metrics],
        "facets": dict(run.facets),
        "job_facets": dict(run.job_facets),
    }


def _seen_json(seen: Seen) -> dict[str, Any]:
    return {
        "namespace": seen.namespace,
        "name": seen.name,
        "digest": seen.digest,
        "content": dict(seen.content),
        "model": None if seen.model is None else dict(seen.model),
    }
