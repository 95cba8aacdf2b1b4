# SPDX-License-Identifier: Apache-2.0
"""scikit-learn and all that derives from it: the outermost fit, its parameters, and scores.

    >>> base(sys.modules["sklearn.base"])  # doctest: +SKIP

Every class of estimator is dressed once, when it is made, also those of the user's own.
"""

from __future__ import annotations

from types import FunctionType

from lineagekit.agent.border import border
from lineagekit_python import training
from lineagekit_python.entry import patch_name

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_FITS = ("fit", "fit_transform", "fit_predict", "partial_fit")
_BETTER = {"_score": True, "corrcoef": True, "_error": False, "_loss": False}
_SEARCHES = (
    "cross_validate",
    "cross_val_score",
    "cross_val_predict",
    "learning_curve",
    "validation_curve",
    "permutation_test_score",
)
_PLAIN = (type(None), bool, int, float, str)

_names: dict[type, list[str]] = {}
_base: Any = None


def base(module: ModuleType) -> None:
    """`sklearn.base`: what every estimator is a subclass of."""
    global _base
    _base = module.BaseEstimator
    for mixin in ("ClassifierMixin", "RegressorMixin"):
        training.outermost(module, f"{mixin}.score", _scored)
    _dress_all(_base)
    _dress_later(_base)


def metrics(module: ModuleType) -> None:
    """`sklearn.metrics`: functions that give one number."""
    for name in list(getattr(module, "__all__", ())):
        better = next((value for suffix, value in _BETTER.items() if name.endswith(suffix)), None)
        if better is not None and isinstance(getattr(module, name, None), FunctionType):
            _watch_metric(module, name, better)


def validation(module: ModuleType) -> None:
    """`sklearn.model_selection._validation`: many fits that are none of the user's own."""
    for name in _SEARCHES:
        training.outermost(module, name, _nothing, quiet=True)


def parallel(module: ModuleType) -> None:
    """`sklearn.utils.parallel`: what runs in other threads and processes on behalf of a fit."""
    training.outermost(module, "_FuncWrapper.__call__", _nothing, quiet=True)


def _dress_all(kind: type) -> None:
    _dress(kind)
    for below in kind.__subclasses__():
        _dress_all(below)


def _dress_later(kind: type) -> None:
    """Every class that is made from here on calls `__init_subclass__` of its base."""

    def __init_subclass__(cls: type, **more: Any) -> None:
        super(kind, cls).__init_subclass__(**more)
        with border("sklearn.dress"):
            _dress(cls)

    kind.__init_subclass__ = classmethod(__init_subclass__)  # type: ignore[assignment]


def _dress(kind: type) -> None:
    names = vars(kind)
    for name in _FITS:
        if isinstance(names.get(name), FunctionType):
            training.outermost(kind, name, _fitted)
    found = names.get("score")
    if isinstance(found, FunctionType):
        training.outermost(kind, "score", _scored)
    elif isinstance(getattr(found, "fn", None), FunctionType):  # of a pipeline: there if its last step has one
        training.outermost(found, "fn", _scored)


def _fitted(result: Any, args: Any, kwargs: Any) -> None:
    estimator = args[0]
    kind = type(estimator)
    values = _settings(estimator, kind)
    key = tuple(one if isinstance(one, _PLAIN) else id(one) for one in values.values())
    training.settings(kind.__name__, values, key=key)
    best = getattr(estimator, "best_params_", None)
    if isinstance(best, dict):
        training.settings(f"{kind.__name__}.best_params_", best)
        training.score(f"{kind.__name__}.best_score_", getattr(estimator, "best_score_", None), higher_is_better=True)


def _settings(estimator: Any, kind: type) -> dict[str, Any]:
    """As `get_params(deep=False)`, which reads the signature anew each time and takes longer than a small fit."""
    if _base is None or kind.get_params is not _base.get_params:  # one that has more than its signature says
        return dict(estimator.get_params(deep=False))
    if kind not in _names:
        _names[kind] = list(kind._get_param_names())
    return {name: getattr(estimator, name, None) for name in _names[kind]}


def _scored(result: Any, args: Any, kwargs: Any) -> None:
    training.score(f"{type(args[0]).__name__}.score", result, higher_is_better=True)


def _watch_metric(module: ModuleType, name: str, better: bool) -> None:
    def after(token: Any, result: Any, args: Any, kwargs: Any) -> None:
        if not training.is_inside():
            training.score(name, result, higher_is_better=better)

    patch_name(module, name, but="sklearn", after=after)


def _nothing(*_: Any) -> None:
    """What ends here says nothing."""
