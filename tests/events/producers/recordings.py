# SPDX-License-Identifier: Apache-2.0
"""What Spark's agent really sent (tests/golden/spark), and runs as one line each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineagekit.events.combine import combine
from lineagekit.events.edges import read_edges
from lineagekit.events.lenient import microseconds
from lineagekit.events.said import Said, Told, Touches

Event = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "golden" / "spark"
SUFFIX = ".jsonl.gz"
NAMES = sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.iterdir())


def recorded(name: str) -> list[Event]:
    """The events of a recording, as they came."""
    with gzip.open(FOLDER / (name + SUFFIX), "rt") as lines:
        return [json.loads(line) for line in lines]


def heard(event: Mapping[str, Any]) -> tuple[bytes, Said]:
    key = sha256(json.dumps(event, sort_keys=True).encode()).digest()
    return key, read_edges(event, time=microseconds(event["eventTime"]) or 0)


def told(events: Iterable[Mapping[str, Any]]) -> list[Told]:
    """The runs of these events, in the order in which they began."""
    runs: dict[str, list[tuple[bytes, Said]]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(heard(event))
    return sorted(map(combine, runs.values()), key=lambda run: (run.began, run.run))


def line(run: Told) -> str:
    """`job | inputs -> outputs | state`, each with its version."""
    return f"{run.job.name} | {_named(run.said.inputs)} -> {_named(run.said.outputs)} | {run.state}".replace("  ", " ")


def _named(touches: Touches) -> str:
    said = (f"{name.name}{'@' if touch.version else ''}{touch.version}" for name, touch in touches.items())
    return " ".join(sorted(said))
