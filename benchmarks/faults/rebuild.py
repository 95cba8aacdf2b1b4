# SPDX-License-Identifier: Apache-2.0
"""Is the right change shown to be the cause? The case is rebuilt by `bisect`, as a person would have it done.

    >>> rebuild(folder, case).word  # doctest: +SKIP
    'right'

A case counts as one that can be tried if the fault is in something that can be put back: a hidden file, a variable
whose value is not kept and a package of which only one version is installed are not.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.faults.case import Case
from benchmarks.faults.faults import Truth
from benchmarks.faults.swaps import swap, swapped
from lineagekit.cause.atoms import WINDOW, Atoms
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.blame import Question, blame
from lineagekit.cause.change import Change
from lineagekit.cause.finding import Finding
from lineagekit.cause.inquest import Inquest, Wish, hold
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.probe import Prober
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.session import Asked, Session
from lineagekit.cause.supply import Supply
from lineagekit.cause.surgeon import Surgeon
from lineagekit.cause.views import Views
from lineagekit.errors import LineagekitError
from lineagekit.store.index import open_index
from lineagekit.store.kept import Kept
from lineagekit.store.log import open_store
from lineagekit.store.targets import find_target

Word = Literal["right", "wrong", "no culprit", "in part", "cannot be tried", "refused"]
_MOST = 40
STEPS = Path(__file__).with_name("steps.py")


@dataclass(frozen=True, slots=True)
class Swap:
    """Feeds of a window, each swapped as a whole."""

    word: Word
    said: str
    probes: int
    alone: str
    """Of the good build with the right feed as in the bad one."""
    with_labels: str = ""
    """Likewise, with a healthy one beside it: that of the labels."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    word: Word
    status: str
    said: str
    atoms: int
    probes: int
    seconds: float
    swap: Swap | None = None
    """Where feeds of a window were told apart: what the plain swap of whole feeds says of the same builds."""

    @property
    def beyond(self) -> int:
        """Rebuilds beside the two baselines."""
        return max(0, self.probes - 2)


def rebuild(folder: Path, case: Case, *, rival: bool = False) -> Rebuilt:
    """Bisect what `told-0` in this folder tells."""
    began = time.monotonic()
    store_folder = folder / "told-0"
    try:
        inquest, supply, judge, session = _opened(store_folder, folder / "case", case)
    except LineagekitError as error:
        return Rebuilt("refused", "", error.message, 0, 0, time.monotonic() - began)
    atoms = inquest.atoms
    if inquest.obstacles:
        return Rebuilt("refused", "", inquest.obstacles[0], len(atoms.atoms), 0, time.monotonic() - began)
    truths = case.fault.truths if case.fault else ()
    prober = Prober(inquest.plan, supply, inquest.recipe, session.folder, 'content = false\nkeep = "none"\n')
    rebuilds = Rebuilds(session, prober, _say, _MOST)
    surgeon = None
    if any(atom.id == WINDOW for atom in atoms.atoms):
        better = inquest.recipe.higher_is_better
        surgeon = Surgeon(inquest.plan, supply, session.folder / "parts", atoms, higher_is_better=better)
    finding = bisect(rebuilds, atoms, judge, surgeon=surgeon)
    word = _judged(finding, atoms, truths)
    if word == "no culprit" and truths and not all(_can_be_tried(atoms, truth) for truth in truths):
        word = "cannot be tried"
    plain = None
    if rival and surgeon is not None and finding.repairs and len(truths) == 1:
        plain = _swap(inquest, surgeon, prober, truths[0])
    said = "; ".join(one for cause in finding.causes for one in cause) or finding.why
    return Rebuilt(word, finding.status, said, len(atoms.atoms), finding.probes, time.monotonic() - began, plain)


