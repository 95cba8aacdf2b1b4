# SPDX-License-Identifier: Apache-2.0
"""What bisect can put back: each root change by itself, what moves with a window together, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lineagekit.cause.atoms import REST, WINDOW, Atom, Atoms, atoms_of
from lineagekit.cause.blame import Question, blame
from lineagekit.cause.change import Change
from lineagekit.cause.files import Made, Place, made_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.parts import Part, Parts, compare_parts, keys_of
from lineagekit.cause.rank import Suspect
from lineagekit.cause.supply import Supply
from lineagekit.cause.views import Views
from lineagekit.store.kept import Kept
from lineagekit.store.targets import find_target
from tests.cause import test_windows as windows
from tests.cause.worlds import CLEAN, LABELS, RAW, Day, good_days, story
from tests.store.told import Event, digest, told

Held = tuple[Atoms, Made, Made]


@contextmanager
def held(folder: Path, events: list[Event]) -> Iterator[Held]:
    with told(folder, events) as (store, index):
        found = blame(index.database, store, find_target(index.database, "m"), Question())
        views = Views(index.database, store)
        good, bad = made_of(views, found.chosen.good.run), made_of(views, found.chosen.bad.run)
        yield atoms_of(found, good, bad), good, bad


def of_days(folder: Path, days: list[Day]) -> Held:
    with held(folder, list(story(days))) as found:
        return found


def of_window(folder: Path, of: windows.Digest, *, as_files: bool) -> Held:
    with held(folder, list(windows.story(of, 20, as_files=as_files))) as found:
        return found


def test_each_root_change_is_an_atom_and_what_is_made_on_the_way_is_none(tmp_path: Path) -> None:
    days = [*good_days(), Day(0.8, labels="flipped", params={"lr": "0.5"}, code="other")]
    atoms, good, bad = of_days(tmp_path, days)
    assert [set(atom.files) for atom in atoms.atoms if atom.files] == [{"/src/train.py"}, {LABELS}]
    assert [dict(atom.params) for atom in atoms.atoms if atom.params] == [{"lr": ("0.1", "0.5")}]
    assert good.files[CLEAN] != bad.files[CLEAN]
    assert sorted(atom.weight for atom in atoms.atoms)[-1] == atoms.atoms[0].weight


def test_what_cannot_be_put_back_is_named_with_the_reason(tmp_path: Path) -> None:
    atoms, *_ = of_days(tmp_path, [*good_days(), Day(0.8, packages={"sklearn": "1.6"})])
    assert atoms.atoms == ()
    assert atoms.untestable == {
        "package sklearn of shop/train.py: 1.5 -> 1.6": "another version of a package: "
        "run bisect in an environment that has it"
    }


def test_the_same_code_in_other_bytes_goes_with_the_rest(tmp_path: Path) -> None:
    days = [*(Day(day.auc, tree="t") for day in good_days()), Day(0.8, tree="t", code="comment", labels="flipped")]
    atoms, *_ = of_days(tmp_path, days)
    assert [(atom.id, set(atom.files)) for atom in atoms.atoms] == [("1", {LABELS}), (REST, {"/src/train.py"})]


@pytest.mark.parametrize("as_files", [False, True])
def test_what_comes_and_goes_with_a_window_is_one_atom(tmp_path: Path, as_files: bool) -> None:
    def restated(feed: str, part: int, seen: int) -> str | None:
        return "flipped" if (feed, part) == ("labels", 16) and seen >= 20 else windows.usual(feed, part, seen)

    atoms, *_ = of_window(tmp_path, restated, as_files=as_files)
    assert [atom.id for atom in atoms.atoms] == ["1", WINDOW]
    assert [windows.key(16) in path for path in atoms.atoms[0].files] == [True]
    assert len(atoms.atoms[1].files) == 2 * len(windows.FEEDS)
    assert all(None in pair for pair in atoms.atoms[1].files.values())


def test_a_hybrid_has_the_chosen_atoms_as_now_and_all_else_as_before(tmp_path: Path) -> None:
    atoms, good, bad = of_days(tmp_path, [*good_days(), Day(0.8, labels="flipped", params={"lr": "0.5"})])
    plan = Plan(atoms.atoms, good, bad)
    of_labels = next(atom.id for atom in atoms.atoms if LABELS in atom.files)
    side: Callable[[set[str]], tuple[object, ...]] = lambda chosen: (  # noqa: E731
        plan.hybrid(chosen).intent.files[LABELS],
        plan.hybrid(chosen).values["lr"],
    )
    assert side(set()) == (good.files[LABELS], "0.1")
    assert side({of_labels}) == (bad.files[LABELS], "0.1")
    assert side({atom.id for atom in atoms.atoms}) == (bad.files[LABELS], "0.5")
    intent = plan.hybrid(set()).intent
    assert (intent.rebuilt, intent.files[RAW]) == ({CLEAN}, good.files[RAW])
    assert digest("a") not in intent.files.values()


def test_the_same_words_for_other_bytes_are_another_question() -> None:
    one, other = (Atom("1", "X changed", 0.5, {"/a": ("blake3:1", digest)}) for digest in ("blake3:2", "blake3:3"))
    assert one.signature != other.signature
    assert one.signature == Atom("1", "X changed", 0.1, {"/a": ("blake3:1", "blake3:2")}).signature


def test_new_parts_with_other_columns_move_with_the_window(tmp_path: Path) -> None:
    good = Made(files={"/raw/a/day=2026-05-01/a.csv": "blake3:1", "/raw/b.csv": "blake3:2"})
    bad = Made(files={"/raw/a/day=2026-05-02/a.csv": "blake3:3", "/raw/b.csv": "blake3:4"})
    for made, day in ((good, 1), (bad, 2)):
        made.parts[f"/raw/a/day=2026-05-0{day}/a.csv"] = Place("/raw/a", f"day=2026-05-0{day}/a.csv", f"2026-05-0{day}")
    found = SimpleNamespace(
        exam=SimpleNamespace(name=""),
        suspects=[
            Suspect(Change("schema", "/raw/a"), 0.9, "suspect", ()),
            Suspect(Change("source", "/raw/b.csv", before="blake3:2", after="blake3:4"), 0.5, "suspect", ()),
        ],
    )
    atoms = atoms_of(found, good, bad)  # type: ignore[arg-type]
    assert [(atom.id, len(atom.files)) for atom in atoms.atoms] == [("1", 1), (WINDOW, 2)]
    assert [one.change.where for one in atoms.of_window] == ["/raw/a"]


@pytest.mark.parametrize("has_window", [True, False])
def test_a_number_that_goes_up_with_each_build_moves_with_the_window_if_there_is_one(
    tmp_path: Path, has_window: bool
) -> None:
    files = {f"/raw/{day}.csv": f"blake3:{day}" for day in ("2026-05-01", "2026-05-02", "2026-05-03")}
    first, second, third = files
    good = Made(files={one: files[one] for one in (first, second)}, params={"day": "7"})
    bad = Made(files={one: files[one] for one in (second, third)}, params={"day": "8"})
    if not has_window:
        bad.files = good.files
    change = Change("params", "train.py", "day", "7", "8")
    suspect = Suspect(change, 0.1, "carrier", ())
    found: Any = SimpleNamespace(exam=SimpleNamespace(name=""), suspects=[suspect])
    atoms = atoms_of(found, good, bad).atoms
    assert [(atom.id == WINDOW, dict(atom.params)) for atom in atoms] == [(has_window, {"day": ("7", "8")})]


def test_what_went_with_the_window_is_not_missing_where_a_day_came_in_several_files() -> None:
    def parts(*days: int) -> Parts:
        keys = keys_of(f"day=2026-05-0{day}/part-{number}.csv" for day in days for number in (0, 1))
        return {key: Part(key, path, 0, 0) for path, key in keys.items()}

    changes, _ = compare_parts("/raw", parts(1, 2, 3), parts(2, 3, 4))
    assert sorted((one.kind, one.key) for one in changes) == [
        ("entered", "2026-05-04"),
        ("entered", "day=2026-05-04/part-1.csv"),
        ("expired", "2026-05-01"),
        ("expired", "day=2026-05-01/part-1.csv"),
    ]


def test_parts_of_later_days_are_in_no_rebuild_and_another_project_is_left_alone(tmp_path: Path) -> None:
    """A number in the name of the project is no day."""
    days = [f"2026-05-0{day}" for day in (1, 2, 3)]
    for project in ("run-1111", "run-2222"):
        for day in days:
            path = tmp_path / project / f"dt={day}" / "a.csv"
            path.parent.mkdir(parents=True)
            path.write_text(day)
        (tmp_path / project / "train.py").write_text("")
    names = [str(tmp_path / "run-1111" / f"dt={day}" / "a.csv") for day in days]
    script = {str(tmp_path / "run-1111" / "train.py"): "sha256:1"}
    good, bad = (Made(files={name: "blake3:1"}, sources=script) for name in names[:2])
    plan = Plan((Atom(WINDOW, "", 0.1, {names[0]: ("blake3:1", None), names[1]: (None, "blake3:1")}),), good, bad)
    placed = dict(plan.placed(plan.hybrid(set()), Supply(Kept(str(tmp_path / "store")))))
    assert placed == {names[1]: None, names[2]: None}
