# SPDX-License-Identifier: Apache-2.0
"""Faults: what can go wrong with a pipeline, and by which change a right answer names it.

>>> len({fault.kind for shape in SHAPES for fault in faults_for(shape, seed=0)}) >= 15
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pyarrow import parquet

from benchmarks.faults.programs import WRONG_SCALETOOLS, WRONG_SCORING
from benchmarks.faults.shapes import fanin, rolling
from benchmarks.faults.shapes.people import people
from benchmarks.faults.surgery import flip, rename, repeat, scale, shift_keys, truncate
from benchmarks.faults.world import FIRST_DAY, Act, Surgery, World
from lineagekit.cause.change import Change

DATA = ("restated", "source", "schema", "stale", "missing", "late", "entered")
_KEY_SHIFT = 10**7


@dataclass(frozen=True, slots=True)
class Truth:
    """Which change is the right one."""

    kinds: tuple[str, ...]
    name: str
    """A part of where it is or of its key."""
    key: str = ""
    """Of the part, where there is one."""
    what: Literal["change", "exam", "metric code"] = "change"

    def fits(self, change: Change) -> bool:
        """Whether this is it."""
        return change.kind in self.kinds and self.name in f"{change.where} {change.key}" and self.key in change.key


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that makes a model worse."""

    kind: str
    do: Act
    truth: Truth
    parts: tuple[Fault, ...] = ()
    """Where two things go wrong on one day: each by itself."""

    @property
    def truths(self) -> tuple[Truth, ...]:
        """All that a right answer has to name."""
        return tuple(part.truth for part in self.parts) or (self.truth,)


_TWO = {
    "linear": (("label flip", "hyperparameter"), ("unit change", "hyperparameter"), ("label flip", "helper bug")),
    "join": (("helper bug", "hyperparameter"), ("label flip", "key drift"), ("label flip", "hyperparameter")),
    "fanin": (("label flip", "unit change"), ("unit change", "hyperparameter"), ("label flip", "key drift")),
    "rolling": (("unit change", "hyperparameter"), ("key drift", "hyperparameter"), ("schema drift", "helper bug")),
}
"""Pairs that may each be bad enough; whether they are is measured."""


def pairs_for(shape: str, *, seed: int) -> tuple[Fault, ...]:
    """Two things that go wrong on the same day."""
    known = {fault.kind: fault for fault in faults_for(shape, seed=seed)}
    return tuple(_both(known[one], known[other]) for one, other in _TWO[shape])


def _both(one: Fault, other: Fault) -> Fault:
    def do(world: World) -> None:
        one.do(world)
        other.do(world)

    return Fault(f"{one.kind} and {other.kind}", do, one.truth, (one, other))


def faults_for(shape: str, *, seed: int) -> tuple[Fault, ...]:
    """All that can go wrong with a pipeline of this shape."""
    return (*_IN_DATA[shape](seed), *_in_code(shape))


def _once(feed: str, surgery: Surgery, day: int | None = None) -> Act:
    """What lies there is written again."""
    return lambda world: world.write_feed(feed, surgery(world.read_feed(feed, day)), day)


def _from_now(feed: str, surgery: Surgery) -> Act:
    """What comes in from today on."""

    def do(world: World) -> None:
        world.twists[feed] = surgery
        world.write_feed(feed, surgery(world.read_feed(feed)))

    return do


def _in_linear(seed: int) -> Iterator[Fault]:
    base = Truth(DATA, "raw/base.csv")
    yield Fault("label flip", _once("base", flip(share=0.45)), base)
    yield Fault("unit change", _once("base", scale("amount", 100.0, share=0.5)), base)
    yield Fault("truncation", _once("base", truncate(0.02, by="age")), base)
    yield Fault("duplicates", _once("base", repeat(30, 100)), base)
    yield Fault("schema drift", _once("base", rename("visits", "visit_count")), base)
    out_of_band = Truth(("out of band",), "work/base.parquet")
    yield Fault("out of band", _after("prepare.py", "work/base.parquet", flip(share=0.45)), out_of_band)
    yield Fault("hidden file", lambda world: world.write("conf/rounding.txt", "-2"), Truth(("hidden",), "prepare.py"))


def _in_join(seed: int) -> Iterator[Fault]:
    customers, labels = Truth(DATA, "raw/customers"), Truth(("restated",), "raw/labels", str(FIRST_DAY))
    yield Fault("label flip", _once("labels", flip(share=0.45), 0), labels)
    yield Fault("duplicates", _once("labels", repeat(30, 100), 0), labels)
    yield Fault("unit change", _once("customers", scale("age", 365.0, share=0.5)), customers)
    yield Fault("truncation", _once("customers", truncate(0.1, by="customer")), customers)
    yield Fault("key drift", _once("customers", shift_keys("customer", _KEY_SHIFT)), customers)
    yield Fault("schema drift", _once("customers", rename("age", "age_years")), customers)
    orders = f"work/orders/day={FIRST_DAY}/orders.parquet"
    edited = Truth(("out of band",), "work/orders", str(FIRST_DAY))
    yield Fault("out of band", _now(orders, scale("amount", 100.0, share=0.5)), edited)
    yield Fault("hidden file", lambda world: world.write("conf/oldest.txt", "19"), Truth(("hidden",), "customers.py"))


