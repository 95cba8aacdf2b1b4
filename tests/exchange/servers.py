# SPDX-License-Identifier: Apache-2.0
"""HTTP servers on this machine that answer as they are told to, and remember what they were sent.

with serve(lambda request: Reply(422)) as server: post(server.url)
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What a server was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.plain)
        return event


@dataclass(frozen=True)
class Reply:
    """What it answers. `cut` breaks the connection off instead, `hold` never answers, `drip` does so byte by byte."""

    status: int = 201
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hold: bool = False
    drip: float = 0.0


@dataclass
class Server:
    """A server that runs."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def events(self) -> list[tuple[str, str]]:
        """Run and type of all that came, in order."""
        return [(request.event["run"]["runId"], request.event["eventType"]) for request in self.requests]


Answer = Callable[[Request], Reply]


def created(request: Request) -> Reply:
    return Reply()


class Listener(ThreadingHTTPServer):
    """Waits for connections; what came and how it is answered is for all of them."""

    answer: Answer
    server: Server
    over: threading.Event

    def handle_error(self, *_: object) -> None:
        """The other side may leave whenever it likes."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # who sent it was killed
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.client_address[1])
        self.server.server.requests.append(request)
        reply = self.server.answer(request)
        if reply.hold:
            self.server.over.wait()
        if reply.cut or reply.hold:
            # What is left unsent is thrown away, and the other side is told so.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            self.reply(reply)

    do_GET = do_POST

    def reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not reply.drip:
            self.wfile.write(reply.body)
            return
        for byte in reply.body:
            if self.server.over.wait(reply.drip):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve(answer: Answer = created, *, port: int = 0) -> Iterator[Server]:
    """Run a server until the end of the block."""
    with Listener(("127.0.0.1", port), Handler) as listener:
        listener.answer, listener.over = answer, threading.Event()
        listener.server = Server(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield listener.server
        finally:
            listener.over.set()
            listener.shutdown()
            thread.join()


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
