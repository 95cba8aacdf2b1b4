# SPDX-License-Identifier: Apache-2.0
"""Raw events out of Marquez: how many there are in a window of time, and the window itself in one answer.

    >>> with closing(Reader(Endpoint("http://localhost:5000/api/v1/events/lineage"))) as reader:  # doctest: +SKIP
    ...     reader.page(since, until, limit=1000).total
    214

A page is asked for by its window alone. Marquez' own offset skips events whenever others arrive, or tie.
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from lineagekit.agent.redact import HIDDEN
from lineagekit.config import VERSION
from lineagekit.errors import BadDataError, StoreError
from lineagekit.exchange.answers import Answer, judge, shorten
from lineagekit.exchange.endpoint import Endpoint
from lineagekit.exchange.http import LONGEST_TIMEOUT, explain
from lineagekit.exchange.patience import Patience
from lineagekit.store.admit import parse

FIRST, END = -62_135_596_800_000_000, 253_402_300_800_000_000
"""Microseconds since 1970: all of the years 1 to 9999, which is all the time that an event can have."""

EAGER = Patience(tries=4, longest=60.0)
"""Somebody waits for the answer, and nothing is lost by asking again."""

LARGEST = 8 << 20
"""Bytes of a page that could be had in parts: as much again is waiting while one is stored."""

_MORE_TIME = 6.0  # times as long as for posting one event
_CHUNK = 1 << 20
_LONG_NUMBER = re.compile(rb"\d{20}")  # a fast reader of JSON would round it
_TOTAL = re.compile(rb'\{"totalCount":(\d{1,18}),"events":\[')  # how Marquez begins, whatever follows
_EPOCH = datetime(1970, 1, 1)
_UNTAKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)
_NO_TOKEN = (OSError, RuntimeError, ValueError, LookupError)  # what openlineage-python raises where none is given
_ADVICE = {
    200: "Check the URL: what answers there is not Marquez.",
    401: "Check the destination's API key.",
    403: "The API key may not read there.",
    404: "Check the URL: there is no Marquez behind it.",
}
_log = logging.getLogger(__name__)


class UnansweredError(StoreError):
    """The server gave no usable answer, however often it was asked."""


class UnwieldyError(Exception):
    """A page is too much for one answer: too many bytes, or it took too long."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: `total` is of the whole window and counts what Marquez does not hand out, too."""

    total: int
    events: list[Any]
    unreadable: bool = False
    """One of its events is beyond our reader of JSON; what stands for all of them is none, and will be refused."""


