# SPDX-License-Identifier: Apache-2.0
"""Objects written whole (pickle, cloudpickle, joblib): the doors see the file, here is seen that it holds a model.

>>> joblib(sys.modules["joblib.numpy_pickle"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument
from lineagekit_python import training
from lineagekit_python.entry import patch_name

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def joblib(module: ModuleType) -> None:
    """`joblib.numpy_pickle`."""

    def after(token: Any, result: Any, args: Any, kwargs: Any) -> None:
        _look(argument(args, kwargs, 0, "value"), argument(args, kwargs, 1, "filename"))

    patch_name(module, "dump", after=after)


def pickle(module: ModuleType) -> None:
    """`pickle`, `cloudpickle` and `dill`."""

    def after(token: Any, result: Any, args: Any, kwargs: Any) -> None:
        _look(argument(args, kwargs, 0, "obj"), argument(args, kwargs, 1, "file"))

    patch_name(module, "dump", after=after)


def _look(value: Any, target: Any) -> None:
    if note.run_now() is not None and training.is_model(value):
        training.model(target, value)
