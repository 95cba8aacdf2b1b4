# SPDX-License-Identifier: Apache-2.0
"""XGBoost: its models, which C++ reads and writes by name, training data given as a file, and what it was set to.

>>> core(sys.modules["xgboost.core"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit_python import training
from lineagekit_python.entry import reader

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def core(module: ModuleType) -> None:
    """`xgboost.core`."""
    reader(module, "Booster.load_model", (1, "fname"), door="xgboost.load_model")
    patch(module, "Booster.save_model", before=_saves, after=_saved, failed=note.failed)
    patch(module, "DMatrix.__init__", before=_loads)


def train(module: ModuleType) -> None:
    """`xgboost.training`: `train`, also where `xgboost.sklearn` has it by name."""
    training.outermost(module, "train", _trained)
    training.outermost(module, "cv", _trained, quiet=True)


def _loads(args: Any, kwargs: Any) -> None:
    """`DMatrix("train.txt?format=libsvm#cache")`."""
    data = argument(args, kwargs, 1, "data")
    if isinstance(data, str) and book() is not None:
        note.reads(data.partition("?")[0].partition("#")[0], door="xgboost.DMatrix")


def _saves(args: Any, kwargs: Any) -> Any:
    if book() is None:
        return None
    target = argument(args, kwargs, 1, "fname")
    note.writes(target, door="xgboost.save_model")
    return target


def _saved(target: Any, result: Any, args: Any, kwargs: Any) -> None:
    if target is not None:
        note.wrote(target, door="xgboost.save_model")
        training.model(target, args[0])


def _trained(result: Any, args: Any, kwargs: Any) -> None:
    values = dict(argument(args, kwargs, 0, "params") or {})
    values["num_boost_round"] = argument(args, kwargs, 2, "num_boost_round", 10)
    training.settings("xgboost", values)
    for data, scores in (kwargs.get("evals_result") or {}).items():
        for name, history in scores.items():
            if history:
                training.score(f"{data}-{name}", history[-1])
