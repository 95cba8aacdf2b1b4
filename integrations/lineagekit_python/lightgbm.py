# SPDX-License-Identifier: Apache-2.0
"""LightGBM: its models, which C++ reads and writes by name, training data given as a file, and what it was set to.

>>> basic(sys.modules["lightgbm.basic"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit_python import training
from lineagekit_python.entry import reader, writer

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def basic(module: ModuleType) -> None:
    """`lightgbm.basic`."""
    reader(module, "Dataset.__init__", (1, "data"), door="lightgbm.Dataset")
    writer(module, "Dataset.save_binary", (1, "filename"), door="lightgbm.save_binary")
    patch(module, "Booster.__init__", before=_loads)
    patch(module, "Booster.save_model", before=_saves, after=_saved, failed=note.failed)


def engine(module: ModuleType) -> None:
    """`lightgbm.engine`: `train`, also where `lightgbm.sklearn` has it by name."""
    training.outermost(module, "train", _trained)
    training.outermost(module, "cv", _trained, quiet=True)


def _loads(args: Any, kwargs: Any) -> None:
    if book() is not None:
        note.reads(argument(args, kwargs, 3, "model_file"), door="lightgbm.Booster")


def _saves(args: Any, kwargs: Any) -> Any:
    if book() is None:
        return None
    target = argument(args, kwargs, 1, "filename")
    note.writes(target, door="lightgbm.save_model")
    return target


def _saved(target: Any, result: Any, args: Any, kwargs: Any) -> None:
    if target is not None:
        note.wrote(target, door="lightgbm.save_model")
        training.model(target, args[0])


def _trained(result: Any, args: Any, kwargs: Any) -> None:
    values = dict(argument(args, kwargs, 0, "params") or {})
    values["num_boost_round"] = argument(args, kwargs, 2, "num_boost_round", 100)
    training.settings("lightgbm", values)
    for data, scores in (getattr(result, "best_score", None) or {}).items():
        for name, value in scores.items():
            training.score(f"{data}-{name}", value)
