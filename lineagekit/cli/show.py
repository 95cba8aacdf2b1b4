# SPDX-License-Identifier: Apache-2.0
"""`lineagekit show RUN`: one run, whole: what it read and wrote, with digests, what it was set to and what came out.

$ lineagekit show train.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.output import Output
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.events.summary import RunSummary, Seen, mapping, summarize
from lineagekit.record.reasons import explain
from lineagekit.store.log import Store
from lineagekit.store.rows import RunRow


@dataclass(frozen=True, slots=True)
class Show:
    """Show one run: data and digests, parameters, metrics, code, gaps.

    Example: lineagekit show 01a214d6-5fb8
    """

    target: Annotated[str, typer.Argument(metavar="RUN", help="The beginning of its id, or a job: its latest run.")]
    events: Annotated[bool, typer.Option("--events", help="The OpenLineage events as they are.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Find the run, and print it."""
        with opened_store(out) as (store, where):
            found = find_run(store, self.target)
            events = [row.event for row in store.run_events(found.run) if not row.damaged]
        if not events:
            raise NotFoundError(f"nothing is left of run {found.run}", advice="Its events are damaged on the disk.")
        if self.events:
            import json

            out.say(*(json.dumps(event, indent=2, ensure_ascii=False) for event in events))
            out.show({"events": events})
            return 0
        summary = summarize(events)
        out.say(where, *_text(summary))
        out.show(_to_json(summary))
        return 0


def find_run(store: Store, text: str) -> RunRow:
    """The run that a person means: an id's beginning, or a job's name for its latest run."""
    found = store.find_runs(text)
    if not found:
        raise NotFoundError(f"no such run: got {text!r}, expected a run's id or a job", advice="Run: lineagekit log")
    by_id = [row for row in found if row.run.startswith(text)]
    if len(by_id) > 1:
        ids = ", ".join(row.run for row in by_id[:3])
        raise UsageError(f"several runs begin with {text}: {ids}...", advice="Give more of the id.")
    return by_id[0] if by_id else found[0]


def _text(run: RunSummary) -> Iterator[str]:
    yield f"run {run.run}"
    yield f"job {run.namespace}/{run.job}  {run.state}  {run.began}" + (f" to {run.ended}" if run.ended else "")
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
