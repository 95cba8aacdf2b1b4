# SPDX-License-Identifier: Apache-2.0
"""Requests that a job makes itself, against a real server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integrations.jobs import Job, run_job

BODY = b"a,b\n1,2\n"
SECRETS = [b"s3cretvalue", b"tokensecret123", b"hunter2secret", b"zzsecret", b"barewordsecret9"]
JOB = """
import asyncio, io, json, pathlib, pickle, sys, threading, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor
import aiohttp, httpx, requests
import pandas as pd

host, library = sys.argv[1], sys.argv[2]
url, query = "http://" + host, "?api_key=s3cretvalue&day=1&barewordsecret9"
sys.path.insert(0, library)
import telemetry

headers = {"Authorization": "Bearer tokensecret123"}
assert requests.get(url + "/requests" + query, headers=headers).text == "a,b\\n1,2\\n"
requests.get("http://ann:hunter2secret@" + host + "/user")
requests.post(url + "/post", data={"password": "hunter2secret"})
assert requests.get(url + "/redirect" + query).text == "a,b\\n1,2\\n"
with requests.get(url + "/stream" + query, stream=True) as response:
    assert list(response.iter_content(3)) == [b"a,b", b"\\n1,", b"2\\n"]
assert requests.get(url + "/missing").status_code == 404
httpx.get(url + "/httpx" + query)
with httpx.stream("GET", url + "/httpx-stream") as response:
    assert response.read() == b"a,b\\n1,2\\n"

async def ask():
    async with httpx.AsyncClient() as client:
        await client.get(url + "/httpx-async")
    async with aiohttp.ClientSession(base_url=url) as session:
        async with session.get("/aiohttp" + query) as response:
            assert await response.text() == await response.text() == "a,b\\n1,2\\n"
        async with session.get("/aiohttp-unread"):
            pass

asyncio.run(ask())
assert urllib.request.urlopen(url + "/urllib" + query).read() == b"a,b\\n1,2\\n"
with urllib.request.urlopen(url + "/urllib-chunked") as response:
    assert isinstance(response, __import__("http.client").client.HTTPResponse)
    assert [response.read(3), response.read(100), response.read()] == [b"a,b", b"\\n1,2\\n", b""]
with urllib.request.urlopen(url + "/urllib-part") as response:
    response.read(3)
with urllib.request.urlopen(urllib.request.Request(url + "/urllib-lines", data=b"x")) as response:
    assert list(response) == [b"a,b\\n", b"1,2\\n"]
with urllib.request.urlopen(url + "/urllib-text") as response:
    assert io.TextIOWrapper(response).read() == "a,b\\n1,2\\n"
with urllib.request.urlopen(url + "/urllib-into") as response:
    room = bytearray(100)
    assert response.readinto(room) == 8
urllib.request.urlopen(url + "/urllib-dropped")
urllib.request.urlretrieve(url + "/urlretrieve", "got.csv")
try:
    urllib.request.urlopen(url + "/missing")
except urllib.error.HTTPError as error:
    assert error.read() == b"a,b\\n1,2\\n"
pathlib.Path("local.txt").write_text("x")
assert urllib.request.urlopen(pathlib.Path("local.txt").absolute().as_uri()).read() == b"x"
assert pd.read_csv(url + "/pandas" + query).shape == (1, 2)
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda path: requests.get(url + path), ["/thread-1", "/thread-2"]))
thread = threading.Thread(target=telemetry.send, args=(url + "/telemetry",))
thread.start()
thread.join()
try:
    requests.get("http://127.0.0.1:1/refused" + query)
except requests.ConnectionError:
    pass
"""
TELEMETRY = """
import requests
def send(url):
    requests.get(url)
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", "/data.csv?token=zzsecret")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("ETag", '"v1"')
        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\na,b\n\r\n4\r\n1,2\n\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, host: str) -> Job:
    folder = tmp_path_factory.mktemp("http")
    library = folder / "site-packages"
    library.mkdir()
    (library / "telemetry.py").write_text(TELEMETRY)
    return run_job(folder, JOB, host, str(library))


def told(job: Job, path: str) -> dict[str, object]:
    (fact,) = job.of("result", name=path)
    return fact


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/requests", "requests"),
        ("/redirect", "requests"),
        ("/post", "requests"),
        ("/user", "requests"),
        ("/httpx", "httpx"),
        ("/httpx-async", "httpx"),
        ("/aiohttp", "aiohttp"),
        ("/urllib", "urllib"),
        ("/urllib-chunked", "urllib"),
        ("/urllib-lines", "urllib"),
        ("/urllib-text", "urllib"),
        ("/urllib-into", "urllib"),
        ("/urlretrieve", "urllib"),
        ("/pandas", "urllib"),
        ("/thread-1", "requests"),
    ],
)
def test_a_request_is_told_with_the_digest_of_its_body(job: Job, host: str, path: str, door: str) -> None:
    fact = told(job, path)
    assert (fact["kind"], fact["namespace"], fact["host"], fact["door"]) == ("http", f"http://{host}", host, door)
    assert (fact["status"], fact["etag"], fact["bytes"]) == (200, '"v1"', len(BODY))
    assert fact["digest"] == "sha256:" + sha256(BODY).hexdigest()
    assert "reason" not in fact


@pytest.mark.parametrize("path", ["/stream", "/httpx-stream", "/aiohttp-unread", "/urllib-part", "/urllib-dropped"])
def test_a_body_that_was_not_in_memory_has_a_reason(job: Job, path: str) -> None:
    assert (told(job, path)["digest"], told(job, path)["reason"]) == ("", "streamed")


def test_a_request_is_told_by_method_and_address(job: Job, host: str) -> None:
    fact = told(job, "/requests")
    assert fact["statement"] == f"GET http://{host}/requests?***&api_key&day"
    assert fact["query"] == ["***", "api_key", "day"]
    assert told(job, "/post")["method"] == told(job, "/urllib-lines")["method"] == "POST"


def test_an_answer_of_404_is_an_answer_where_the_job_gets_one(job: Job) -> None:
    (fact,) = job.of("result", name="/missing")
    assert (fact["status"], fact["door"]) == (404, "requests")


def test_what_a_library_sends_by_itself_is_only_an_unwatched_peer(job: Job, host: str) -> None:
    assert job.of("result", name="/telemetry") == []
    assert job.of("unwatched") == [fact for fact in job.of("unwatched") if fact["peer"] == host]
    assert len(job.of("unwatched")) == 1


def test_what_failed_was_not_read_and_a_local_file_is_no_request(job: Job) -> None:
    names = {fact["name"] for fact in job.of("result")}
    assert not names & {"/refused", "/data.csv"}
    assert not [name for name in names if "local.txt" in name]


def test_no_secret_reaches_the_disk(job: Job) -> None:
    assert [secret for secret in SECRETS if secret in job.raw] == []
