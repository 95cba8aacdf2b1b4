# SPDX-License-Identifier: Apache-2.0
r"""Names that every backend takes, and from which the names that were meant can be read back.

A name keeps its characters but for `#` (which Marquez takes for a version), control characters and bytes that are no
UTF-8: those become `%XX`. A namespace keeps only what Marquez does not choke on; the rest become `+XX`. Either mark is
escaped only where it would be read as an escape. What is too long for an index keeps its beginning and gets a digest.

    >>> safe_name("/data/a#1\udcff.csv"), original_name("/data/a%231%FF.csv")
    ('/data/a%231%FF.csv', '/data/a#1\udcff.csv')
    >>> safe_job_namespace("team ä"), original_namespace("team+20+C3+A4")
    ('team+20+C3+A4', 'team ä')
"""

from __future__ import annotations

import re
from functools import lru_cache

from blake3 import blake3

NAME_LIMIT, JOB_LIMIT, NAMESPACE_LIMIT = 2000, 1000, 500
"""Bytes. PostgreSQL indexes namespace and name together, 2,704 bytes at most; a job's parent stands before its name."""
COLUMN_LIMIT, TYPE_LIMIT = 255, 1500
"""Bytes of a column's name (255 characters are allowed) and of its type."""

UNNAMED = "unnamed"
_DEFAULT = "default"
_DIGEST = 32  # hex digits that a cut name ends with

_BROKEN_NAME = re.compile(r"[\x00-\x1f#\x7f\ud800-\udfff]")
_BROKEN_NAMESPACE = re.compile(r"[^a-zA-Z:;=/0-9_\-.@+]")
_BROKEN_JOB_NAMESPACE = re.compile(r"[^a-zA-Z:/0-9_\-.@+]")
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f#\x7f\ud800-\udfff]|%(?=[01][0-9A-F]|2[35]|7F|[89A-F][0-9A-F])")
_UNSAFE_IN_NAMESPACE = re.compile(r"[^a-zA-Z:;=/0-9_\-.@+]|\+(?=[0-9A-F]{2})")
_UNSAFE_IN_JOB_NAMESPACE = re.compile(r"[^a-zA-Z:/0-9_\-.@+]|\+(?=[0-9A-F]{2})")
_ESCAPED_IN_NAME = re.compile(r"(?:%(?:[01][0-9A-F]|2[35]|7F|[89A-F][0-9A-F]))+")
_ESCAPED_IN_NAMESPACE = re.compile(r"(?:\+[0-9A-F]{2})+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def safe_name(name: str, limit: int = NAME_LIMIT) -> str:
    """The name of a dataset (of a job: with JOB_LIMIT)."""
    return shorten(escape_name(name), limit)


def escape_name(name: str) -> str:
    """Without the cut: what `original_name` always reads back."""
    if name.isprintable() and "#" not in name and "%" not in name:
        return name or UNNAMED  # surrogates are not printable
    return _UNSAFE_IN_NAME.sub(lambda found: _escape("%", found[0]), name)


@lru_cache(maxsize=1024)
def safe_namespace(namespace: str) -> str:
    """The namespace of a dataset."""
    return (
        shorten(_UNSAFE_IN_NAMESPACE.sub(lambda found: _escape("+", found[0]), namespace), NAMESPACE_LIMIT) or _DEFAULT
    )


@lru_cache(maxsize=1024)
def safe_job_namespace(namespace: str) -> str:
    """The namespace of a job: Marquez allows fewer characters here."""
    return _short(_UNSAFE_IN_JOB_NAMESPACE.sub(lambda found: _escape("+", found[0]), namespace))


def original_name(safe: str) -> str:
    """What `escape_name` was given, apart from an empty name."""
    return _ESCAPED_IN_NAME.sub(lambda found: _unescape(found[0].replace("%", "")), safe)


def original_namespace(safe: str) -> str:
    """What `safe_namespace` or `safe_job_namespace` was given, unless that was empty or too long."""
    return _ESCAPED_IN_NAMESPACE.sub(lambda found: _unescape(found[0].replace("+", "")), safe)


def shorten(name: str, limit: int) -> str:
    """At most so many bytes of UTF-8: beginning and digest of what is longer, so that two long names stay two."""
    if len(name) * 4 <= limit or (len(name) <= limit and name.isascii()):
        return name
    raw = name.encode()
    if len(raw) <= limit:
        return name
    start = raw[: limit - _DIGEST - 2].decode(errors="ignore")
    return f"{start}..{blake3(raw).hexdigest()[:_DIGEST]}"


def safe_column(name: str) -> str:
    """The name of a column."""
    return shorten(escape_name(name), COLUMN_LIMIT)


def run_id(run: str) -> str:
    """A run's UUID; of what is none, one that is a function of it."""
    lower = run.lower()
    if _UUID.fullmatch(lower):
        return lower
    number = int.from_bytes(blake3(b"lineagekit.run.v1\0" + run.encode(errors="surrogatepass")).digest(16), "big")
    number = number & ~(0xF << 76 | 0x3 << 62) | 8 << 76 | 2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def mend_name(name: str, limit: int = NAME_LIMIT) -> str:
    """A foreign name, changed only if it cannot stay: mended twice it is the same."""
    return safe_name(name, limit) if _BROKEN_NAME.search(name) else shorten(name, limit)


def mend_namespace(namespace: str) -> str:
    """A foreign namespace, likewise."""
    return safe_namespace(namespace) if _BROKEN_NAMESPACE.search(namespace) else _short(namespace)


def mend_job_namespace(namespace: str) -> str:
    """A job's namespace, likewise."""
    return safe_job_namespace(namespace) if _BROKEN_JOB_NAMESPACE.search(namespace) else _short(namespace)


def _short(namespace: str) -> str:
    return shorten(namespace, NAMESPACE_LIMIT) or _DEFAULT


def _escape(mark: str, character: str) -> str:
    try:
        raw = character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair: no file system has it
        raw = character.encode("utf-8", "surrogatepass")
    return "".join(f"{mark}{byte:02X}" for byte in raw)


def _unescape(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "surrogateescape")