class Reader:
    """One connection to a server; not for several threads at once."""

    def __init__(self, endpoint: Endpoint, patience: Patience = EAGER, stop: threading.Event | None = None) -> None:
        """Connect to nothing yet; `stop` ends waiting."""
        self._endpoint, self._patience, self._stop = endpoint, patience, stop or threading.Event()
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._settings: dict[str, Any] = {}
        self._request = requests.PreparedRequest()
        self._has_answered = False

    def count(self, since: int, until: int) -> int:
        """How many events the server has in a window. Raises UnansweredError."""
        return self.page(since, until, limit=0).total

    def page(self, since: int, until: int, *, limit: int, divisible: bool = False, newest: bool = False) -> Page:
        """The first events of a window, or the newest. Raises UnansweredError; UnwieldyError if it is `divisible`."""
        query = {
            "after": moment(since),
            "before": moment(until),
            "limit": str(limit),
            "sortDirection": "desc" if newest else "asc",
        }
        largest = LARGEST if divisible else 0
        for attempt in range(1, self._patience.tries + 1):
            if self._stop.is_set():
                break
            got = self._ask(query, attempt, largest)
            if isinstance(got, Page):
                if divisible and got.unreadable:
                    raise UnwieldyError("an answer that cannot be read as a whole")
                return got
            if got.slow and divisible:
                raise UnwieldyError(got.reason)
            _log.debug("try %d of %s: %s", attempt, query, got.reason)
            self._pause(got, attempt)
        raise UnansweredError("stopped")

    def close(self) -> None:
        """Let go of the connection."""
        self._adapter.close()

    def _pause(self, got: Answer, attempt: int) -> None:
        """Wait before the next try; raise where no try would help, or not soon."""
        is_there = self._has_answered or got.reached  # where nobody ever answered, it is the address that is wrong
        if got.verdict != "again" or not is_there or attempt == self._patience.tries:
            raise UnansweredError(got.reason, advice=_ADVICE.get(got.status, ""))
        if got.wait and got.wait > self._patience.longest:
            raise UnansweredError(f"{got.reason} (it asks to be left alone for {got.wait:.0f} s)")
        pause = self._patience.pause * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
        self._stop.wait(max(pause, got.wait or 0.0))

    def _ask(self, query: dict[str, str], attempt: int, largest: int) -> Page | Answer:
        timeout = min(self._endpoint.timeout * _MORE_TIME * attempt, LONGEST_TIMEOUT)
        try:
            authorization = self._endpoint.authorization()
        except _NO_TOKEN:
            return Answer("again", "no token was given for this server", reached=False)
        try:
            self._prepare(query, authorization)
            response = self._adapter.send(self._request, stream=True, timeout=timeout, **self._settings)
            try:
                body = _read(response, timeout, largest)
            finally:
                response.close()
        except _UNTAKEN as error:
            return _explain(error)
        self._has_answered = True
        if 200 <= response.status_code < 300:
            got = _page(body)
            return got if isinstance(got, Page) else replace(got, reason=self._without_secrets(got.reason))
        headers = {name.lower(): self._without_secrets(value) for name, value in response.headers.items()}
        told = self._without_secrets(body[:8192].decode("utf-8", "replace"))
        return judge(response.status_code, headers, told.encode())

    def _without_secrets(self, text: str) -> str:
        """A server may quote what it got."""
        values = [self._request.headers.get("Authorization", ""), *self._endpoint.headers.values()]
        values += [value.partition(" ")[2] for value in values]  # what is behind "Bearer "
        values += [value for _, value in parse_qsl(urlsplit(self._endpoint.url).query)]
        for secret in sorted((value for value in values if len(value) > 3), key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _prepare(self, query: dict[str, str], authorization: str) -> None:
        if not self._settings:
            self._settle()
        address, _, own = self._endpoint.url.partition("?")
        # A plus sign would be read as a blank, and urlencode spells it out.
        self._request.prepare_url(f"{address}?{own}{'&' if own else ''}{urlencode(query)}", None)
        if authorization:
            self._request.headers["Authorization"] = authorization

    def _settle(self) -> None:
        """How requests are sent: without cookies, and without passwords of ~/.netrc."""
        own = {"User-Agent": f"lineagekit/{VERSION}", "Accept": "application/json", "Accept-Encoding": "gzip"}
        url, verify, cert = self._endpoint.url, self._endpoint.verify, self._endpoint.cert
        self._request = requests.Request("GET", url, headers={**own, **self._endpoint.headers}).prepare()
        with requests.Session() as session:
            settings = dict(session.merge_environment_settings(url, {}, True, verify, cert))
        self._settings = {name: settings[name] for name in ("proxies", "verify", "cert")}


def moment(microseconds: int) -> str:
    """A time as Marquez reads it; the one behind the year 9999 too."""
    if microseconds >= END:
        return "+10000-01-01T00:00:00Z"
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"


def _explain(error: Exception) -> Answer:
    answer = explain(error)
    return replace(answer, reason="the server did not answer in time") if answer.slow else answer


def _read(response: requests.Response, timeout: float, largest: int) -> bytes:
    """All of an answer, unless it is too large or dribbles."""
    deadline = time.monotonic() + timeout
    parts, size = [], 0
    for chunk in response.iter_content(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if largest and size > largest:
            raise UnwieldyError(f"an answer of more than {largest} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer came too slowly")
    return b"".join(parts)


def _page(body: bytes) -> Page | Answer:
    """What an answer says; one that is not Marquez' may be a proxy's, whose server comes back."""
    try:
        told = _parse(body)
    except BadDataError as error:
        if found := _TOTAL.match(body):
            return Page(int(found[1]), [f"{len(body)} bytes: {error.message}"], unreadable=True)
        told = None
    total, events = (told.get("totalCount"), told.get("events")) if isinstance(told, dict) else (None, None)
    if type(total) is int and isinstance(events, list):
        return Page(total, events)
    return Answer("again", f"the answer is no list of events: got {_beginning(body)}", 200)


def _parse(body: bytes) -> Any:
    if _LONG_NUMBER.search(body):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass
    return parse(body)[0]


def _beginning(body: bytes) -> str:
    return repr(shorten(body[:200].decode("utf-8", "replace"))[:60]) if body else "nothing"
