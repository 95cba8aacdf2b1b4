# SPDX-License-Identifier: Apache-2.0
"""diff: how two differ, whatever they are: paths, URIs, versions that a store remembers, runs, models.

>>> diff("orders.csv", "orders.parquet").verdict  # doctest: +SKIP
'same table, other format (csv v. parquet)'
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from lineagekit.differ.changes import Level
from lineagekit.differ.difference import Difference
from lineagekit.differ.disk import compare_places
from lineagekit.differ.job import How, Job
from lineagekit.differ.kept import Kept, Known
from lineagekit.differ.remembered import compare_kept
from lineagekit.differ.runs import compare_runs
from lineagekit.differ.sides import Side, find_side
from lineagekit.differ.steps import Steps
from lineagekit.errors import BadDataError, UsageError
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options


def diff(
    a: str, b: str, *, key: Sequence[str] = (), rows: int = 3, how: How | None = None, known: Known | None = None
) -> Difference:
    """Compare two, the cheapest level first; `rows` is how many examples of each kind, 0 reads no rows.

    `known` is a store with its index, for versions, runs and models. Raises NotFoundError for what is not there or a
    key column that not both have, UsageError for a run against a dataset.
    """
    job = Job(tuple(key), rows, how or How())
    before, after = find_side(a, known, job), find_side(b, known, job)
    if before.is_run != after.is_run:
        raise UsageError(f"cannot compare a run with data: got {a} and {b}", advice="Name two runs, or two datasets.")
    if known is None or before.run is None or after.run is None:
        return _data(before, after, job)
    grades = before.grades, after.grades
    found = compare_runs((a, b), before.run, after.run, known.store, grades=grades)
    if before.is_run:
        return found
    return _with_model(found, _data(before, after, job))


def _with_model(run: Difference, model: Difference) -> Difference:
    """Two versions of a model are their bytes, and the runs that made them."""
    level = Level(
        "model", "unknown" if model.kind == "unknown" else "different" if model.differs else "same", model.verdict
    )
    if model.differs and not run.differs:
        run = replace(run, kind="changed", verdict=f"changed (the model alone: {model.verdict})")
    return replace(run, parts=(model,), levels=(level, *run.levels))


def _data(before: Side, after: Side, job: Job) -> Difference:
    is_known = before.kept is not None and after.kept is not None and _says_all(before.kept, after.kept)
    if before.at is not None and after.at is not None and not is_known:
        return compare_places(before.at, after.at, job)
    steps = job.steps()
    return compare_kept(before.title, _kept(before, job, steps), after.title, _kept(after, job, steps), steps)


def _says_all(before: Kept, after: Kept) -> bool:
    """Whether what is remembered shows that the content is the same, so that nothing has to be read."""
    a, b = before.digest("lks1"), after.digest("lks1")
    return (a is not None and a == b) or (before.of_bytes is not None and before.of_bytes == after.of_bytes)


def _kept(side: Side, job: Job, steps: Steps) -> Kept:
    """What is remembered, or what can be learned of bytes at hand to set against it."""
    known = side.kept or Kept()
    if side.at is None or known.profile is not None or known.manifest is not None:
        return known
    path = os.path.join(side.at.path, side.at.within) if side.at.within else side.at.path
    options = Options(profile=True, threads=job.how.threads, cache=job.how.cache, progress=steps)
    try:
        with steps.step("profile") as step:
            step.outcome, step.told = "taken", f"of {side.title}, to set it against what is remembered"
            return Kept.of(fingerprint(path, options))
    except BadDataError:
        return Kept.of(fingerprint(path, replace(options, what="bytes")))
