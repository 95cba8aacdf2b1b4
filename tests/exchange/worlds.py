# SPDX-License-Identifier: Apache-2.0
"""Logs with events in them, and destinations that lose patience soon."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from lineagekit.exchange.delivery import Delivery
from lineagekit.exchange.destinations import Destination, find_destinations
from lineagekit.exchange.patience import Delivered, Patience
from lineagekit.settings import DestinationSettings, Settings
from lineagekit.store.log import Entry, Store

QUICK = Patience(pause=0.001, longest=0.3)
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"


def run_id(number: int) -> str:
    return f"01970000-0000-7000-8000-{number:012}"


def make_event(number: int, type_: str, **more: Any) -> dict[str, Any]:
    """An event of the run with this number."""
    return {
        "eventTime": f"2026-11-01T00:00:00.{number:06}Z",
        "eventType": type_,
        "producer": "https://example.com/tests",
        "schemaURL": SCHEMA,
        "run": {"runId": run_id(number), "facets": {}},
        "job": {"namespace": "tests", "name": "train"},
        "inputs": [{"namespace": "file", "name": "/data/orders.csv"}],
        **more,
    }


def entry(event: dict[str, Any]) -> Entry:
    key = blake2b(json.dumps(event).encode(), digest_size=16).digest()
    return Entry(key, event.get("run", {}).get("runId", ""), "run", event.get("eventType", ""), 0, event)


def append(store: Store, events: Iterable[dict[str, Any]]) -> None:
    store.append([entry(event) for event in events])


def append_runs(store: Store, numbers: Iterable[int], *, types: Iterable[str] = ("START", "COMPLETE")) -> None:
    """Append whole runs, one after the other."""
    append(store, [make_event(number, type_) for number in numbers for type_ in types])


def destination(url: str, **settings: Any) -> Destination:
    """An HTTP destination called "there"."""
    configured = DestinationSettings(name="there", url=url, **settings)
    (found,) = find_destinations(Settings(destination=[configured]), {})
    return found


def push(store: Store, folder: object, url: str, *, patience: Patience = QUICK, **settings: Any) -> Delivered:
    """One pass."""
    delivery = Delivery(store, destination(url, **settings), str(folder))
    try:
        return delivery.run(patience)
    finally:
        delivery.close()
