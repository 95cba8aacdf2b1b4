# SPDX-License-Identifier: Apache-2.0
"""Several destinations side by side, passes that go on for ever, and processes that are killed on the way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from lineagekit.exchange.deliver import deliver, watch
from lineagekit.exchange.destinations import Destination
from lineagekit.exchange.patience import BRIEF, Delivered
from lineagekit.store.log import Store, open_store
from tests.exchange.servers import Reply, Request, Server, free_port, serve
from tests.exchange.worlds import QUICK, append_runs, destination, run_id

PUSHER = """
import sys
from lineagekit.exchange.deliver import deliver
from lineagekit.exchange.destinations import choose
from lineagekit.store.log import open_store
folder, url = sys.argv[1:]
with open_store(folder) as store:
    deliver(store, choose([], [url]), folder)
"""


def named(name: str, url: str, **settings: float) -> Destination:
    return replace(destination(url, **settings), name=name)


def pairs(count: int) -> list[tuple[str, str]]:
    return [(run_id(number), type_) for number in range(count) for type_ in ("START", "COMPLETE")]


class TestSideBySide:
    def test_one_that_is_down_holds_up_no_other(self, store: Store, folder: Path) -> None:
        append_runs(store, range(5))
        with serve() as well, serve(lambda request: Reply(hold=True)) as slow:
            down = f"http://127.0.0.1:{free_port()}"
            there = [named("down", down), named("well", well.url), named("slow", slow.url, timeout=0.05)]
            reports = deliver(store, there, str(folder), patience=QUICK)
        assert [(report.destination, report.state, report.sent, report.waiting) for report in reports] == [
            ("down", "later", 0, 10),
            ("well", "done", 10, 0),
            ("slow", "later", 0, 10),
        ]
        assert well.events == pairs(5)

    def test_each_gets_all_in_order(self, store: Store, folder: Path) -> None:
        append_runs(store, range(20))
        with serve() as first, serve() as second:
            deliver(store, [named("a", first.url), named("b", second.url)], str(folder), patience=QUICK)
        assert first.events == second.events == pairs(20)

    def test_a_brief_pass_is_over_soon_and_parks_all_the_same(self, store: Store, folder: Path) -> None:
        append_runs(store, range(5))

        def answer(request: Request) -> Reply:
            return Reply(500 if request.event["run"]["runId"] == run_id(0) else 201)

        with serve(answer) as server:
            (report,) = deliver(store, [named("a", server.url)], str(folder), patience=BRIEF)
        assert (report.state, report.sent, report.parked, report.waiting) == ("done", 8, 1, 2)

    def test_none_is_nothing_to_do(self, store: Store, folder: Path) -> None:
        assert deliver(store, [], str(folder)) == []


class TestWatching:
    @contextmanager
    def watching(self, store: Store, folder: Path, *urls: str) -> Iterator[tuple[list[Delivered], threading.Event]]:
        stop, told = threading.Event(), list[Delivered]()
        there = [named(f"{number}", url) for number, url in enumerate(urls)]
        patience = replace(QUICK, idle=0.01, rest=0.01)
        thread = threading.Thread(
            target=lambda: watch(store, there, str(folder), stop=stop, tell=told.append, patience=patience)
        )
        thread.start()
        try:
            yield told, stop
        finally:
            stop.set()
            thread.join(5)
            assert not thread.is_alive()

    def wait(self, until: Callable[[], object]) -> None:
        deadline = time.monotonic() + 5
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def test_what_comes_is_sent(self, store: Store, folder: Path) -> None:
        with serve() as server, self.watching(store, folder, server.url):
            for number in range(3):
                append_runs(store, [number])
                self.wait(lambda: len(server.requests) == store.last_seq() == store.cursor("0"))
        assert server.events == pairs(3)

    def test_a_server_that_comes_up_later_gets_everything(self, store: Store, folder: Path) -> None:
        append_runs(store, [0])
        port = free_port()
        with self.watching(store, folder, f"http://127.0.0.1:{port}") as (told, _):
            self.wait(lambda: told)
            assert (told[0].state, told[0].waiting) == ("later", 2)
            with serve(port=port) as server:
                self.wait(lambda: len(told) > 1)
        assert server.events == pairs(1)

    def test_trouble_is_told_once(self, store: Store, folder: Path) -> None:
        append_runs(store, [0])
        with serve(lambda request: Reply(401)) as server, self.watching(store, folder, server.url) as (told, _):
            self.wait(lambda: len(server.requests) > 1)
        assert [report.state for report in told] == ["astray"]

    def test_stopping_does_not_wait_for_a_rest_to_end(self, store: Store, folder: Path) -> None:
        append_runs(store, [0])
        with serve(lambda request: Reply(503, headers={"Retry-After": "3600"})) as server:
            with self.watching(store, folder, server.url, server.url) as (told, stop):
                self.wait(lambda: len(told) == 2)
                began = time.monotonic()
                stop.set()
            assert time.monotonic() - began < 1

    def test_an_error_in_one_ends_all(self, store: Store, folder: Path) -> None:
        append_runs(store, [0])

        def leave(report: Delivered) -> None:
            if report.destination == "b":
                raise SystemExit(141)

        with serve() as server, pytest.raises(SystemExit):
            watch(store, [named(name, server.url) for name in "abc"], str(folder), stop=threading.Event(), tell=leave)

    def test_parked_events_are_not_tried_all_the_time(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))

        def answer(request: Request) -> Reply:
            return Reply(500 if request.event["run"]["runId"] == run_id(0) else 201)

        with serve(answer) as server, self.watching(store, folder, server.url) as (told, _):
            self.wait(lambda: told)
            tried = len(server.requests)
            time.sleep(0.1)
            assert len(server.requests) <= tried + 1
        assert told[0].parked == 1


@contextmanager
def pusher(folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that pushes until the end of its log, or of the block."""
    with subprocess.Popen([sys.executable, "-c", PUSHER, folder, url]) as process:
        try:
            yield process
        finally:
            process.kill()


