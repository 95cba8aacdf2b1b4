# SPDX-License-Identifier: Apache-2.0
"""Programs that all pipelines share: training, grading, two packages, and a helper module with what can go wrong in it.

Each is a job like any other: one line at the top has it recorded.
"""

from __future__ import annotations

TRAIN = """\
import lineagekit

lineagekit.autolog()

import argparse

import joblib
import numpy as np
import plottools
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float, default=1.0)
parser.add_argument("--note", default="")
parser.add_argument("--rows", type=int, default=10**6)
parser.add_argument("--target", default="label")
options = lineagekit.params(parser.parse_args())
table = parquet.read_table("work/features.parquet").slice(0, options.rows)
names = [name for name in table.column_names if name.startswith("x")]
matrix = np.column_stack([table[name].to_numpy() for name in names])
model = LogisticRegression(C=options.C, max_iter=200).fit(matrix, table[options.target].to_numpy())
plottools.plot(model)
joblib.dump(model, f"model-{options.target}.joblib")
lineagekit.model(f"model-{options.target}.joblib", name=options.target)
"""

GRADE = """\
import lineagekit

lineagekit.autolog()

import argparse

import joblib
import numpy as np
from pyarrow import parquet
from scoring import score
from transforms import matrix

parser = argparse.ArgumentParser()
parser.add_argument("--target", default="label")
target = parser.parse_args().target
model = joblib.load(f"model-{target}.joblib")
exam = parquet.read_table("exam.parquet")
scores = model.predict_proba(np.column_stack(matrix(exam)))[:, 1]
value = score(exam[target].to_numpy(), scores)
print(lineagekit.metric(METRIC, value, of=f"model-{target}.joblib", on="exam.parquet", higher_is_better=HIGHER))
"""

SCORING = {
    "auc": """\
from sklearn.metrics import roc_auc_score


def score(labels, scores):
    return float(roc_auc_score(labels, scores))
""",
    "log_loss": """\
from sklearn.metrics import log_loss


def score(labels, scores):
    return float(log_loss(labels, scores))
""",
}
WRONG_SCORING = {
    "auc": ("roc_auc_score(labels, scores)", "roc_auc_score(labels, scores > 0.5)"),
    "log_loss": ("log_loss(labels, scores)", "log_loss(labels, (scores > 0.5) * 0.8 + 0.1)"),
}

TRANSFORMS = '''\
"""Numbers that a model can learn from."""

import os

import numpy as np
import scaletools

COLUMNS = COLUMN_NAMES
STRONG = STRONG_NAMES
LEVEL = os.environ.get("LOG_LEVEL", "info")
MODE = os.environ.get("SCALE_MODE", "fine")


def column(table, name):
    if name not in table.column_names:
        return np.zeros(len(table))
    return np.nan_to_num(table[name].to_numpy(zero_copy_only=False).astype(float), nan=UNKNOWN)


def aligned(values):
    return values


def matrix(table):
    found = []
    for name in COLUMNS:
        values = scaletools.scaled(column(table, name))
        if name in STRONG:
            values = aligned(values)
        if MODE == "coarse":
            values = np.clip(np.round(values), -1, 0)
        found.append(values)
    if "city" in table.column_names:
        cities = column(table, "city")
        found += [(cities == city).astype(float) for city in range(CITIES)]
    return found


CITIES = 12
UNKNOWN = -9.0
'''

SCALETOOLS = '''\
"""Scales."""

import numpy as np

__version__ = "1.4.0"


def scaled(values):
    return np.sign(values) * np.log1p(np.abs(values))
'''
WRONG_SCALETOOLS = SCALETOOLS.replace("1.4.0", "1.5.0").replace(
    "np.sign(values) * np.log1p(np.abs(values))", "np.clip(values, -0.3, 0.3)"
)

PLOTTOOLS = '''\
"""Plots nothing."""

__version__ = "0.9.1"


def plot(model):
    return None
'''


def shared(columns: list[str], strong: list[str], metric: str, *, higher: bool) -> dict[str, str]:
    """The files that every pipeline has."""
    transforms = TRANSFORMS.replace("COLUMN_NAMES", repr(columns)).replace("STRONG_NAMES", repr(strong))
    return {
        "train.py": TRAIN,
        "grade.py": GRADE.replace("METRIC", repr(metric)).replace("HIGHER", repr(higher)),
        "scoring.py": SCORING[metric],
        "transforms.py": transforms,
        "lib/site-packages/scaletools/__init__.py": SCALETOOLS,
        "lib/site-packages/plottools/__init__.py": PLOTTOOLS,
    }
