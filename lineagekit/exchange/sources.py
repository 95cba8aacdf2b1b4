# SPDX-License-Identifier: Apache-2.0
"""Where events can be read from: a Marquez at a URL, or one that is configured as a destination.

>>> marquez_at(Endpoint("http://localhost:5000/api/v1/lineage")).endpoint.url
'http://localhost:5000/api/v1/events/lineage'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlunsplit

from lineagekit.config import MARQUEZ
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.exchange.endpoint import (
    Endpoint,
    base_name,
    base_url,
    endpoint_of_settings,
    endpoint_of_transport,
    full_url,
    transport_url,
    url_name,
)
from lineagekit.exchange.openlineage import Transport, read_forward, read_transports
from lineagekit.exchange.pages import EAGER
from lineagekit.exchange.patience import Patience
from lineagekit.exchange.windows import PAGE
from lineagekit.settings import FILE, Settings

ADVICE = f"Name it (lineagekit pull URL), set OPENLINEAGE_URL, or add a [[destination]] to the store's {FILE}."

_EVENTS = "/api/v1/events/lineage"


@dataclass(frozen=True, slots=True)
class Marquez:
    """A Marquez to read from: `name` is its URL without secrets, `endpoint` the address of its raw events."""

    name: str
    endpoint: Endpoint
    page: int = PAGE
    """Events that one answer may hold: what is in memory at once is a few answers."""
    patience: Patience = EAGER


@dataclass(frozen=True, slots=True)
class _Configured:
    name: str
    url: str
    read: Callable[[], Endpoint]


def find_source(wanted: str, settings: Settings, environ: Mapping[str, str], folder: str = "") -> Marquez:
    """The Marquez at a URL, of a destination's name, or, if nothing is wanted, the one that is configured.

    A URL that is configured is read with its key. Raises UsageError and NotFoundError.
    """
    found = {one.name: one for one in _found(settings, environ, folder)}
    url = wanted.removeprefix(MARQUEZ)
    if url.startswith(("http://", "https://")):
        same = (one for one in found.values() if base_name(one.url) == base_name(url))
        return marquez_at(one.read() if (one := next(same, None)) else Endpoint(url))
    if not wanted:
        return marquez_at(_the_only_one(found).read())
    if wanted not in found:
        known = ", ".join(found) or "none"
        raise NotFoundError(f"no such server: got {wanted}, expected a URL or a name ({known})", advice=ADVICE)
    return marquez_at(found[wanted].read())


def marquez_at(endpoint: Endpoint) -> Marquez:
    """The Marquez behind the address that events are posted to, or any other address of it. Raises UsageError."""
    base = base_url(endpoint.url)
    url = urlunsplit(base._replace(path=base.path + _EVENTS))
    return Marquez(url_name(urlunsplit(base)), replace(endpoint, url=url))


def _found(settings: Settings, environ: Mapping[str, str], folder: str) -> Iterator[_Configured]:
    """Every configured destination that speaks HTTP; what is said last counts."""
    for transport, _ in [*(read_forward(folder) if folder else ()), *read_transports(environ)]:
        yield from _of_transport(transport)
    for one in settings.destination:
        if one.transport:
            yield from _of_transport({**one.transport, **({"name": one.name} if one.name else {})})
        else:
            url = full_url(one.url or "", one.endpoint)
            yield _Configured(one.name or url_name(url), url, partial(endpoint_of_settings, one, environ))


def _of_transport(transport: Transport) -> Iterator[_Configured]:
    if transport["type"] in ("http", "async_http"):
        url = transport_url(transport)
        yield _Configured(str(transport.get("name") or url_name(url)), url, partial(endpoint_of_transport, transport))


def _the_only_one(found: Mapping[str, _Configured]) -> _Configured:
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f"which Marquez: {len(found)} are configured ({', '.join(found)})", advice="Name one of them.")
    raise UsageError("no Marquez is configured", advice=ADVICE)
