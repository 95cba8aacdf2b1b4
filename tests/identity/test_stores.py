# SPDX-License-Identifier: Apache-2.0
"""Stores other than S3: a table on the web is a table, and what goes wrong there is said in our words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lineagekit.errors import BadDataError, NotFoundError, StoreError, UnreadableError, UsageError
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.stores import translate_errors

pytest.importorskip("s3fs", reason="s3fs is not installed")


class Web(BaseHTTPRequestHandler):
    """A web server whose answers are named by their status, and one table that can be read in ranges."""

    table = b"id\n1\n2\n"

    def do_GET(self) -> None:
        first, last = 0, len(self.table)
        status = 200 if "t.csv" in self.path else int(self.path[1:])
        if (wanted := self.headers["Range"]) and status == 200:
            start, end = wanted.removeprefix("bytes=").split("-")
            status, first, last = 206, int(start), min(int(end) + 1, last)
        body = self.table[first:last] if status < 300 else b""
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last - 1}/{len(self.table)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def web() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_table_on_the_web_is_the_table_on_the_disk(web: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(Web.table)
    for name in ("t.csv", "t.csv?signature=a*b.c"):
        assert fingerprint(f"{web}/{name}").digests == fingerprint(tmp_path / "t.csv").digests


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, UnreadableError, "permission denied"),
        (403, UnreadableError, "permission denied"),
        (404, NotFoundError, "no such object"),
        (410, NotFoundError, "no such object"),
        (500, StoreError, "the store failed"),
        (503, StoreError, "the store failed"),
    ],
)
def test_what_a_web_server_refuses_is_named(web: str, status: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=rf"{words}: http://127.*/{status}") as caught:
        fingerprint(f"{web}/{status}")
    assert type(caught.value) is error


def test_a_web_server_that_does_not_answer_is_a_store_error() -> None:
    for name in ("t.csv", "*.csv"):
        with pytest.raises(StoreError, match=r"the store failed: http://127.0.0.1:9/"):
            fingerprint(f"http://127.0.0.1:9/{name}")


@pytest.mark.parametrize("scheme", ["s3", "S3A", "gs", "abfs"])
def test_a_store_without_a_bucket_is_a_usage_error(scheme: str) -> None:
    with pytest.raises(UsageError, match=rf"no bucket: got '{scheme}://'"):
        fingerprint(f"{scheme}://")


@pytest.mark.parametrize("scheme", ["zip", "tar"])
def test_what_is_no_archive_is_bad_data(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "x").write_text("no archive")
    with pytest.raises(BadDataError, match=f"cannot open '{scheme}://a::file://"):
        fingerprint(f"{scheme}://a::file://{tmp_path}/x")


def test_of_a_foreign_message_the_first_line_is_told() -> None:
    with pytest.raises(StoreError, match=r"s3://b/k, one\. Check") as caught, translate_errors("s3://b/k"):
        raise OSError("one\ntwo")
    assert "two" not in str(caught.value)
