# SPDX-License-Identifier: Apache-2.0
"""PyTorch: what C++ writes by name, whether it is a model, and what an optimizer was set to.

>>> serialization(sys.modules["torch.serialization"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit.agent.targets import text_of
from lineagekit_python import training
from lineagekit_python.entry import patch_name

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_STATES = ("state_dict", "model_state_dict", "model")


def serialization(module: ModuleType) -> None:
    """`torch.serialization`: `load` opens through Python, `save` does not."""
    patch_name(module, "save", before=_saves, after=_saved, failed=note.failed)


def jit(module: ModuleType) -> None:
    """`torch.jit._serialization`."""
    patch_name(module, "save", before=_saves, after=_saved, failed=note.failed)


def optimizer(module: ModuleType) -> None:
    """`torch.optim.optimizer`: learning rate and the like."""
    patch(module, "Optimizer.__init__", after=_optimizes)


def _saves(args: Any, kwargs: Any) -> Any:
    if book() is None:
        return None
    target = argument(args, kwargs, 1, "f")
    if isinstance(target, str) or hasattr(target, "__fspath__"):
        note.writes(target, door="torch.save")
    return target


def _saved(target: Any, result: Any, args: Any, kwargs: Any) -> None:
    if not text_of(target):
        return
    if not hasattr(target, "write"):  # an open file is seen by the doors
        note.wrote(target, door="torch.save", format="torch")
    value = argument(args, kwargs, 0, "obj", kwargs.get("m"))
    if _is_weights(value):
        training.model(target, value)


def _is_weights(value: Any) -> bool:
    """A module, a dictionary of its tensors, or a checkpoint that has one."""
    if training.is_model(value):
        return True
    if not isinstance(value, dict) or not value:
        return False
    return any(name in value for name in _STATES) or all(hasattr(one, "requires_grad") for one in value.values())


def _optimizes(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    defaults = argument(args, kwargs, 2, "defaults")
    if isinstance(defaults, dict) and note.run_now() is not None:
        training.settings(type(args[0]).__name__, {k: v for k, v in defaults.items() if v is not None})
