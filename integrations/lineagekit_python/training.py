# SPDX-License-Identifier: Apache-2.0
"""Training: what a model was set to, how it scored, and that a file is a model; the same for every library.

    >>> outermost(Booster, "fit", fitted)  # doctest: +SKIP

Of fits within fits only the outermost counts. A score counts when the run has given it once: of several numbers of one
name nobody can tell which is meant, and none is said.
"""

from __future__ import annotations

import os
import threading

from lineagekit.agent import note
from lineagekit.agent.hooks import at_end
from lineagekit.agent.targets import text_of
from lineagekit_python.entry import patch_name

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_FITS = 200
"""Settings of more fits in one run are a search, not a setting."""

_LIBRARIES = frozenset({"sklearn", "xgboost", "lightgbm", "catboost", "imblearn", "statsmodels", "torch", "keras"})


class _Thread(threading.local):
    depth = 0


class _Told:
    """What one run has said so far."""

    __slots__ = ("metrics", "models", "settings")

    def __init__(self) -> None:
        self.settings: set[Any] = set()
        self.metrics: dict[str, tuple[float, bool | None] | None] = {}
        self.models: list[str] = []


_here = _Thread()
_told: dict[str, _Told] = {}


def outermost(owner: Any, path: str, done: Callable[..., None], *, quiet: bool = False) -> None:
    """Patch a function that trains or scores: `done(result, args, kwargs)` after the outermost call only.

    `quiet` for what only calls such functions, many times over: nothing within it counts.
    """

    def before(args: Any, kwargs: Any) -> int:
        _here.depth += 1
        return _here.depth

    def after(depth: Any, result: Any, args: Any, kwargs: Any) -> None:
        _here.depth -= 1
        if depth == 1 and not quiet and note.run_now() is not None:
            done(result, args, kwargs)

    def failed(depth: Any) -> None:
        _here.depth -= 1

    patch_name(owner, path, before=before, after=after, failed=failed)


def is_inside() -> bool:
    """Whether a fit or score is going on in this thread."""
    return _here.depth > 0


def settings(kind: str, values: dict[str, Any], *, key: Any = None) -> None:
    """Say what a model was set to, once for the same settings: `LogisticRegression.C`."""
    run = note.run_now()
    if run is None:
        return
    told = _of(run)
    key = (kind, key or repr(values)[:2000])
    if key in told.settings or len(told.settings) >= MOST_FITS:
        return
    told.settings.add(key)
    run.params({f"{kind}.{name}": value for name, value in values.items()})


def score(name: str, value: Any, *, higher_is_better: bool | None = None) -> None:
    """A number that tells how good a model is; said when the run ends, if it was the only one of its name."""
    run = note.run_now()
    number = _number(value)
    if run is None or number is None:
        return
    told = _of(run)
    known = told.metrics.get(name, (number, higher_is_better))
    told.metrics[name] = known if known is not None and known[0] == number else None


def model(target: Any, value: Any = None) -> None:
    """Say that this output is a model."""
    run, text = note.run_now(), text_of(target)
    if run is None or not text:
        return
    fact: dict[str, Any] = {"fact": "model", "name": "", "version": "", "class": class_of(value)}
    if note.is_uri(text):
        fact["namespace"], fact["name_of"] = note.dataset_name(note.redact(text))
    else:
        fact["path"] = note.absolute(text)
        _of(run).models.append(fact["path"])
    run.say(fact)


def is_model(value: Any) -> bool:
    """Whether an object is a model, or holds one: `{"model": classifier, "columns": [...]}`."""
    if isinstance(value, dict):
        return any(_predicts(one) for one in list(value.values())[:20])
    if isinstance(value, (list, tuple)):
        return any(_predicts(one) for one in value[:20])
    return _predicts(value)


def class_of(value: Any) -> str:
    """Where an object's class is defined, of a container that of the first model in it."""
    if isinstance(value, (dict, list, tuple)):
        inside = list(value.values()) if isinstance(value, dict) else value
        value = next((one for one in inside[:20] if _predicts(one)), None)
    kind = type(value)
    return "" if value is None else f"{kind.__module__}.{kind.__qualname__}"


def _predicts(value: Any) -> bool:
    kind = type(value)
    if not (hasattr(kind, "predict") or hasattr(kind, "state_dict")):
        return False
    return any(one.__module__.partition(".")[0] in _LIBRARIES for one in kind.__mro__)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or getattr(value, "ndim", 0) != 0:
        return None
    try:
        return float(value) if isinstance(value, (int, float)) or hasattr(value, "item") else None
    except (TypeError, ValueError):
        return None


def _of(run: Any) -> _Told:
    if run.id not in _told:
        _told[run.id] = _Told()
        at_end(_say_scores)
    return _told[run.id]


def _say_scores(run: Any) -> None:
    told = _told.pop(run.id, None)
    if told is None:
        return
    of = told.models[0] if len(set(told.models)) == 1 else ""
    inputs = run.ledger.inputs()
    on = inputs[0] if len(inputs) == 1 else ""
    for name, found in told.metrics.items():
        if found is not None:
            run.metric(name, found[0], of=of, on=on, higher_is_better=found[1])


if hasattr(os, "register_at_fork"):  # what the parent was told, the parent says
    os.register_at_fork(after_in_child=_told.clear)
