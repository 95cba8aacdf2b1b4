# SPDX-License-Identifier: Apache-2.0
"""From a blame to what bisect needs: atoms, how to judge, what stands in the way; said before the first rebuild.

>>> inquest = hold(views, found, command=("make", "train"), folder="/work")  # doctest: +SKIP
>>> inquest.obstacles, [atom.label for atom in inquest.atoms.atoms]  # doctest: +SKIP
([], ['/data/labels 2026-05-03 was rewritten: ...', 'the window that moved: 12 files, day'])
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lineagekit.cause.atoms import Atom, Atoms, Pair, atoms_of, with_environment, with_more
from lineagekit.cause.blame import Blame
from lineagekit.cause.builds import direction, direction_of
from lineagekit.cause.files import Made, made_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.moved import follow
from lineagekit.cause.param_file import read_params
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.supply import Supply
from lineagekit.cause.views import Views
from lineagekit.cause.window import HISTORY, anew_for_each, left_behind
from lineagekit.errors import UsageError

_SHOWN = 3
_ABSENT = "one of the builds has none: say --set {0}=WORD, a word with {{value}} in it that is then left out"
_PLACE = "the command has no place for it: write {{{}}} where it belongs, or see --set"


@dataclass(slots=True)
class Inquest:
    """All that is known before anything is rebuilt."""

    plan: Plan
    atoms: Atoms
    recipe: Recipe
    obstacles: list[str] = field(default_factory=list)
    """Why nothing can be rebuilt here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person said beside the model."""

    recipe: Recipe
    threshold: float | None = None
    only: int | None = None
    """The number of a suspect: all others stay as they were."""
    environment: Mapping[str, Pair] = field(default_factory=dict)
    higher: bool | None = None
    """Which way is better; None leaves it to the record."""


def hold(views: Views, supply: Supply, found: Blame, wish: Wish) -> Inquest:
    """Look at everything, and touch nothing."""
    good, bad = made_of(views, found.chosen.good.run), made_of(views, found.chosen.bad.run)
    good, former = follow(good, bad)
    supply.moved |= former
    exam = found.exam.name
    if found.exam.state == "changed" and exam in good.files and exam in bad.files:
        bad.files[exam] = good.files[exam]  # the same for all, or no two of them could be compared
    params = None
    if wish.recipe.param_file:
        path = os.path.realpath(os.path.join(wish.recipe.folder, wish.recipe.param_file))
        params = path, read_params(path)
        for made in (good, bad):
            made.files.pop(path, None)  # what differs in it are the parameters
    healthy = _healthy(views, found)
    anew = [feed for feed in anew_for_each(healthy, good, bad) if feed.where != exam]
    behind = tuple(path for path in left_behind(healthy, good, bad) if anew and path != exam)
    atoms = replace(atoms_of(found, good, bad, anew), left_behind=behind)
    atoms = _testable(with_environment(atoms, wish.environment), wish.recipe)
    if wish.only is not None:
        atoms = _only(atoms, found, wish.only)
    atoms, pinned = _with_bytes(atoms, supply, good.written | bad.written)
    plan = Plan(atoms.atoms, good, bad, _exam(views, found), pinned, params, model=_model(views, found))
    inquest = Inquest(plan, atoms, _recipe(found, wish))
    inquest.obstacles = [*_no_drop(found, inquest.recipe), *_obstacles(inquest, supply)]
    return inquest


def _no_drop(found: Blame, recipe: Recipe) -> list[str]:
    """What healthy builds differ by has no culprit; who names two builds wants to know all the same."""
    chosen, gate = found.chosen, found.chosen.gate
    if gate is None or gate.verdict != "not real" or chosen.is_asked or recipe.metric != chosen.metric:
        return []
    what = f"the drop of {gate.drop:.3g} is within what healthy builds differ by ({gate.band:.3g})"
    return [f"there is nothing to explain: {what}. Name two builds to compare these: --good, --bad"]


def _healthy(views: Views, found: Blame) -> list[Made]:
    """What the last builds up to the good one were made of, in order of time."""
    last = found.chosen.good.number
    runs = [run for build in found.series.builds if build.number <= last for run in (build.run, *build.repeats)]
    runs.sort(key=lambda run: views.of(run).run.began)
    return [made_of(views, run) for run in runs[-HISTORY:]]


def _model(views: Views, found: Blame) -> str:
    """The file that both builds wrote; "" where each has one of its own."""
    chosen = found.chosen
    written = views.of(chosen.good.run).outputs.values() if chosen.good.dataset == chosen.bad.dataset else ()
    return next((use.name.name for use in written if use.dataset == chosen.good.dataset), "")


def _exam(views: Views, found: Blame) -> Made:
    """What the good build was graded with."""
    own = {found.chosen.good.run, *found.chosen.good.repeats}
    graders = {grade.run for grade in found.chosen.good.grades if grade.metric == found.chosen.metric} - own
    exam = made_of(views, *graders) if graders else Made()
    for use in views.of(found.chosen.good.run).outputs.values():
        exam.files.pop(use.name.name, None)  # the model: it is made anew
    return exam


def _testable(atoms: Atoms, recipe: Recipe) -> Atoms:
    """Parameters have to have a place in the command; a window without one may still have files."""
    kept: list[Atom] = []
    untestable = dict(atoms.untestable)
    for atom in atoms.atoms:
        without = [
            name for name, pair in atom.params.items() if not recipe.has_place_for(name, may_be_absent=None in pair)
        ]
        params = {name: pair for name, pair in atom.params.items() if name not in without}
        if params or atom.files:
            kept.append(replace(atom, params=params))
        if without and not (params or atom.files):
            untestable[atom.label] = (_ABSENT if None in atom.params[without[0]] else _PLACE).format(without[0])
    return replace(atoms, atoms=tuple(kept), untestable=untestable)


def _with_bytes(atoms: Atoms, supply: Supply, made: set[str]) -> tuple[Atoms, dict[str, str | None]]:
    """What cannot be tried because its bytes of one side are gone stays as on the other, in every rebuild."""
    kept: list[Atom] = []
    untestable, pinned = dict(atoms.untestable), {}
    for atom in atoms.atoms:
        pairs = [(path, pair) for path, pair in atom.files.items() if path not in made]
        gone = [
            [path for path, pair in pairs if pair[side] is not None and supply.find(path, pair[side] or "") is None]
            for side in (0, 1)
        ]
        if not any(gone):
            kept.append(atom)
            continue
        side = 1 if gone[0] else 0
        pinned.update({path: pair[side] for path, pair in atom.files.items()})
        names = ", ".join((gone[0] + gone[1])[:_SHOWN])
        untestable[atom.label] = f"bytes are gone: {names}. It stays as {'now' if side else 'before'} in each rebuild"
    return replace(atoms, atoms=tuple(kept), untestable=untestable), pinned


def _only(atoms: Atoms, found: Blame, number: int) -> Atoms:
    """One suspect against all the others, which are one atom then."""
    if not 0 < number <= len(found.accused):
        raise UsageError(f"no such suspect: got {number}, expected 1 to {len(found.accused)}", advice="See: blame")
    suspect = found.accused[number - 1]
    chosen = [atom for atom in atoms.atoms if atom.suspect is suspect]
    if not chosen:
        why = atoms.untestable.get(
            suspect.change.sentence, "it came with the window that moved, and is told apart there"
        )
        raise UsageError(f"suspect {number} cannot be tried by itself: {why}", advice="Leave out --only.")
    others = [atom for atom in atoms.atoms if atom not in chosen]
    merged = Atom("others", "all other changes", 0.01)
    for atom in others:
        merged = with_more(merged, atom.files, atom.params)
    return replace(atoms, atoms=(*chosen, *([merged] if others else [])))


def _recipe(found: Blame, wish: Wish) -> Recipe:
    chosen = found.chosen
    if wish.recipe.by_exit_status:
        return wish.recipe
    if not chosen.metric and wish.threshold is None:
        raise UsageError(
            "nothing was measured of these builds: got no metric, expected one to judge rebuilds by",
            advice="Judge by --exit-status, or by --metric-file and --threshold.",
        )
    key = wish.recipe.metric_place[1]
    name = key or chosen.metric
    good, bad = chosen.good.grade(name), chosen.bad.grade(name)
    half = (good + bad) / 2 if good is not None and bad is not None else None
    if half is None and wish.threshold is None and wish.recipe.command:  # else a person judges
        first = chosen.good if good is None else chosen.bad
        raise UsageError(
            f"no half-way point to judge rebuilds by: got no {name} of build {first.number} that is a number",
            advice="Say --threshold X, from which on it is good, or judge by --exit-status.",
        )
    threshold = (half or 0.0) if wish.threshold is None else wish.threshold
    higher = chosen.higher_is_better if name == chosen.metric else _is_higher(found, wish, key)
    return replace(wish.recipe, metric="" if key else name, threshold=threshold, higher_is_better=higher)


def _is_higher(found: Blame, wish: Wish, key: str) -> bool:
    """Which way another number is better than the one that blame judged by. Raises UsageError if nobody said."""
    known = direction_of(key.rpartition(".")[2]) if key not in found.series.metrics() else None
    told = wish.higher if wish.higher is not None else known
    return direction(found.series, key) if told is None else told


def why_elsewhere(*builds: Made) -> str:
    """Why these cannot be built again in a workspace; "" if all that they read and wrote are files of this machine."""
    elsewhere = {what: job for made in builds for what, job in made.elsewhere.items()}
    if not elsewhere:
        return ""
    names = ", ".join(f"{what} ({job})" for what, job in list(elsewhere.items())[:_SHOWN])
    return (
        f"read or written elsewhere than in this machine's files, where nothing can be put back or held off: {names}. "
        "If the command reads the same of it each time, and may write there, say --unsafe"
    )


def _obstacles(inquest: Inquest, supply: Supply) -> list[str]:
    told = []
    plan = inquest.plan
    if not inquest.atoms.atoms:
        told.append("nothing can be put back" + "".join(f"; {w}: {y}" for w, y in inquest.atoms.untestable.items()))
    if not inquest.recipe.is_unsafe and (why := why_elsewhere(plan.good, plan.bad)):
        told.append(why)
    missing = plan.missing(supply)
    if missing:
        names = ", ".join(list(missing)[:_SHOWN]) + (" ..." if len(missing) > _SHOWN else "")
        told.append(
            f"bytes are gone that every rebuild needs ({len(missing):,} files): {names}. "
            'With keep = "changed" in config.toml what jobs read is kept from now on'
        )
    return told
