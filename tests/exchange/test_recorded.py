# SPDX-License-Identifier: Apache-2.0
"""What a real server of Marquez 0.50 answered to events, good and bad, is judged rightly.

Its answers were recorded and are given again by a local server. Where MARQUEZ_URL names a server that runs, the same
events are posted there too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lineagekit.exchange.endpoint import Endpoint, full_url
from lineagekit.exchange.http import HttpSender
from tests.exchange.servers import Reply, serve

RECORDED = [json.loads(line) for line in Path(__file__).with_name("recorded_answers.jsonl").read_text().splitlines()]
VERDICTS = {"malformed JSON", "array", "empty", "bad time", "no time", "text/plain"}
"""What is wrong with the event itself; all other notes are about events that were taken, but for one."""

LIVE = os.environ.get("MARQUEZ_URL")


def body_of(recorded: dict[str, Any]) -> bytes:
    request = recorded.get("request", "")
    return (request if isinstance(request, str) else json.dumps(request)).encode()


def verdict_of(recorded: dict[str, Any]) -> str:
    note = recorded.get("note", "")
    return "refused" if note in VERDICTS else "again" if note == "NUL in a name" else "accepted"


def recorded_server() -> Iterator[str]:
    """Gives the recorded answers again, in their order."""
    answers = iter(RECORDED)

    def answer(request: Any) -> Reply:
        recorded = next(answers)
        assert request.body == body_of(recorded)
        response = recorded.get("response", "")
        text = response if isinstance(response, str) else json.dumps(response)
        content_type = recorded.get("content_type")
        return Reply(recorded["status"], text.encode(), {"Content-Type": content_type} if content_type else {})

    with serve(answer) as server:
        yield server.url


@pytest.fixture(params=["recorded server", *(["live server"] if LIVE else [])])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "live server":
        yield LIVE or ""
    else:
        yield from recorded_server()


def test_every_answer_is_judged_rightly(url: str) -> None:
    with closing(HttpSender(Endpoint(full_url(url), timeout=30.0))) as sender:
        judged = [sender.send(body_of(recorded)).verdict for recorded in RECORDED]
    assert judged == [verdict_of(recorded) for recorded in RECORDED]


def test_reasons_are_what_the_server_said() -> None:
    with closing(HttpSender(Endpoint(full_url(next(server := recorded_server()))))) as sender:
        answers = {recorded.get("note"): sender.send(body_of(recorded)) for recorded in RECORDED}
    server.close()
    assert answers["no time"].reason == "422: eventTime must not be null"
    assert answers["malformed JSON"].reason.startswith("500: Unexpected end-of-input within/between Object entries")
    assert answers["text/plain"].reason == "415: HTTP 415 Unsupported Media Type"
    assert answers["NUL in a name"].reason.startswith("500: ")
    assert "<" not in answers["NUL in a name"].reason
