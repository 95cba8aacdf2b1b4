# SPDX-License-Identifier: Apache-2.0
"""A join of three: orders and labels with a part a day, and customers who seldom change."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.faults.programs import shared
from benchmarks.faults.shapes.people import CITIES, chance
from benchmarks.faults.world import Feed, Shape, Step, random_for

_CUSTOMERS, _BEFORE, _A_DAY, _EXAM = 2000, 2500, 120, 6000

_CLEAN = """\
import lineagekit

lineagekit.autolog()

import argparse
from pathlib import Path

from pyarrow import compute, csv, parquet

parser = argparse.ArgumentParser()
parser.add_argument("--day")
day = lineagekit.params(parser.parse_args()).day
folder = Path(f"work/orders/day={day}")
folder.mkdir(parents=True, exist_ok=True)
orders = csv.read_csv(f"raw/orders/day={day}/orders.csv")
parquet.write_table(orders.filter(compute.field("amount") > 0), folder / "orders.parquet")
"""
_CUSTOMERS_PY = """\
import lineagekit

lineagekit.autolog()

from pyarrow import compute, fs, parquet

with fs.LocalFileSystem().open_input_stream("conf/oldest.txt") as oldest:
    limit = int(oldest.read())
table = parquet.read_table("raw/customers.parquet")
ages = table["age"] if "age" in table.column_names else compute.multiply(table["city"], 0)
ages = compute.min_element_wise(ages, limit)
table = table.select(["customer", "city"]).append_column("age", ages).sort_by("customer")
parquet.write_table(table, "work/customers.parquet")
"""
_JOIN = """\
import lineagekit

lineagekit.autolog()

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from transforms import matrix


def read_days(folder):
    paths = sorted(Path(folder).glob("day=*/*.parquet"))
    return pa.concat_tables([parquet.read_table(path, partitioning=None) for path in paths])


orders = read_days("work/orders").join(parquet.read_table("work/customers.parquet"), "customer")
table = orders.join(read_days("raw/labels"), "order", join_type="inner").sort_by("order")
columns = {f"x{number:02}": values for number, values in enumerate(matrix(table))}
parquet.write_table(pa.table({**columns, "label": table["label"].to_numpy()}), "work/features.parquet")
"""


def _customers(seed: int, day: int) -> pa.Table:
    random = random_for(seed, "customers")
    columns = {"city": random.integers(0, CITIES, _CUSTOMERS), "age": random.integers(18, 90, _CUSTOMERS)}
    return pa.table({"customer": np.arange(_CUSTOMERS), "since": random.integers(1990, 2026, _CUSTOMERS), **columns})


def _sold(seed: int, what: str, day: int, count: int, first: int) -> pa.Table:
    random, customers = random_for(seed, what, day), _customers(seed, 0)
    buyers = random.integers(0, _CUSTOMERS, count)
    amount = np.round(np.exp(random.normal(3.5, 0.8, count)), 2)
    visits = random.poisson(5, count)
    city, age = customers["city"].to_numpy()[buyers], customers["age"].to_numpy()[buyers]
    label = (random.random(count) < chance(seed, city, amount, visits, age)).astype(np.int64)
    refunds = np.where(random.random(count) < 0.9, label * random.integers(1, 9, count), 0)
    names = {"order": np.arange(first, first + count), "customer": buyers, "amount": amount, "visits": visits}
    return pa.table({**names, "refunds": refunds, "city": city, "age": age, "label": label})


def _of_day(seed: int, day: int) -> pa.Table:
    first = _BEFORE + day * _A_DAY if day else 0
    return _sold(seed, "orders", day, _A_DAY if day else _BEFORE, first)


def _orders(seed: int, day: int) -> pa.Table:
    return _of_day(seed, day).select(["order", "customer", "amount", "visits", "refunds"])


def _labels(seed: int, day: int) -> pa.Table:
    return _of_day(seed, day).select(["order", "label"])


def _exam(seed: int) -> pa.Table:
    table = _sold(seed, "exam", 0, _EXAM, 10**6)
    return table.set_column(table.column_names.index("refunds"), "refunds", pa.array(np.zeros(_EXAM, np.int64)))


JOIN = Shape(
    "join",
    model="label",
    metric="log_loss",
    days=12,
    bad_days=3,
    feeds=(
        Feed("customers", "once", _customers),
        Feed("orders", "dated", _orders, "csv"),
        Feed("labels", "dated", _labels),
    ),
    programs={
        **shared(["amount", "visits", "age"], ["amount", "visits"], "log_loss", higher=False),
        "clean.py": _CLEAN,
        "customers.py": _CUSTOMERS_PY,
        "join.py": _JOIN,
        "conf/oldest.txt": "99",
    },
    steps=(
        Step("clean.py", lambda world: ("--day", str(world.date()))),
        Step("customers.py"),
        Step("join.py"),
        Step("train.py", lambda world: world.argv.get("train.py", ())),
        Step("grade.py"),
    ),
    exam=_exam,
    higher_is_better=False,
)
