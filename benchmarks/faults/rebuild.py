# SPDX-License-Identifier: Apache-2.0
"""Is the right change shown to be the cause? The case is rebuilt by `bisect`, as a person would have it done.

    >>> rebuild(folder, case).word  # doctest: +SKIP
    'right'

A case counts as one that can be tried if the fault is in something that can be put back: a hidden file, a variable
whose value is not kept and a package of which only one version is installed are not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.faults.case import Case
from benchmarks.faults.faults import Truth
from lineagekit.cause.atoms import WINDOW, Atoms
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.blame import Question, blame
from lineagekit.cause.change import Change
from lineagekit.cause.finding import Finding
from lineagekit.cause.inquest import Inquest, Wish, hold
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.placebo import Surgeon
from lineagekit.cause.probe import Prober
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.session import Asked, Session
from lineagekit.cause.supply import Supply
from lineagekit.cause.views import Views
from lineagekit.errors import LineagekitError
from lineagekit.store.index import open_index
from lineagekit.store.kept import Kept
from lineagekit.store.log import open_store
from lineagekit.store.targets import find_target

Word = Literal["right", "wrong", "no culprit", "cannot be tried", "refused"]
_MOST = 40


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    word: Word
    status: str
    said: str
    atoms: int
    probes: int
    seconds: float

    @property
    def beyond(self) -> int:
        """Rebuilds beside the two baselines."""
        return max(0, self.probes - 2)


def rebuild(folder: Path, case: Case) -> Rebuilt:
    """Bisect what `told-0` in this folder tells."""
    began = time.monotonic()
    store_folder = folder / "told-0"
    try:
        inquest, supply, found_suspects, session = _opened(store_folder, folder / "case", case)
    except LineagekitError as error:
        return Rebuilt("refused", "", error.message, 0, 0, time.monotonic() - began)
    atoms = inquest.atoms
    if inquest.obstacles:
        return Rebuilt("refused", "", inquest.obstacles[0], len(atoms.atoms), 0, time.monotonic() - began)
    truth = case.fault.truth if case.fault else None
    chosen_grade = inquest.recipe.threshold
    prober = Prober(inquest.plan, supply, inquest.recipe, session.folder, 'content = false\nkeep = "none"\n')
    rebuilds = Rebuilds(session, prober, _say, _MOST)
    surgeon = None
    if any(atom.id == WINDOW for atom in atoms.atoms):
        better = inquest.recipe.higher_is_better
        surgeon = Surgeon(inquest.plan, supply, session.folder / "parts", atoms.of_window, higher_is_better=better)
    finding = bisect(rebuilds, atoms, Judge(chosen_grade, found_suspects), surgeon=surgeon)
    word = _judged(finding, atoms, truth)
    if word == "no culprit" and truth is not None and not _can_be_tried(atoms, truth):
        word = "cannot be tried"
    said = "; ".join(one for cause in finding.causes for one in cause) or finding.why
    return Rebuilt(word, finding.status, said, len(atoms.atoms), finding.probes, time.monotonic() - began)


def _opened(store_folder: Path, root: Path, case: Case) -> tuple[Inquest, Supply, float | None, Session]:
    objects = root / ".lineagekit" / "objects"
    if objects.exists() and not (store_folder / "objects").exists():
        (store_folder / "objects").symlink_to(objects)
    with open_store(store_folder, make=False) as store, open_index(store, store_folder) as index:
        index.catch_up()
        target = find_target(index.database, case.shape.model, kinds=("model",))
        found = blame(index.database, store, target, Question(metric=case.shape.metric))
        supply = Supply(Kept(store_folder))
        recipe = Recipe(("sh", "-ec", _command(case)), str(root), timeout=300)
        inquest = hold(Views(index.database, store), supply, found, Wish(recipe))
    labels = tuple(atom.label for atom in inquest.atoms.atoms)
    question = Asked(case.shape.model, found.chosen.good.id, found.chosen.bad.id, ("sh",), "", labels)
    session = Session.open(str(store_folder), question)
    session.empty()
    return inquest, supply, found.chosen.good.grade(case.shape.metric), session


def _command(case: Case) -> str:
    """All steps of a day, as far as this model is concerned."""
    lines = ["export PYTHONPATH=lib/site-packages OMP_NUM_THREADS=1"]
    for step in case.shape.steps:
        words = [sys.executable, step.script]
        if step.script in ("clean.py", "assemble.py") and case.shape.name in ("join", "rolling"):
            words += ["--day", "{day}"]
        if step.script == "train.py":
            words += ["--C", "{C}", "--rows", "{rows}"]
        if step.script in ("train.py", "grade.py") and case.shape.name == "rolling":
            words += ["--target", case.shape.model]
        if (line := " ".join(words)) not in lines:
            lines.append(line)
    return "\n".join(lines)


def _judged(finding: Finding, atoms: Atoms, truth: Truth | None) -> Word:
    """Right only if nothing else is called a culprit."""
    if finding.status != "confirmed":
        return "no culprit"
    if truth is None:
        return "wrong"
    return "right" if all(_fits(cause, atoms, truth) for cause in finding.causes) else "wrong"


def _fits(cause: Sequence[str], atoms: Atoms, truth: Truth) -> bool:
    """Whether a change of this cause, or of the feed that it names, is the right one."""
    changes = _changes(atoms)
    wheres = {change.where for change in changes if change.sentence in cause}
    return any(truth.fits(change) for change in changes if change.where in wheres or change.sentence in cause)


def _can_be_tried(atoms: Atoms, truth: Truth) -> bool:
    return any(truth.fits(change) for change in _changes(atoms))


def _changes(atoms: Atoms) -> list[Change]:
    return [one.change for one in (*(atom.suspect for atom in atoms.atoms), *atoms.of_window) if one is not None]


def _say(number: int, chosen: frozenset[str], why: str, outcome: Outcome | None) -> None:
    if outcome is not None and outcome.verdict == "skip":
        print(f"         probe {number} {sorted(chosen)}: {outcome.why[:200]}", flush=True)
