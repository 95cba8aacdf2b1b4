# SPDX-License-Identifier: Apache-2.0
"""What `bisect` does with a command: opens the case, rebuilds until it is decided, and says what was shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lineagekit.cause.atoms import WINDOW, Pair
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.cause.finding import Finding
from lineagekit.cause.inquest import Inquest, Wish, hold
from lineagekit.cause.rebuilds import Builder, Rebuilds, Tell
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.session import Asked as Question_
from lineagekit.cause.session import Session
from lineagekit.cause.supply import Supply
from lineagekit.cause.surgeon import Surgeon
from lineagekit.cause.views import Views
from lineagekit.cli.asking import asked
from lineagekit.cli.bisect_text import Teller, finding_lines, plan_json, plan_lines
from lineagekit.cli.holding import held
from lineagekit.cli.output import Output
from lineagekit.errors import UsageError
from lineagekit.settings import Settings
from lineagekit.store.kept import Kept
from lineagekit.store.targets import find_target

EXIT_CODES = {"confirmed": 0, "evaluation changed": 4}
"""All else is 1."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for, beside the model and the command."""

    recipe: Recipe
    """Without a command."""
    good: str = ""
    bad: str = ""
    metric: str = ""
    higher: bool | None = None
    threshold: float | None = None
    only: int | None = None
    environment: Mapping[str, Pair] = field(default_factory=dict)
    store: str | None = None
    dry_run: bool = False
    reset: bool = False
    most: int | None = None
    """Rebuilds."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known before the first rebuild, and where it is remembered."""

    found: Blame
    inquest: Inquest
    supply: Supply
    session: Session
    settings: Settings


def open_case(out: Output, model: str, options: Options, command: Sequence[str]) -> Case:
    """Ask blame, look at what can be put back, and say so. Touches nothing but the session's folder."""
    with asked(out, options.store) as it:
        target = find_target(it.db, model, kinds=("model", "build", "dataset"))
        settings = it.settings
        question = Question(
            options.metric, options.good, options.bad, options.higher, settings.complete, settings.owners
        )
        found = blame(it.db, it.store, target, question)
        supply = Supply(Kept(it.store.folder))
        recipe = replace(options.recipe, command=tuple(command))
        wish = Wish(recipe, options.threshold, options.only, options.environment, options.higher)
        inquest = hold(Views(it.db, it.store), supply, found, wish)
        out.say(it.where, *plan_lines(found, inquest))
        folder = it.store.folder
    if command and not options.dry_run and not inquest.obstacles:
        inquest.recipe = held(out, inquest.recipe)
    chosen, recipe = found.chosen, inquest.recipe
    labels = tuple(atom.signature for atom in inquest.atoms.atoms)
    session = Session.open(
        folder,
        Question_(found.series.model, chosen.good.id, chosen.bad.id, recipe.command, recipe.judged_by, labels),
    )
    if options.reset:
        session.empty()
    return Case(found, inquest, supply, session, settings)


def try_all(out: Output, case: Case, options: Options) -> int:
    """Rebuild until it is decided; the exit code: 0 only if it is confirmed."""
    from lineagekit.cause.probe import Prober, config_for

    if options.dry_run:
        out.show(plan_json(case.found, case.inquest))
        return 0
    if case.inquest.obstacles:
        raise UsageError(case.inquest.obstacles[0], advice="Nothing was touched. See --dry-run for all of it.")
    config = config_for(case.settings)
    prober = Prober(case.inquest.plan, case.supply, case.inquest.recipe, case.session.folder, config)
    teller = Teller(out, case.found, case.inquest)
    with case.session.alone():
        try:
            finding = go_on(case, prober, teller, most=options.most)
        finally:
            teller.hide()
    return conclude(out, _of_exam(case, finding))


def _of_exam(case: Case, finding: Finding) -> Finding:
    """The bad build is good by the good build's exam, and the exam had changed: then that is what was shown."""
    threshold, higher = case.inquest.recipe.threshold, case.inquest.recipe.higher_is_better
    values = (finding.good, finding.bad)
    are_good = all(value is not None and (value >= threshold) == higher for value in values)
    if finding.status != "not reproduced" or case.found.exam.state != "changed" or not are_good:
        return finding
    why = "measured like the good build, the bad one is as good: it is not the model"
    return replace(finding, status="evaluation changed", why=why, suspects=())


def go_on(case: Case, builder: Builder, tell: Tell, *, most: int | None = None) -> Finding:
    """Rebuild, or take from what is remembered, until it is decided."""
    inquest = case.inquest
    rebuilds = Rebuilds(case.session, builder, tell, most)
    surgeon = None
    if any(atom.id == WINDOW for atom in inquest.atoms.atoms):
        surgeon = Surgeon(
            inquest.plan,
            case.supply,
            case.session.folder / "parts",
            inquest.atoms,
            higher_is_better=inquest.recipe.higher_is_better,
        )
    chosen, recipe = case.found.chosen, inquest.recipe
    recorded = chosen.good.grade(recipe.metric) if recipe.metric else None
    band = chosen.gate.band if chosen.gate is not None and recipe.metric == chosen.metric else math.inf
    judge = Judge(recipe.threshold, recorded, band)
    return bisect(rebuilds, inquest.atoms, judge, surgeon=surgeon)


def conclude(out: Output, finding: Finding) -> int:
    """Say what was shown."""
    out.say(*finding_lines(finding))
    out.show(finding.to_json())
    return EXIT_CODES.get(finding.status, 1)
