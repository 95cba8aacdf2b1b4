# SPDX-License-Identifier: Apache-2.0
"""HTTP that the job's own modules speak: through requests, httpx, aiohttp and urllib.

    >>> requests.get("https://rates.example.com/eur?key=s3cr3t&day=1")  # doctest: +SKIP
    # said: GET https://rates.example.com/eur?day&key, status, ETag, digest of the body

The query's values, headers and whoever stands in the URL are never said. A body is hashed where it lies in memory
anyway, or as the job reads it from urllib; one that is streamed elsewhere is not, for it would have to be read first.
"""

from __future__ import annotations

from hashlib import sha256
from weakref import WeakKeyDictionary

from lineagekit.agent.border import border
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.note import run_now
from lineagekit_python.around import around, covering, is_covered
from lineagekit_python.callers import is_asked_by_project
from lineagekit_python.responses import MOST_BYTES, TOO_LONG, watch_response
from lineagekit_python.urls import Address, read_address

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_STREAMED = "streamed"


def requests(module: Any) -> None:
    """`Session.send`, through which everything of requests goes; redirects are followed inside."""
    around(module, "Session.send", _around_send("requests", _asked_of_requests, _answer_of_requests))


def httpx(module: Any) -> None:
    """`Client.send` and `AsyncClient.send`."""
    around(module, "Client.send", _around_send("httpx", _asked_of_httpx, _answer_of_httpx))
    around(module, "AsyncClient.send", _around_async("httpx", _asked_of_httpx, _answer_of_httpx))


def aiohttp(module: Any) -> None:
    """`ClientSession._request`, which every method of a session calls."""
    around(module, "ClientSession._request", _around_async("aiohttp", _asked_of_aiohttp, _answer_of_aiohttp))


def aiohttp_responses(module: Any) -> None:
    """`ClientResponse.read`, which `text` and `json` call, and what comes after."""
    around(module, "ClientResponse.read", _read_of_aiohttp)
    patch(module, "ClientResponse.release", before=_left_of_aiohttp)
    patch(module, "ClientResponse.close", before=_left_of_aiohttp)


def urllib(module: Any) -> None:
    """`OpenerDirector.open`, which `urlopen`, `urlretrieve` and pandas call."""
    around(module, "OpenerDirector.open", _around_send("urllib", _asked_of_urllib, _answer_of_urllib))


class Exchange:
    """One request, of the run in which it was made, and what came back."""

    __slots__ = ("address", "door", "method", "run")

    def __init__(self, run: Any, door: str, method: str, address: Address) -> None:
        """Asked."""
        self.run, self.door, self.method, self.address = run, door, method, address

    def say_body(self, status: Any, headers: Any, body: bytes | None) -> None:
        """What the answer was; None where its body is not in memory."""
        if body is None:
            self.say(status, headers, _length(headers), reason=_STREAMED)
        elif len(body) > MOST_BYTES:
            self.say(status, headers, len(body), reason=TOO_LONG)
        else:
            self.say(status, headers, len(body), digest=f"sha256:{sha256(body).hexdigest()}")

    def say(self, status: Any, headers: Any, size: int | None, *, digest: str = "", reason: str = "") -> None:
        """What the answer was: the digest of its body, or the reason why there is none."""
        names = "&".join(self.address.names)
        url = f"{self.address.namespace}{self.address.path}{'?' if names else ''}{names}"
        fact = {
            "fact": "result",
            "kind": "http",
            "namespace": self.address.namespace,
            "name": self.address.path,
            "statement": f"{self.method} {url}",
            "method": self.method,
            "host": self.address.host,
            "path": self.address.path,
            "query": self.address.names,
            "status": status,
            "etag": str(headers.get("ETag") or "")[:200],
            "bytes": size,
            "digest": digest,
            "door": self.door,
        }
        if reason:
            fact["reason"] = reason
        self.run.say(fact)


def _begin(door: str, asked: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exchange | None:
    """The exchange, where it is one to be told."""
    run = run_now()
    if run is None or not is_asked_by_project():
        return None
    method, url = asked(args, kwargs)
    address = read_address(str(url))
    return Exchange(run, door, str(method).upper(), address) if address is not None else None


def _around_send(door: str, asked: Any, answer: Any) -> Any:
    def make(original: Any) -> Any:
        def send(*args: Any, **kwargs: Any) -> Any:
            exchange = None
            if not is_covered():
                with border(door):
                    exchange = _begin(door, asked, args, kwargs)
            if exchange is None:
                return original(*args, **kwargs)
            with covering():
                response = original(*args, **kwargs)
            with border(door):
                answer(exchange, response)
            return response

        return send

    return make


def _around_async(door: str, asked: Any, answer: Any) -> Any:
    def make(original: Any) -> Any:
        async def send(*args: Any, **kwargs: Any) -> Any:
            exchange = None
            if not is_covered():
                with border(door):
                    exchange = _begin(door, asked, args, kwargs)
            if exchange is None:
                return await original(*args, **kwargs)
            with covering():
                response = await original(*args, **kwargs)
            with border(door):
                answer(exchange, response)
            return response

        return send

    return make


def _asked_of_requests(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    request = argument(args, kwargs, 1, "request")
    return request.method, request.url


def _answer_of_requests(exchange: Exchange, response: Any) -> None:
    body = getattr(response, "_content", None)  # `content` itself would read a stream
    exchange.say_body(response.status_code, response.headers, body if isinstance(body, bytes) else None)


_asked_of_httpx, _answer_of_httpx = _asked_of_requests, _answer_of_requests


def _asked_of_aiohttp(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    url = str(argument(args, kwargs, 2, "str_or_url"))
    base = getattr(args[0], "_base_url", None)
    if base is not None and "://" not in url:
        url = str(base).rstrip("/") + "/" + url.lstrip("/")
    return argument(args, kwargs, 1, "method"), url


_waiting: WeakKeyDictionary[Any, Exchange] = WeakKeyDictionary()


def _answer_of_aiohttp(exchange: Exchange, response: Any) -> None:
    _waiting[response] = exchange


def _read_of_aiohttp(original: Any) -> Any:
    async def read(self: Any) -> Any:
        body = await original(self)
        if self in _waiting:
            with border("aiohttp"):
                _waiting.pop(self).say_body(self.status, self.headers, body)
        return body

    return read


def _left_of_aiohttp(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    exchange = _waiting.pop(args[0], None)
    if exchange is not None:
        exchange.say_body(args[0].status, args[0].headers, None)


def _asked_of_urllib(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    asked, data = argument(args, kwargs, 1, "fullurl"), argument(args, kwargs, 2, "data")
    if isinstance(asked, str):
        return "GET" if data is None else "POST", asked
    return "POST" if data is not None and asked.method is None else asked.get_method(), asked.full_url


def _answer_of_urllib(exchange: Exchange, response: Any) -> None:
    """The body is hashed as it is read, and told when the last byte has been."""
    if not watch_response(response, exchange):
        exchange.say_body(getattr(response, "status", None), response.headers, None)


def _length(headers: Any) -> int | None:
    """What the headers say of the size of the body."""
    text = str(headers.get("Content-Length") or "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
