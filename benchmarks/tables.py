# SPDX-License-Identifier: Apache-2.0
"""Claim: a table's content digest costs about as much again as decoding its Parquet file, the profile half more.

Peer: pyarrow's streaming decode of the same file with as many threads. `python benchmarks/tables.py [T1 ...]`
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
from data import table_file
from measure import ratio, report, run

from lineagekit.config import Config
from lineagekit.identity.tables import digest as tables
from lineagekit.identity.tables.source import Part, TableSource
from lineagekit.identity.tables.sources import open_table

TARGETS = {"T1": 2.3, "T2": 2.3, "T3": 1.7, "T4": 1.7}
THREADS = Config.from_environment().threads
PURE_ROWS = 50_000


def decode(path: str) -> None:
    """Read every batch and drop it: one thread a row group, or Arrow's own threads where there are too few."""
    groups = pq.ParquetFile(path).num_row_groups
    if groups < THREADS:
        read(path, range(groups), threads=True)
    else:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda group: read(path, [group], threads=False), range(groups)))


def read(path: str, groups: Iterable[int], *, threads: bool) -> None:
    """Decode row groups in batches."""
    with pq.ParquetFile(path, memory_map=True) as file:
        for _ in file.iter_batches(32_768, row_groups=list(groups), use_threads=threads):
            pass


def first_rows(source: TableSource, rows: int) -> TableSource:
    """So many rows of it, in memory."""
    batches = source.parts[0].read(source.schema.names, threads=True)
    table = pa.Table.from_batches([next(batches), next(batches)]).slice(0, rows)
    part = Part(0, lambda columns, *, threads: iter(table.select(columns).to_batches()))
    return TableSource(table.schema, (part,), rows)


def main() -> None:
    """Measure each table."""
    for name in sys.argv[1:] or TARGETS:
        source = open_table(str(table_file(name)))

        def digest(source: TableSource = source, **options: bool) -> None:
            tables.digest_table(source, tables.TableOptions(threads=THREADS, engine="fast", **options))

        rounds = run(
            {
                "streaming decode": lambda name=name: decode(str(table_file(name))),
                "lkt1 + lks1, numba": digest,
                "the same with the profile": lambda digest=digest: digest(profile=True),
            }
        )
        report(
            f"{name}: {source.rows:,} x {len(source.schema)}",
            rounds,
            against="streaming decode",
            targets={"lkt1 + lks1, numba": TARGETS[name]},
        )
        on_top = ratio(rounds, "the same with the profile", "lkt1 + lks1, numba")
        print(f"  profile on top of the digest {on_top:26.2f}x   target <= 1.6x")
        sample = first_rows(source, PURE_ROWS)
        pure = run(
            {"pure": lambda sample=sample: tables.digest_table(sample, tables.TableOptions(engine="pure"))}, rounds=3
        )
        print(f"  pure engine, one thread, in memory {min(pure['pure']) / PURE_ROWS * 1e9:20.0f} ns a row")


if __name__ == "__main__":
    main()
