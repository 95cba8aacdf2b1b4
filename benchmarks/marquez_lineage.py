# SPDX-License-Identifier: Apache-2.0
"""Claim: what hangs together with a dataset, over 2,000 jobs to depth 20, in a hundredth of Marquez' time, or less.

Peer: `GET /api/v1/lineage` of the Marquez that MARQUEZ_URL names, the answer read and thrown away. Ours: the same jobs
and datasets, with their names, out of the index of a store that was told the same events; once more by a process that
starts cold; and by the command that says who uses a dataset, which goes one way only. The events say which job reads
and writes what and nothing else, so Marquez has little to hand out.

    MARQUEZ_URL=http://localhost:5000 python benchmarks/marquez_lineage.py [--jobs N] [--rounds N]

The first time Marquez is filled, which takes it a minute or two; that stays there, in a namespace of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import requests
from histories import company
from measure import ratio, report, run
from runs import simulate

from lineagekit.events.said import Name
from lineagekit.events.values import moment
from lineagekit.exchange.endpoint import Endpoint
from lineagekit.exchange.sources import marquez_at
from lineagekit.store.database import Database
from lineagekit.store.index import open_index
from lineagekit.store.log import entry_of, open_store
from lineagekit.store.query import datasets, find_dataset
from lineagekit.store.walk import flows_from, flows_into, job_names

PEER, OURS, COLD = "Marquez, GET /api/v1/lineage", "lineagekit, the index open", "lineagekit, a cold process"
IMPACT = "lineagekit impact, a cold process"
DEPTH, TARGET, CLIENTS = 20, 100, 4
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
PRODUCER = "https://example.com/lineage-benchmark"
Node = tuple[str, str, str]


def main() -> None:
    """Fill both, compare the answers, then the times."""
    words = argparse.ArgumentParser()
    words.add_argument("--jobs", type=int, default=2000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--ask", nargs=2, metavar=("STORE", "NAME"))
    asked = words.parse_args()
    space = f"lineage-benchmark-{asked.jobs}"
    if asked.ask:
        print(len(ask(*asked.ask)))
    elif not (url := os.environ.get("MARQUEZ_URL")):
        print("skipped: MARQUEZ_URL names no Marquez to compare with")
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(marquez_at(Endpoint(url)).name, space, folder, asked.jobs, asked.rounds)


def compare(url: str, space: str, folder: str, jobs: int, rounds: int) -> None:
    """The same question to both."""
    events = list(tell(jobs, space))
    fill(url, events)
    with open_store(folder) as store:
        store.append(map(entry_of, events))
        with open_index(store, folder) as index:
            index.catch_up()
    start = f"{space}:{events[0]['inputs'][0]['name']}"
    theirs, ours = lineage(url, start), ask(folder, start)
    if theirs != ours:
        raise SystemExit(f"{len(theirs ^ ours)} nodes are in one answer only, as {sorted(theirs ^ ours)[:3]}")
    with open_store(folder) as store, open_index(store, folder) as index:
        measured = run(
            {
                PEER: lambda: lineage(url, start),
                OURS: lambda: connected(index.database, start),
                COLD: lambda: start_cold(__file__, "--ask", folder, start),
                IMPACT: lambda: start_cold("-m", "lineagekit", "impact", start, "--store", folder, "--json"),
            },
            rounds=rounds,
        )
    report(f"{jobs:,} jobs, depth {DEPTH}: an answer of {len(ours):,} nodes", measured, against=PEER)
    for name in (OURS, COLD, IMPACT):
        target = f"   target >= {TARGET}x" if name == OURS else ""
        print(f"  {name:42} {1 / ratio(measured, name, PEER):9.1f}x faster{target}")
    if 1 / ratio(measured, OURS, PEER) < TARGET:
        raise SystemExit(f"too slow: {statistics.median(measured[OURS]) * 1000:.1f} ms")


def start_cold(*words: str) -> None:
    """A process of its own, from its beginning to its end."""
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)


def tell(jobs: int, space: str) -> Iterator[dict[str, Any]]:
    """A run of each job of a company, as short as can be: what it read and what it wrote."""
    made = company(jobs, days=1)
    for one in sorted(simulate(made), key=lambda one: one.ended):
        job = one.job
        yield {
            "eventType": "COMPLETE",
            "eventTime": moment(one.ended),
            "producer": PRODUCER,
            "schemaURL": SCHEMA,
            "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{space}/{job.name}"))},
            "job": {"namespace": space, "name": f"{job.domain}/{job.name}"},
            "inputs": [{"namespace": space, "name": made.names[number]} for number in job.reads],
            "outputs": [{"namespace": space, "name": made.names[job.writes]}],
        }


def fill(url: str, events: Sequence[dict[str, Any]]) -> None:
    """Post the events, unless the last one is there; that one is posted behind all others."""
    job = events[-1]["job"]
    place = f"{url}/api/v1/namespaces/{quote(job['namespace'], '')}/jobs/{quote(job['name'], '')}"
    if requests.get(place, timeout=120).ok:
        return
    print(f"filling {url} with {len(events):,} events", file=sys.stderr)

    def post(event: dict[str, Any]) -> None:
        requests.post(f"{url}/api/v1/lineage", json=event, timeout=120).raise_for_status()

    with ThreadPoolExecutor(CLIENTS) as threads:
        for _ in threads.map(post, events[:-1]):
            pass
    post(events[-1])


def lineage(url: str, start: str) -> set[Node]:
    """What Marquez answers, as kind, namespace and name of each node."""
    asked = {"nodeId": f"dataset:{start}", "depth": str(DEPTH)}
    answer = requests.get(f"{url}/api/v1/lineage", params=asked, timeout=600)
    answer.raise_for_status()
    nodes = [(node["type"].lower(), node["data"]["id"]) for node in answer.json()["graph"]]
    return {(kind, id["namespace"], id["name"]) for kind, id in nodes}


def ask(folder: str, start: str) -> set[Node]:
    """The same of a store, from opening it on."""
    with open_store(folder, make=False) as store, open_index(store, folder) as index:
        index.catch_up()
        return connected(index.database, start)


def connected(db: Database, start: str) -> set[Node]:
    """Jobs and datasets that hang together with this one, both ways, with their names.

    Marquez' step is from a job to all that share a dataset with it; here it takes two, of which either finds half.
    """
    space, _, name = start.partition(":")
    found = find_dataset(db, Name(space, name))
    known = new = {found} if found else set()
    jobs: set[int] = set()
    for _ in range(2 * DEPTH):
        flows = [*flows_from(db, new), *flows_into(db, new)]
        jobs.update(flow.job for flow in flows)
        new = {end for flow in flows for end in (flow.src, flow.dst) if end} - known
        known |= new
        if not new:
            break
    nodes = {("dataset", one.namespace, one.name) for one in datasets(db, known).values()}
    return nodes | {("job", *named) for named in job_names(db, jobs).values()}


if __name__ == "__main__":
    main()
