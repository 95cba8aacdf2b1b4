# SPDX-License-Identifier: Apache-2.0
"""A Marquez of our own: what the real one does to raw events and to those who ask for them, and nothing else.

What it makes of an event is in relay.py. It was checked against a recorded conversation with the real one
(test_marquez.py). Ties come in another order each time, as PostgreSQL gives them; the events are looked up before they
are counted, with time for others in between; and who uses its offset, or any other address, is told that this is wrong.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.exchange.relay import NotKeptError, read, relayed
from tests.exchange.servers import Reply, Request, Server, serve

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENDLESS = 1 << 62
_NEVER = re.compile(r"\+\d{5,}-.*")


@dataclass
class FakeMarquez:
    """What it holds: the time, the kind and the text of each event."""

    rows: list[tuple[int, str, str]] = field(default_factory=list)
    before_each: Callable[[int], Reply | None] = lambda number: None
    """Called with the number of the question before it is answered; what it returns is the answer."""
    in_between: Callable[[int], None] = lambda number: None
    """Called between the events and the count."""
    asked: int = 0
    reached: int = 0
    """The time of the latest event that was handed out, oldest first."""
    complaints: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def post(self, event: dict[str, Any]) -> None:
        self.keep(event, relayed(event))

    def keep(self, event: dict[str, Any], told: dict[str, Any]) -> None:
        """An event, and what it hands out for it."""
        kind = "run" if "run" in event else "job" if "job" in event else "dataset"
        self.rows.append((microseconds(told["eventTime"]), kind, json.dumps(told)))

    def answer(self, request: Request) -> Reply:
        with self.lock:
            if request.method == "POST":
                try:
                    self.post(read(request.plain))
                except NotKeptError as error:
                    return as_json({"code": 400, "message": str(error)}, 500)
                return Reply(201)
            self.asked += 1
            return self.before_each(self.asked) or self._tell(request)

    def _tell(self, request: Request) -> Reply:
        path, query = urlsplit(request.path).path, dict(parse_qsl(urlsplit(request.path).query))
        if path != "/api/v1/events/lineage" or "offset" in query or not {"before", "after", "limit"} <= set(query):
            self.complaints.append(request.path)
        try:
            since = microseconds(query.get("after", "1970-01-01T00:00:00+00:00"))
            until = microseconds(query.get("before", "2030-01-01T00:00:00+00:00"))
            newest = {"asc": False, "desc": True}[query.get("sortDirection", "desc")]
            limit, offset = int(query.get("limit", "100")), int(query.get("offset", "0"))
        except (KeyError, ValueError):
            return as_json({"code": 400, "message": "Parameter is invalid"}, 400)
        if limit < 0:
            return as_json({"errors": ["query param limit must be greater than or equal to 0"]}, 400)
        events = self._select(since, until, newest=newest)[offset : offset + limit]
        self.reached = max([self.reached, *(time for time, _ in events if not newest)])
        self.in_between(self.asked)
        total = sum(since <= time < until for time, _, _ in self.rows)
        return Reply(200, f'{{"totalCount":{total},"events":[{",".join(text for _, text in events)}]}}'.encode(), JSON)

    def _select(self, since: int, until: int, *, newest: bool) -> list[tuple[int, str]]:
        found = [(time, text) for time, kind, text in self.rows if kind == "run" and since <= time < until]
        self.dice.shuffle(found)
        return sorted(found, key=lambda row: row[0], reverse=newest)

    def events(self) -> list[dict[str, Any]]:
        """Those that it hands out."""
        return [json.loads(text) for _, kind, text in self.rows if kind == "run"]


JSON = {"Content-Type": "application/json"}


def as_json(told: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(told).encode(), JSON)


@contextmanager
def serve_marquez(fake: FakeMarquez) -> Iterator[Server]:
    """Run it; at the end nobody must have asked for what cannot be trusted."""
    with serve(fake.answer) as server:
        yield server
    assert not fake.complaints


def microseconds(text: str) -> int:
    """As PostgreSQL keeps a time: rounded."""
    if _NEVER.fullmatch(text):
        return ENDLESS
    whole, _, nanoseconds = text.partition(".")
    digits = re.match(r"\d*", nanoseconds)
    fraction = digits[0] if digits else ""
    moment = datetime.fromisoformat(whole + nanoseconds[len(fraction) :])
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return (moment - EPOCH) // timedelta(microseconds=1) + round(int(fraction.ljust(9, "0")[:9]) / 1000)