def check_order(server: Server, count: int, kills: int) -> None:
    """Everything arrived in order; what came twice came twice in a row, once a kill at most."""
    assert [event for event, _ in groupby(server.events)] == pairs(count)
    assert sum(times - 1 for times in Counter(server.events).values()) <= kills


def kill_and_finish(store: Store, folder: Path, kills: int, count: int) -> None:
    append_runs(store, range(count))
    each = 2 * count // (kills + 1)
    reached = threading.Semaphore(0)

    def answer(request: object) -> Reply:
        if len(server.requests) % each == 0:
            reached.release()
        return Reply()

    with serve(answer) as server:
        for _ in range(kills):
            with pusher(folder, server.url):
                assert reached.acquire(timeout=30)
        with pusher(folder, server.url) as process:
            assert process.wait(timeout=30) == 0
        check_order(server, count, kills)


def test_a_pusher_that_is_killed_loses_nothing_and_doubles_one_event_at_most(store: Store, folder: Path) -> None:
    kill_and_finish(store, folder, 2, 30)


@pytest.mark.faults
def test_twenty_pushers_that_are_killed_lose_nothing(store: Store, folder: Path) -> None:
    kill_and_finish(store, folder, 20, 400)


@pytest.mark.faults
def test_two_processes_at_once_send_nothing_twice(store: Store, folder: Path) -> None:
    append_runs(store, range(500))
    with serve() as server, pusher(folder, server.url) as first, pusher(folder, server.url) as second:
        assert first.wait(timeout=60) == second.wait(timeout=60) == 0
    check_order(server, 500, 0)


@pytest.mark.faults
def test_a_hundred_thousand_events_arrive_in_order_and_take_little_memory(folder: Path) -> None:
    with open_store(folder) as store:
        for start in range(0, 50_000, 5_000):
            append_runs(store, range(start, start + 5_000))
    with serve_order() as (url, seen), pusher(folder, url) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    assert seen == pairs(50_000)
    assert usage.ru_maxrss < 200 << 10  # KiB, of which Python and its packages take half


@contextmanager
def serve_order() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that is quick, says 201 and remembers runs and types."""
    seen: list[tuple[str, str]] = []

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as requests:
            while requests.readline():
                headers = dict(line.lower().split(b": ", 1) for line in iter(requests.readline, b"\r\n"))
                event = json.loads(requests.read(int(headers[b"content-length"])))
                seen.append((event["run"]["runId"], event["eventType"]))
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        thread.join()
