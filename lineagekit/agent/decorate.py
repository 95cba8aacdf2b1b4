# SPDX-License-Identifier: Apache-2.0
"""A function as a job: each call a run, whatever kind of function it is.

>>> @lineagekit.job  # doctest: +SKIP
... async def features(raw, out="features.parquet"): ...
"""

from __future__ import annotations

import inspect
from functools import wraps

from lineagekit.agent.border import border

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def decorate(function: Callable[..., Any], begin: Callable[[], Any]) -> Callable[..., Any]:
    """The function, with a run around each of its calls."""
    if inspect.iscoroutinefunction(function):
        wrapped = _around_coroutine(function, begin)
    elif inspect.isasyncgenfunction(function):
        wrapped = _around_async_generator(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapped = _around_generator(function, begin)
    else:
        wrapped = _around_call(function, begin)
    return wraps(function)(wrapped)


def _around_call(function: Callable[..., Any], begin: Callable[[], Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with begin() as run:
            _say_arguments(run, function, args, kwargs)
            return function(*args, **kwargs)

    return call


def _around_coroutine(function: Callable[..., Any], begin: Callable[[], Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with begin() as run:
            _say_arguments(run, function, args, kwargs)
            return await function(*args, **kwargs)

    return call


def _around_generator(function: Callable[..., Any], begin: Callable[[], Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with begin() as run:
            _say_arguments(run, function, args, kwargs)
            return (yield from function(*args, **kwargs))

    return call


def _around_async_generator(function: Callable[..., Any], begin: Callable[[], Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with begin() as run:
            _say_arguments(run, function, args, kwargs)
            async for item in function(*args, **kwargs):
                yield item

    return call


def _say_arguments(run: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Plain arguments are what the run was set to; data that is passed along is not."""
    with border("arguments"):
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        plain = {k: v for k, v in bound.arguments.items() if v is None or isinstance(v, (str, int, float, bool))}
        if plain:
            run.params(plain)
