# SPDX-License-Identifier: Apache-2.0
"""Events as small as tests need them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from lineagekit.store.rows import Entry

MOMENT = 1_700_000_000_000_000
ENDS = ("COMPLETE", "FAIL", "ABORT")


def event(run: str, type_: str = "START", job: str = "train", inputs: int = 0, **more: Any) -> dict[str, Any]:
    named = [{"namespace": "file", "name": f"/data/{number}.csv"} for number in range(inputs)]
    return {
        "eventType": type_,
        "run": {"runId": run},
        "job": {"namespace": "shop", "name": job},
        "inputs": named,
    } | more


def entry(run: str, type_: str = "START", *, time: int = MOMENT, key: bytes = b"", **more: Any) -> Entry:
    body = event(run, type_, **more)
    return Entry(key or sha256(repr((run, type_, time)).encode()).digest()[:16], run, "run", type_, time, body)


def entries(count: int, **more: Any) -> list[Entry]:
    return [entry(f"run-{number:06}", time=MOMENT + number, **more) for number in range(count)]
