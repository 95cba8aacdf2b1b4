# SPDX-License-Identifier: Apache-2.0
"""What a probe measured: of the model that is looked for, whatever else the command grades."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from lineagekit.cause.proof import Intent, prove
from tests.cause.worlds import MODEL, Day, story
from tests.store.told import dataset, run, told

OTHER = "/models/other.pkl"


def metrics(folder: Path, model: str, *, is_said: bool = True) -> Mapping[str, float]:
    """Of a command that grades our model, and another one after it."""
    said = {"name": "auc", "value": 0.6, "higherIsBetter": True, **({"of": OTHER} if is_said else {})}
    facets = {"lineagekit_metrics": {"metrics": [said]}}
    written = dataset(OTHER, "output", at=70, digest="5" * 16, model="other")
    seen = [dataset(OTHER, at=80, digest="5" * 16)] if is_said else []
    later = [
        *run("other.py", 60, 71, writes=[written]),
        *run("grade_other.py", 79, 85, run_facets=facets, reads=seen),
    ]
    with told(folder, [*story([Day(0.9)]), *later]) as (store, index):
        return prove(index.database, store, Intent({}, model=model)).metrics


@pytest.mark.parametrize(("model", "value"), [(MODEL, 0.9), (OTHER, 0.6), ("", 0.6)])
def test_a_grade_of_another_model_is_none_of_this_one(tmp_path: Path, model: str, value: float) -> None:
    assert metrics(tmp_path, model)["auc"] == value


def test_a_grade_of_nobody_in_particular_gives_way_to_one_of_the_model(tmp_path: Path) -> None:
    assert metrics(tmp_path, MODEL, is_said=False)["auc"] == 0.9


def test_where_the_model_is_no_file_that_was_seen_the_last_grade_counts(tmp_path: Path) -> None:
    assert metrics(tmp_path, "/models/never_seen.pkl")["auc"] == 0.6
