# SPDX-License-Identifier: Apache-2.0
"""Which feed of a window it was: its last good parts carried forward, with their placebo; and never a healthy one."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv as pacsv
from pyarrow import parquet

from lineagekit.cause.atoms import WINDOW, Atom, Atoms
from lineagekit.cause.bisect import Judge, bisect
from lineagekit.cause.files import Made, Place
from lineagekit.cause.graft import Held, columns_of, graft, keys_among, rows_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.placebo import hybrids, judge, net_repair
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.rivals import separate
from lineagekit.cause.session import Asked, Session
from lineagekit.cause.supply import Supply
from lineagekit.cause.surgeon import Surgeon
from lineagekit.cause.window import Feed, Part, anew_for_each, feeds_of, left_behind
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.store.kept import Kept

KEYS = [f"2026-05-{day:02}" for day in range(1, 10)]


def table(day: int, *, rows: int = 50, scale: float = 1.0) -> pa.Table:
    values = np.random.default_rng(day).normal(scale, scale, rows)
    return pa.table({"row": np.arange(day * rows, (day + 1) * rows), "place": np.arange(rows) % 7, "value": values})


def as_bytes(one: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(one, sink)
    return sink.getvalue()


def read(body: bytes) -> pa.Table:
    return parquet.read_table(pa.BufferReader(body))


def grafted(own: bytes, donor: bytes, path: str, shared: set[str], rows: Sequence[pa.Table] = ()) -> bytes | None:
    """Of parts that are one file each."""
    made = graft([Held(path, own)], [Held(path, donor)], shared, rows)
    return made[0] if made else None


def test_a_graft_has_its_own_rows_and_keys_and_the_others_values() -> None:
    own, donor = table(9, rows=30, scale=100.0), table(8)
    made = grafted(as_bytes(own), as_bytes(donor), "new.parquet", {"row", "place"})
    assert made is not None
    found = read(made)
    assert found["row"] == own["row"]
    assert found["place"] == own["place"]
    assert set(found["value"].to_pylist()) <= set(donor["value"].to_pylist())
    assert found["value"].to_pylist() != donor["value"].to_pylist()[:30]


def test_a_day_in_several_files_is_one_part_and_each_file_keeps_its_rows() -> None:
    own, donor = table(9, scale=100.0), table(8)
    files = [
        Held(f"{name}.parquet", as_bytes(one))
        for name, one in zip("abc", (own[:10], own[10:15], own[15:]), strict=True)
    ]
    made = graft(files, [Held("x.parquet", as_bytes(donor[:40])), Held("y.parquet", as_bytes(donor[40:]))], {"row"})
    assert made is not None
    assert [read(body)["row"] for body in made] == [own["row"][:10], own["row"][10:15], own["row"][15:]]
    assert max(value for body in made for value in read(body)["value"].to_pylist()) < 10
    whole = graft(files, [Held("x.parquet", as_bytes(donor))], {"row"}, [table(9, rows=70).select(["row"])] * 2)
    assert whole is not None
    assert [read(body).num_rows for body in whole] == [10, 5, 55]  # the last one takes what is missing


def test_of_a_doubled_day_in_several_files_no_row_comes_twice() -> None:
    own, donor = table(9), table(8)
    twice = [Held(f"{name}.parquet", as_bytes(own)) for name in "ab"]
    made = graft(twice, [Held("x.parquet", as_bytes(donor))], {"row"}, [own.select(["row"])] * 2)
    assert made is not None
    assert [read(body).num_rows for body in made] == [50, 0]


def test_several_files_that_are_no_tables_stand_in_only_for_as_many() -> None:
    own = [Held("a.bin", b"1"), Held("b.bin", b"2")]
    assert graft(own, [Held("a.bin", b"3"), Held("b.bin", b"4")], set()) == [b"3", b"4"]
    assert graft(own, [Held("a.bin", b"3")], set()) is None


@pytest.mark.parametrize("wrong", ["truncated", "doubled", "drifted"])
def test_where_its_own_keys_are_wrong_those_of_most_other_feeds_count(wrong: str) -> None:
    own, donor = table(9).drop_columns("place"), table(8).drop_columns("place")
    keys = own.select(["row"])
    drifted = pa.table({"row": pc.add(own["row"], 1_000_000), "value": own["value"]})
    broken = {"truncated": own.slice(0, 5), "doubled": pa.concat_tables([own, own]), "drifted": drifted}[wrong]
    others = [drifted.select(["row"]), keys, keys]
    made = grafted(as_bytes(broken), as_bytes(donor), "a.parquet", {"row"}, others)
    assert made is not None
    assert read(made)["row"] == own["row"]
    assert rows_of([Held("a.parquet", as_bytes(own))]) == keys
    assert rows_of([Held("a.parquet", as_bytes(pa.concat_tables([own, own])))]) is None


def test_what_is_no_table_is_taken_whole_and_what_does_not_fit_not_at_all() -> None:
    assert grafted(b"new", b"old", "a.bin", set()) == b"old"
    assert grafted(b"0,0\n1,5\n", b"0,0\n1,4\n", "a.csv", set()) == b"0,0\n1,4\n"
    keys_only = as_bytes(pa.table({"row": [1, 2, 3]}))
    assert grafted(keys_only, as_bytes(pa.table({"row": [7, 8, 9]})), "a.parquet", {"row"}) is None
    assert grafted(as_bytes(table(1)), as_bytes(table(1).slice(0, 0)), "a.parquet", {"row"}) is None


def test_a_label_that_is_called_as_in_another_feed_is_no_key() -> None:
    own = pa.table({"row": [1, 2, 3, 4], "label": [0, 0, 0, 0]})
    donor = pa.table({"row": [5, 6, 7, 8], "label": [1, 1, 1, 1]})
    made = grafted(as_bytes(own), as_bytes(donor), "a.parquet", {"row", "label"})
    assert made is not None
    assert read(made).to_pydict() == {"row": [1, 2, 3, 4], "label": [1, 1, 1, 1]}


def test_a_file_is_joined_only_by_what_identifies_its_rows(tmp_path: Path) -> None:
    exam = pa.table({"customer": [1, 2, 3], "label": [0, 1, 0], "score": [0.5, 0.6, 0.7]})
    parquet.write_table(exam, tmp_path / "exam.parquet")
    pacsv.write_csv(exam, tmp_path / "exam.csv")
    for path in (tmp_path / "exam.parquet", tmp_path / "exam.csv"):
        assert keys_among(path, str(path), {"customer", "label", "score", "other"}) == {"customer"}
        assert keys_among(path, str(path), {"other"}) == set()


def test_numbers_with_fractions_are_no_keys() -> None:
    assert columns_of(as_bytes(table(1)), "a.parquet") == {"row", "place"}
    assert columns_of(b"id,price\n1,2.5\n", "a.csv") == {"id"}
    assert columns_of(b"\x00", "a.parquet") == columns_of(b"x", "a.txt") == set()


def made_of(folder: Path, days: range, scales: dict[str, dict[int, float]]) -> Made:
    made = Made()
    for feed in ("a", "b"):
        for day in days:
            path = folder / feed / f"day={KEYS[day]}" / "part.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_bytes(table(day, scale=scales.get(feed, {}).get(day, 1.0))))
            made.files[str(path)] = str(fingerprint(str(path)).digest("blake3"))
            made.parts[str(path)] = Place(str(folder / feed), f"day={KEYS[day]}/part.parquet", KEYS[day])
    return made


def test_the_same_operation_is_done_to_both_builds_at_the_same_ages(tmp_path: Path) -> None:
    scales = {"a": {7: 100.0}}
    good, bad = made_of(tmp_path, range(2, 7), scales), made_of(tmp_path, range(3, 8), scales)
    files = {path: (good.files.get(path), bad.files.get(path)) for path in good.files | bad.files}
    window = Atom(WINDOW, "w", 0.1, files)
    plan = Plan((window,), good, bad)
    surgeon = Surgeon(
        plan, Supply(Kept(str(tmp_path / "store"))), tmp_path / "parts", Atoms((), {}), higher_is_better=True
    )
    assert [feed.entered for feed in surgeon.feeds.values()] == [(KEYS[7],), (KEYS[7],)]
    operation = next(name for name in surgeon.feeds if name.endswith("/a"))
    assert surgeon.prepare(operation)
    nothing, moved, placebo, repaired = hybrids(frozenset([operation]))
    before, after = plan.hybrid(nothing).intent.files, plan.hybrid(placebo).intent.files
    assert [path.split("day=")[1][:10] for path in before if after[path] != before[path]] == [KEYS[6]]
    before, after = plan.hybrid(moved).intent.files, plan.hybrid(repaired).intent.files
    (changed,) = [path for path in before if after[path] != before[path]]
    source = surgeon.supply.find(changed, str(after[changed]))
    assert isinstance(source, Path)
    assert max(read(source.read_bytes())["value"].to_pylist()) < 10 < max(table(7, scale=100.0)["value"].to_pylist())
    assert read(source.read_bytes())["row"] == table(7)["row"]


def test_a_window_that_moved_too_far_has_nothing_that_could_stand_in() -> None:
    parts = {key: (Part(f"/a/{key}", key),) for key in "123456789"}
    feed = Feed("/a", {key: parts[key] for key in "123"}, {key: parts[key] for key in "456"})
    assert feed.stand_ins(in_bad=True) == feed.stand_ins(in_bad=False) == {}


def test_where_few_older_parts_are_left_one_stands_in_for_several_of_the_placebo() -> None:
    parts = {key: (Part(f"/a/{key}", key),) for key in "123456789"}
    feed = Feed("/a", {key: parts[key] for key in "12345"}, {key: parts[key] for key in "45678"})
    assert feed.stand_ins(in_bad=True) == {"6": "3", "7": "4", "8": "5"}
    assert feed.stand_ins(in_bad=False) == {"5": "2", "4": "1", "3": "2"}


def test_files_of_one_day_belong_together_whatever_else_moves_in_their_names() -> None:
    def made(*days: int) -> Made:
        ends = [f"part-0000{n}-0a1b2c3d-0000-4000-8000-00000000000{{}}.c000.snappy.parquet" for n in "01"]
        names = [f"/raw/c={c}/dt=2026-05-0{day}/{end.format(day)}" for day in days for c in "ab" for end in ends]
        return Made(files={name: name for name in names})

    (feed,) = feeds_of(made(1, 2), made(2, 3))
    assert feed.entered == ("2026-05-03",)
    assert [len(came) for came in feed.good.values()] == [4, 4]
    assert feed.stand_ins(in_bad=True) == {"2026-05-03": "2026-05-02"}


def test_what_runs_on_the_way_made_is_no_feed() -> None:
    good = Made(files={"/raw/day=2026-05-01/a": "1", "/clean/day=2026-05-01/a": "1"})
    bad = Made(files={"/raw/day=2026-05-02/a": "2", "/clean/day=2026-05-02/a": "2"})
    bad.written.add("/clean/day=2026-05-02/a")
    good.written.add("/clean/day=2026-05-01/a")
    assert [feed.where for feed in feeds_of(good, bad)] == ["/raw/day={}/a"]


@pytest.mark.parametrize(
    ("scores", "net"),
    [
        ((0.9, 0.8, 0.9, 0.9), 0.1),  # it repairs all, and costs nothing
        ((0.9, 0.8, 0.8, 0.8), 0.1),  # it repairs nothing, as much as it costs: all of it was there
        ((0.9, 0.8, 0.9, 0.8), 0.0),  # a healthy feed
    ],
)
def test_what_an_operation_costs_the_good_build_is_no_less_than_a_repair(scores: tuple[float, ...], net: float) -> None:
    assert net_repair(scores) == pytest.approx(net)


@pytest.mark.parametrize(
    ("nets", "found"),
    [
        ({"a": 0.09, "b": 0.01}, "a"),
        ({"a": 0.01, "b": 0.09}, "b"),
        ({"a": 0.04, "b": 0.0}, None),  # not half of the drop
        ({"a": 0.09, "b": 0.05}, None),  # another one nearly as much
    ],
)
def test_a_feed_has_to_stand_out_of_the_drop_and_of_the_others(nets: dict[str, float], found: str | None) -> None:
    assert judge(nets, gap=0.1) == found


def builds(*digests: dict[str, str]) -> list[Made]:
    return [Made(files=one) for one in digests]


def test_files_that_are_written_anew_for_each_build_belong_together() -> None:
    *history, bad = builds(*({"/a": f"a{n}", "/b": f"b{n}", "/c": "c", "/d": f"d{n // 3}"} for n in range(5)))
    feeds = anew_for_each(history, history[-1], bad)
    assert [feed.where for feed in feeds] == ["/a", "/b"]
    assert feeds[0].good == {"0": (("/a", "a2"),), "1": (("/a", "a3"),)}
    assert feeds[0].bad == {"1": (("/a", "a3"),), "2": (("/a", "a4"),)}
    assert feeds[0].stand_ins(in_bad=True) == {"2": "1"}
    assert feeds[0].stand_ins(in_bad=False) == {"1": "0"}


def test_one_file_that_is_written_anew_is_a_change_like_any_other() -> None:
    *history, bad = builds(*({"/a": f"a{n}", "/b": "b"} for n in range(5)))
    assert anew_for_each(history, history[-1], bad) == []
    dated = builds(*({"/a": f"a{n}", f"/c/day=2026-05-0{n + 1}/p": f"c{n}"} for n in range(5)))
    assert [feed.where for feed in anew_for_each(dated[:-1], dated[-2], dated[-1])] == ["/a"]


def test_a_file_that_stayed_while_the_others_moved_is_left_behind() -> None:
    told = [{"/a": f"a{n}", "/b": f"b{n}", "/c": f"c{min(n, 3)}", "/d": "d"} for n in range(6)]
    *healthy, _, bad = builds(*told)
    assert [feed.where for feed in anew_for_each(healthy, healthy[-1], bad)] == ["/a", "/b"]
    assert left_behind(healthy, healthy[-1], bad) == ["/c"]
    assert left_behind(healthy[-2:], healthy[-1], bad) == []


def test_what_jobs_on_the_way_write_or_few_builds_were_seen_to_change_is_not_written_anew_for_each() -> None:
    *history, bad = builds(*({"/a": f"a{n}", "/b": f"b{n}"} for n in range(5)))
    assert anew_for_each(history[-2:], history[-1], bad) == []
    bad.written.add("/a")
    assert anew_for_each(history, history[-1], bad) == []


def test_where_most_rows_are_there_on_both_days_a_part_stands_in_as_it_is() -> None:
    own = pa.table({"customer": np.arange(40), "value": np.full(40, 9.0)})
    donor = pa.table({"customer": np.arange(10, 60), "value": np.arange(50) / 4})
    drifted = own.set_column(0, "customer", pc.add(own["customer"], 1_000_000))
    usual = [own.select(["customer"])] * 2
    assert grafted(as_bytes(own), as_bytes(donor), "a.parquet", {"customer"}) == as_bytes(donor)
    assert grafted(as_bytes(drifted), as_bytes(donor), "a.parquet", {"customer"}, usual) == as_bytes(donor)
    few = donor.slice(30)
    made = grafted(as_bytes(own), as_bytes(few), "a.parquet", {"customer"})
    assert made is not None
    assert read(made)["customer"] == own["customer"]


class Operations:
    """Twelve feeds on which it costs nothing to operate."""

    feeds: ClassVar = {f"carry:/raw/f{n:02}": Feed(f"/raw/f{n:02}", {}, {}) for n in range(12)}
    higher_is_better = True

    def prepare(self, operation: str) -> bool:
        return True

    def untried(self) -> set[str]:
        return set()


def told_apart(folder: Path, culprits: set[str], costs: dict[str, float]) -> tuple[tuple[str, ...], int]:
    """Each operation costs what it does to the good build, and as much in the bad one."""

    class Scores:
        def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
            carried = {name.removeprefix("carry:/raw/") for name in chosen} - {WINDOW}
            wrong = WINDOW in chosen and bool(culprits - carried)
            return Outcome("good", 0.9 - 0.1 * wrong - sum(costs.get(one, 0.01) for one in carried))

    session = Session.open(str(folder), Asked("m", "1", "2", ("make",), "auc", ()))
    rebuilds = Rebuilds(session, Scores(), lambda *_: None)
    found = separate(Operations(), rebuilds)  # type: ignore[arg-type]
    return found.feeds, len(rebuilds.history)


@pytest.mark.parametrize(("culprit", "most"), [("f00", 6), ("f01", 14), ("f06", 14), ("f10", 14)])
def test_who_is_not_the_likeliest_is_found_by_halves(tmp_path: Path, culprit: str, most: int) -> None:
    feeds, rebuilds = told_apart(tmp_path, {culprit}, {"f03": 0.2})
    assert feeds == (f"/raw/{culprit}",)
    assert rebuilds <= most


@pytest.mark.parametrize("hidden", [{"f00": "f02"}, {"f01": "f04"}, {"f02": "f00"}])
def test_a_feed_that_hides_what_another_did_is_not_named(tmp_path: Path, hidden: dict[str, str]) -> None:
    """Rows that drop out with a healthy feed may be those that are wrong."""
    ((healthy, culprit),) = hidden.items()
    assert scored(tmp_path, lambda carried, moved: 0.9 - 0.1 * (moved and not carried & {healthy, culprit})) == ()


@pytest.mark.parametrize("pair", [("f02", "f05"), ("f00", "f01"), ("f09", "f10")])
def test_two_that_are_each_bad_enough_are_both_found(tmp_path: Path, pair: tuple[str, str]) -> None:
    feeds, rebuilds = told_apart(tmp_path, {*pair}, {"f03": 0.2})
    assert set(feeds) == {f"/raw/{one}" for one in pair}
    assert rebuilds <= 44


class WithoutOne(Operations):
    def prepare(self, operation: str) -> bool:
        return not operation.endswith("f11")


def scored(
    folder: Path, score: Callable[[set[str], bool], float], surgeon: type[Operations] = Operations
) -> tuple[str, ...]:
    """What is found where rebuilds score so, by what was carried forward and whether the window moved."""

    class Scores:
        def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
            carried = {name.removeprefix("carry:/raw/") for name in chosen} - {WINDOW}
            return Outcome("good", score(carried, WINDOW in chosen))

    session = Session.open(str(folder), Asked("m", "1", "2", ("make",), "auc", ()))
    found = separate(surgeon(), Rebuilds(session, Scores(), lambda *_: None))  # type: ignore[arg-type]
    return tuple(name.removeprefix("/raw/") for name in found.feeds)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.6, 0.4), (0.45, 0.55), (0.65, 0.35)])
@pytest.mark.parametrize("pair", [("f00", "f04"), ("f04", "f00"), ("f07", "f08")])
def test_two_that_are_bad_only_together_are_both_found(
    tmp_path: Path, pair: tuple[str, str], shares: tuple[float, float]
) -> None:
    weights = dict(zip(pair, shares, strict=True))

    def score(carried: set[str], is_moved: bool) -> float:
        return 0.9 - 0.1 * sum(weight for one, weight in weights.items() if is_moved and one not in carried)

    assert set(scored(tmp_path, score)) == {*pair}


def test_the_second_one_is_not_named_where_a_third_does_as_much(tmp_path: Path) -> None:
    def score(carried: set[str], is_moved: bool) -> float:
        left = 0.6 * ("f00" not in carried) + 0.4 * (not carried & {"f04", "f05"})
        return 0.9 - 0.1 * left * is_moved

    assert scored(tmp_path, score) == ()


def test_one_that_is_healthy_and_hides_half_is_not_named_beside_the_other(tmp_path: Path) -> None:
    def score(carried: set[str], is_moved: bool) -> float:
        left = 1.0 * ("f04" not in carried) * (0.4 if "f00" in carried else 1.0)
        return 0.9 - 0.1 * left * is_moved

    assert "f00" not in scored(tmp_path, score)


@pytest.mark.parametrize(
    ("hides", "explains", "found"),
    [
        (0.74, 0.97, ("f04",)),  # it hides less than the other repairs, and nothing else
        (0.9, 0.97, ()),  # as good as
        (0.6, 0.8, ()),  # neither is all of it
    ],
)
@pytest.mark.parametrize("first", ["f00", "f07"])
def test_who_only_hides_what_another_repairs_is_no_rival(
    tmp_path: Path, first: str, hides: float, explains: float, found: tuple[str, ...]
) -> None:
    def score(carried: set[str], is_moved: bool) -> float:
        left = min(1 - explains * ("f04" in carried), 1 - hides * (first in carried))
        return 0.9 - 0.1 * left * is_moved

    assert scored(tmp_path, score) == found


def test_nobody_is_named_beside_what_could_not_be_tried(tmp_path: Path) -> None:
    def score(carried: set[str], is_moved: bool) -> float:
        return 0.9 - 0.1 * (is_moved and "f00" not in carried)

    (tmp_path / "one").mkdir()
    assert scored(tmp_path, score) == ("f00",)
    assert scored(tmp_path / "one", score, WithoutOne) == ()


@pytest.mark.parametrize(("luck", "found"), [(0.03, ("f00",)), (0.06, ())])
def test_a_repair_that_is_no_larger_than_chance_names_nobody(
    tmp_path: Path, luck: float, found: tuple[str, ...]
) -> None:
    """The likeliest one repairs nothing, and costs the bad build more than the good one."""

    def score(carried: set[str], is_moved: bool) -> float:
        return 0.9 - is_moved * (0.1 * ("f00" not in carried) + luck * ("f05" in carried))

    class Known(Operations):
        feeds: ClassVar = {
            name: Operations.feeds[name] for name in ("carry:/raw/f05", "carry:/raw/f00", "carry:/raw/f01")
        }

    assert scored(tmp_path, score, Known) == found


@pytest.mark.parametrize(("repair", "found"), [(1.0, ("f00",)), (0.6, ())])
def test_what_many_operations_cost_counts_against_a_small_repair_only(
    tmp_path: Path, repair: float, found: tuple[str, ...]
) -> None:
    """Of labels that were cut to a few, all the other feeds of another day leave nothing to learn."""

    def score(carried: set[str], is_moved: bool) -> float:
        return 0.9 - 0.1 * is_moved * ((1 - repair * ("f00" in carried)) + 2 * (len(carried) > 5))

    assert scored(tmp_path, score) == found


def test_a_rival_that_was_seen_counts_whatever_all_others_do_together(tmp_path: Path) -> None:
    def score(carried: set[str], is_moved: bool) -> float:
        left = 0.45 * ("f00" not in carried) + 0.55 * ("f04" not in carried)
        return 0.9 - 0.1 * left * is_moved - 0.03 * is_moved * (len(carried) > 5)

    assert set(scored(tmp_path, score)) == {"f00", "f04"}


def test_a_feed_that_is_the_only_one_to_operate_on_is_not_named_where_others_moved_too(tmp_path: Path) -> None:
    good, bad = made_of(tmp_path, range(2, 7), {}), made_of(tmp_path, range(3, 8), {})
    for made, name in ((good, "old"), (bad, "new")):  # b has no days
        for path in [one for one in made.files if "/b/" in one]:
            del made.files[path], made.parts[path]
        made.files[str(tmp_path / "b" / name)] = f"blake3:{name}"
    files = {path: (good.files.get(path), bad.files.get(path)) for path in {**good.files, **bad.files}}
    atoms = Atoms((Atom(WINDOW, "the window", 0.1, files),), {})
    surgeon = Surgeon(
        Plan(atoms.atoms, good, bad), Supply(Kept(str(tmp_path / "store"))), tmp_path, atoms, higher_is_better=True
    )
    assert [feed.where for feed in surgeon.feeds.values()] == [str(tmp_path / "a")]

    class Scores:
        def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
            return Outcome("bad", 0.8) if WINDOW in chosen else Outcome("good", 0.9)

    session = Session.open(str(tmp_path), Asked("m", "1", "2", ("make",), "auc", ()))
    found = bisect(Rebuilds(session, Scores(), lambda *_: None), atoms, Judge(0.85, 0.9), surgeon=surgeon)
    assert (found.status, found.causes) == ("confirmed", (("the window",),))
