# SPDX-License-Identifier: Apache-2.0
"""Patches that stand around a function of a library, where standing beside it (`lineagekit.agent.hooks`) is not enough.

    >>> def make(original):  # doctest: +SKIP
    ...     def read(*args, **kwargs):
    ...         with covering():
    ...             return original(*args, **kwargs)
    ...     return read
    >>> around(module, "SQLDatabase.read_query", make)  # doctest: +SKIP

What is recorded here is *covered*: the sockets, the queries and the requests by which a library does it are silent.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import wraps

from lineagekit.agent.border import border, is_ours, troubles

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import Any

_covered: ContextVar[bool] = ContextVar("lineagekit_covered", default=False)


def around(owner: Any, path: str, make: Callable[[Any], Any]) -> bool:
    """Put `make(original)` in the place of `owner.path`; what an installed version lacks is counted, never an error."""
    *steps, name = path.split(".")
    where = f"{getattr(owner, '__name__', owner)}.{path}"
    for step in steps:
        owner = getattr(owner, step, None)
    found: Any = vars(owner).get(name) if isinstance(owner, type) else None
    found = getattr(owner, name, None) if found is None else found
    kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
    original = found.__func__ if kind else found
    if original is None:
        troubles.count(f"absent:{where}", "")
        return False
    if getattr(original, "_lineagekit", False):
        return True
    wrapped: Any = wraps(original)(make(original))
    wrapped._lineagekit = True
    if isinstance(owner, type(sys)):  # pickled by the name under which it stands here
        wrapped.__module__, wrapped.__qualname__ = owner.__name__, name
    try:
        setattr(owner, name, kind(wrapped) if kind else wrapped)
    except (AttributeError, TypeError):  # a class of C
        troubles.count(f"absent:{where}", "cannot be patched")
        return False
    return True


class covering:
    """A block whose doings are recorded by whoever opened it; threads do not inherit it, tasks do."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        """From here on the hooks further in are silent."""
        self._token: Token[bool] = _covered.set(True)

    def __exit__(self, *_: object) -> None:
        """Speak again."""
        _covered.reset(self._token)


def is_covered() -> bool:
    """Whether somebody further out records this, or the thread is on our side of the border."""
    return _covered.get() or is_ours()


def is_told() -> bool:
    """Whether somebody further out records this; for those who are on our side of the border themselves."""
    return _covered.get()


def answering(where: str, seen: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]) -> Callable[[Any], Any]:
    """For `around`: call the original under cover, then `seen(result, args, kwargs)`, whose value the caller gets.

    Where `seen` fails or returns None, the caller gets what the original returned.
    """

    def make(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if is_covered():
                return original(*args, **kwargs)
            with covering():
                result = original(*args, **kwargs)
            answer = None
            with border(where):
                answer = seen(result, args, kwargs)
            return result if answer is None else answer

        return call

    return make
