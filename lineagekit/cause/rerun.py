# SPDX-License-Identifier: Apache-2.0
"""Run a recorded run again, on the bytes that it read, in a workspace: does the same come out of it?

>>> again = rerun(recorded, prober, log=Path("rerun.log"))  # doctest: +SKIP
>>> again.word, [(output.path, output.word) for output in again.outputs]  # doctest: +SKIP
('equal bytes', [('/work/model.json', 'equal bytes')])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lineagekit.agent.redact import HIDDEN
from lineagekit.cause.cage import Ended
from lineagekit.cause.files import Made, add_run, paths_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.inquest import why_elsewhere
from lineagekit.cause.probe import Prober, recorded_in
from lineagekit.cause.settings import setting_changes
from lineagekit.cause.space import Space
from lineagekit.cause.views import Use, View, Views
from lineagekit.errors import LineagekitError, UsageError
from lineagekit.events.lenient import texts
from lineagekit.store import query, walk

Measured = tuple[str, str, str]
"""A metric's name, of which model, on which exam."""
_OTHER = -1
_MOST_PLACES = 5
_WORDS = ("equal bytes", "equal content", "equal metrics", "different")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run and all that it started, as it was recorded."""

    run: View
    """Whose command it is."""
    plan: Plan
    runs: tuple[View, ...]
    """It, and what it started."""
    outputs: Mapping[str, Use]
    """By path; of several writes the last."""
    metrics: Mapping[Measured, float]

    @property
    def command(self) -> list[str]:
        """What was run."""
        return [str(word) for word in self.run.launch.get("argv") or ()]

    @property
    def folder(self) -> str:
        """Where it was run."""
        return str(self.run.launch.get("cwd") or "")

    @property
    def exit_code(self) -> int:
        """How it ended."""
        code = self.run.launch.get("exit")
        return code if isinstance(code, int) else 0


@dataclass(frozen=True, slots=True)
class Output:
    """One file, then and now."""

    path: str
    word: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came of it."""

    word: str
    """equal bytes, equal content, equal metrics, different, or that it does not count."""
    outputs: tuple[Output, ...] = ()
    metrics: Mapping[Measured, tuple[float, float | None]] = field(default_factory=dict)
    """Then and now."""
    why: str = ""
    seconds: float = 0.0
    settings: tuple[str, ...] = ()
    """What else was not as it was: code, packages, variables; a sentence each."""

    @property
    def is_equal(self) -> bool:
        """Whether the same came out, whatever the bytes of the files around it."""
        return self.word in _WORDS[:2]


def recorded_of(views: Views, number: int) -> Recorded:
    """The run, or the one that started it, with all its parts. Raises UsageError where no command is known."""
    top = views.of(number)
    while (above := _started_by(views, top)) is not None:
        top = above
    tree = list(_tree(views, top.run.id))
    made = Made()
    outputs: dict[str, Use] = {}
    for view in tree:
        add_run(made, view)
        outputs |= {use.name.name: use for use in view.outputs.values() if use.name.namespace == "file"}
    made.params.clear()  # braces in its command are no places for parameters
    ours = {view.run.id for view in tree}
    for use in (use for view in tree for use in view.inputs.values()):
        if any(read.src in ours for read in use.writers):
            for path in paths_of(use):
                if path in made.written:
                    made.files.pop(path, None)  # what it wrote itself and then read is made anew
    return Recorded(top, Plan((), made, made), tuple(tree), outputs, _metrics(views, ours))


