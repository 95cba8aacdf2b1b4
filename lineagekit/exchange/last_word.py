# SPDX-License-Identifier: Apache-2.0
"""A run that has ended stays so, in a server that believes whatever it heard last, as Marquez does.

Anything but an end turns a finished run back to RUNNING there, and says anew when it began. So what comes after the end
says the end's state: Marquez adds the facets and datasets of a second COMPLETE to those of the first. But it takes its
time for that of the end, so the end follows once more. A START is sent as it is, for it says when the run began, and
then the end as well. What an event was before is said in a facet of it: whoever pulls it gets it as it was.

>>> told = json.loads(as_end(b'{"eventType": "OTHER", "run": {"runId": "7"}}', "COMPLETE"))
>>> told["eventType"], as_said(told)
('COMPLETE', {'eventType': 'OTHER', 'run': {'runId': '7'}})
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lineagekit.events.facets import PRODUCER
from lineagekit.events.lenient import mapping
from lineagekit.events.summary import outcome
from lineagekit.exchange.endpoint import PATH
from lineagekit.store.log import End, Row

_SAID = "lineagekit_said"
_ANY_FACET = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"


def believes_last(url: str) -> bool:
    """Whether the server at this address listens where Marquez does; below a prefix it is somebody else's path."""
    return urlsplit(url).path.rstrip("/") == f"/{PATH}"


def deciding(ends: Iterable[End]) -> End | None:
    """Which of the ends of a run says what it came to."""
    ordered = sorted(ends, key=lambda end: (end.time, end.type, end.seq))
    state = outcome(end.type for end in ordered)
    return next((end for end in reversed(ordered) if end.type == state), None)


def as_end(body: bytes, state: str) -> bytes:
    """The same event, saying that the run has ended, and what it said before."""
    event = json.loads(body)
    run = mapping(event.get("run"))
    said = {"_producer": PRODUCER, "_schemaURL": _ANY_FACET, "hadFacets": "facets" in run}
    said |= {"eventType": event["eventType"]} if "eventType" in event else {}
    run = {**run, "facets": {**mapping(run.get("facets")), _SAID: said}}
    return json.dumps({**event, "eventType": state, "run": run}, separators=(",", ":"), allow_nan=False).encode()


def as_said(event: Any) -> Any:
    """An event as it was before it was made to say that its run has ended; any other as it is."""
    run = mapping(mapping(event).get("run"))
    said = mapping(run.get("facets")).get(_SAID)
    if not isinstance(said, Mapping):
        return event
    facets = {name: facet for name, facet in mapping(run.get("facets")).items() if name != _SAID}
    plain = {name: value for name, value in event.items() if name != "eventType"}
    if "eventType" in said:
        plain = {"eventType": said["eventType"], **plain}
    rest = {name: value for name, value in run.items() if name != "facets"}
    return {**plain, "run": {**rest, "facets": facets} if said.get("hadFacets") else rest}


def wants_end_again(row: Row, end: End) -> bool:
    """Whether the end is to be heard once more after this event, which opened the run again or moved its end."""
    return row.type == "START" or row.time != end.time
