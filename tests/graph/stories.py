# SPDX-License-Identifier: Apache-2.0
"""Small histories, told run by run: what each read and wrote, and when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineagekit.store.database import Database
from lineagekit.store.index import open_index
from lineagekit.store.log import Store, entry_of, open_store

Event = dict[str, Any]

START = datetime(2026, 10, 1, tzinfo=UTC)


def digest(content: str) -> str:
    return "blake3:" + sha256(content.encode()).hexdigest()


def data(name: str, content: str = "", *, namespace: str = "file", **more: Any) -> Event:
    """A dataset that was touched: `content` stands for its bytes; `parts` are contents by path; `facets` are added;
    a link led to its `realpath`."""
    facets: Event = dict(more.get("facets", {}))
    for key, facet, field in (("pin", "version", "datasetVersion"), ("kind", "datasetType", "datasetType")):
        if key in more:
            facets[facet] = {field: more[key]}
    if "model" in more:
        facets["datasetType"] = {"datasetType": "MODEL"}
        facets["lineagekit_model"] = dict(zip(("name", "version"), more["model"], strict=True))
    told: Event = {"bytes": more.get("size", 1000)}
    if content:
        told |= {"state": "exact", "digest": digest(content)}
    if "evidence" in more:
        told["evidence"] = more["evidence"]
    if "realpath" in more:
        told["realpath"] = more["realpath"]
    if "parts" in more:
        told["parts"] = [{"path": path, "digest": digest(text)} for path, text in more["parts"].items()]
        told |= {"state": "exact", "digest": digest(str(sorted(more["parts"].items())))}
    return {"namespace": namespace, "name": name, "facets": facets, "content": told if len(told) > 1 else None}


class Story:
    """Events of runs, an hour between one and the next."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.runs: list[str] = []

    def run(self, job: str, reads: list[Event] | None = None, writes: list[Event] | None = None, **more: Any) -> str:
        """A run; `flows` are pairs of names, `hours` when it began, `facets` and `job_facets` are added."""
        number = len(self.runs) + 1
        began = START + timedelta(hours=more.get("hours", number))
        run = f"0197{number:04x}-{number:04x}-7000-8000-{number:012x}"
        self.runs.append(run)
        head: Event = {
            "producer": "https://example.com/tests",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": run, "facets": more.get("facets", {})},
            "job": {"namespace": "shop", "name": job, "facets": more.get("job_facets", {})},
        }
        if "flows" in more:
            head["job"]["facets"] = {"lineage": {"entries": [_entry(*flow) for flow in more["flows"]]}}
        done = {
            "inputs": [_as(one, "input", began) for one in reads or ()],
            "outputs": [_as(one, "output", began + timedelta(minutes=10)) for one in writes or ()],
        }
        self.events.append({"eventType": "START", "eventTime": _text(began), **head})
        if state := more.get("state", "COMPLETE"):
            end = {"eventType": state, "eventTime": _text(began + timedelta(minutes=11))}
            self.events.append({**end, **head, **done})
        return run

    def append(self, folder: Path, *, shuffled: int = 0) -> None:
        """Into the log of a store."""
        events = list(self.events)
        if shuffled:
            random.Random(shuffled).shuffle(events)
        with open_store(folder) as store:
            store.append(map(entry_of, events))

    @contextmanager
    def told(self, folder: Path, *, shuffled: int = 0) -> Iterator[tuple[Database, Store]]:
        """What questions are asked of."""
        self.append(folder, shuffled=shuffled)
        with open_store(folder) as store, open_index(store, folder) as index:
            index.catch_up()
            yield index.database, store


def _as(dataset: Event, side: str, at: datetime) -> Event:
    content = dataset["content"]
    told = {f"{side}Facets": {f"lineagekit_{side}Content": {"at": _text(at), **content}}} if content else {}
    return {key: dataset[key] for key in ("namespace", "name", "facets")} | told


def _entry(source: str, target: str) -> Event:
    inputs = [{"type": "DATASET", "namespace": "file", "name": source}] if source else []
    return {"type": "DATASET", "namespace": "file", "name": target, "inputs": inputs}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
