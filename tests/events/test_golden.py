# SPDX-License-Identifier: Apache-2.0
"""Events and schemas of release 0.1: what was said once is said the same for ever; `tests/golden/` is never edited."""

from __future__ import annotations

import json
from typing import Any

import pytest
from blake3 import blake3

from lineagekit.config import VERSION
from lineagekit.events.build import build_events, build_late
from lineagekit.events.wire import event_key
from tests.events.accounts import FULL
from tests.events.schemas import OURS, ROOT

GOLDEN: dict[str, Any] = json.loads((ROOT / "tests/golden/0.1/events.json").read_text())


def told() -> list[Any]:
    """Of the release that is frozen, whichever this is."""
    events = [*build_events(FULL), build_late(FULL, 2)]
    text = json.dumps(events).replace(f"/tree/{VERSION}", "/tree/0.1.0")
    return list(json.loads(text.replace(f'AdapterVersion": "{VERSION}"', 'AdapterVersion": "0.1.0"')))


def test_events_of_the_first_release_hold() -> None:
    assert told() == GOLDEN["events"]


def test_keys_of_the_first_release_hold() -> None:
    assert [event_key(event).hex() for event in told()] == GOLDEN["keys"]
    for event in GOLDEN["events"]:
        event["run"]["facets"].pop("lineagekit_event")
    assert [event_key(event).hex() for event in GOLDEN["events"]] == GOLDEN["foreign_keys"]


@pytest.mark.parametrize("name", list(GOLDEN["schemas"]))
def test_a_published_schema_is_never_changed(name: str) -> None:
    assert blake3((OURS / name).read_bytes()).hexdigest() == GOLDEN["schemas"][name]


def test_every_schema_is_published() -> None:
    assert sorted(path.name for path in OURS.glob("*.json")) == sorted(GOLDEN["schemas"])
