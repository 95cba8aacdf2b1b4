# SPDX-License-Identifier: Apache-2.0
"""Random histories of a small world in which everything happens that makes binding hard.

Physically true where it has to be: evidence of a file is that of its last write, and changes with each.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]

START = datetime(2026, 5, 1, tzinfo=UTC)
FILES = ("/d/a.csv", "/d/b.csv", "/d/deep/c.csv", "/d")
PARTED = "/x"


class World:
    """Files on a disk, their writers, and a clock."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.evidence: dict[str, str] = {}
        self.digest: dict[str, str] = {}
        self.count = 0

    def tick(self) -> datetime:
        self.now += timedelta(seconds=self.random.choice([1, 60, 3600, 40_000]))
        return self.now

    def write(self, name: str) -> tuple[str, str]:
        self.count += 1
        self.digest[name] = f"blake3:{self.random.randrange(6):064x}"
        self.evidence[name] = f"{self.count}:1:1:{self.count}:1"
        return self.digest[name], self.evidence[name]

    def events(self, runs: int) -> list[Event]:
        told = [event for _ in range(runs) for event in self.run()]
        if self.random.random() < 0.5:
            told += list(self.design())
        return told

    def run(self) -> Iterator[Event]:
        pick, began = self.random, self.tick()
        job = {"namespace": "n", "name": pick.choice(["clean", "join", "train", "score"]), "facets": {}}
        head = {"run": {"runId": str(uuid.UUID(int=pick.getrandbits(128), version=4)), "facets": {}}, "job": job}
        if pick.random() < 0.2:
            head["run"]["facets"]["parent"] = {"run": {"runId": str(uuid.UUID(int=7 + pick.randrange(2)))}, "job": job}
        foreign = pick.random() < 0.3
        inputs = [self.seen(name, foreign) for name in self.chosen()]
        outputs = [self.made(name, foreign) for name in self.chosen()]
        if pick.random() < 0.15:
            self.write(pick.choice(FILES))  # somebody, out of band
        if len(outputs) > 1 and inputs and pick.random() < 0.4:
            entry = {"type": "DATASET", **_named(outputs[0]), "inputs": [{"type": "DATASET", **_named(inputs[0])}]}
            job = {**job, "facets": {"lineage": {"entries": [entry]}}}
        if inputs and outputs and pick.random() < 0.3:
            outputs[-1]["facets"]["columnLineage"] = {
                "fields": {"y": {"inputFields": [{**_named(inputs[-1]), "field": "x"}]}}
            }
        body = {**head, "job": job}
        if pick.random() < 0.9:
            yield {"eventType": "START", "eventTime": _text(began), **head, "inputs": list(map(_bare, inputs))}
        if pick.random() < 0.3:
            yield {
                "eventType": "RUNNING",
                "eventTime": _text(self.tick()),
                **head,
                "outputs": list(map(_bare, outputs)),
            }
        if pick.random() < 0.9:
            end = pick.choice(["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"])
            yield {"eventType": end, "eventTime": _text(self.tick()), **body, "inputs": inputs, "outputs": outputs}
        if pick.random() < 0.2:
            yield {"eventType": "OTHER", "eventTime": _text(self.tick()), **head, "inputs": inputs[:1]}

    def chosen(self) -> list[str]:
        return self.random.sample([*FILES, PARTED, f"{PARTED}/dt=2/f", "/link"], self.random.randrange(4))

    def seen(self, name: str, foreign: bool) -> Event:
        """An input."""
        facets, content = self.facets(name, foreign), self.content(name, foreign)
        return {
            "namespace": "file",
            "name": name,
            "facets": facets,
            "inputFacets": content and {"lineagekit_inputContent": content},
        }

    def made(self, name: str, foreign: bool) -> Event:
        """An output."""
        for place in ([f"{PARTED}/dt={self.random.randrange(3)}/f"] if name == PARTED else []) + [name]:
            self.write(place)
        facets, content = self.facets(name, foreign), self.content(name, foreign)
        if name == "/d/b.csv":
            facets["datasetType"] = {"datasetType": "MODEL"}
        return {
            "namespace": "file",
            "name": name,
            "facets": facets,
            "outputFacets": content and {"lineagekit_outputContent": content},
        }

    def facets(self, name: str, foreign: bool) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if foreign and self.random.random() < 0.5:
            told["version"] = {"datasetVersion": str(self.random.randrange(3))}
        if name == "/d/deep/c.csv" and self.random.random() < 0.5:
            told["symlinks"] = {"identifiers": [{"namespace": "hive", "name": "db.c", "type": "TABLE"}]}
        if name == "/d/a.csv" and self.random.random() < 0.2:
            told["ownership"] = {"owners": [{"name": "ann"}]}
        return told

    def content(self, name: str, foreign: bool) -> dict[str, Any] | None:
        if foreign:
            return None
        told: dict[str, Any] = {"at": _text(self.tick())[:-1] + "000Z", "bytes": 1000}
        if name == PARTED and self.random.random() < 0.8:
            places = [place for place in self.digest if place.startswith(f"{PARTED}/")]
            told["parts"] = [self.part(place) for place in places]
        elif name in self.evidence and self.random.random() < 0.7:
            told["evidence"] = self.evidence[name]
        if name in self.digest and self.random.random() < 0.8:
            told |= {"state": "exact", "digest": self.digest[name]}
        else:
            told |= {"state": "unknown", "reason": "gone"}
        if name == "/link":
            told["realpath"] = self.random.choice(FILES)
        return told

    def part(self, place: str) -> dict[str, str]:
        return {"path": place[len(PARTED) + 1 :], "digest": self.digest[place], "evidence": self.evidence[place]}

    def design(self) -> Iterator[Event]:
        for time in (self.tick(), self.tick()):
            inputs = [{"namespace": "file", "name": self.random.choice(FILES)}]
            yield {
                "eventTime": _text(time),
                "job": {"namespace": "n", "name": "clean"},
                "inputs": inputs,
                "outputs": [{"namespace": "file", "name": "/designed"}],
            }
            lineage = {"inputs": inputs}
            yield {
                "eventTime": _text(time),
                "dataset": {"namespace": "v", "name": "view", "facets": {"lineage": lineage}},
            }


def _bare(dataset: Event) -> Event:
    return {**_named(dataset)}


def _named(dataset: Event) -> Event:
    return {"namespace": dataset["namespace"], "name": dataset["name"]}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
