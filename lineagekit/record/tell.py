# SPDX-License-Identifier: Apache-2.0
"""Telling: a story and the proofs of its claims make an account, from which events are built.

>>> account = tell(story, asked, known, host="build-7")  # doctest: +SKIP
>>> [(use.path, use.state, use.reason) for use in account.inputs]  # doctest: +SKIP
[('/data/orders.csv', 'exact', '')]
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lineagekit.agent.naming import LOCAL, dataset_name, is_uri
from lineagekit.events.account import Account, Code, Metric, ModelName, Trouble, Use
from lineagekit.record import reasons
from lineagekit.record.ask import Asked
from lineagekit.record.group import merge
from lineagekit.record.story import Story
from lineagekit.record.touches import Ambiguous
from lineagekit.record.uses import Known, dataset_use, input_use, output_use, result_use

KILLED = "ended without saying so: killed, crashed, or os._exit"

_VERSION_DIGITS = 12
_SCRIPT = re.compile(r"\.(py|ipynb|sh|R|r|jl)$")
"""What a job named by its file ends with; one of Airflow is `dag.task`."""


def tell(
    story: Story, asked: Asked, known: Known, *, host: str, elsewhere: bool = False, killed: bool = False
) -> Account:
    """The account of a run; `elsewhere` if it was recorded before this machine was last started."""
    inputs, outputs = _uses(story, asked, known, elsewhere)
    return Account(
        run=story.run,
        job=story.job,
        namespace=story.namespace,
        journal=story.journal,
        began=story.began,
        ended=story.last if story.ended is None else story.ended,
        state="ABORT" if killed else story.state,
        parent=known.name_of(story.parent) if story.parent else None,
        root=known.root_of(story.parent) if story.parent else None,
        error=KILLED if killed else story.error,
        killed=killed,
        how=story.how,
        host=host,
        cwd=story.cwd,
        entry=story.entry,
        argv=story.argv,
        exit=story.exit,
        extra=story.extra,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        params=story.params,
        metrics=tuple(_metrics(story, [*inputs, *outputs])),
        code=_code(story.code),
        environment=story.environment,
        facets=story.facets,
        troubles=tuple(Trouble(where, error, count) for (where, error), count in story.troubles.items()),
        unwatched=tuple(story.unwatched),
    )


def _uses(story: Story, asked: Asked, known: Known, elsewhere: bool) -> tuple[list[Use], list[Use]]:
    found = (input_use(one, known, elsewhere=elsewhere) for one in asked.inputs)
    inputs = _grouped([use for use in found if use], asked.input_groups)
    found = (output_use(one, story.run, known, elsewhere=elsewhere) for one in asked.outputs)
    outputs = _grouped([use for use in found if use], asked.output_groups)
    inputs += map(result_use, story.results.values())
    for role, uses in (("input", inputs), ("output", outputs)):
        _add(uses, (dataset_use(one) for one in story.datasets.values() if one.role == role))
        _add(uses, (_ambiguous(one) for one in story.ambiguous.values() if one.role == role))
    return inputs, _with_models(story, outputs)


def _grouped(uses: list[Use], groups: Mapping[str, str]) -> list[Use]:
    if not groups:
        return uses
    members: dict[str, list[Use]] = {}
    for use in uses:
        if root := groups.get(use.path):
            members.setdefault(root, []).append(use)
    return [use for use in uses if use.path not in groups] + [merge(root, of) for root, of in members.items()]


def _add(uses: list[Use], more: Iterable[Use]) -> None:
    """What is there already was seen, which is better than said."""
    known = {(use.namespace, use.name) for use in uses}
    uses += [use for use in more if use.name and (use.namespace, use.name) not in known]


def _ambiguous(unsure: Ambiguous) -> Use:
    namespace, name = (LOCAL, unsure.path) if unsure.path else (unsure.namespace, unsure.name)
    return Use(namespace, name, path=unsure.path, reason=reasons.AMBIGUOUS, at=unsure.at)


def _with_models(story: Story, outputs: list[Use]) -> list[Use]:
    """Mark the models, and name those that nobody named: by job and file, the version by the bytes."""
    models = {(LOCAL, path): model for path, model in story.paths.models_elsewhere().items()} | story.models
    known = {(use.namespace, use.name) for use in outputs}
    for (namespace, name), model in models.items():
        if name and (namespace, name) not in known:
            path = name if namespace == LOCAL else ""
            outputs.append(Use(namespace, name, path=path, reason=reasons.NO_BYTES, at=story.last, model=model))
    return [_marked(use, use.model or models.get((use.namespace, use.name)), story.job) for use in outputs]


def _marked(use: Use, model: ModelName | None, job: str) -> Use:
    if model is None:
        return use
    stem = os.path.basename(use.name).partition(".")[0]
    digest = use.snapshot.digests[0].hex[:_VERSION_DIGITS] if use.snapshot and use.snapshot.digests else ""
    name = model.name or "/".join(filter(None, (_SCRIPT.sub("", job), stem)))
    return replace(use, model=ModelName(name, model.version or digest))


def _metrics(story: Story, uses: Iterable[Use]) -> Iterator[Metric]:
    """Each is of and on datasets as this run's events call them, where it was said of a path or URI."""
    uses = list(uses)
    names = {use.name for use in uses}
    folders = {use.path for use in uses if use.files}

    def name_of(target: str) -> str:
        if is_uri(target):
            name = dataset_name(target)[1]
            return name if name in names else target
        path = above = story.paths.name_now(target)
        while folders and above not in folders and len(above) > 1:
            above = os.path.dirname(above)
        return above if path not in names and above in folders else path

    for metric in story.metrics:
        yield replace(metric, of=name_of(metric.of), on=name_of(metric.on)) if metric.of or metric.on else metric


def _code(code: Code | None) -> Code | None:
    """The entry point as it is called in its repository, wherever that was checked out."""
    if code is None or not code.repository.startswith("/"):
        return code
    inside = os.path.join(code.repository, "")
    return replace(code, entry=code.entry[len(inside) :]) if code.entry.startswith(inside) else code
