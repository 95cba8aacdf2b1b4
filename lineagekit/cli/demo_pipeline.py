# SPDX-License-Identifier: Apache-2.0
"""The demo's programs, as its folder gets them: a shop learns which orders will be returned.

>>> sorted(PROGRAMS)
['features.py', 'pipeline.py']
"""

from __future__ import annotations

PIPELINE = '''\
"""Orders, customers and labels: clean, join, make features, train, evaluate."""

import argparse
from pathlib import Path

import joblib
import lineagekit
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from features import features_of
from pyarrow import csv, parquet
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score


def read_days(folder):
    paths = sorted(Path(folder).glob("day=*/*.parquet"))
    return pa.concat_tables(parquet.read_table(path, partitioning=None) for path in paths)


@lineagekit.job
def clean(day):
    folder = Path("clean/orders", f"day={day}")
    folder.mkdir(parents=True, exist_ok=True)
    orders = csv.read_csv(f"raw/orders/day={day}/orders.csv")
    parquet.write_table(orders.filter(pc.field("amount") > 0), folder / "orders.parquet")
    customers = parquet.read_table("raw/customers.parquet")
    parquet.write_table(customers.select(["customer", "region", "age"]), "clean/customers.parquet")


@lineagekit.job
def join():
    orders = read_days("clean/orders").join(parquet.read_table("clean/customers.parquet"), "customer")
    joined = orders.join(read_days("raw/labels"), "order", join_type="inner")
    parquet.write_table(joined.sort_by("order"), "joined.parquet")


@lineagekit.job
def features():
    parquet.write_table(features_of(parquet.read_table("joined.parquet")), "features.parquet")


@lineagekit.job
def train(C=1.0):
    table = parquet.read_table("features.parquet")
    labels = table["returned"].to_numpy()
    columns = [column.to_numpy() for column in table.drop_columns("returned").columns]
    model = LogisticRegression(C=C).fit(np.column_stack(columns), labels)
    joblib.dump(model, "model.joblib")
    lineagekit.model("model.joblib", name="returns")


@lineagekit.job
def evaluate():
    model = joblib.load("model.joblib")
    table = parquet.read_table("exam.parquet")
    columns = [column.to_numpy() for column in features_of(table).drop_columns("returned").columns]
    scores = model.predict_proba(np.column_stack(columns))[:, 1]
    auc = roc_auc_score(table["returned"].to_numpy(), scores)
    print(lineagekit.metric("auc", float(auc), of="model.joblib", on="exam.parquet", higher_is_better=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", required=True)
    day = lineagekit.params(parser.parse_args()).day
    clean(day), join(), features(), train(), evaluate()
'''

FEATURES = '''\
"""Numbers that a model can learn from."""

import pyarrow as pa
import pyarrow.compute as pc

REGIONS = ["north", "south", "east", "west"]


def features_of(joined):
    found = {
        "amount": pc.ln(pc.add(joined["amount"], 1.0)),
        "items": pc.cast(joined["items"], pa.float64()),
        "age": pc.divide(pc.cast(joined["age"], pa.float64()), 100.0),
    }
    for region in REGIONS:
        found[region] = pc.cast(pc.equal(joined["region"], region), pa.float64())
    return pa.table({**found, "returned": joined["returned"]})
'''

PROGRAMS = {"pipeline.py": PIPELINE, "features.py": FEATURES}
"""By the names of their files."""
