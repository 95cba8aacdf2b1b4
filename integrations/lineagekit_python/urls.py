# SPDX-License-Identifier: Apache-2.0
"""Web addresses without what nobody should read: users, values of queries, tokens in paths.

>>> address = read_address("https://ann:pw@Rates.example.com:443/eur?key=s3cr3t&day=1")
>>> address.namespace, address.path, address.names
('https://rates.example.com', '/eur', ['day', 'key'])
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lineagekit.agent.redact import HIDDEN, redact

_PORTS = {"http": 80, "https": 443}
_LONGEST, _MOST_NAMES = 1000, 50
_PLAIN = re.compile(r"[A-Za-z_]{1,20}\Z")
_WEBHOOK = re.compile(r"(?P<start>/services/|/webhooks?/|/bot)(?P<token>\w[\w:./-]{15,})")
"""Web hooks whose path is the password: of Slack, Discord, Telegram, Teams."""


class Address:
    """Where a request goes."""

    __slots__ = ("host", "names", "namespace", "path")

    def __init__(self, namespace: str, host: str, path: str, names: list[str]) -> None:
        """`names` are those of the query's parameters, in order of the alphabet."""
        self.namespace, self.host, self.path, self.names = namespace, host, path, names


def read_address(url: str) -> Address | None:
    """The address of an HTTP URL; None for any other."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        return None
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    place = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    path = _WEBHOOK.sub(lambda found: f"{found['start']}{HIDDEN}", redact(parts.path or "/"))
    return Address(f"{scheme}://{place}", place, path[:_LONGEST], _names(parts.query))


def _names(query: str) -> list[str]:
    names = set()
    for pair in query.split("&")[:_MOST_NAMES] if query else ():
        name, mark, _ = pair.partition("=")
        names.add(redact(name)[:100] if mark or _PLAIN.match(name) else HIDDEN)  # without a value it may be one
    return sorted(names - {""})
