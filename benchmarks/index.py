# SPDX-License-Identifier: Apache-2.0
"""Claim: the index is filled with >= 10,000 events a second on one core, in <= 450 bytes a run and < 300 MB of memory.

Limit, in the same run: reading the log and parsing each event, which whoever wants to know must do. `--runs 1000000`
shows that the pace holds (1M runs in less than four minutes); column lineage is apart, these histories have none.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from contextlib import suppress

from histories import write_store

from lineagekit.store.index import Index, open_index
from lineagekit.store.log import Store, open_store

EVENTS_A_SECOND, BYTES_A_RUN, MEGABYTES = 10_000, 450, 300
PORTION = 1000


def parse_all(store: Store) -> int:
    """The limit: read and parse, and forget."""
    after = 0
    while rows := store.events(after=after, limit=PORTION):
        for row in rows:
            json.loads(row.body)
        after = rows[-1].seq
    return after


def fill(store: Store, folder: str) -> Index:
    """A new index, filled."""
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, f"index.db{ending}"))
    index = open_index(store, folder)
    index.catch_up()
    return index


def main() -> int:
    """Fill it, compare, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--store", help="a folder to keep the history in, for the next time")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(write_store(words.store or os.path.join(scratch, "store"), words.runs))
        with open_store(folder) as store:
            began = time.perf_counter()
            events = parse_all(store)
            parsed = time.perf_counter() - began
            began, cpu = time.perf_counter(), time.process_time()
            with fill(store, folder) as index:
                took, cpu = time.perf_counter() - began, time.process_time() - cpu
                pages, size = (index.database.value(f"PRAGMA {what}") for what in ("page_count", "page_size"))
                runs = index.database.value("SELECT count(*) FROM run WHERE state")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"index of {events:,} events, {runs:,} runs")
    print(f"  read and parse only    {events / parsed:9,.0f} events/s")
    print(f"  fill                   {events / cpu:9,.0f} events/s of one core   target >= {EVENTS_A_SECOND:,}")
    print(f"                         {took:9.1f} s of the clock, {took / parsed:.1f} times the limit")
    print(f"  size                   {pages * size / runs:9.0f} bytes a run   target <= {BYTES_A_RUN}")
    print(f"  memory                 {peak:9} MB   target < {MEGABYTES}")
    return int(events / cpu < EVENTS_A_SECOND or pages * size / runs > BYTES_A_RUN or peak >= MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
