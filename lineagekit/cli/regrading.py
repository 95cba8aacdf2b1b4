# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect MODEL --regrade -- CMD`: both models on both exams.

$ lineagekit bisect churn --regrade -- python evaluate.py
old model, old exam     0.8710    3.1 s
old model, new exam     0.8210    3.0 s
new model, old exam     0.8700    3.1 s
new model, new exam     0.8200    3.2 s
the exam is harder (-0.05), the model is not worse (-0.001)
"""

from __future__ import annotations

from dataclasses import replace

from lineagekit.cause.blame import Question, blame
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.inquest import why_elsewhere
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.probe import Prober, config_for
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.regrade import CELLS, EXAM, MODEL, doubt, phrase, plan_of, regrade
from lineagekit.cause.session import Asked as Question_
from lineagekit.cause.session import Session
from lineagekit.cause.supply import Supply
from lineagekit.cause.views import Views
from lineagekit.cli.asking import asked
from lineagekit.cli.bisecting import Options
from lineagekit.cli.holding import held
from lineagekit.cli.output import Output
from lineagekit.errors import UsageError
from lineagekit.store.kept import Kept
from lineagekit.store.targets import find_target


def do(out: Output, model: str, options: Options, command: list[str]) -> int:
    """Grade four times, and say what it is."""
    with asked(out, options.store) as it:
        target = find_target(it.db, model, kinds=("model", "build", "dataset"))
        found = blame(it.db, it.store, target, Question(options.metric, options.good, options.bad, options.higher))
        plan = plan_of(Views(it.db, it.store), found)
        supply, config, folder = Supply(Kept(it.store.folder)), config_for(it.settings), it.store.folder
        out.say(it.where)
    chosen = found.chosen
    recipe = replace(options.recipe, command=tuple(command), higher_is_better=chosen.higher_is_better)
    recipe = recipe if recipe.metric_file else replace(recipe, metric=chosen.metric)
    _check(plan, recipe)
    if gone := plan.missing(supply):
        raise UsageError(
            f"not comparable: bytes are gone ({len(gone)} files): {', '.join(list(gone)[:3])}",
            advice='With keep = "changed" in config.toml what jobs read is kept from now on.',
        )
    recipe = held(out, recipe)
    if options.dry_run:
        out.say(*map(_name, CELLS))
        out.show({"cells": [_name(cell) for cell in CELLS]})
        return 0
    session = Session.open(
        folder, Question_(found.series.model, chosen.good.id, chosen.bad.id, recipe.command, "regrade", CELLS[-1])
    )
    with session.alone():
        prober = Prober(plan, supply, recipe, session.folder, config)
        outcomes = regrade(prober, lambda cell, outcome: out.say(_line(cell, outcome)), log=session.log)
    values = {cell: outcome.value for cell, outcome in outcomes.items()}
    cells = {_name(cell): value for cell, value in values.items()}
    recorded = {CELLS[0]: chosen.good.grade(chosen.metric), CELLS[-1]: chosen.bad.grade(chosen.metric)}
    why_not = doubt(values, {} if recipe.metric_file else recorded)
    said = why_not or phrase(values, higher_is_better=chosen.higher_is_better)
    if not why_not:
        session.conclude({"regraded": said, "metric": chosen.metric, "cells": cells, "causes": []})
    out.say(said)
    out.show({"regraded": None if why_not else said, "why": why_not or None, "cells": cells, "metric": chosen.metric})
    return 1 if why_not else 0


def _check(plan: Plan, recipe: Recipe) -> None:
    """Raise UsageError where it cannot be graded anew here."""
    if not recipe.is_unsafe and (why := why_elsewhere(plan.good, plan.bad)):
        raise UsageError(why)
    for name, pair in (item for atom in plan.atoms for item in atom.params.items()):
        if pair[0] != pair[1] and not recipe.has_place_for(name, may_be_absent=None in pair):
            raise UsageError(
                f"the command has no place for parameter {name} of the exam: {pair[0]} -> {pair[1]}",
                advice=f"Write {{{name}}} where it belongs.",
            )


def _name(cell: tuple[str, ...]) -> str:
    model, exam = ("new" if part in cell else "old" for part in (MODEL, EXAM))
    return f"{model} model, {exam} exam"


def _line(cell: tuple[str, ...], outcome: Outcome) -> str:
    value = "missing" if outcome.value is None else f"{outcome.value:.4g}"
    return f"{_name(cell)}  {value:>9}{outcome.seconds:8.1f} s  {outcome.why}".rstrip()
