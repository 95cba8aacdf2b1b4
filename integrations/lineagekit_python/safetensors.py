# SPDX-License-Identifier: Apache-2.0
"""safetensors: weights, which Rust reads and writes by name.

>>> files(sys.modules["safetensors"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument
from lineagekit.agent.scope import book
from lineagekit_python import training
from lineagekit_python.entry import patch_name, stand_for

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_FORMAT = "safetensors"


def files(module: ModuleType) -> None:
    """`safetensors`: two functions that all of its dialects (numpy, torch, ...) come down to."""
    stand_for(module, "safe_open", _opens)
    patch_name(module, "serialize_file", before=_saves, after=_saved, failed=note.failed)


def _opens(args: Any, kwargs: Any) -> None:
    if book() is not None:
        note.reads(argument(args, kwargs, 0, "filename"), door="safetensors.open", format=_FORMAT)


def _saves(args: Any, kwargs: Any) -> Any:
    if book() is None:
        return None
    target = argument(args, kwargs, 1, "filename")
    note.writes(target, door="safetensors.save")
    return target


def _saved(target: Any, result: Any, args: Any, kwargs: Any) -> None:
    if target is not None:
        note.wrote(target, door="safetensors.save", format=_FORMAT)
        training.model(target)