def _in_fanin(seed: int) -> Iterator[Fault]:
    feed = fanin.strongest(seed)
    one, labels = Truth(DATA, f"raw/{feed}.parquet"), Truth(DATA, "raw/labels.parquet")
    yield Fault("label flip", _from_now("labels", flip(share=0.4)), labels)
    yield Fault("truncation", _from_now("labels", truncate(0.05, by="entity")), labels)
    yield Fault("duplicates", _from_now("labels", repeat(30, 50)), labels)
    yield Fault("unit change", _from_now(feed, scale("value", 100.0, share=0.5)), one)
    yield Fault("key drift", _from_now(feed, shift_keys("entity", _KEY_SHIFT)), one)
    yield Fault("schema drift", _from_now(feed, rename("value", "val")), one)
    yield Fault("stale feed", _stop(feed), one)


def _in_rolling(seed: int) -> Iterator[Fault]:
    feed = rolling.strongest(seed)
    one, labels = Truth(DATA, f"raw/{feed}"), Truth(DATA, "raw/labels")
    yield Fault("label flip", _from_now("labels", flip(share=0.8, column="churned")), labels)
    restated = Truth(("restated",), "raw/labels")
    yield Fault("label flip, restated", _restate("labels", flip(share=0.48, column="churned"), 6), restated)
    yield Fault("duplicates", _from_now("labels", repeat(10, 100)), labels)
    yield Fault("unit change", _from_now(feed, scale("value", 100.0, share=0.5)), one)
    yield Fault("truncation", _from_now(feed, truncate(0.1, by="row")), one)
    yield Fault("key drift", _from_now(feed, shift_keys("row", _KEY_SHIFT)), one)
    yield Fault("schema drift", _from_now(feed, rename("value", "val")), one)
    yield Fault("stale feed", _stop(feed), one)


def _restate(feed: str, surgery: Surgery, days: int) -> Act:
    def do(world: World) -> None:
        for day in range(world.day - days, world.day):
            _once(feed, surgery, day)(world)

    return do


def _stop(feed: str) -> Act:
    """Nothing new comes in: yesterday's content is there today, and will be."""

    def do(world: World) -> None:
        world.stopped.add(feed)
        world.write_feed(feed, world.feed(feed).make(world.seed, world.day - 1))

    return do


def _now(path: str, surgery: Surgery) -> Act:
    def edit(world: World) -> None:
        place = world.root / path
        parquet.write_table(surgery(parquet.read_table(place, partitioning=None)), place)

    return edit


def _after(script: str, path: str, surgery: Surgery) -> Act:
    """Somebody's job, of which nothing is known, mends what was made, each day."""
    return lambda world: world.after.update({script: _now(path, surgery)})


def _in_code(shape: str) -> Iterator[Fault]:
    code = ("code",)
    wrong = WRONG_SCORING["log_loss" if shape == "join" else "auc"]
    yield Fault("helper bug", _helper_bug, Truth(code, "transforms.py"))
    if shape in ("linear", "join"):
        yield Fault("leak", _leak, Truth(code, "transforms.py"))
        yield Fault("exam swapped", _swap_exam, Truth((), "exam.parquet", what="exam"))
    words = ["--C", "1e-6"] if shape in ("linear", "join") else ["--rows", "60"]
    yield Fault("hyperparameter", _argue("train.py", words), Truth(("params",), words[0][2:]))
    yield Fault("package bump", _bump, Truth(("packages",), "scaletools"))
    yield Fault("environment", _set("SCALE_MODE", "coarse"), Truth(("environment",), "SCALE_MODE"))
    grading = Truth(code, "scoring.py", what="metric code")
    yield Fault("metric code", lambda world: world.edit("scoring.py", *wrong), grading)


def _set(name: str, value: str) -> Act:
    return lambda world: world.env.update({name: value})


def _argue(script: str, words: list[str]) -> Act:
    return lambda world: world.argv.update({script: [*world.argv.get(script, []), *words]})


def _helper_bug(world: World) -> None:
    """Values of one row are put beside the label of another."""
    head = "def aligned(values):\n    "
    world.edit("transforms.py", head, head + "values = np.roll(values, 1)\n    ")


def _leak(world: World) -> None:
    world.edit("transforms.py", "COLUMNS = [", "COLUMNS = ['refunds', ")


def _bump(world: World) -> None:
    world.write("lib/site-packages/scaletools/__init__.py", WRONG_SCALETOOLS)


def _swap_exam(world: World) -> None:
    columns = people(world.seed, "other exam", 0, 6000)
    table = flip(share=0.15)(pa.table({**columns, "refunds": columns["refunds"] * 0}))
    parquet.write_table(table, world.root / "exam.parquet")


_IN_DATA: dict[str, Callable[[int], Iterator[Fault]]] = {
    "linear": _in_linear,
    "join": _in_join,
    "fanin": _in_fanin,
    "rolling": _in_rolling,
}
SHAPES = tuple(_IN_DATA)
