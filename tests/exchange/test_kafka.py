# SPDX-License-Identifier: Apache-2.0
"""Kafka's producer says later whether a message has arrived. Where confluent-kafka is installed, it is tested too."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from typing import Any

import pytest

from lineagekit.exchange.kafka import UnconfirmedError, confirm
from lineagekit.exchange.transports import open_transport
from tests.exchange.worlds import make_event

EVENT = json.dumps(make_event(1, "START")).encode()


class Producer:
    """Has the manners of confluent-kafka's: `fate` tells what becomes of each message, None if nothing ever does."""

    def __init__(self, *fates: str | None) -> None:
        self.fates = list(fates)
        self.waiting: list[tuple[Callable[..., None], str | None]] = []
        self.purged = 0

    def produce(self, *, topic: str, key: str, value: bytes, on_delivery: Callable[..., None]) -> None:
        self.waiting.append((on_delivery, self.fates.pop(0)))

    def flush(self, timeout: float = -1) -> int:
        assert timeout > 0  # or it would wait for ever
        for note, fate in [one for one in self.waiting if one[1] is not None]:
            note(fate or None, "message")
        self.waiting = [one for one in self.waiting if one[1] is None]
        return len(self.waiting)

    def purge(self) -> None:
        self.purged += 1
        self.waiting = [(note, "purged") for note, _ in self.waiting]

    def list_topics(self) -> list[str]:
        return ["lineage"]


class Transport:
    """Uses a producer as openlineage-python's transport does."""

    def __init__(self, producer: Any) -> None:
        self.producer, self.flush = producer, False

    def emit(self, event: Any) -> None:
        self.producer.produce(topic="t", key="k", value=b"v", on_delivery=lambda error, message: None)
        if self.flush:
            self.producer.flush(timeout=-1)


def test_a_message_that_arrives_is_confirmed() -> None:
    transport = Transport(Producer("", ""))
    check = confirm(transport, 1.0)
    transport.emit("event")
    check()


def test_a_message_that_a_broker_refuses_is_told_and_the_next_is_not() -> None:
    transport = Transport(Producer("KafkaError{code=MSG_SIZE_TOO_LARGE}", ""))
    check = confirm(transport, 1.0)
    transport.emit("event")
    with pytest.raises(UnconfirmedError, match="MSG_SIZE_TOO_LARGE"):
        check()
    transport.emit("event")
    check()


def test_a_message_that_nobody_confirms_is_taken_back() -> None:
    producer = Producer(None)
    transport = Transport(producer)
    check = confirm(transport, 1.0)
    transport.emit("event")
    with pytest.raises(UnconfirmedError, match="no broker confirmed the event within 1 s"):
        check()
    assert (producer.purged, producer.waiting) == (1, [])


def test_transports_inside_others_are_watched_too() -> None:
    inner = Transport(Producer("lost"))
    outer = type("Composite", (), {"transports": [type("Transform", (), {"transport": inner})()]})()
    check = confirm(outer, 1.0)
    inner.emit("event")
    with pytest.raises(UnconfirmedError, match="lost"):
        check()


def test_all_else_is_the_producers() -> None:
    transport = Transport(Producer())
    confirm(transport, 1.0)
    assert transport.producer.list_topics() == ["lineage"]


def test_a_transport_without_a_producer_has_nothing_to_confirm() -> None:
    confirm(object(), 1.0)()


if find_spec("confluent_kafka"):

    @pytest.mark.parametrize(
        ("config", "verdict", "longest"),
        [
            ({"test.mock.num.brokers": "1", "bootstrap.servers": ""}, "accepted", 10.0),
            ({"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}, "again", 0.2),
        ],
    )
    def test_what_the_real_library_says_counts(config: dict[str, str], verdict: str, longest: float) -> None:
        settings = {"type": "kafka", "topic": "lineage", "flush": False, "config": config}
        with closing(open_transport(settings, longest=longest)) as sender:
            assert sender.send(EVENT).verdict == verdict
