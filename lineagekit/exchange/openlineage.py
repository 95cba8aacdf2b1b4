# SPDX-License-Identifier: Apache-2.0
"""What users of OpenLineage have configured already, read by openlineage-python itself.

    >>> list(read_transports({"OPENLINEAGE_URL": "http://localhost:5000"}))  # doctest: +SKIP
    [({'type': 'http', 'url': 'http://localhost:5000', ...}, 'OPENLINEAGE_URL')]

That is `OPENLINEAGE_CONFIG`, `./openlineage.yml`, `~/.openlineage/openlineage.yml`, `OPENLINEAGE__*` and
`OPENLINEAGE_URL`. A composite becomes its parts, each with a place of its own in the log: one that is down holds up no
other, and misses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from lineagekit.errors import UsageError

Transport = dict[str, Any]


OURS = "lineagekit_python."
"""Where our own transport is, which puts events into the store that they are sent from."""

FORWARD = "forward.json"


def read_forward(folder: str) -> Iterator[tuple[Transport, str]]:
    """The transport that jobs of this store told us to send to: the one that theirs stands in front of."""
    try:
        with open(os.path.join(folder, FORWARD), encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return
    for part in _parts(told) if isinstance(told, dict) else ():
        yield part, FORWARD


def read_transports(environ: Mapping[str, str]) -> Iterator[tuple[Transport, str]]:
    """The transports that openlineage-python would use here, each with where it is configured.

    The package is slow to import and is left alone where nothing is configured.
    """
    source = _source(environ)
    if not source:
        return
    transport = _read_config()
    if not transport.get("type"):
        transport = _from_url(environ)
    for part in _parts(transport):
        yield part, source


def _source(environ: Mapping[str, str]) -> str:
    """What of it there is, in the order in which it counts."""
    named = environ.get("OPENLINEAGE_CONFIG", "")
    for path in (named, "openlineage.yml", os.path.expanduser("~/.openlineage/openlineage.yml")):
        if path and os.path.isfile(path):
            return path
    if any(name.startswith("OPENLINEAGE__TRANSPORT") for name in environ):
        return "OPENLINEAGE__TRANSPORT"
    return "OPENLINEAGE_URL" if environ.get("OPENLINEAGE_URL") else ""


def _read_config() -> Transport:
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.noop import NoopConfig, NoopTransport

    before = dict(os.environ)
    try:
        transport = OpenLineageClient(transport=NoopTransport(NoopConfig())).config.transport
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the OpenLineage settings cannot be read: {error}", advice="Correct them.") from error
    finally:
        for name in set(os.environ) - set(before):  # the client writes aliases there, API keys among them
            del os.environ[name]
    return dict(transport or {})


def _from_url(environ: Mapping[str, str]) -> Transport:
    if not (url := environ.get("OPENLINEAGE_URL")):
        return {}
    transport: Transport = {"type": "http", "url": url, "endpoint": environ.get("OPENLINEAGE_ENDPOINT")}
    if key := environ.get("OPENLINEAGE_API_KEY"):
        transport["auth"] = {"type": "api_key", "apiKey": key}
    return transport


def _parts(transport: Transport) -> Iterator[Transport]:
    kind = transport.get("type")
    if not kind or kind == "noop":
        return
    if str(kind).startswith(OURS):  # it writes into this very store; what it stands in front of is meant
        yield from _parts(dict(transport.get("transport") or {}))
        return
    if kind != "composite" or transport.get("continue_on_success") is False:  # the second is a chain of substitutes
        yield transport
        return
    children = transport.get("transports") or []
    if isinstance(children, dict):
        children = [{"name": name, **child} for name, child in children.items() if child]
    for child in children:
        yield from _parts(dict(child))
