# SPDX-License-Identifier: Apache-2.0
"""Builds of a model, in order, each with its grades: what it scored, by whichever run measured it.

A build is a run that made a version. Equal bytes from two runs are one build with a repeat. A grade belongs to the
version that the grading run *read*; where only a path is known, and the file was overwritten, nobody is graded.

    >>> series = find_series(views, target)  # doctest: +SKIP
    >>> [build.grade("auc") for build in series.builds]  # doctest: +SKIP
    [0.871, 0.869, 0.812]
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from lineagekit.cause.step import exam_error
from lineagekit.cause.views import Use, Views
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.events.roles import role_of
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Build as Made
from lineagekit.store.found import How, Metric, Run, job_title
from lineagekit.store.targets import Target

_HIGHER = "auc roc_auc accuracy acc f1 precision recall r2 map ndcg score"
_LOWER = "loss rmse mse mae mape wape logloss log_loss error perplexity"
BETTER = {**dict.fromkeys(_HIGHER.split(), True), **dict.fromkeys(_LOWER.split(), False)}
"""Which way is better, of metrics whose authors did not say."""
_PAIRED = 0.15
"""Of the error of a fresh exam, what is left on the same one: models of nearly the same data answer nearly alike."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A metric of one build, on one exam."""

    metric: str
    value: float
    exam: str
    """What it was measured on, as it was said; "" if not said."""
    run: int
    higher_is_better: bool | None


class Repeat(NamedTuple):
    """A run that made what another had made before."""

    id: str
    at: int


@dataclass(slots=True)
class Build:
    """A version of a model."""

    number: int
    """In the order of time, from 1."""
    run: int
    id: str
    dataset: int
    digest: str
    version: str
    at: int
    repeats: dict[int, Repeat] = field(default_factory=dict)
    """Other runs that made the same bytes, by their numbers, in the order of time."""
    grades: list[Grade] = field(default_factory=list)
    no_numbers: set[str] = field(default_factory=set)
    """Metrics that were reported of it, but as no number: NaN, infinity."""
    mark: str = ""
    """good or bad, as a person said."""

    def values(self, metric: str) -> list[float]:
        """All that was measured of it."""
        return [grade.value for grade in self.grades if grade.metric == metric]

    def grade(self, metric: str) -> float | None:
        """One number: the median of what was measured."""
        values = self.values(metric)
        return statistics.median(values) if values else None


@dataclass(slots=True)
class Series:
    """Builds of one model by one job, oldest first."""

    model: str
    job: str
    builds: list[Build]
    others: tuple[str, ...] = ()
    """Other series under the same name."""
    exam_noise: Callable[[Build, Build, str], float] = lambda good, bad, metric: 0.0
    """By how much two grades differ by the luck of the exam alone."""
    ungraded: int = 0
    """Grades that belong to nobody for certain: the file had been overwritten, or the number is none."""

    def metrics(self) -> dict[str, int]:
        """Names of metrics, with how many builds have them, the most first."""
        counts: dict[str, int] = {}
        for build in self.builds:
            for name in {grade.metric for grade in build.grades}:
                counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def since_no_number(self, metric: str) -> list[Build]:
        """The newest builds, if these report it as no number, and older ones had numbers."""
        last = max((build.number for build in self.builds if build.values(metric)), default=len(self.builds))
        return [build for build in self.builds[last:] if metric in build.no_numbers]


def find_series(views: Views, target: Target) -> Series:
    """The series that was meant: of several under one name that of the newest build. Raises NotFoundError."""
    db = views.db
    made = _made(db, target)
    if not made:
        raise NotFoundError(
            f"no model of this name was built: got {target.text!r}", advice="Name its file, or see: lineagekit log"
        )
    runs = query.runs(db, (one.run for one in made))
    groups: dict[tuple[str, str], list[Made]] = {}
    names = query.datasets(db, (one.dataset for one in made))
    for one in made:
        run = runs[one.run]
        role = role_of(names[one.dataset].name).template
        groups.setdefault((job_title(run.namespace, run.job), role), []).append(one)
    newest = max(groups, key=lambda key: max(one.at or 0 for one in groups[key]))
    others = tuple(f"{job} -> {role}" for job, role in groups if (job, role) != newest)
    builds = _builds(db, groups[newest], runs)
    series = Series(groups[newest][-1].model, newest[0], builds, others)
    _add_grades(db, series)
    series.exam_noise = partial(_exam_noise, views)
    return series


