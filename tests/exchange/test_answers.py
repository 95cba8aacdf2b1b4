# SPDX-License-Identifier: Apache-2.0
"""What each kind of answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lineagekit.exchange.answers import judge

HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_acceptance(status: int) -> None:
    assert judge(status, {}, b"").verdict == "accepted"
    assert judge(status, {"content-type": "application/json"}, b'{"id": 7}').verdict == "accepted"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_some_errors_are_about_the_event(status: int) -> None:
    assert judge(status, {}, b"no").verdict == "refused"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 405])
def test_some_errors_are_about_the_address(status: int) -> None:
    assert judge(status, {"location": "/login"}, b"").verdict == "astray"


@pytest.mark.parametrize(("status", "reached"), [(408, False), (429, False), (500, True), (502, True), (503, True)])
def test_some_errors_are_about_now(status: int, reached: bool) -> None:
    answer = judge(status, {}, b"")
    assert (answer.verdict, answer.reached) == ("again", reached)


def test_a_500_that_says_400_inside_is_about_the_event() -> None:
    answer = judge(500, {"content-type": "application/json"}, b'{"code": 400, "message": "Unexpected end-of-input"}')
    assert (answer.verdict, answer.reason) == ("refused", "500: Unexpected end-of-input")


@pytest.mark.parametrize(("headers", "body"), [(HTML, b""), ({}, b" <!DOCTYPE html><html>"), ({}, b"<html><body>hi")])
def test_a_web_page_is_no_acceptance(headers: dict[str, str], body: bytes) -> None:
    answer = judge(200, headers, body)
    assert (answer.verdict, answer.reason) == (
        "astray",
        "200: the answer is a web page, expected that of an endpoint for events",
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors": ["eventTime must not be null", "run"]}', "eventTime must not be null; run"),
        (b'{"message": "too wide"}', "too wide"),
        (b'{"code": 1}', '{"code": 1}'),
        (b"<html><style>b {}</style><h2>HTTP ERROR 422</h2>\n<p>too wide</p>", "HTTP ERROR 422 too wide"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "no reason given"),
        (b"[1]", "[1]"),
    ],
)
def test_the_reason_is_what_the_server_said(body: bytes, said: str) -> None:
    assert judge(422, {}, body).reason == f"422: {said}"


def test_a_long_reason_is_cut() -> None:
    assert len(judge(422, {}, b"x" * 10_000).reason) < 320


def test_a_redirect_says_where_to_without_its_query() -> None:
    reason = judge(302, {"location": "https://login.example.com/in?token=hush"}, b"").reason
    assert "https://login.example.com/in:" in reason
    assert "hush" not in reason


def test_a_wrong_key_is_told_with_what_to_do() -> None:
    assert judge(401, {}, b'{"message": "expired"}').reason == (
        "401: the server wants a valid API key: check api_key_env or api_key_file (expired)"
    )


def test_the_rest_that_is_asked_for_is_known_in_seconds() -> None:
    assert judge(429, {"retry-after": "120"}, b"").wait == 120.0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (judge(503, {"retry-after": soon}, b"").wait or 0) <= 60
    assert judge(503, {"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, b"").wait == 0.0
    assert judge(503, {"retry-after": "soon"}, b"").wait is None
