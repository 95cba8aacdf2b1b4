# SPDX-License-Identifier: Apache-2.0
"""Everything that openlineage-python can send to (Kafka, files, the console, your own class) behind our one verb.

    >>> with closing(open_transport({"type": "file", "log_file_path": "events.json"})) as sender:  # doctest: +SKIP
    ...     sender.send(b'{"eventType": "START", ...}')
    Answer(verdict='accepted', reason='', status=0, wait=None, reached=True, slow=False)

A transport of others may raise anything and may never return, so it works in a thread of its own, whose failures are
values.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, Protocol

import requests

from lineagekit.agent.redact import HIDDEN, is_secret_name
from lineagekit.errors import UsageError
from lineagekit.exchange.answers import ACCEPTED, Answer, judge, shorten
from lineagekit.exchange.classes import to_class
from lineagekit.exchange.kafka import confirm

LONGEST = 60.0
"""Seconds that a transport may take for an event."""


class Transport(Protocol):
    """What is used of openlineage-python's transports."""

    def emit(self, event: Any) -> Any:
        """Send an event, or raise."""

    def close(self, timeout: float = -1) -> bool:
        """Let go; whether all has been sent."""


class TransportSender:
    """A foreign transport as a sender; `secrets` are the parts of its settings that no message may quote."""

    def __init__(self, transport: Transport, *, secrets: Sequence[str] = (), longest: float = LONGEST) -> None:
        """Take over a transport; `open_transport` makes one from its settings."""
        self._transport, self._secrets, self._longest = transport, secrets, longest
        self._confirm = confirm(transport, longest / 2)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lineagekit-transport")
        self._sending: Future[object] | None = None

    def send(self, body: bytes, *, patience: float = 1.0) -> Answer:
        """Hand the event over; what the transport raises becomes an answer. It has a patience of its own."""
        if self._is_busy():
            return Answer("again", "the transport is still busy with an earlier event", reached=False)
        try:
            event = to_class(json.loads(body))
        except (TypeError, ValueError, LookupError) as error:
            return Answer("refused", shorten(f"openlineage-python does not take this event: {error}"))
        self._sending = self._thread.submit(self._emit, event)
        if wait([self._sending], self._longest).not_done:
            return Answer("again", f"the transport did not return within {self._longest:g} s", slow=True)
        failure = self._sending.exception()
        return explain(failure, self._secrets) if failure else ACCEPTED

    def close(self) -> None:
        """Let go of the transport, unless it is lost in an event."""
        if not self._is_busy():
            wait([self._thread.submit(self._transport.close, self._longest)], self._longest)
        self._thread.shutdown(wait=False)

    def _is_busy(self) -> bool:
        return self._sending is not None and not self._sending.done()

    def _emit(self, event: Any) -> None:
        self._transport.emit(event)
        self._confirm()


def open_transport(settings: Mapping[str, Any], *, longest: float = LONGEST) -> TransportSender:
    """Make the transport that these settings describe. Raises UsageError."""
    from openlineage.client.transport import get_default_factory

    kind, secrets = settings["type"], list(_secrets(settings))
    if kind == "console":
        _make_console_visible()
    with ThreadPoolExecutor(max_workers=1) as thread:  # the factory takes away from the settings what it has read
        made = thread.submit(get_default_factory().create, copy.deepcopy(dict(settings)))
    if failure := made.exception():
        raise UsageError(
            f"the transport {kind} cannot be used: {_name_failure(failure, secrets)}",
            advice="Correct its settings; a type is one of openlineage-python's or the path of a class.",
        ) from failure
    return TransportSender(made.result(), secrets=secrets, longest=longest)


def explain(failure: BaseException, secrets: Sequence[str] = ()) -> Answer:
    """What an exception of a transport means for the event. Most do not say whether it was the event's fault."""
    response = getattr(failure, "response", None)
    if isinstance(failure, requests.HTTPError) and response is not None:
        answer = judge(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content)
        return replace(answer, reason=_without(secrets, answer.reason))
    return Answer("again", _name_failure(failure, secrets))


def _name_failure(failure: BaseException, secrets: Sequence[str]) -> str:
    return shorten(_without(secrets, f"{type(failure).__name__}: {failure}"))


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, list):
            yield from _secrets({f"{name} {place}": one for place, one in enumerate(value)})
        elif is_secret_name(name) and isinstance(value, str) and len(value) > 3:
            yield value


def _make_console_visible() -> None:
    """That transport writes to a log which nobody may have opened."""
    log = logging.getLogger("openlineage.client.transport.console")
    log.setLevel(logging.INFO)
    if not log.hasHandlers():
        log.addHandler(logging.StreamHandler())
