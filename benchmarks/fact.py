# SPDX-License-Identifier: Apache-2.0
"""Claim: a fact costs a job p50 <= 12 us and p99 <= 50 us, and p99 <= 200 us where 200 processes write at once.

Peer: one `write(2)` of a record of the same length, in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from lineagekit.agent.journal import Journal, encode

FACT = {
    "fact": "read",
    "path": "/data/orders/2026-11-25/part-00017.parquet",
    "evidence": [10485760, 1795645972226804079, 1795645972226804079, 9986121, 65024],
    "door": "pandas.read_parquet",
    "run": "01a214d9-8cfb-77df-ad12-79332ea871cb",
}


def percentiles(nanoseconds: list[int]) -> tuple[float, float]:
    """p50 and p99 in microseconds."""
    ordered = sorted(nanoseconds)
    return ordered[len(ordered) // 2] / 1000, ordered[len(ordered) * 99 // 100] / 1000


def time_facts(folder: str, number: int) -> list[int]:
    """Nanoseconds of each of many facts of one process."""
    journal = Journal(folder)
    journal.append(dict(FACT))
    taken = []
    for _ in range(number):
        began = time.perf_counter_ns()
        journal.append(dict(FACT))
        taken.append(time.perf_counter_ns() - began)
    journal.close()
    return taken


def time_writes(folder: str, number: int) -> list[int]:
    """The same of the system call alone."""
    record = encode(dict(FACT, n=1000, at=time.time_ns()))
    descriptor = os.open(os.path.join(folder, "peer"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    taken = []
    for _ in range(number):
        began = time.perf_counter_ns()
        os.write(descriptor, record)
        taken.append(time.perf_counter_ns() - began)
    os.close(descriptor)
    return taken


def time_many_processes(folder: str, processes: int, number: int) -> list[int]:
    """Nanoseconds of every fact of many processes that write at once."""
    pids = []
    for one in range(processes):
        pid = os.fork()
        if pid == 0:
            Path(folder, f"{one}.json").write_text(json.dumps(time_facts(folder, number)))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    return [taken for path in Path(folder).glob("*.json") for taken in json.loads(path.read_text())]


def main() -> None:
    """Measure all three in one run."""
    with tempfile.TemporaryDirectory() as folder:
        facts, writes = time_facts(folder, 50_000), time_writes(folder, 50_000)
        crowd = time_many_processes(folder, 200, 500)
    for name, taken, target in (
        ("write(2), one process", writes, ""),
        ("a fact, one process", facts, "target <= 12 and 50"),
        ("a fact, 200 processes on these cores", crowd, "target p99 <= 200"),
    ):
        p50, p99 = percentiles(taken)
        print(f"{name:40} p50 {p50:6.1f} us   p99 {p99:7.1f} us   {target}")
    ratio = statistics.median(facts) / statistics.median(writes)
    print(f"{'a fact against write(2)':40} {ratio:.1f}x")


if __name__ == "__main__":
    main()
