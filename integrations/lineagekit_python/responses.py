# SPDX-License-Identifier: Apache-2.0
"""Responses of `http.client` that are read later: their bytes are hashed as they pass, and never asked for by us.

    >>> watch_response(response, exchange)  # doctest: +SKIP
    True

The object becomes one of a class that is like its own but for the methods by which bytes leave it: an attribute of
the object would hold it alive, or not be enough to hold it alive while it reads.
"""

from __future__ import annotations

from hashlib import sha256

from lineagekit.agent.border import border

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

MOST_BYTES = 32 << 20
"""A longer body has no digest; this much takes 30 to 60 ms."""

TOO_LONG = f"longer than {MOST_BYTES >> 20} MiB"

_STATE = "_lineagekit"
_WAYS = ("read", "read1", "readinto", "readinto1", "readline")

_classes: dict[type, type] = {}


def watch_response(response: Any, exchange: Any) -> bool:
    """Tell of an exchange when its response was read to the end or closed; False where it is of no such kind."""
    kind = type(response)
    if not hasattr(kind, "isclosed") or not hasattr(response, "__dict__"):
        return False
    if kind not in _classes:
        _classes[kind] = _like(kind)
    reading = Reading(exchange)
    setattr(response, _STATE, reading)
    response.__class__ = _classes[kind]
    if response.length == 0:
        reading.finish(response, is_whole=True)
    return True


class Reading:
    """What has left a response so far."""

    __slots__ = ("done", "exchange", "hasher", "inside", "size")

    def __init__(self, exchange: Any) -> None:
        """Nothing yet."""
        self.exchange, self.hasher, self.size = exchange, sha256(), 0
        self.done = self.inside = False

    def see(self, response: Any, found: Any, args: tuple[Any, ...]) -> None:
        """Bytes, or the number of bytes in the buffer that was given."""
        if isinstance(found, bytes):
            self._add(found)
        elif isinstance(found, int) and args:
            self._add(memoryview(args[0]).cast("B")[:found])
        if response.isclosed() or response.length == 0:
            self.finish(response, is_whole=not response.length)

    def finish(self, response: Any, *, is_whole: bool) -> None:
        """No more will come, or nobody will see it."""
        if self.done:
            return
        self.done = True
        if not is_whole:
            self.exchange.say_body(response.status, response.headers, None)
        elif self.size > MOST_BYTES:
            self.exchange.say(response.status, response.headers, self.size, reason=TOO_LONG)
        else:
            digest = f"sha256:{self.hasher.hexdigest()}"
            self.exchange.say(response.status, response.headers, self.size, digest=digest)

    def _add(self, data: Any) -> None:
        self.size += len(data)
        if self.size <= MOST_BYTES:
            self.hasher.update(data)


def _like(kind: type) -> type:
    """A class in whose methods we stand, by all other signs the same."""
    methods: dict[str, Any] = {name: _beside(getattr(kind, name)) for name in _WAYS if hasattr(kind, name)}
    methods["close"] = _before_close(kind.close)  # type: ignore[attr-defined]
    methods.update({"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__})
    return type(kind.__name__, (kind,), methods)


def _beside(original: Any) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        reading = self.__dict__.get(_STATE)
        if reading is None or reading.done or reading.inside:
            return original(self, *args, **kwargs)
        reading.inside = True  # one way of reading may go through another
        try:
            found = original(self, *args, **kwargs)
        finally:
            reading.inside = False
        with border("urllib"):
            reading.see(self, found, args)
        return found

    method.__name__, method.__doc__ = original.__name__, original.__doc__
    return method


def _before_close(original: Any) -> Any:
    def close(self: Any) -> Any:
        reading = self.__dict__.get(_STATE)
        if reading is not None and not reading.done and not reading.inside:
            with border("urllib"):
                reading.finish(self, is_whole=False)
        return original(self)

    return close
