# SPDX-License-Identifier: Apache-2.0
"""One POST to servers that behave and to those that do not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from lineagekit.config import VERSION
from lineagekit.exchange.answers import Answer
from lineagekit.exchange.endpoint import Endpoint, full_url
from lineagekit.exchange.http import HttpSender
from tests.exchange.servers import Reply, Server, free_port, serve

BODY = b'{"eventType": "START"}'
KEY = "k3y-that-nobody-sees"


@contextmanager
def sender(url: str, **options: Any) -> Iterator[HttpSender]:
    with closing(HttpSender(Endpoint(full_url(url), **options))) as opened:
        yield opened


def post(url: str, body: bytes = BODY, **options: Any) -> Answer:
    with sender(url, **options) as opened:
        return opened.send(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def test_an_event_is_posted_as_json(server: Server) -> None:
    assert post(server.url) == Answer("accepted", "", 201)
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/api/v1/lineage", BODY)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"lineagekit/{VERSION}"


def test_events_share_one_connection(server: Server) -> None:
    with sender(server.url) as opened:
        for _ in range(5):
            opened.send(BODY)
    assert len({request.connection for request in server.requests}) == 1


def test_answers_of_any_length_keep_the_connection_until_they_are_too_long() -> None:
    with serve(lambda request: Reply(201, b'{"id": "' + b"x" * 2000 + b'"}')) as server, sender(server.url) as opened:
        assert [opened.send(BODY).verdict for _ in range(3)] == ["accepted"] * 3
        assert len({request.connection for request in server.requests}) == 1
    with serve(lambda request: Reply(422, b"x" * 2_000_000)) as server, sender(server.url) as opened:
        assert [opened.send(BODY).verdict for _ in range(3)] == ["refused"] * 3


def test_headers_and_the_key_are_sent(server: Server) -> None:
    post(server.url, headers={"X-Team": "pricing"}, authorization=lambda: f"Bearer {KEY}")
    headers = server.requests[0].headers
    assert (headers["x-team"], headers["authorization"]) == ("pricing", f"Bearer {KEY}")


def test_user_and_password_of_a_url_become_basic_authorization(server: Server) -> None:
    post(server.url.replace("://", "://ann:pass@"))
    assert server.requests[0].headers["authorization"] == "Basic YW5uOnBhc3M="


def test_a_large_event_is_compressed_where_that_is_allowed(server: Server) -> None:
    with sender(server.url, gzip=True) as opened:
        for body in (b"x" * 5000, BODY, b"y" * 5000):
            assert opened.send(body).verdict == "accepted"
    assert [request.plain[:1] for request in server.requests] == [b"x", b"{", b"y"]
    assert [request.headers.get("content-encoding") for request in server.requests] == ["gzip", None, "gzip"]
    assert len(server.requests[0].body) < 100


def test_a_refusal_of_something_compressed_says_so() -> None:
    with serve(lambda request: Reply(400, b"not JSON")) as server:
        assert post(server.url, b"x" * 5000, gzip=True).reason.endswith(
            "(it was sent compressed: gzip = false sends it plain)"
        )


def test_nobody_there_is_known_at_once() -> None:
    answer = post(f"http://127.0.0.1:{free_port()}")
    assert (answer.verdict, answer.reached, answer.reason) == ("again", False, "no connection: Connection refused")


def test_an_unknown_host_is_no_connection() -> None:
    answer = post("http://host.invalid")
    assert (answer.verdict, answer.reached, answer.reason[:14]) == ("again", False, "no connection:")


def test_a_server_that_never_answers_is_left() -> None:
    with serve(lambda request: Reply(hold=True)) as server:
        began = time.monotonic()
        answer = post(server.url, timeout=0.1)
        assert time.monotonic() - began < 1
    assert (answer.verdict, answer.reached, answer.slow) == ("again", True, True)


def test_more_patience_waits_longer() -> None:
    def slow(request: object) -> Reply:
        time.sleep(0.15)
        return Reply()

    with serve(slow) as server, sender(server.url, timeout=0.05) as opened:
        assert opened.send(BODY).slow
        assert opened.send(BODY, patience=20).verdict == "accepted"


def test_an_answer_that_drips_is_left_when_the_time_is_over() -> None:
    with serve(lambda request: Reply(422, b"x" * 3000, drip=0.005)) as server:
        began = time.monotonic()
        assert post(server.url, timeout=0.1).verdict == "refused"
        assert time.monotonic() - began < 2


def test_a_connection_that_breaks_is_tried_again_later() -> None:
    with serve(lambda request: Reply(cut=True)) as server:
        answer = post(server.url)
    assert (answer.verdict, answer.reached) == ("again", True)
    assert answer.reason.startswith("the connection broke: ")


def test_an_answer_that_breaks_off_is_no_acceptance() -> None:
    with serve(lambda request: Reply(201, b"x", headers={"Content-Length": "50"})) as server:
        assert post(server.url, timeout=0.1).verdict == "again"


def test_a_server_without_tls_is_no_secure_connection(server: Server) -> None:
    answer = post(server.url.replace("http://", "https://"))
    assert (answer.verdict, answer.reached) == ("again", False)
    assert answer.reason.startswith("no secure connection: ")


def test_redirects_are_not_followed(server: Server) -> None:
    with serve(lambda request: Reply(302, headers={"Location": server.url})) as first:
        assert post(first.url).verdict == "astray"
    assert not server.requests


def test_a_session_that_answers_with_a_page_has_not_accepted() -> None:
    with serve(lambda request: Reply(200, b"<html>Welcome", headers={"Content-Type": "text/html"})) as server:
        assert post(server.url).verdict == "astray"


@pytest.mark.parametrize("url", ["http://x:99999/", "http://.example/", "http:///x", "x"])
def test_an_address_that_is_none_is_astray(url: str) -> None:
    with closing(HttpSender(Endpoint(url))) as opened:
        assert opened.send(BODY).verdict == "astray"


@pytest.mark.parametrize("value", ["two\nlines", "caf\u00e9 \u4e2d"])
def test_a_header_that_cannot_be_sent_is_astray_and_not_shown(server: Server, value: str) -> None:
    answer = post(server.url, headers={"X-Odd": value})
    assert answer.verdict == "astray"
    assert value not in answer.reason
    assert not server.requests


def test_a_key_that_the_server_quotes_is_hidden() -> None:
    def quote(request: Any) -> Reply:
        said = f"bad key {request.headers['authorization']} for {request.path} by {request.headers['x-user']}"
        return Reply(401, said.encode())

    with serve(quote) as server:
        options = {"authorization": lambda: f"Bearer {KEY}", "headers": {"X-User": "annabel"}}
        reason = post(f"{server.url}/in?code=hush-hush", **options).reason
    assert reason.endswith("(bad key *** for /in?code=*** by ***)")


def test_a_key_that_cannot_be_had_is_trouble_and_not_an_error(server: Server) -> None:
    def fail() -> str:
        raise RuntimeError(f"the token endpoint refused {KEY}")

    answer = post(server.url, authorization=fail)
    assert (answer.verdict, answer.reason) == ("again", "no token was given for this destination")


def test_passwords_in_netrc_are_left_alone(server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password hush\n")
    monkeypatch.setenv("NETRC", str(netrc))
    post(server.url)
    assert "authorization" not in server.requests[0].headers


def test_the_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert post("http://marquez.invalid:5000").verdict == "accepted"
    assert server.requests[0].path == "http://marquez.invalid:5000/api/v1/lineage"
