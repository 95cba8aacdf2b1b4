# SPDX-License-Identifier: Apache-2.0
"""Lines of OpenLineage: the last that the agent wrote, and ours beside it.

>>> last_event("/data/.lineagekit/journal/spark-daily-0198.jsonl")["eventType"]  # doctest: +SKIP
'COMPLETE'
"""

from __future__ import annotations

import os
from time import time_ns

from lineagekit.config import VERSION

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

FACET = "lineagekit_spark"

_LONGEST = 1 << 20
"""Bytes of a line that is read back: longer ones are not worth the time of a job."""

_PIECE = 1 << 14
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_PRODUCER = f"https://github.com/lineagekit/lineagekit/tree/{VERSION}"


def last_event(path: str) -> dict[str, Any] | None:
    """The last whole line of a file as an event; None where there is none, or too long a one."""
    size = _PIECE
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        while size <= _LONGEST * 2:
            file.seek(max(end - size, 0))
            lines = file.read(size).rstrip(b"\r\n").rsplit(b"\n", 1)
            if len(lines) == 2 or size >= end:
                return _parse(lines[-1])
            size *= 8
    return None


def first_job(path: str) -> dict[str, str] | None:
    """What the agent calls the application: its first event is of that. None where it said nothing, or not yet."""
    with open(path, "rb") as file:
        event = _parse(file.readline(_LONGEST))
    return None if event is None else job_of(event)


def job_of(event: dict[str, Any]) -> dict[str, str]:
    """Its job, by name alone."""
    return {"namespace": event["job"]["namespace"], "name": event["job"]["name"]}


def line_of(kind: str, run: str, job: dict[str, str], told: dict[str, Any]) -> bytes:
    """An event that adds a facet to a run, and no edge."""
    from datetime import datetime, timezone
    from json import dumps

    now = datetime.fromtimestamp(time_ns() / 1e9, timezone.utc).isoformat(timespec="microseconds")
    facet = {"_producer": _PRODUCER, "_schemaURL": f"{_SCHEMA}#/$defs/RunFacet", **told}
    event = {
        "eventType": kind,
        "eventTime": now.replace("+00:00", "Z"),
        "producer": _PRODUCER,
        "schemaURL": f"{_SCHEMA}#/$defs/RunEvent",
        "run": {"runId": run, "facets": {FACET: facet}},
        "job": job,
        "inputs": [],
        "outputs": [],
    }
    return dumps(event, separators=(",", ":")).encode() + b"\n"


def add_line(path: str, line: bytes) -> None:
    """One write, so that it is there whole or not at all. Raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _parse(line: bytes) -> dict[str, Any] | None:
    from json import loads

    try:
        event = loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
