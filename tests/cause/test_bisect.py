# SPDX-License-Identifier: Apache-2.0
"""Bisect with rebuilds that cost nothing: killed wherever it is, it goes on; what it was told it never builds anew."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lineagekit.cause.atoms import WINDOW, Atom, Atoms
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.session import Asked, Session

ATOMS = Atoms(tuple(Atom(str(one), f"change {one}", 0.5 / (one + 1)) for one in range(12)), {})
ASKED = Asked("m", "run 1", "run 2", ("make",), "auc", tuple(atom.label for atom in ATOMS.atoms))

PROGRAM = """
import sys, time
from pathlib import Path
from tests.cause.test_bisect import ASKED, ATOMS, Fake
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.session import Session

folder, cause = sys.argv[1], frozenset(sys.argv[2].split(","))
paid = Path(folder, "paid")

def build(chosen):
    with paid.open("a") as file:
        file.write(f"begun {sorted(chosen)}\\n")
    time.sleep(0.02)
    return 0.5 if cause & chosen else 0.9

found = bisect(Rebuilds(Session.open(folder, ASKED), Fake(build), lambda *_: None), ATOMS, Judge(0.7, 0.9))
print(found.status, *(one for causes in found.causes for one in causes), sep="|")
"""


class Fake:
    """Rebuilds in no time."""

    def __init__(self, score: Callable[[frozenset[str]], float]) -> None:
        self.score = score

    def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
        value = self.score(chosen)
        return Outcome("good" if value > 0.7 else "bad", value)


def found_by(folder: Path, score: Callable[[frozenset[str]], float], most: int | None = None) -> tuple[str, list[str]]:
    rebuilds = Rebuilds(Session.open(str(folder), ASKED), Fake(score), lambda *_: None, most)
    found = bisect(rebuilds, ATOMS, Judge(0.7, 0.9))
    return found.status, sorted(one for causes in found.causes for one in causes)


def test_what_is_remembered_is_not_built_again(tmp_path: Path) -> None:
    built: list[frozenset[str]] = []

    def score(chosen: frozenset[str]) -> float:
        built.append(chosen)
        return 0.5 if "7" in chosen else 0.9

    assert found_by(tmp_path, score) == ("confirmed", ["change 7"])
    assert len(built) == len(set(built))
    assert found_by(tmp_path, lambda _: pytest.fail("built again")) == ("confirmed", ["change 7"])


@pytest.mark.parametrize(
    ("of_change", "of_window", "causes"),
    [
        (0.03, 0.0, [("change 3",)]),  # it shows on any day, and more on those that came
        (0.0, 0.03, [("the window",)]),
        (0.01, 0.01, [("change 3", "the window")]),  # neither of both without the other
    ],
)
def test_what_is_bad_only_on_the_days_that_came_is_told_apart_from_these(
    tmp_path: Path, of_change: float, of_window: float, causes: list[tuple[str, ...]]
) -> None:
    atoms = Atoms((*ATOMS.atoms, Atom(WINDOW, "the window", 0.01)), {})

    def score(chosen: frozenset[str]) -> float:
        if {"3", WINDOW} <= chosen:
            return 0.66
        return 0.74 - of_change * ("3" in chosen) - of_window * (WINDOW in chosen)

    rebuilds = Rebuilds(Session.open(str(tmp_path), ASKED), Fake(score), lambda *_: None)
    found = bisect(rebuilds, atoms, Judge(0.7, 0.74))
    assert (found.status, found.causes) == ("confirmed", tuple(causes))
    is_split = len(causes[0]) == 1
    assert any("of the drop on the data of the good build" in note for note in found.notes) == is_split
    assert ("most of the drop on the average" in found.how) == is_split
    most = len(list(Session.open(str(tmp_path), ASKED).outcomes()))
    for spent in range(1, most):
        (tmp_path / str(spent)).mkdir()
        rebuilds = Rebuilds(Session.open(str(tmp_path / str(spent)), ASKED), Fake(score), lambda *_: None, spent)
        assert bisect(rebuilds, atoms, Judge(0.7, 0.74)).causes in ((), tuple(causes), (("change 3", "the window"),))


@pytest.mark.parametrize(
    ("sizes", "band", "found"),
    [
        ({"3": 0.25, "7": 0.13}, 0.02, {"change 3", "change 7"}),
        ({"3": 0.25, "7": 0.13}, 0.2, {"change 3"}),  # healthy builds differ by more
        ({"3": 0.25, "7": 0.05}, 0.02, {"change 3"}),
        ({"3": 0.25, "7": 0.07, "9": 0.06}, 0.02, {"change 3", "change 7"}),
        ({"3": 0.25, "7": 0.04, "8": 0.04, "9": 0.04, "10": 0.04}, 0.02, {"change 3"}),
    ],
)
def test_what_the_first_cause_leaves_is_looked_into_where_it_is_much(
    tmp_path: Path, sizes: dict[str, float], band: float, found: set[str]
) -> None:
    class Sum:
        def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
            value = 0.9 - sum(size for one, size in sizes.items() if one in chosen)
            return Outcome("good" if value > 0.9 - sum(sizes.values()) / 2 else "bad", value)

    rebuilds = Rebuilds(Session.open(str(tmp_path), ASKED), Sum(), lambda *_: None)
    told = bisect(rebuilds, ATOMS, Judge(0.9 - sum(sizes.values()) / 2, 0.9, band))
    assert told.status == "confirmed"
    assert {one for cause in told.causes for one in cause} >= found
    is_much = 1 - 0.25 / sum(sizes.values()) > 0.25 and band < 0.1
    assert any("of the drop is left" in note for note in told.notes) == is_much
    assert not {one for cause in told.causes for one in cause} & set(told.cleared)
    if len(sizes) < 4:
        assert {one for cause in told.causes for one in cause} == found


def test_changes_that_only_fit_each_other_are_no_culprits(tmp_path: Path) -> None:
    """Changes 3 and 7 are the same day of two feeds, of which one is a little wrong."""

    def score(chosen: frozenset[str]) -> float:
        together = len({"3", "7"} & chosen)
        return 0.9 if together == 0 else 0.69 if together == 2 else 0.55 if "3" in chosen else 0.6

    rebuilds = Rebuilds(Session.open(str(tmp_path), ASKED), Fake(score), lambda *_: None)
    found = bisect(rebuilds, ATOMS, Judge(0.8, 0.9))
    assert (found.status, found.causes) == ("not separable", ())
    assert "belong together: with change " in found.why


def test_as_many_rebuilds_as_allowed_and_then_no_culprit(tmp_path: Path) -> None:
    assert found_by(tmp_path, lambda chosen: 0.5 if "7" in chosen else 0.9, most=3)[0] == "stopped"
    assert found_by(tmp_path, lambda chosen: 0.5 if "7" in chosen else 0.9) == ("confirmed", ["change 7"])


@pytest.mark.parametrize("seed", range(5))
def test_where_scores_are_noisy_the_cause_is_found_by_repeats(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    score = lambda chosen: dice.gauss(0.5 if "3" in chosen else 0.9, 0.15)  # noqa: E731
    assert found_by(tmp_path, score) == ("confirmed", ["change 3"])


@pytest.mark.faults
def test_killed_200_times_it_comes_to_the_same_and_pays_for_no_rebuild_twice(tmp_path: Path) -> None:
    dice, kills, finished = random.Random(7), 0, 0
    while kills < 200:
        folder = tmp_path / str(finished)
        folder.mkdir()
        cause = f"{dice.randrange(12)}"
        while kills < 200:
            words = [sys.executable, "-c", PROGRAM, str(folder), cause]
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as process:
                time.sleep(dice.uniform(0.3, 0.8))
                process.send_signal(signal.SIGKILL)
                said = process.communicate()[0]
            if said:
                break
            kills += 1
        done = subprocess.run([sys.executable, "-c", PROGRAM, str(folder), cause], capture_output=True, text=True)
        assert done.stdout.strip() == f"confirmed|change {cause}"
        session = Session.open(str(folder), ASKED)
        told = [chosen for chosen, _ in session.outcomes()]
        assert len(told) == len(set(told))
        finished += 1


@pytest.mark.parametrize(("pair", "expected"), [(True, 1), (False, 0)])
def test_a_cause_that_is_worse_alone_than_with_what_came_with_it_is_said_to_be_one_half(
    tmp_path: Path, pair: bool, expected: int
) -> None:
    """Change 7 renames keys, change 8 does so in the other table."""

    def score(chosen: frozenset[str]) -> float:
        return 0.9 if "7" not in chosen else 0.6 if "8" in chosen or not pair else 0.3

    rebuilds = Rebuilds(Session.open(str(tmp_path), ASKED), Fake(score), lambda *_: None)
    found = bisect(rebuilds, ATOMS, Judge(0.7, 0.9))
    assert found.causes == (("change 7",),)
    assert sum("worse than the bad build" in note for note in found.notes) == expected
