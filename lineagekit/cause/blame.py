# SPDX-License-Identifier: Apache-2.0
"""Why did the model get worse? Which builds, is it real, align, root changes, free probes, rank: a function each.

    >>> found = blame(db, store, find_target(db, "model-42"))  # doctest: +SKIP
    >>> found.suspects[0].change.sentence  # doctest: +SKIP
    '/data/labels 2026-05-01 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01'

Nothing here is a culprit: that word is for what a rebuild has shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from lineagekit.cause.align import Alignment, align
from lineagekit.cause.builds import Build, Grade, Series, exam_of, find_series
from lineagekit.cause.change import Change
from lineagekit.cause.choose import Chosen, choose
from lineagekit.cause.feeds import feed_evidence
from lineagekit.cause.history import History
from lineagekit.cause.rank import ALWAYS, Evidence, Suspect, rank
from lineagekit.cause.repeats import evidence_of_repeats
from lineagekit.cause.session import confirmed, regraded
from lineagekit.cause.settings import setting_changes
from lineagekit.cause.stale import stale_changes
from lineagekit.cause.views import Views
from lineagekit.events.owners import owners_in
from lineagekit.graph.coverage import Coverage, coverage_of
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import title_of
from lineagekit.store.log import Store
from lineagekit.store.targets import Target

Verdict = Literal[
    "culprit confirmed", "suspects", "no regression", "evaluation changed", "nothing changed", "cannot tell"
]
_MOST_OTHERS = 3
ExamState = Literal["same", "changed", "unknown", "none"]


@dataclass(frozen=True, slots=True)
class Exam:
    """Whether both builds were measured on the same data."""

    state: ExamState
    name: str = ""
    good: str = ""
    bad: str = ""
    """Digests of the data."""
    changes: tuple[Change, ...] = ()
    """What else differs between the two runs that graded: their code, parameters, packages."""
    regraded: str = ""
    """What both models scored on both exams, in words; "" if nobody tried."""


@dataclass(frozen=True, slots=True)
class Blame:
    """The answer."""

    series: Series
    chosen: Chosen
    exam: Exam
    suspects: tuple[Suspect, ...]
    """All root changes, the likeliest first; carriers, cleared and inert ones last."""
    alignment: Alignment
    steps: tuple[int, ...]
    """The builds with which it got worse."""
    also: tuple[str, ...]
    """Other models that were built from what the first suspect names, or from what came of it."""
    coverage: Coverage
    gaps: tuple[str, ...] = ()
    """What a producer has done and not told of, in sentences."""

    @property
    def onset(self) -> int | None:
        """The first bad build."""
        return next(iter(self.steps), None)

    @property
    def accused(self) -> list[Suspect]:
        """Those that may be it, and those that rebuilds have shown, whatever the record says of them."""
        return [one for one in self.suspects if one.status == "suspect" or one.confirmed]

    @property
    def verdict(self) -> Verdict:
        """In a word: never surer than the evidence."""
        gate = self.chosen.gate
        if gate is not None and gate.verdict == "not real" and not self.chosen.is_asked:
            return "cannot tell" if self.series.since_no_number(self.chosen.metric) else "no regression"
        if any(one.confirmed for one in self.accused):
            return "culprit confirmed"
        if self.accused:
            return "suspects"
        if self.exam.state == "changed":
            return "evaluation changed"
        return "cannot tell" if self.alignment.unknown else "nothing changed"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked beside the model."""

    metric: str = ""
    good: str = ""
    bad: str = ""
    higher: bool | None = None
    complete: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    """Patterns of the settings."""


def blame(db: Database, store: Store, target: Target, question: Question = Question()) -> Blame:
    """Ask. Raises NotFoundError for what is no model, UsageError where there is nothing to compare."""
    views = Views(db, store)
    series = _with_marks(find_series(views, target), store)
    chosen = choose(series, metric=question.metric, good=question.good, bad=question.bad, higher=question.higher)
    found = _blame(views, series, chosen, question)
    for other in _others(series, chosen) if found.verdict == "cannot tell" else ():
        rule = f"{chosen.rule}; the record of build {chosen.bad.number} has holes, so build {other.number}"
        again = _blame(views, series, replace(chosen, bad=other, rule=rule), question)
        if again.accused:
            return again
    return found


def _others(series: Series, chosen: Chosen) -> list[Build]:
    """Bad builds beside the one that was chosen, the earliest first; none where a person chose it."""
    if chosen.is_asked or not chosen.steps:
        return []
    bad = [build for build in series.builds if build.number >= chosen.steps[0] and build.values(chosen.metric)]
    return [build for build in bad if build is not chosen.bad and build.number > chosen.good.number][:_MOST_OTHERS]


def _blame(views: Views, series: Series, chosen: Chosen, question: Question) -> Blame:
    """Of one pair of builds."""
    db = views.db
    exam = examine(views, chosen)
    alignment = align(views, chosen.good.run, chosen.bad.run)
    alignment.changes += stale_changes(views, alignment.equal, chosen.good.at)
    history = History.of(views, series.builds, chosen.good, chosen.bad)
    steps = _bad_steps(series, chosen)
    evidence = _evidence(views, series, chosen, (alignment, history), steps)
    ranked = rank(alignment.changes, evidence, steps=steps, is_explained=exam.state == "changed")
    shown = confirmed(views.folder, chosen.good.id, chosen.bad.id)
    ranked = [replace(one, confirmed=shown.get(one.change.sentence, "")) for one in ranked]
    suspects = [_owned(views, one, question.owners) for one in sorted(ranked, key=lambda one: not one.confirmed)]
    made = [(chosen.good.run, 0), (chosen.bad.run, 0)]
    reads = walk.upstream(db, made)
    coverage = coverage_of(db, reads, complete=question.complete)
    also = also_built(db, suspects, series)
    gaps = tuple(views.gaps({run for read in reads for run in (read.run, read.src) if run}))
    return Blame(series, chosen, exam, tuple(suspects), alignment, steps, also, coverage, gaps)