def last_made(build: Build, *, before: Build) -> Build:
    """The same, by the last run before another build that made these bytes: it has most in common with that one."""
    made = {build.run: Repeat(build.id, build.at), **build.repeats}
    earlier = [run for run, one in made.items() if one.at < before.at]
    if not earlier or earlier[-1] == build.run:
        return build
    run = earlier[-1]
    own, repeats = made.pop(run), made
    return replace(build, run=run, id=own.id, at=own.at, repeats=repeats)


def direction(series: Series, metric: str) -> bool:
    """Whether higher is better: as the record says, else as the name is known. Raises UsageError."""
    said = {grade.higher_is_better for build in series.builds for grade in build.grades if grade.metric == metric}
    said.discard(None)
    if len(said) == 1:
        return bool(said.pop())
    known = direction_of(metric)
    if known is None:
        raise UsageError(
            f"nobody said which way {metric} is better",
            advice=f"Say it: metric({metric!r}, ..., higher_is_better=True), or --higher or --lower here.",
        )
    return known


def direction_of(metric: str) -> bool | None:
    """Whether higher is better, where the name says so."""
    return BETTER.get(metric.lower(), BETTER.get(metric.lower().rpartition("_")[2]))


def _made(db: Database, target: Target) -> list[Made]:
    if target.model:
        return walk.builds_of_model(db, target.model)
    return sorted(
        (one for dataset in target.datasets for one in walk.builds_of_dataset(db, dataset)), key=lambda one: one.at or 0
    )


def _builds(db: Database, made: Iterable[Made], runs: Mapping[int, Run]) -> list[Build]:
    """In the order of the end of their training; equal bytes once."""
    snaps = query.snapshots(db, (one.snap for one in made))
    builds: list[Build] = []
    by_digest: dict[str, Build] = {}
    for one in sorted(made, key=lambda one: (runs[one.run].ended or one.at or 0, one.run)):
        run = runs[one.run]
        if run.state in ("FAIL", "ABORT"):
            continue
        digest = snaps[one.snap].text if one.snap in snaps else ""
        at = one.at or run.ended or run.began
        if digest and digest in by_digest:
            by_digest[digest].repeats[run.id] = Repeat(run.run, at)
            continue
        build = Build(len(builds) + 1, run.id, run.run, one.dataset, digest, one.version, at)
        builds.append(build)
        if digest:
            by_digest[digest] = build
    return builds


def _add_grades(db: Database, series: Series) -> None:
    by_run = {run: build for build in series.builds for run in (build.run, *build.repeats)}
    datasets = {build.dataset for build in series.builds}
    metrics = walk.metrics_of(db, runs=by_run, datasets=datasets)
    readers = {metric.run for metric in metrics} - set(by_run)
    graded: dict[int, Build | None] = {**by_run}
    for read in walk.reads_of(db, readers):
        if read.dataset in datasets and read.how >= How.DIGEST:
            graded[read.run] = by_run.get(read.src) or graded.get(read.run)
    for metric in metrics:
        build = graded.get(metric.run)
        grade = _grade(metric)
        if build is None or grade is None:
            series.ungraded += 1
            if build is not None:
                build.no_numbers.add(metric.name)
        else:
            build.grades.append(grade)


def exam_of(views: Views, grade: Grade) -> Use | None:
    """What its run read of that name."""
    inputs = views.of(grade.run).inputs.values()
    return next((use for use in inputs if grade.exam and _is_called(use.name.name, grade.exam)), None)


def _exam_noise(views: Views, good: Build, bad: Build, metric: str) -> float:
    """Of an exam whose rows are known; of the same exam a part of it, for both models are asked the same."""
    grades = [next((one for one in build.grades if one.metric == metric), None) for build in (good, bad)]
    exams = [exam_of(views, one) for one in grades if one is not None]
    rows = exams[0].content.get("rows") if exams and exams[0] else None
    if not isinstance(rows, int) or len(exams) < 2 or exams[1] is None:
        return 0.0
    is_same = exams[0] is not None and exams[0].digest == exams[1].digest
    return exam_error(metric, good.grade(metric) or 0.0, rows) * (_PAIRED if is_same else 1.0)


def _grade(metric: Metric) -> Grade | None:
    """Of a number; NaN and texts are no grades."""
    if not isinstance(metric.value, float) or not math.isfinite(metric.value):
        return None
    return Grade(metric.name, metric.value, metric.on, metric.run, metric.higher_is_better)


def _is_called(name: str, said: str) -> bool:
    return name == said or name.rpartition("/")[2] == said.rpartition("/")[2]
