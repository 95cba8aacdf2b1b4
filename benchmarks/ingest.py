# SPDX-License-Identifier: Apache-2.0
"""Claim: a file of a million events goes into the log at >= 8,000 events a second, in less than 300 MB of memory.

Peer: the least that a script does with such a file: `json.loads` of each line, and `executemany` into a plain SQLite
table of (digest of the line, run, type, time, line) that takes each line once. It checks nothing, compresses nothing,
keeps no list of runs and cannot be asked for the events of one. Each in a process of its own, into a new file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from measure import ratio, report, run

# That of data.py, which is not imported: a child's peak begins with what its parent holds, and numpy is large.
FOLDER = Path(os.environ.get("LINEAGEKIT_BENCH_DATA") or Path(tempfile.gettempdir()) / "lineagekit-bench")
PEER, OURS = "json.loads and a plain table", "lineagekit ingest"
MOST_MB, LEAST_A_SECOND = 300, 8000

WORK = {
    PEER: """
import hashlib, itertools, json, sqlite3
def rows(lines):
    for line in lines:
        event = json.loads(line)
        key = hashlib.blake2b(line, digest_size=16).digest()
        yield key, event["run"]["runId"], event["eventType"], event["eventTime"], line
with open(source, "rb") as lines, sqlite3.connect(target + ".db", isolation_level=None) as database:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE event (key BLOB PRIMARY KEY, run TEXT, type TEXT, time TEXT, body TEXT)")
    while batch := list(itertools.islice(rows(lines), 2000)):
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)", batch)
        database.execute("COMMIT")
    (events,) = database.execute("SELECT count(*) FROM event").fetchone()
""",
    OURS: """
from lineagekit.exchange.ingest import ingest
from lineagekit.store.log import open_store
with open(source, "rb") as lines, open_store(target) as store:
    events = ingest(store, lines).new
""",
}
FRAME = """
import resource, sys
source, target = sys.argv[1:]
{}
print(events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Measure both in each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    path = events_file(asked.events)
    peaks: dict[str, list[float]] = {name: [] for name in WORK}
    work = {name: lambda name=name: peaks[name].append(load(name, path, asked.events)) for name in WORK}
    rounds = run(work, rounds=asked.rounds, warm_up=0)
    size = path.stat().st_size
    report(f"{asked.events:,} events, {size / asked.events:.0f} bytes each", rounds, against=PEER)
    for name, seconds in rounds.items():
        print(f"  {name:42} {asked.events / statistics.median(seconds):9,.0f} events/s, peak {max(peaks[name]):.0f} MB")
    target = f"target >= {LEAST_A_SECOND:,} events/s, < {MOST_MB} MB"
    print(f"  {ratio(rounds, OURS, PEER):.2f} times the peer's time   {target}")


def load(name: str, path: Path, events: int) -> float:
    """Load a file into nothing; peak memory in MB."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        command = [sys.executable, "-c", FRAME.format(WORK[name]), str(path), f"{folder}/store"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    loaded, peak = map(int, out.split())
    if loaded != events:
        raise SystemExit(f"{name}: {loaded} events went in, expected {events}")
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def events_file(events: int) -> Path:
    """START and COMPLETE of runs of a few thousand jobs; made when it is not there yet."""
    path = FOLDER / f"events-{events}.jsonl"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        with scratch.open("w") as file:
            for event in make_events(events, random.Random(1)):
                file.write(json.dumps(event, separators=(",", ":")) + "\n")
        scratch.rename(path)
    return path


def make_events(events: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    """A run reads two tables and writes one; half of the events are its beginning."""
    for number in range(0, events, 2):
        run_id, job, day = as_uuid(f"{rng.getrandbits(128):032x}"), rng.randrange(3000), number // 6000
        facets = {"nominalTime": facet(nominalStartTime="2026-11-01T00:00:00Z")}
        told: dict[str, Any] = {
            "eventTime": f"{date(2024, 1, 1) + timedelta(day)}T00:00:00.{number % 1_000_000:06}Z",
            "producer": "https://example.com/benchmark",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": run_id, "facets": facets},
            "job": {"namespace": "shop", "name": f"job_{job}", "facets": {"sql": facet(query=f"SELECT * FROM t{job}")}},
            "inputs": [dataset("input", f"raw/orders_{rng.randrange(5000)}", rng) for _ in range(2)],
        }
        yield {"eventType": "START", **told}
        yield {"eventType": "COMPLETE", **told, "outputs": [dataset("output", f"clean/table_{job}", rng)]}


def dataset(role: str, name: str, rng: random.Random) -> dict[str, Any]:
    """A table with its schema and what its bytes were."""
    kinds = ("double", "string", "bigint", "timestamp")
    fields = [{"name": f"column_{place}", "type": rng.choice(kinds)} for place in range(6)]
    content = facet(
        digest=f"blake3:{rng.getrandbits(256):064x}",
        kind="table",
        bytes=rng.randrange(10**9),
        rows=rng.randrange(10**6),
        state="exact",
    )
    return {
        "namespace": "s3://bucket",
        "name": name,
        "facets": {"schema": facet(fields=fields), "dataSource": facet(name="s3://bucket", uri="s3://bucket")},
        f"{role}Facets": {f"lineagekit_{role}Content": content},
    }


def facet(**said: Any) -> dict[str, Any]:
    """A facet, with what each of them has to say."""
    return {
        "_producer": "https://example.com/benchmark",
        "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/Facet.json#/$defs/Facet",
        **said,
    }


def as_uuid(digits: str) -> str:
    """With dashes."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


if __name__ == "__main__":
    main()
