# SPDX-License-Identifier: Apache-2.0
"""Connections to services that nobody records: at least it is known that they were there.

    >>> socket.create_connection(("redis", 6379))  # said: unwatched socket redis:6379  # doctest: +SKIP

What requests, S3 or databases are recorded by is *covered*, and its sockets are silent. Sockets of C libraries are
not seen here.
"""

from __future__ import annotations

import errno

from lineagekit.agent.border import border
from lineagekit.agent.note import run_now
from lineagekit_python.around import around, is_covered

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EISCONN})
_DNS = 53
_MOST_HOSTS = 10_000

_hosts: dict[str, str] = {}  # address -> the name that was asked for


def sockets(module: Any) -> None:
    """`socket.socket`, which is a class of Python's on top of one of C; and the names of what is connected to."""
    stream, families = module.SOCK_STREAM, (module.AF_INET, module.AF_INET6)

    def is_told(sock: Any) -> bool:
        return not is_covered() and sock.family in families and sock.type == stream

    def connect(original: Any) -> Any:
        def connect(self: Any, address: Any) -> Any:
            try:
                result = original(self, address)
            except BlockingIOError:  # asyncio: it will be told when it is there
                if is_told(self):
                    _say(address)
                raise
            if is_told(self):
                _say(address)
            return result

        return connect

    def connect_ex(original: Any) -> Any:
        def connect_ex(self: Any, address: Any) -> Any:
            result = original(self, address)
            if result in _UNDER_WAY and is_told(self):
                _say(address)
            return result

        return connect_ex

    around(module, "socket.connect", connect)
    around(module, "socket.connect_ex", connect_ex)
    around(module, "getaddrinfo", _resolve)


def say_peer(what: str, peer: str) -> None:
    """Once a run and peer; to be called on our side of the border."""
    run = run_now()
    if run is not None and run.ledger.is_new(f"{what} {peer}"):
        run.say({"fact": "unwatched", "what": what, "peer": peer})


def _say(address: Any) -> None:
    with border("socket"):
        host, port = address[0], address[1]
        host = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
        if port != _DNS:
            say_peer("socket", f"{_hosts.get(host, host)}:{port}")


def _resolve(original: Any) -> Any:
    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(host, port, *args, **kwargs)
        if host and isinstance(host, str):
            with border("socket"):
                if len(_hosts) > _MOST_HOSTS:
                    _hosts.clear()
                for *_, address in found:
                    _hosts[address[0]] = host
        return found

    return getaddrinfo
