# SPDX-License-Identifier: Apache-2.0
"""What a run measured goes into the index: each metric of the model, and on the data, that its author meant.

>>> put_grades(connection, names, told, run, datasets)  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from lineagekit.events.said import Name, Told
from lineagekit.store.names import Names
from lineagekit.store.packing import plain


def put_grades(
    connection: sqlite3.Connection, names: Names, told: Told, run: int, datasets: Mapping[Name, int]
) -> None:
    """Put in the metrics of a run, each bound to the model and the data that it names."""
    known = _spellings(told, datasets)
    rows = [
        (
            run,
            position,
            names.word(grade.name),
            grade.value,
            known.get(grade.of) if grade.of else _only_model(told, datasets),
            plain(grade.of) or None,
            plain(grade.on) or None,
            grade.higher_is_better,
            grade.step,
        )
        for position, grade in enumerate(told.said.grades)
    ]
    connection.executemany("INSERT OR IGNORE INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _spellings(told: Told, datasets: Mapping[Name, int]) -> dict[str, int]:
    """All that an author may have called a dataset of this run."""
    known: dict[str, int] = {}
    for touches in (told.said.inputs, told.said.outputs):
        for name, touch in touches.items():
            model = touch.model[0] if touch.model else ""
            for spelling in (name.name.rpartition("/")[2], model, touch.realpath, name.name):
                if spelling:
                    known[spelling] = datasets[name]
    return known


def _only_model(told: Told, datasets: Mapping[Name, int]) -> int | None:
    """A metric of a run that made or read one model is of that model."""
    for touches in (told.said.outputs, told.said.inputs):
        models = {datasets[name] for name, touch in touches.items() if touch.kind == "MODEL" or touch.model}
        if models:
            return models.pop() if len(models) == 1 else None
    return None
