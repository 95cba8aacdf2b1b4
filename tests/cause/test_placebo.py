# SPDX-License-Identifier: Apache-2.0
"""Which feed of a window it was: its last good parts carried forward, with their placebo; and never a healthy one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from lineagekit.cause.atoms import WINDOW, Atom
from lineagekit.cause.files import Made
from lineagekit.cause.graft import columns_of, graft, rows_of
from lineagekit.cause.hybrid import Plan
from lineagekit.cause.placebo import Surgeon, hybrids, judge, net_repair
from lineagekit.cause.supply import Supply
from lineagekit.cause.window import Feed, feeds_of
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


def test_a_graft_has_its_own_rows_and_keys_and_the_others_values() -> None:
    own, donor = table(9, rows=30, scale=100.0), table(8)
    made = graft(as_bytes(own), as_bytes(donor), "new.parquet", {"row", "place"})
    assert made is not None
    found = read(made)
    assert found["row"] == own["row"]
    assert found["place"] == own["place"]
    assert set(found["value"].to_pylist()) <= set(donor["value"].to_pylist())
    assert found["value"].to_pylist() != donor["value"].to_pylist()[:30]


@pytest.mark.parametrize("wrong", ["truncated", "doubled", "drifted"])
def test_where_its_own_keys_are_wrong_those_of_most_other_feeds_count(wrong: str) -> None:
    own, donor = table(9).drop_columns("place"), table(8).drop_columns("place")
    keys = own.select(["row"])
    drifted = pa.table({"row": pc.add(own["row"], 1_000_000), "value": own["value"]})
    broken = {"truncated": own.slice(0, 5), "doubled": pa.concat_tables([own, own]), "drifted": drifted}[wrong]
    others = [drifted.select(["row"]), keys, keys]
    made = graft(as_bytes(broken), as_bytes(donor), "a.parquet", {"row"}, others)
    assert made is not None
    assert read(made)["row"] == own["row"]
    assert rows_of(as_bytes(own), "a.parquet") == keys
    assert rows_of(as_bytes(pa.concat_tables([own, own])), "a.parquet") is None


def test_what_is_no_table_is_taken_whole_and_what_does_not_fit_not_at_all() -> None:
    assert graft(b"new", b"old", "a.bin", set()) == b"old"
    keys_only = as_bytes(pa.table({"row": [1, 2, 3]}))
    assert graft(keys_only, keys_only, "a.parquet", {"row"}) is None
    assert graft(as_bytes(table(1)), as_bytes(table(1).slice(0, 0)), "a.parquet", {"row"}) is None


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
            made.parts[str(path)] = (str(folder / feed), f"day={KEYS[day]}/part.parquet")
    return made


def test_the_same_operation_is_done_to_both_builds_at_the_same_ages(tmp_path: Path) -> None:
    scales = {"a": {7: 100.0}}
    good, bad = made_of(tmp_path, range(2, 7), scales), made_of(tmp_path, range(3, 8), scales)
    files = {path: (good.files.get(path), bad.files.get(path)) for path in good.files | bad.files}
    window = Atom(WINDOW, "w", 0.1, files)
    plan = Plan((window,), good, bad)
    surgeon = Surgeon(plan, Supply(Kept(str(tmp_path / "store"))), tmp_path / "parts", (), higher_is_better=True)
    assert [feed.entered for feed in surgeon.feeds.values()] == [(KEYS[7],), (KEYS[7],)]
    operation = next(name for name in surgeon.feeds if name.endswith("/a"))
    assert surgeon.prepare(operation)
    nothing, moved, placebo, repaired = hybrids(operation)
    before, after = plan.hybrid(nothing).intent.files, plan.hybrid(placebo).intent.files
    assert [path.split("day=")[1][:10] for path in before if after[path] != before[path]] == [KEYS[6]]
    before, after = plan.hybrid(moved).intent.files, plan.hybrid(repaired).intent.files
    (changed,) = [path for path in before if after[path] != before[path]]
    source = surgeon.supply.find(changed, str(after[changed]))
    assert isinstance(source, Path)
    assert max(read(source.read_bytes())["value"].to_pylist()) < 10 < max(table(7, scale=100.0)["value"].to_pylist())
    assert read(source.read_bytes())["row"] == table(7)["row"]


def test_a_window_that_moved_too_far_has_nothing_that_could_stand_in() -> None:
    feed = Feed("/a", {"1": "x", "2": "y", "3": "z"}, {"3": "z", "4": "u", "5": "v"})
    assert feed.stand_ins(in_bad=True) == feed.stand_ins(in_bad=False) == {}


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
        ({"a": 0.09}, None),  # alone it stands out of nothing
        ({"a": 0.04, "b": 0.0}, None),  # not half of the drop
        ({"a": 0.09, "b": 0.05}, None),  # another one nearly as much
    ],
)
def test_a_feed_has_to_stand_out_of_the_drop_and_of_the_others(nets: dict[str, float], found: str | None) -> None:
    assert judge(nets, gap=0.1) == found
