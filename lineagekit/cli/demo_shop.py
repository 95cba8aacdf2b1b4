# SPDX-License-Identifier: Apache-2.0
"""The demo's world: a shop with orders, customers and labels, what comes in each day, and what is done to it.

    >>> shop = Shop.open_in(Path("/tmp/demo"), date.today())  # doctest: +SKIP
    >>> shop.next_day()  # doctest: +SKIP
    ()

The first partition holds all that was sold before the first day. On one day its labels come once more, wrong for the
orders of one region; all else that happens is harmless, and some of it on that very day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from lineagekit.cli.demo_pipeline import PROGRAMS

DAYS = 10
FAULT_DAY = 8
"""Counted from 1."""

REGION = "north"
"""Whose labels are flipped."""

_CUSTOMERS, _BEFORE, _A_DAY, _EXAM = 2000, 4000, 400, 8000
_REGIONS = np.array(["north", "south", "east", "west"])


@dataclass(slots=True)
class Shop:
    """The folder, and what is needed to go on from day to day."""

    root: Path
    first: date
    random: np.random.Generator
    customers: pa.Table
    day: int = 0
    orders: int = 0
    """How many there were."""

    @classmethod
    def open_in(cls, root: Path, last: date) -> Shop:
        """Customers, an exam that stays as it is, and the programs; `last` is the date of the last day."""
        random = np.random.default_rng(7)
        regions, ages = random.choice(_REGIONS, _CUSTOMERS), random.integers(18, 90, _CUSTOMERS)
        names = [f"customer {number}" for number in range(_CUSTOMERS)]
        columns = {"customer": range(_CUSTOMERS), "name": names, "region": regions, "age": ages}
        shop = cls(root, last - timedelta(DAYS - 1), random, pa.table(columns))
        for name, program in PROGRAMS.items():
            (root / name).write_text(program)
        (root / "raw").mkdir()
        shop.write_customers("snappy")
        orders, labels = shop.sell(_EXAM)
        exam = orders.join(shop.customers, "customer").join(labels, "order").sort_by("order")
        parquet.write_table(exam, root / "exam.parquet")
        return shop

    def next_day(self) -> tuple[str, ...]:
        """What comes in on the next day, and what else happens, in words."""
        self.day += 1
        orders, labels = self.sell(_BEFORE if self.day == 1 else _A_DAY)
        csv.write_csv(orders, self.path("orders", self.day))
        parquet.write_table(labels, self.path("labels", self.day))
        happens = EVENTS.get(self.day, {})
        for do in happens.values():
            do(self)
        return tuple(happens)

    def date_of(self, day: int) -> date:
        """The date of a day of the story."""
        return self.first + timedelta(day - 1)

    def path(self, feed: str, day: int) -> Path:
        """The file of a feed for a day; its folder is made."""
        suffix = "csv" if feed == "orders" else "parquet"
        path = self.root / "raw" / feed / f"day={self.date_of(day)}" / f"{feed}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def sell(self, count: int) -> tuple[pa.Table, pa.Table]:
        """Orders, and whether each was returned."""
        buyers = self.random.integers(0, _CUSTOMERS, count)
        amounts = np.round(np.exp(self.random.normal(3.5, 0.8, count)), 2)
        items = self.random.integers(1, 9, count)
        odds = -2.9 + 0.9 * (np.log(amounts) - 3.5) + 0.35 * (items - 4)
        odds += 0.02 * (self.customers["age"].to_numpy()[buyers] - 50)
        odds += 1.2 * (self.customers["region"].to_numpy(zero_copy_only=False)[buyers] == "south")
        returned = (self.random.random(count) < 1 / (1 + np.exp(-odds))).astype(np.int64)
        numbers = np.arange(self.orders, self.orders + count)
        self.orders += count
        columns: dict[str, Any] = {"order": numbers, "customer": buyers, "amount": amounts, "items": items}
        return pa.table(columns), pa.table({"order": numbers, "returned": returned})

    def write_customers(self, compression: str) -> None:
        """The file of customers, anew."""
        parquet.write_table(self.customers, self.root / "raw" / "customers.parquet", compression=compression)


def _encode_anew(compression: str) -> Callable[[Shop], None]:
    return lambda shop: shop.write_customers(compression)


def _add_column(shop: Shop) -> None:
    phones = [f"+49 30 {number:07}" for number in range(len(shop.customers))]
    shop.customers = shop.customers.append_column("phone", [phones])
    shop.write_customers("zstd")


def _comment(text: str) -> Callable[[Shop], None]:
    def write(shop: Shop) -> None:
        path = shop.root / "features.py"
        path.write_text(path.read_text().replace("REGIONS =", f"# {text}\nREGIONS ="))

    return write


def flip_labels(shop: Shop) -> None:
    """The fault: the first partition of labels comes once more, wrong for one region."""
    orders, path = csv.read_csv(shop.path("orders", 1)), shop.path("labels", 1)
    regions = shop.customers["region"].to_numpy(zero_copy_only=False)[orders["customer"].to_numpy()]
    labels = parquet.read_table(path, partitioning=None)
    returned = labels["returned"].to_numpy()
    wrong = np.where(regions == REGION, 1 - returned, returned)
    parquet.write_table(pa.table({"order": labels["order"], "returned": wrong}), path)


EVENTS: Mapping[int, Mapping[str, Callable[[Shop], None]]] = {
    3: {"customers.parquet is encoded anew: zstd": _encode_anew("zstd")},
    5: {"a comment in features.py": _comment("as the shop spells them")},
    6: {"a new column in customers.parquet, that nobody reads": _add_column},
    FAULT_DAY: {
        "customers.parquet is encoded anew: gzip": _encode_anew("gzip"),
        "another comment in features.py": _comment("as of this year"),
        "the oldest labels come once more": flip_labels,
    },
}
"""What happens beside the new orders and labels of each day."""
