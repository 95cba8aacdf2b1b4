# SPDX-License-Identifier: Apache-2.0
"""Linear: a base that seldom changes and what came in since, prepared, made features of, trained on, graded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.faults.programs import shared
from benchmarks.faults.shapes.people import people
from benchmarks.faults.world import Feed, Shape, Step

_BASE, _A_DAY, _EXAM = 2500, 12, 6000

_PREPARE = """\
import lineagekit

lineagekit.autolog()

from pyarrow import csv, fs, parquet
from tidy import tidied

with fs.LocalFileSystem().open_input_stream("conf/rounding.txt") as rounding:
    digits = int(rounding.read())
parquet.write_table(tidied(csv.read_csv("raw/base.csv"), digits), "work/base.parquet")
"""
_CLEAN = """\
import lineagekit

lineagekit.autolog()

from pyarrow import csv, parquet
from tidy import tidied

parquet.write_table(tidied(csv.read_csv("raw/recent.csv"), 2), "work/recent.parquet")
"""
_TIDY = '''\
import numpy as np
import pyarrow as pa

COLUMNS = ["id", "city", "amount", "visits", "age", "refunds", "label"]


def tidied(table, digits):
    """The columns that are needed; those that are missing are taken to be nought."""
    found = {}
    for name in COLUMNS:
        known = name in table.column_names
        values = table[name].to_numpy() if known else np.zeros(len(table))
        found[name] = np.round(values.astype(float), digits)
    return pa.table(found)
'''
_FEATURES = """\
import lineagekit

lineagekit.autolog()

import pyarrow as pa
from pyarrow import parquet
from transforms import matrix

table = pa.concat_tables([parquet.read_table("work/base.parquet"), parquet.read_table("work/recent.parquet")])
columns = {f"x{number:02}": values for number, values in enumerate(matrix(table))}
parquet.write_table(pa.table({**columns, "label": table["label"].to_numpy().astype(int)}), "work/features.parquet")
"""


def _base(seed: int, day: int) -> pa.Table:
    return pa.table({"id": np.arange(_BASE), **people(seed, "base", 0, _BASE)})


def _recent(seed: int, day: int) -> pa.Table:
    parts = [people(seed, "recent", number, _A_DAY) for number in range(day + 1)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pa.table({"id": np.arange(_A_DAY * (day + 1)) + _BASE, **columns})


def _exam(seed: int) -> pa.Table:
    columns = people(seed, "exam", 0, _EXAM)
    return pa.table({**columns, "refunds": np.zeros(_EXAM, np.int64)})


LINEAR = Shape(
    "linear",
    model="label",
    metric="auc",
    days=12,
    bad_days=3,
    feeds=(Feed("base", "once", _base, "csv"), Feed("recent", "daily", _recent, "csv")),
    programs={
        **shared(["amount", "visits", "age"], ["amount", "visits"], "auc", higher=True),
        "prepare.py": _PREPARE,
        "clean.py": _CLEAN,
        "tidy.py": _TIDY,
        "features.py": _FEATURES,
        "conf/rounding.txt": "2",
    },
    steps=(
        Step("prepare.py"),
        Step("clean.py"),
        Step("features.py"),
        Step("train.py", lambda world: world.argv.get("train.py", ())),
        Step("grade.py"),
    ),
    exam=_exam,
)
