# SPDX-License-Identifier: Apache-2.0
r"""What a server's answer to an event means: the event is in, the event is refused, try again, or wrong address.

>>> judge(201, {}, b"")
Answer(verdict='accepted', reason='', status=201, wait=None, reached=True, slow=False)
>>> judge(422, {}, b'{"errors": ["eventTime must not be null"]}').reason
'422: eventTime must not be null'
>>> judge(302, {"location": "https://login/?next=x"}, b"").verdict
'astray'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from lineagekit.agent.redact import redact

Verdict = Literal["accepted", "refused", "again", "astray"]

_REFUSALS = frozenset({400, 406, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 431})
"""The server understood where it was and does not want this event; no other time will be better."""

_LATER = frozenset({408, 421, 423, 425, 429})
_ADVICE = {
    401: "the server wants a valid API key: check api_key_env or api_key_file",
    403: "the API key may not write there",
    404: "there is nothing at this address: check url and endpoint",
    405: "this address does not take events: check url and endpoint",
}
_LONGEST_REASON = 300
_MARKUP = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending one event.

    `refused` is about the event and for good; `again` is about now; `astray` is about the destination, where no event
    would fare better until somebody changes the settings. `reached` tells that the server had the event in its hands,
    so that the event may be what it stumbles over; `slow` that the time was up before it answered; `wait` is how many
    seconds it asked to be left alone.
    """

    verdict: Verdict
    reason: str = ""
    status: int = 0
    wait: float | None = None
    reached: bool = True
    slow: bool = False


ACCEPTED = Answer("accepted")


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Judge a whole HTTP answer; `headers` by lower-case name, of the body its beginning is enough."""
    if 200 <= status < 300:
        return _judge_success(status, headers, body)
    reason = f"{status}: {_say(status, headers, body)}"
    if status in _REFUSALS or (status == 500 and _code(body) in _REFUSALS):
        return Answer("refused", reason, status)
    if status in _LATER or status >= 500:
        return Answer("again", reason, status, _seconds(headers.get("retry-after", "")), reached=status >= 500)
    return Answer("astray", reason, status)


def shorten(text: str) -> str:
    """Any text as one line of a reason, without what looks like a secret."""
    line = redact(" ".join(text.split()))
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."


def _judge_success(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """A login page or a captive portal says 200 as well: an endpoint for events does not answer with a page."""
    if "html" in headers.get("content-type", "").lower() or body.lstrip()[:9].lower().startswith(
        (b"<!doctype", b"<html")
    ):
        return Answer("astray", f"{status}: the answer is a web page, expected that of an endpoint for events", status)
    return Answer("accepted", "", status)


def _say(status: int, headers: Mapping[str, str], body: bytes) -> str:
    if 300 <= status < 400:
        where = headers.get("location", "nowhere").partition("?")[0]
        return shorten(f"the server sends to {where}: if that is where events belong, say so in url")
    said = shorten(_message(body))
    advice = _ADVICE.get(status, "")
    return f"{advice} ({said})" if advice and said else advice or said or "no reason given"


def _message(body: bytes) -> str:
    """The human part of an error: of JSON the usual keys, of a page its text."""
    text = body.decode("utf-8", "replace")
    try:
        told = json.loads(text)
    except ValueError:
        return _MARKUP.sub(" ", text)
    if not isinstance(told, dict):
        return text
    for key in ("errors", "message", "detail", "error", "reason"):
        if value := told.get(key):
            return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text


def _code(body: bytes) -> int:
    """The code inside a JSON error: some servers wrap their own 400 into a 500."""
    try:
        told = json.loads(body)
    except ValueError:
        return 0
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, int) else 0


def _seconds(text: str) -> float | None:
    """`Retry-After` in seconds, from either of its forms."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
