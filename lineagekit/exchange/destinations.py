# SPDX-License-Identifier: Apache-2.0
"""Where events go: what the store's settings say, and what users of OpenLineage have configured already.

    >>> find_destinations(load_settings(folder), os.environ)  # doctest: +SKIP
    [Destination(name='http://localhost:5000', kind='http', source='OPENLINEAGE_URL')]

Under a destination's name the store remembers how far it is: it stays the same while the settings do. API keys are
read when a sender is opened, and kept nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.exchange.answers import Answer
from lineagekit.exchange.endpoint import (
    Endpoint,
    endpoint_of_settings,
    endpoint_of_transport,
    full_url,
    pulled_from,
    transport_url,
    url_name,
)
from lineagekit.exchange.last_word import believes_last
from lineagekit.exchange.openlineage import read_forward, read_transports
from lineagekit.settings import FILE, DestinationSettings, Settings

ADVICE = (
    f"Add a [[destination]] with a url to the store's {FILE}, set OPENLINEAGE_URL, or run: lineagekit push --to URL"
)


class Sender(Protocol):
    """What takes one event at a time and tells what came of it."""

    def send(self, body: bytes, *, patience: float = 1.0) -> Answer:
        """Send an event in JSON, waiting `patience` times as long as usual for an answer."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A place that wants every event of the log. `open` makes a sender, or raises UsageError if that cannot work."""

    name: str
    kind: str
    source: str
    open: Callable[[], Sender] = field(repr=False, compare=False)
    has: str = field(default="", repr=False)
    """What the log marks with this came from there."""
    believes_last: bool = field(default=False, repr=False)
    """It takes the state of a run from whatever it heard last."""


def find_destinations(settings: Settings, environ: Mapping[str, str], folder: str = "") -> list[Destination]:
    """Every configured destination, once; none where OPENLINEAGE_DISABLED says so. Raises UsageError.

    `folder` is the store's, where jobs may have said where their events go.
    """
    if is_disabled(environ):
        return []
    ours = [_from_settings(one, environ, FILE) for one in settings.destination]
    _refuse_doubles(ours)
    theirs = [_from_transport(transport, source) for transport, source in _told(environ, folder)]
    return list({one.name: one for one in [*theirs, *ours]}.values())


def _told(environ: Mapping[str, str], folder: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    if folder:
        yield from read_forward(folder)
    yield from read_transports(environ)


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the user has switched OpenLineage off."""
    return environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true"


def choose(found: Sequence[Destination], wanted: Iterable[str]) -> list[Destination]:
    """Those that are wanted by name or URL, or all; a URL that is not configured becomes a destination."""
    chosen = {one.name: one for one in (_choose_one(found, text) for text in wanted)}
    return list(chosen.values()) or list(found)


def _choose_one(found: Sequence[Destination], wanted: str) -> Destination:
    is_url = wanted.startswith(("http://", "https://"))
    names = (wanted, url_name(full_url(wanted))) if is_url else (wanted,)
    for one in found:
        if one.name in names:
            return one
    if is_url:
        return _from_settings(DestinationSettings(url=wanted), {}, "--to")
    known = ", ".join(one.name for one in found) or "none"
    raise NotFoundError(f"no such destination: got {wanted}, expected a URL or a name ({known})", advice=ADVICE)


def _from_settings(one: DestinationSettings, environ: Mapping[str, str], source: str) -> Destination:
    found = _configured(one, environ, source)
    return found if one.marquez is None else replace(found, believes_last=one.marquez)


def _configured(one: DestinationSettings, environ: Mapping[str, str], source: str) -> Destination:
    if one.transport:
        return _from_transport({**one.transport, **({"name": one.name} if one.name else {})}, source)
    url = partial(full_url, one.url or "", one.endpoint)
    opened = partial(_open_http, endpoint_of_settings, one, environ)
    return _http(one.name or url_name(url()), source, opened, url)


def _from_transport(transport: Mapping[str, Any], source: str) -> Destination:
    """One of openlineage-python's transports; those that speak HTTP are spoken here, where they can be waited for."""
    kind = str(transport["type"])
    if kind in ("http", "async_http"):
        url = partial(transport_url, transport)
        opened = partial(_open_http, endpoint_of_transport, transport)
        return _http(str(transport.get("name") or url_name(url())), source, opened, url)
    return Destination(_name_transport(kind, transport), kind, source, partial(_open_transport, transport))


def _http(name: str, source: str, opened: Callable[[], Sender], url: Callable[[], str]) -> Destination:
    """A wrong address stops its own destination, when that is opened, and no other."""
    try:
        mark, believes = pulled_from(url()), believes_last(url())
    except UsageError:
        mark, believes = "", False
    return Destination(name, "http", source, opened, mark, believes)


def _name_transport(kind: str, transport: Mapping[str, Any]) -> str:
    """`file:/var/log/lineage`, `kafka:topic`: what tells two of one kind apart."""
    where = next((transport[key] for key in ("log_file_path", "topic") if transport.get(key)), "")
    return str(transport.get("name") or (f"{kind}:{where}" if where else kind))


def _open_http(read: Callable[..., Endpoint], *configured: Any) -> Sender:
    from lineagekit.exchange.http import HttpSender

    return HttpSender(read(*configured))


def _open_transport(transport: Mapping[str, Any]) -> Sender:
    from lineagekit.exchange.transports import open_transport

    return open_transport(transport)


def _refuse_doubles(found: Iterable[Destination]) -> None:
    """Two of one name would share their place in the log, and each would get half."""
    for name, count in Counter(one.name for one in found).items():
        if count > 1:
            raise UsageError(f"two destinations are called {name}", advice=f"Give each its own name in {FILE}.")
