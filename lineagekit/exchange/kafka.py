# SPDX-License-Identifier: Apache-2.0
"""Kafka says later, and only to a callback, whether it has an event: without asking, every event looks delivered.

>>> check = confirm(transport, 60.0)  # doctest: +SKIP
>>> transport.emit(event); check()  # doctest: +SKIP
Traceback (most recent call last):
lineagekit.exchange.kafka.UnconfirmedError: KafkaError{code=_MSG_TIMED_OUT,...}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class UnconfirmedError(Exception):
    """No broker has confirmed the event."""


class ConfirmingProducer:
    """Stands before a producer: remembers what became of the messages, and does not wait for ever."""

    def __init__(self, producer: Any, longest: float) -> None:
        """Take over a producer of confluent-kafka."""
        self._producer, self._longest = producer, longest
        self._failures: list[str] = []

    def produce(self, *arguments: Any, **options: Any) -> None:
        """Queue a message."""
        self._producer.produce(*arguments, **{**options, "on_delivery": self._note})

    def flush(self, timeout: float = -1) -> int:
        """Wait until all messages are confirmed; those that are not are taken back."""
        left: int = self._producer.flush(timeout=self._longest)
        if left:
            self._failures.append(f"no broker confirmed the event within {self._longest:g} s")
            self._producer.purge()
            self._producer.flush(timeout=1.0)  # for the callbacks of what was purged
        return 0

    def check(self) -> None:
        """Raise UnconfirmedError if a message since the last check was not confirmed."""
        failures, self._failures = self._failures, []
        if failures:
            raise UnconfirmedError(failures[0])

    def __getattr__(self, name: str) -> Any:
        """All else is the producer's."""
        return getattr(self._producer, name)

    def _note(self, error: object, message: object) -> None:
        if error is not None:
            self._failures.append(str(error))


def confirm(transport: Any, longest: float) -> Callable[[], None]:
    """Put such a producer into every Kafka transport in here; the function returned checks them all."""
    checks = []
    for one in _family(transport):
        if getattr(one, "producer", None) is not None:
            one.producer, one.flush = ConfirmingProducer(one.producer, longest), True
            checks.append(one.producer.check)

    def check() -> None:
        for ask in checks:
            ask()

    return check


def _family(transport: Any) -> Iterator[Any]:
    """The transport and those that it hands events to."""
    yield transport
    for inner in (*(getattr(transport, "transports", None) or ()), getattr(transport, "transport", None)):
        if inner is not None:
            yield from _family(inner)
