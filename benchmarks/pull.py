# SPDX-License-Identifier: Apache-2.0
"""Claim: a pull takes at most 1.3 times as long as the bare HTTP reads of the same windows.

Peer: `requests`, one kept connection, the body read and thrown away. Both of the server that MARQUEZ_URL names, of
its events since PULL_SINCE until PULL_UNTIL (dates); else of a local one in a process of its own, which has the events
at hand as text, 3 KB each, and hands out `--pace` of them a second, for a real one has to look for them.

    python benchmarks/pull.py [--pace N] [--rounds N] [EVENTS]
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import requests
from measure import ratio, report, run

from lineagekit.exchange.endpoint import Endpoint
from lineagekit.exchange.marquez import Pulled, pull
from lineagekit.exchange.pages import Page, Reader, moment
from lineagekit.exchange.sources import Marquez, marquez_at
from lineagekit.exchange.windows import Scan
from lineagekit.store.log import open_store

PEER, OURS = "bare HTTP reads", "lineagekit pull"
BEGIN, STEP = 1_767_225_600_000_000, 250_000_000  # 2026-01-01, and microseconds between two events
SEEN = 15_000.0  # events of 3 KB that a real server (0.50, all in PostgreSQL's memory) handed out in a second


def main() -> None:
    """Measure both in each round."""
    words = argparse.ArgumentParser()
    words.add_argument("events", nargs="?", type=int, default=100_000)
    words.add_argument("--pace", type=float, default=SEEN)
    words.add_argument("--rounds", type=int, default=1)
    words.add_argument("--serve", action="store_true")
    asked = words.parse_args()
    if asked.serve:
        serve(asked.events, asked.pace)
    elif url := os.environ.get("MARQUEZ_URL"):
        compare(url, (date("PULL_SINCE", "1970-01-01"), date("PULL_UNTIL", "2100-01-01")), asked.rounds)
    else:
        with Served(asked.events, asked.pace) as url:
            compare(url, (BEGIN, BEGIN + asked.events * STEP), asked.rounds)


def compare(url: str, span: tuple[int, int], rounds: int) -> None:
    """Read the windows that a scan finds, and pull them."""
    server = marquez_at(Endpoint(url, timeout=20.0))
    windows, events = plan(server, span)
    pulled: list[Pulled] = []
    measured = run(
        {PEER: lambda: read(server, windows), OURS: lambda: pulled.append(pull_all(server, span))},
        rounds=rounds,
        warm_up=0,
    )
    report(f"{events} events in {len(windows)} windows", measured, against=PEER, targets={OURS: 1.3})
    for name, seconds in measured.items():
        print(f"  {name:42} {events / sorted(seconds)[len(seconds) // 2]:9.0f} events/s")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB   target < 300 MB")
    if any(one.new != events for one in pulled):
        raise SystemExit(f"{pulled[-1]}: expected {events} new events")
    if ratio(measured, OURS, PEER) > 1.3:
        raise SystemExit("too slow")


class Counts(Reader):
    """A reader that only counts: what windows would be read, without reading them."""

    def page(self, since: int, until: int, *, limit: int, divisible: bool = False, newest: bool = False) -> Page:
        """As many nothings as there are events."""
        page = super().page(since, until, limit=0)
        return replace(page, events=[None] * page.total)


def plan(server: Marquez, span: tuple[int, int]) -> tuple[list[tuple[int, int, int]], int]:
    """The windows of a first pull, and how many events they hold."""
    pieces = list(Scan(Counts(server.endpoint), []).run(*span))
    return [(one.window.since, one.window.until, one.window.count) for one in pieces if one.events], sum(
        one.window.count for one in pieces
    )


def read(server: Marquez, windows: list[tuple[int, int, int]]) -> None:
    """Every window in one answer, which is thrown away."""
    with requests.Session() as session:
        for since, until, count in windows:
            asked = {"after": moment(since), "before": moment(until), "limit": count + 1, "sortDirection": "asc"}
            session.get(server.endpoint.url, params=asked).raise_for_status()


def pull_all(server: Marquez, span: tuple[int, int]) -> Pulled:
    """Into a new store."""
    with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
        return pull(store, server, since=span[0], until=span[1])


def date(variable: str, default: str) -> int:
    """Microseconds since 1970."""
    return int(datetime.fromisoformat(os.environ.get(variable, default)).replace(tzinfo=UTC).timestamp()) * 1_000_000


def make_event(number: int) -> bytes:
    """A run that read three tables of ten columns, with the nulls that Marquez adds."""
    columns = ",".join(f'{{"name":"column_{n}","type":"double","description":null}}' for n in range(10))
    link = '"_producer":"https://example.com/benchmark","_schemaURL":"https://openlineage.io/spec/facets/1-1-1/S.json"'
    facets = (
        f'"documentation":null,"schema":{{{link},"fields":[{columns}]}},"dataSource":null,"description":null,'
        '"lifecycleStateChange":null,"columnLineage":null,"symlinks":null'
    )
    inputs = ",".join(
        f'{{"namespace":"file","name":"/data/table-{n}.parquet","facets":{{{facets}}},"inputFacets":null}}'
        for n in range(3)
    )
    return (
        f'{{"eventType":"{("START", "COMPLETE")[number % 2]}","eventTime":"{moment(BEGIN + number * STEP)}","run":'
        f'{{"runId":"01970000-0000-7000-8000-{number // 2:012}","facets":{{"nominalTime":null,"parent":null}}}},"job":'
        f'{{"namespace":"benchmark","name":"train-{number % 97}","facets":null}},"inputs":[{inputs}],"outputs":[],'
        '"producer":"https://example.com/benchmark",'
        '"schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"}'
    ).encode()


class Served:
    """A process that answers as Marquez does; as a context its URL."""

    def __init__(self, events: int, pace: float) -> None:
        """Say with how many."""
        self._words = [str(events), "--serve", "--pace", str(pace)]

    def __enter__(self) -> str:
        """Start it."""
        command = [sys.executable, Path(__file__), *self._words]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        return f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def serve(count: int, pace: float) -> None:
    """Say the port, then serve one connection after another."""
    events = [make_event(number) for number in range(count)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection = server.accept()[0]
            threading.Thread(target=answer, args=(connection, events, pace), daemon=True).start()


def answer(connection: socket.socket, events: list[bytes], pace: float) -> None:
    """Windows, by their edges."""
    with connection, connection.makefile("rb") as asked:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while line := asked.readline():
            while asked.readline().strip():
                pass
            query = dict(parse_qsl(urlsplit(line.split()[1].decode()).query))
            first, last = place(query["after"]), min(place(query["before"]), len(events))
            limit = max(min(int(query["limit"]), last - first), 0)
            chosen = events[last - limit : last] if query["sortDirection"] == "desc" else events[first : first + limit]
            time.sleep(len(chosen) / pace)
            body = b'{"totalCount":%d,"events":[%s]}' % (max(last - first, 0), b",".join(chosen))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            connection.sendall(body)


TIMES = range(BEGIN, BEGIN + 10_000_000 * STEP, STEP)


def place(text: str) -> int:
    """How many events are before a moment."""
    if text.startswith("+"):
        return len(TIMES)
    at = datetime.fromisoformat(text)
    return bisect_left(TIMES, int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000))


if __name__ == "__main__":
    main()
