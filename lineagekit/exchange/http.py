# SPDX-License-Identifier: Apache-2.0
"""One event, one POST, one answer: over a connection that is kept, never repeated behind the caller's back.

    >>> with closing(HttpSender(Endpoint("http://localhost:5000/api/v1/lineage"))) as sender:  # doctest: +SKIP
    ...     sender.send(b'{"eventType": "START", ...}')
    Answer(verdict='accepted', reason='', status=201, wait=None, reached=True, slow=False)

What a session does anew for every call (proxies, certificates, cookies) is done once, which takes two thirds of its
time away. Redirects are not followed: they would turn a POST into a GET, and the answer into that of a login page.
"""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from lineagekit.agent.redact import HIDDEN
from lineagekit.config import VERSION
from lineagekit.exchange.answers import Answer, judge, shorten
from lineagekit.exchange.endpoint import Endpoint

LONGEST_TIMEOUT = 120.0
"""Seconds that are waited for one answer at most, however often the event was tried."""

_SMALL = 1024  # bytes below which compressing costs more than it saves
_LEVEL = 3  # of gzip: the next one takes twice as long
_BODY, _CHUNK = 8192, 64  # bytes of an answer that are read, and between two looks at the clock
_PLAIN = ("Accept", "Content-Type", "Content-Length", "Content-Encoding", "User-Agent")  # headers without secrets
_NO_TOKEN = (RuntimeError, ValueError, LookupError)  # what openlineage-python raises where a token is not given
_WRONG_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    UnicodeError,
)


class HttpSender:
    """One connection to an endpoint; not for several threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect to nothing yet."""
        self._endpoint = endpoint
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._settings: dict[str, Any] = {}
        self._request = requests.PreparedRequest()

    def send(self, body: bytes, *, patience: float = 1.0) -> Answer:
        """Post one event, waiting `patience` times as long as usual; whatever goes wrong is an answer too."""
        compressed = self._endpoint.gzip and len(body) > _SMALL
        try:
            authorization = self._endpoint.authorization()
        except (OSError, *_NO_TOKEN):
            return Answer("again", "no token was given for this destination", reached=False)
        try:
            self._prepare(body, authorization, compressed)
            answer = self._post(min(self._endpoint.timeout * patience, LONGEST_TIMEOUT))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, *_WRONG_ADDRESS) as error:
            answer = explain(error)
        if compressed and answer.verdict == "refused":
            return replace(answer, reason=answer.reason + " (it was sent compressed: gzip = false sends it plain)")
        return answer

    def reach(self) -> str:
        """Connect and send nothing; why that fails, or ''."""
        address = urlsplit(self._endpoint.url)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            socket.create_connection((address.hostname or "", port), timeout=self._endpoint.timeout).close()
        except (OSError, UnicodeError) as error:
            return f"no connection: {_root(error)}"
        return ""

    def close(self) -> None:
        """Let go of the connection."""
        self._adapter.close()

    def _post(self, timeout: float) -> Answer:
        response = self._adapter.send(self._request, stream=True, timeout=timeout, **self._settings)
        try:
            return self._judge(response, _read(response, timeout))
        finally:
            response.close()  # which keeps the connection if the answer was read to its end

    def _judge(self, response: requests.Response, body: bytes) -> Answer:
        """A server may quote what it got: neither keys nor headers go into a reason."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code >= 300:
            for secret in self._secrets():
                body = body.replace(secret.encode(), HIDDEN.encode())
                headers = {name: value.replace(secret, HIDDEN) for name, value in headers.items()}
        return judge(response.status_code, headers, body)

    def _prepare(self, body: bytes, authorization: str, compressed: bool) -> None:
        if not self._settings:
            self._settle()
        self._request.body = gzip.compress(body, _LEVEL, mtime=0) if compressed else body
        headers = self._request.headers
        headers["Content-Length"] = str(len(self._request.body))
        headers.pop("Content-Encoding", None)
        if compressed:
            headers["Content-Encoding"] = "gzip"
        if authorization:
            headers["Authorization"] = authorization

    def _settle(self) -> None:
        """The request without its event, and how it is sent: once, and without cookies and passwords of ~/.netrc."""
        own = {"User-Agent": f"lineagekit/{VERSION}", "Accept": "*/*", "Content-Type": "application/json"}
        url, verify, cert = self._endpoint.url, self._endpoint.verify, self._endpoint.cert
        self._request = requests.Request("POST", url, headers={**own, **self._endpoint.headers}).prepare()
        with requests.Session() as session:
            settings = dict(session.merge_environment_settings(url, {}, True, verify, cert))
        self._settings = {name: settings[name] for name in ("proxies", "verify", "cert")}

    def _secrets(self) -> Iterable[str]:
        values = [value for name, value in self._request.headers.items() if name not in _PLAIN]
        values += [value.partition(" ")[2] for value in values]  # what is behind "Bearer "
        values += [value for _, value in parse_qsl(urlsplit(self._endpoint.url).query)]
        return [value for value in values if len(value) > 3]


def explain(error: Exception) -> Answer:
    """What an exception of requests, urllib3 or the system means for the event. Its text never holds an address."""
    if isinstance(error, _WRONG_ADDRESS):
        return Answer("astray", "this address or one of the headers cannot be used", reached=False)
    if isinstance(error, requests.exceptions.SSLError):
        return Answer("again", f"no secure connection: {_root(error)}", reached=False)
    if isinstance(error, requests.ConnectTimeout):
        return Answer("again", "the server cannot be reached in time", reached=False)
    if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError | TimeoutError):
        return Answer("again", "the server took the event and did not answer in time", slow=True)
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return Answer("astray", shorten(str(error)), reached=False)  # certificates that are not where they should be
    if error.args and isinstance(error.args[0], urllib3.exceptions.MaxRetryError):
        return Answer("again", f"no connection: {_root(error)}", reached=False)
    return Answer("again", f"the connection broke: {_root(error)}")


def _root(error: BaseException) -> str:
    """The system's own words at the bottom of a pile of exceptions."""
    while (below := _below(error)) is not None:
        error = below
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shorten(said) or type(error).__name__


def _below(error: BaseException) -> BaseException | None:
    candidates = (getattr(error, "reason", None), *error.args, error.__cause__)
    return next((one for one in candidates if isinstance(one, BaseException) and one is not error), None)


def _read(response: requests.Response, timeout: float) -> bytes:
    """The beginning of the answer. Who dribbles it, byte after byte, is left when the time is over."""
    deadline = time.monotonic() + timeout
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) >= _BODY or time.monotonic() > deadline:
            break
    return body