def _owned(views: Views, suspect: Suspect, patterns: Mapping[str, str]) -> Suspect:
    """With who is asked about it (of the data, else of the job that has the setting), and where to look at it."""
    db = views.db
    if suspect.status != "suspect" and not suspect.confirmed:
        return suspect
    change = suspect.change
    owners = list(owners_in(patterns, change.where))
    if not owners and change.dataset:
        owners = walk.owners_of(db, "dataset", [change.dataset]).get(change.dataset, [])
    elif not owners:
        owners = [name for run in query.find_runs(db, change.run) for name in walk.owners_of_job(db, run)]
    return replace(suspect, owners=tuple(owners), page=views.page(change.run))


def examine(views: Views, chosen: Chosen) -> Exam:
    """Compare what both builds were measured on, and with what."""
    old, new = _grade_of(chosen.good, chosen.metric), _grade_of(chosen.bad, chosen.metric)
    if old is None or new is None:
        return Exam("none")
    changes = _grader_changes(views, chosen, old, new)
    exams = exam_of(views, old), exam_of(views, new)
    before, after = (exam.digest if exam else "" for exam in exams)
    differs = bool(changes) or bool(before and after and before != after)
    state: ExamState = "changed" if differs else "same" if before and after else "unknown"
    name = next((exam.title for exam in reversed(exams) if exam), new.exam or old.exam)
    said = regraded(views.folder, chosen.good.id, chosen.bad.id, chosen.metric) if state == "changed" else ""
    return Exam(state, name, before, after, changes, said)


def _grader_changes(views: Views, chosen: Chosen, old: Grade, new: Grade) -> tuple[Change, ...]:
    """Of runs that only grade: what trains and grades at once is compared as a build."""
    if old.run == chosen.good.run or new.run == chosen.bad.run:
        return ()
    runs = views.of(old.run), views.of(new.run)
    if runs[0].job != runs[1].job:
        return ()
    return tuple(one for one in setting_changes(*runs) if not one.inert and not one.is_carrier)


def _grade_of(build: Build, metric: str) -> Grade | None:
    return next((grade for grade in build.grades if grade.metric == metric), None)


def _with_marks(series: Series, store: Store) -> Series:
    """What people said of builds: `lineagekit mark good churn@41`."""
    marks = store.verdicts()
    for build in series.builds:
        build.mark = next(
            (marks[run] for run in (build.id, *(one.id for one in build.repeats.values())) if run in marks), ""
        )
    return series


def _bad_steps(series: Series, chosen: Chosen) -> tuple[int, ...]:
    """The builds with which it began, where grades tell; else the bad one itself, if nothing lies between."""
    inside = tuple(number for number in chosen.steps if chosen.good.number < number <= chosen.bad.number)
    between = [build for build in series.builds if chosen.good.number < build.number <= chosen.bad.number]
    return inside or ((between[0].number,) if len(between) == 1 else ())


def _evidence(
    views: Views, series: Series, chosen: Chosen, seen: tuple[Alignment, History], steps: tuple[int, ...]
) -> Mapping[Change, Evidence]:
    """When each change came, how often its like comes, how unlike its history a feed is, what clears it."""
    alignment, history = seen
    feeds = feed_evidence(views, alignment.changes, chosen.good.at, history.former)
    found = {}
    for change in alignment.changes:
        known = evidence_of_repeats(views, change) if change.kind == "hidden" else feeds.get(change, Evidence())
        unlike = (build.number for build in series.builds if known.since and build.at >= known.since)
        onset = next(unlike, None) or history.onset(change, chosen.good, chosen.bad)
        rate = max(history.rate(change, chosen.good), known.rate)
        is_always = rate > ALWAYS and change.kind in ("source", "schema")  # "it" is other bytes in each build
        cleared = "" if is_always else _cleared(series, chosen, change, onset, steps)
        found[change] = replace(known, onset=onset, rate=rate, cleared=cleared)
    return found


def _cleared(series: Series, chosen: Chosen, change: Change, onset: int | None, steps: tuple[int, ...]) -> str:
    """Free probes: builds in between that were graded, had the change, and were no worse; or were bad without it."""
    if onset is None or not steps or chosen.shape is None or onset in steps:
        return ""
    if onset > steps[-1]:
        return f"build {steps[-1]} was bad without it"
    following = next(step for step in steps if step > onset)
    between = [b.number for b in series.builds if onset <= b.number < following and b.values(chosen.metric)]
    is_instant = change.kind in ("code", "params", "packages", "environment", "source", "schema")
    return f"build {between[-1]} had it, and was no worse" if is_instant and between else ""


def also_built(db: Database, suspects: Sequence[Suspect], series: Series) -> tuple[str, ...]:
    """Other models downstream of the first suspect's data."""
    likely = (one.change for one in suspects if one.status == "suspect" or one.confirmed)
    first = next((change for change in likely if change.dataset), None)
    if first is None:
        return ()
    reached, frontier = {first.dataset}, {first.dataset}
    while frontier and len(reached) < 5000:
        frontier = {flow.dst for flow in walk.flows_from(db, frontier) if flow.dst} - reached
        reached |= frontier
    own = {build.dataset for build in series.builds}
    models = walk.models_among(db, reached - own)
    named = query.datasets(db, models)
    return tuple(sorted({models[one] or title_of(named[one].namespace, named[one].name) for one in models}))
