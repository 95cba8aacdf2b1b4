# SPDX-License-Identifier: Apache-2.0
"""Regrading: the old and the new model on the old and the new exam, by the command that grades; which of the two is it?

>>> cells = {(): 0.87, (EXAM,): 0.82, (MODEL,): 0.869, (MODEL, EXAM): 0.821}
>>> phrase(cells, higher_is_better=True)
'the exam is harder (-0.05), the model is not worse (-0.001)'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from lineagekit.cause.atoms import Atom, Pair
from lineagekit.cause.blame import Blame
from lineagekit.cause.files import Made, add_run
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.probe import Prober
from lineagekit.cause.views import Views
from lineagekit.errors import UsageError

MODEL, EXAM = "model", "exam"
CELLS: tuple[tuple[str, ...], ...] = ((), (EXAM,), (MODEL,), (MODEL, EXAM))
"""What is as in the bad build."""

_SAME = 1e-6
_SMALL = 0.1
"""Of the whole difference: less is nothing."""

Cells = Mapping[tuple[str, ...], float | None]
Tell = Callable[[tuple[str, ...], Outcome], None]


def plan_of(views: Views, found: Blame) -> Plan:
    """The two runs that graded: the model that they read, and all else that they read, ran and were set to."""
    chosen = found.chosen
    runs = []
    for build in (chosen.good, chosen.bad):
        grade = next((one for one in build.grades if one.metric == chosen.metric), None)
        if grade is None or grade.run == build.run:
            raise UsageError(
                "nothing can be graded anew: what was measured was measured by the run that made the model",
                advice="Run: lineagekit bisect MODEL -- COMMAND, which keeps the good build's exam.",
            )
        runs.append(grade.run)
    old, new = Made(), Made()
    for made, run in ((old, runs[0]), (new, runs[1])):
        add_run(made, views.of(run))
    models = {
        use.name.name
        for build in (chosen.good, chosen.bad)
        for use in views.of(build.run).outputs.values()
        if use.name.name in (*old.files, *new.files)
    }
    if len(models) != 1:
        raise UsageError(
            f"the two models are not one file: {', '.join(sorted(models)) or 'neither was read to be graded'}",
            advice="One command cannot grade both; grade them by hand.",
        )
    differing = {path: (old.files.get(path), new.files.get(path)) for path in dict.fromkeys((*old.files, *new.files))}
    differing |= {path: (old.sources.get(path), new.sources.get(path)) for path in {*old.sources, *new.sources}}
    files: dict[str, Pair] = {path: pair for path, pair in differing.items() if pair[0] != pair[1]}
    of_model = {path: pair for path, pair in files.items() if path in models}
    of_exam = {path: pair for path, pair in files.items() if path not in models}
    params = {name: (old.params.get(name), new.params.get(name)) for name in {*old.params, *new.params}}
    atoms = (Atom(MODEL, "the model", 0.5, of_model), Atom(EXAM, "the exam", 0.5, of_exam, params))
    return Plan(atoms, old, new, model=models.pop())


def regrade(prober: Prober, tell: Tell, *, log: Callable[[int], Path]) -> dict[tuple[str, ...], Outcome]:
    """All four cells, one after the other."""
    found = {}
    for number, cell in enumerate(CELLS, 1):
        found[cell] = prober.probe(frozenset(cell), log=log(number))
        tell(cell, found[cell])
    return found


def doubt(cells: Cells, recorded: Cells) -> str:
    """Why nothing follows from these cells; "" if it does: all are there, and what was recorded came out again."""
    for cell, value in cells.items():
        if value is None:
            return "not comparable: a cell is missing"
        before = recorded.get(cell)
        if before is not None and not math.isclose(before, value, rel_tol=_SAME):
            which = "bad" if cell else "good"
            return f"not comparable: the {which} build was graded {before:.6g}, and {value:.6g} when graded again"
    return ""


def phrase(cells: Cells, *, higher_is_better: bool) -> str:
    """In a sentence; each of the two is compared where the other is as it was."""
    start, exam, model, end = (cells[cell] or 0.0 for cell in CELLS)
    sign = 1 if higher_is_better else -1
    whole = abs(end - start) or 1.0
    said = []
    for what, value, worse, better in (("exam", exam, "harder", "easier"), ("model", model, "worse", "better")):
        change = sign * (value - start)
        is_small = abs(change) < _SMALL * whole
        word = f"not {worse}" if is_small else worse if change < 0 else better
        said.append(f"the {what} is {word} ({value - start:+.4g})")
    return ", ".join(said)
