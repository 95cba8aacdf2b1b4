# SPDX-License-Identifier: Apache-2.0
"""Claim: events leave the log at least 1.5 times as fast as openlineage-python's http transport sends them from memory.

Peer: `HttpTransport.emit` of ready-made events of 3 KB. Both over one connection to the same local server, which reads
a request and says 201. Ours counts all from the log on: reading, sending, and moving the cursor after each event.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Any

from measure import ratio, report, run
from openlineage.client import event_v2
from openlineage.client.facet_v2 import schema_dataset
from openlineage.client.serde import Serde
from openlineage.client.transport.http import HttpConfig, HttpTransport

from lineagekit.exchange.deliver import deliver
from lineagekit.exchange.destinations import choose
from lineagekit.store.log import Entry, Store, open_store

EVENTS = 1000
PEER, OURS = "openlineage-python http", "lineagekit push"


def main() -> None:
    """Measure both in each round."""
    events = [make_event(number) for number in range(EVENTS)]
    with tempfile.TemporaryDirectory() as folder, open_store(folder) as store, Sink() as url:
        bodies = [Serde.to_dict(event) for event in events]
        store.append([Entry(key(n), body["run"]["runId"], "run", "COMPLETE", n, body) for n, body in enumerate(bodies)])
        peer = HttpTransport(HttpConfig.from_dict({"url": url}))
        rounds = run(
            {PEER: lambda: [peer.emit(event) for event in events], OURS: lambda: push(store, url, folder)}, rounds=5
        )
        peer.close()
    report(f"{EVENTS} events of {len(Serde.to_json(events[0]))} bytes", rounds, against=PEER)
    for name, seconds in rounds.items():
        print(f"  {name:42} {EVENTS / sorted(seconds)[len(seconds) // 2]:9.0f} events/s")
    print(f"  {1 / ratio(rounds, OURS, PEER):.1f} times faster   target >= 1.5")


def push(store: Store, url: str, folder: str) -> None:
    """The whole log, from its beginning."""
    store.set_cursor(url, 0)
    (done,) = deliver(store, choose([], [url]), folder)
    if done.sent != EVENTS:
        raise SystemExit(f"only {done.sent} events were delivered: {done.reason}")


def make_event(number: int) -> event_v2.RunEvent:
    """A run that read three tables of ten columns."""
    fields = [schema_dataset.SchemaDatasetFacetFields(f"column_{place}", "double") for place in range(10)]
    schema: dict[str, Any] = {"schema": schema_dataset.SchemaDatasetFacet(fields=fields)}
    return event_v2.RunEvent(
        eventTime=f"2026-11-01T00:00:00.{number:06}Z",
        eventType=event_v2.RunState.COMPLETE,
        producer="https://example.com/benchmark",
        run=event_v2.Run(f"01970000-0000-7000-8000-{number:012}"),
        job=event_v2.Job("benchmark", "train"),
        inputs=[event_v2.InputDataset("file", f"/data/table-{place}.parquet", facets=schema) for place in range(3)],
        outputs=[event_v2.OutputDataset("file", "/data/model.pkl")],
    )


def key(number: int) -> bytes:
    """What tells one event from another."""
    return blake2b(str(number).encode(), digest_size=16).digest()


class Sink:
    """A process that answers every POST with 201 as fast as Python can; as a context its URL."""

    def __enter__(self) -> str:
        """Start it."""
        command = [sys.executable, Path(__file__), "sink"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        return f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def serve_sink() -> None:
    """Say the port, then serve one connection after another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=_answer, args=server.accept()[:1], daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as requests:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while requests.readline():
            length = 0
            while (line := requests.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            requests.read(length)
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    serve_sink() if "sink" in sys.argv else main()
