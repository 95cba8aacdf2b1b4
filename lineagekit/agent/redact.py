# SPDX-License-Identifier: Apache-2.0
"""Secrets leave no trace: what looks like one is replaced before a text reaches a disk.

>>> redact("postgres://ann:hunter2@db/crm?password=x&schema=raw")
'postgres://***@db/crm?password=***&schema=raw'
>>> redact_words(["--api-key", "s3cr3t", "--rows", "5", "TOKEN=abc"])
['--api-key', '***', '--rows', '5', 'TOKEN=***']
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"

_LONGEST_WORD = 2000
_LONGEST_NAME = 200

_SECRET = (
    r"passw(?:or)?d|passphrase|secret|credential|api[-_]?key|access[-_]?key|private[-_]?key|account[-_]?key"
    r"|auth(?:orization)?|bearer|token|signature"
)
_WHOLE = "pwd|pass|sig|key|jwt|sas"
_NAME = re.compile(rf"(?:[\w.-]*(?:{_SECRET})[\w.-]*|{_WHOLE})\Z", re.IGNORECASE)
_IN_NAME = re.compile(rf"{_SECRET}|(?:\A|[.-])(?:{_WHOLE})\Z", re.IGNORECASE)
_USER = re.compile(r"(?<=://)(?:[^/?#\s@]*|[^/?#\s@:]*:(?!\d+[/?#])[^\s@]*)@")  # a password may hold a bare slash
_NAMED = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]+)[\"']?\s*[=:]\s*[\"']?"
)  # any name: each text is read once, not per start
_VALUE = re.compile(r"[^\s&;,\"'}]+")
_SCHEME = re.compile(r"\b(?P<how>Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_KNOWN = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bsk-[\w-]{16,}|\bxox[abpr]-[\w-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
)


def is_secret_name(name: str) -> bool:
    """Whether a thing of this name is one that nobody should read."""
    return _NAME.match(name.lstrip("-")[:_LONGEST_NAME]) is not None


def redact(text: str) -> str:
    """A text without users of URLs, values of secret-sounding names, and tokens of well-known shapes."""
    if len(text) < 4:
        return text
    text = _USER.sub(HIDDEN + "@", text)
    text = _SCHEME.sub(lambda found: f"{found['how']} {HIDDEN}", text)
    text = _hide_named(text)
    return _KNOWN.sub(HIDDEN, text)


def _hide_named(text: str) -> str:
    """The values that follow names of secrets."""
    parts: list[str] = []
    at = 0
    for found in _NAMED.finditer(text):
        value = _VALUE.match(text, found.end()) if found.start() >= at and _IN_NAME.search(found["name"]) else None
        if value is not None:
            parts += (text[at : found.end()], HIDDEN)
            at = value.end()
    return "".join([*parts, text[at:]])


def redact_words(words: Iterable[str]) -> list[str]:
    """A command line without its secrets: `--password x` too, where name and value are two words."""
    safe: list[str] = []
    hide = False
    for word in words:
        safe.append(HIDDEN if hide else redact(word[:_LONGEST_WORD]))
        hide = not hide and word.startswith("-") and "=" not in word and is_secret_name(word)
    return safe


def redact_value(name: str, value: object) -> object:
    """A parameter's value: hidden for its name, else a text redacted, containers through and through."""
    if is_secret_name(name) and isinstance(value, (str, bytes)):
        return HIDDEN
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redact_value(str(key), one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_value(name, one) for one in value]
    return value
