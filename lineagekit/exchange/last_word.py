# SPDX-License-Identifier: Apache-2.0
"""A run that has ended stays so, in a server that believes whatever it heard last, as Marquez does.

Anything but an end turns a finished run back to RUNNING there, and says anew when it began. So what comes after the end
says the end's state: Marquez adds the facets and datasets of a second COMPLETE to those of the first. A START is sent
as it is, for it says when the run began, and then the end once more; so is the end after what happened before it.

>>> as_end(b'{"eventType": "OTHER"}', "COMPLETE")
b'{"eventType":"COMPLETE"}'
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from lineagekit.events.summary import outcome
from lineagekit.exchange.endpoint import PATH
from lineagekit.store.log import End, Row


def believes_last(url: str) -> bool:
    """Whether the server at this address listens where Marquez does; others get every event as it is."""
    return urlsplit(url).path.rstrip("/").endswith(f"/{PATH}")


def deciding(ends: Iterable[End]) -> End | None:
    """Which of the ends of a run says what it came to."""
    ordered = sorted(ends, key=lambda end: (end.time, end.type, end.seq))
    state = outcome(end.type for end in ordered)
    return next((end for end in reversed(ordered) if end.type == state), None)


def as_end(body: bytes, state: str) -> bytes:
    """The same event, saying that the run has ended."""
    return json.dumps({**json.loads(body), "eventType": state}, separators=(",", ":"), allow_nan=False).encode()


def wants_end_again(row: Row, end: End) -> bool:
    """Whether the end is to be heard once more after this event: it says when the run began, or is older."""
    return row.type == "START" or row.time < end.time
