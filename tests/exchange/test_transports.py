# SPDX-License-Identifier: Apache-2.0
"""Transports of openlineage-python: files, the console, one's own class, Kafka."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from openlineage.client.transport import Config, Transport

from lineagekit.errors import UsageError
from lineagekit.exchange.answers import Answer
from lineagekit.exchange.transports import open_transport
from tests.exchange.servers import Reply, serve
from tests.exchange.worlds import make_event

OWN = "tests.exchange.test_transports.OwnTransport"
KEY = "k3y-that-nobody-sees"
EVENT = json.dumps(make_event(1, "START")).encode()


class OwnConfig(Config):
    """What somebody's own transport is told."""

    def __init__(self, password: Any) -> None:
        if not isinstance(password, str):
            raise TypeError(f"no text: {password}")
        self.password = password

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> OwnConfig:
        return cls(params["password"])


class OwnTransport(Transport):
    """Somebody's own transport: keeps what it gets, or does what `fault` says."""

    kind = "own"
    config_class = OwnConfig
    got: ClassVar[list[Any]] = []
    closed: ClassVar[list[float]] = []
    fault: ClassVar[Any] = None

    def __init__(self, config: OwnConfig) -> None:
        self.config = config

    def emit(self, event: Any) -> None:
        if self.fault:
            self.fault(self.config)
        self.got.append(event)

    def close(self, timeout: float = -1) -> bool:
        self.closed.append(timeout)
        return True


@pytest.fixture
def own() -> Iterator[type[OwnTransport]]:
    yield OwnTransport
    OwnTransport.got, OwnTransport.closed, OwnTransport.fault = [], [], None


def send(settings: dict[str, Any], body: bytes = EVENT, **options: Any) -> Answer:
    with closing(open_transport(settings, **options)) as sender:
        return sender.send(body)


def test_a_file_gets_each_event_as_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    for _ in range(2):
        answer = send({"type": "file", "log_file_path": str(path), "append": True})
        assert answer.verdict == "accepted"
    assert [json.loads(line)["eventType"] for line in path.read_text().splitlines()] == ["START"] * 2


def test_a_file_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    answer = send({"type": "file", "log_file_path": str(tmp_path / "no" / "events.json"), "append": True})
    assert answer.verdict == "again"
    assert "No such file or directory" in answer.reason


def test_the_console_shows_events(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert send({"type": "console"}).verdict == "accepted"
    assert json.loads(caplog.messages[-1])["eventType"] == "START"


def test_somebodys_own_class_gets_events_of_openlineage_python(own: type[OwnTransport]) -> None:
    assert send({"type": OWN, "password": KEY}).verdict == "accepted"
    assert [event.run.runId for event in own.got] == [make_event(1, "START")["run"]["runId"]]
    assert len(own.closed) == 1


def test_the_settings_are_left_as_they_were(own: type[OwnTransport]) -> None:
    settings = {"type": OWN, "name": "mine", "priority": 1, "password": KEY}
    before = dict(settings)
    for _ in range(2):
        send(settings)
    assert settings == before


def test_an_event_that_its_classes_do_not_allow_is_refused(own: type[OwnTransport]) -> None:
    answer = send({"type": OWN, "password": KEY}, json.dumps(make_event(1, "BEGIN")).encode())
    assert (answer.verdict, own.got) == ("refused", [])
    assert answer.reason == "openlineage-python does not take this event: 'BEGIN' is not a valid EventType"


def test_whatever_it_raises_is_trouble_and_not_an_error(own: type[OwnTransport]) -> None:
    class Odd(BaseException):
        pass

    def fail(config: OwnConfig) -> None:
        raise Odd(f"no luck with {config.password}")

    own.fault = staticmethod(fail)
    answer = send({"type": OWN, "password": KEY})
    assert (answer.verdict, answer.reason) == ("again", "Odd: no luck with ***")


def test_one_that_never_returns_is_left(own: type[OwnTransport]) -> None:
    over = threading.Event()
    own.fault = staticmethod(lambda config: over.wait())
    with closing(open_transport({"type": OWN, "password": KEY}, longest=0.05)) as sender:
        first, second = sender.send(EVENT), sender.send(EVENT)
    over.set()
    assert (first.verdict, first.slow, first.reason) == ("again", True, "the transport did not return within 0.05 s")
    assert second.reason == "the transport is still busy with an earlier event"


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "no.such.Class"},
        {"type": "nonsense"},
        {"type": "file"},
        {"type": OWN},
        {"type": "tests.exchange.test_transports.OwnConfig"},
    ],
)
def test_settings_that_cannot_work_are_told(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"the transport {settings['type']} cannot be used: "):
        open_transport(settings)


def test_a_key_in_settings_that_cannot_work_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        open_transport({"type": OWN, "password": {"secret": KEY, "tokens": [KEY]}})
    assert KEY not in str(caught.value)


class TestChains:
    """A chain of substitutes stays with openlineage-python."""

    def test_the_first_that_works_gets_it(self, tmp_path: Path) -> None:
        path = tmp_path / "events.json"
        chain = {
            "type": "composite",
            "continue_on_success": False,
            "transports": [
                {"type": "file", "log_file_path": str(tmp_path / "no" / "x"), "append": True},
                {"type": "file", "log_file_path": str(path), "append": True},
            ],
        }
        assert send(chain).verdict == "accepted"
        assert len(path.read_text().splitlines()) == 1

    def test_what_a_server_says_through_it_counts(self) -> None:
        with serve(lambda request: Reply(422, b'{"errors": ["no producer"]}')) as server:
            settings = {
                "type": "transform",
                "transformer_class": "openlineage.client.transport.transform.JobNamespaceReplaceTransformer",
                "transformer_properties": {"new_job_namespace": "x"},
                "transport": {"type": "http", "url": server.url},
            }
            answer = send(settings)
        assert (answer.verdict, answer.reason) == ("refused", "422: no producer")