def _swap(inquest: Inquest, surgeon: Surgeon, prober: Prober, truth: Truth) -> Swap:
    """What is found where a window's feeds are swapped one by one, as files that do not move are."""
    log = prober.folder / "swaps.log"
    done, probes = swap(inquest.plan, surgeon, prober, ("good", "bad"), log=log)
    said = done.why + ": " + "; ".join(" with ".join(sorted(cause)) for cause in done.causes)
    feeds = [feed.where for feed in surgeon.feeds.values()]
    right = frozenset(where for where in feeds if truth.name in where)
    word: Word = "no culprit"
    if done.status == "confirmed":
        word = "right" if done.causes == (right,) else "wrong"
    labels = frozenset(where for where in feeds if "raw/labels" in where)
    pair = [swapped(inquest.plan, surgeon, prober, one, log=log) for one in dict.fromkeys((right, right | labels))]
    return Swap(word, said, probes, *pair)


def _opened(store_folder: Path, root: Path, case: Case) -> tuple[Inquest, Supply, Judge, Session]:
    objects = root / ".lineagekit" / "objects"
    if objects.exists() and not (store_folder / "objects").exists():
        (store_folder / "objects").symlink_to(objects)
    with open_store(store_folder, make=False) as store, open_index(store, store_folder) as index:
        index.catch_up()
        target = find_target(index.database, case.shape.model, kinds=("model",))
        found = blame(index.database, store, target, Question(metric=case.shape.metric))
        supply = Supply(Kept(store_folder))
        recipe = Recipe(_command(case), str(root), timeout=300)
        inquest = hold(Views(index.database, store), supply, found, Wish(recipe))
    labels = tuple(atom.label for atom in inquest.atoms.atoms)
    question = Asked(case.shape.model, found.chosen.good.id, found.chosen.bad.id, ("sh",), "", labels)
    session = Session.open(str(store_folder), question)
    session.empty()
    band = found.chosen.gate.band if found.chosen.gate else math.inf
    judge = Judge(inquest.recipe.threshold, found.chosen.good.grade(case.shape.metric), band)
    return inquest, supply, judge, session


def _command(case: Case) -> tuple[str, ...]:
    """All steps of a day, as far as this model is concerned."""
    script = (
        'export RUN="$LINEAGEKIT_RUN" LINEAGEKIT_RUN= PYTHONPATH=lib/site-packages OMP_NUM_THREADS=1'
        f' OPENBLAS_NUM_THREADS=1; exec {sys.executable} {STEPS} "$@"'
    )
    steps: list[list[str]] = []
    for step in case.shape.steps:
        words = [step.script]
        if step.script in ("clean.py", "assemble.py") and case.shape.name in ("join", "rolling"):
            words += ["--day", "{day}"]
        if step.script == "train.py":
            words += ["--C", "{C}", "--rows", "{rows}"]
        if step.script in ("train.py", "grade.py") and case.shape.name == "rolling":
            words += ["--target", case.shape.model]
        if words not in steps:
            steps.append(words)
    joined = [word for words in steps for word in (",", *words)][1:]
    return ("sh", "-ec", script, "steps", *joined)


def _judged(finding: Finding, atoms: Atoms, truths: Sequence[Truth]) -> Word:
    """Right only if nothing else is called a culprit, and of several none is left out."""
    if finding.status != "confirmed":
        return "no culprit"
    said = [label for cause in finding.causes for label in cause]
    found = [{truth for truth in truths if _fits(label, atoms, truth)} for label in said]
    if not all(found):
        return "wrong"
    return "right" if set().union(*found) == set(truths) else "in part"


def _fits(label: str, atoms: Atoms, truth: Truth) -> bool:
    """Whether this change, or one of the feed that it names, is the right one."""
    changes = _changes(atoms)
    wheres = {change.where for change in changes if change.sentence == label}
    in_data = [change for change in atoms.of_window if change.change.where in wheres]
    return any(truth.fits(change) for change in changes if change.sentence == label) or any(
        truth.fits(one.change) for one in in_data
    )


def _can_be_tried(atoms: Atoms, truth: Truth) -> bool:
    return any(truth.fits(change) for change in _changes(atoms))


def _changes(atoms: Atoms) -> list[Change]:
    return [one.change for one in (*(atom.suspect for atom in atoms.atoms), *atoms.of_window) if one is not None]


def _say(number: int, chosen: frozenset[str], why: str, outcome: Outcome | None) -> None:
    if outcome is not None and outcome.verdict == "skip":
        print(f"         probe {number} {sorted(chosen)}: {outcome.why[:200]}", flush=True)