def rerun(recorded: Recorded, prober: Prober, *, log: Path) -> Rerun:
    """Run it, where none of its outputs lies from before."""
    made = recorded.plan.good
    without = [path for path in made.written if path not in made.files]
    hybrid = recorded.plan.hybrid(frozenset())

    def look(space: Space, ended: Ended) -> Rerun:
        if ended.timed_out:
            return Rerun("not finished", why="it took too long", seconds=ended.seconds)
        try:
            with recorded_in(space) as record:
                proof = record.prove(hybrid.intent)
                views = Views(record.db, record.store)
                runs = [views.of(run) for run in query.all_runs(record.db)]
                measured = _metrics(views, [view.run.id for view in runs])
        except LineagekitError as error:
            return Rerun("not recorded", why=error.message, seconds=ended.seconds)
        now = {use.name.name: use for view in runs for use in view.outputs.values()}
        outputs = tuple(_compared(path, use, now.get(path)) for path, use in recorded.outputs.items())
        metrics = {name: (value, measured.get(name)) for name, value in recorded.metrics.items()}
        settings = tuple(_settings(recorded.runs, runs))
        if ended.returncode != recorded.exit_code:
            why = f"exit code {ended.returncode}, which was {recorded.exit_code}"
            word = "not finished" if space.tree else "different"  # what it could not write there may be all
            return Rerun(word, outputs, metrics, proof.trouble or why, ended.seconds, settings)
        word = "not the same inputs" if proof.trouble else _word(outputs, metrics)
        return Rerun(word, outputs, metrics, proof.trouble, ended.seconds, settings)

    return prober.build(hybrid, without, log, look)


def check(recorded: Recorded, command: Sequence[str], *, is_unsafe: bool) -> None:
    """Raise UsageError where it cannot be run again here."""
    advice = "Name it after --: lineagekit rerun RUN -- python train.py"
    if not command:
        told = f"no command of this run is recorded: {recorded.run.job} came from another producer"
        raise UsageError(told, advice=advice)
    if any(HIDDEN in word for word in command):
        raise UsageError("its command held a secret, which is never recorded", advice=advice)
    if not is_unsafe and (why := why_elsewhere(recorded.plan.good)):
        raise UsageError(why)


def _started_by(views: Views, view: View) -> View | None:
    """The run that it is a part of, where both are of one process: a job within a program has no command of its own."""
    parent = view.run.parent
    if not parent or not query.runs(views.db, [parent]):
        return None
    above = views.of(parent)
    own = view.launch.get("argv")
    return above if not own or own == above.launch.get("argv") else None


def _tree(views: Views, number: int) -> Iterator[View]:
    yield views.of(number)
    for child in query.children(views.db, number):
        yield from _tree(views, child)


def _settings(before: Iterable[View], after: Iterable[View]) -> Iterator[str]:
    """What was different about the jobs themselves, though they read the same."""
    now = {view.job: view for view in after}
    for view in before:
        if (again := now.get(view.job)) is not None:
            # Numbers of settings are of one index; these are of two.
            other = replace(again, run=replace(again.run, code=_OTHER, params=_OTHER, environment=_OTHER))
            yield from (change.sentence for change in setting_changes(view, other) if not change.inert)
        if clock := texts(view.facts.get("code", {}).get("clock")):
            yield f"the time of day, which it asks for: {', '.join(clock[:_MOST_PLACES])}"


def _compared(path: str, before: Use, after: Use | None) -> Output:
    if after is None:
        return Output(path, "not written", before.digest, "")
    if before.digest and before.digest == after.digest:
        return Output(path, "equal bytes", before.digest, after.digest)
    if before.table and before.table == after.table:
        return Output(path, "equal content", before.digest, after.digest)
    return Output(path, "different" if before.digest and after.digest else "unknown", before.digest, after.digest)


def _metrics(views: Views, runs: Iterable[int]) -> dict[Measured, float]:
    """The last value of each; the same name on two exams are two metrics."""
    found = walk.metrics_of(views.db, runs=sorted(runs))
    return {(one.name, one.of, one.on): one.value for one in found if isinstance(one.value, float)}


def _word(outputs: tuple[Output, ...], metrics: Mapping[Measured, tuple[float, float | None]]) -> str:
    """What was written counts; a duration among the metrics is another one each time."""
    words = {one.word for one in outputs}
    if outputs and words <= {"equal bytes"}:
        return "equal bytes"
    if outputs and words <= {"equal bytes", "equal content"}:
        return "equal content"
    same = bool(metrics) and all(before == after for before, after in metrics.values())
    return "equal metrics" if same and not words & {"not written", "unknown"} else "different"
