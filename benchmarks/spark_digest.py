# SPDX-License-Identifier: Apache-2.0
"""Claim: on Spark the digest of a table costs little beside bringing its rows to Python.

Peer: `mapInArrow` that only counts the same rows, in the same session. `.venv-spark/bin/python
benchmarks/spark_digest.py` (2 million rows of 8 columns; Java and the extra `spark` are needed)
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import report, run

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import lineagekit_spark
from pyspark.sql import DataFrame, SparkSession

ROWS, FILES = 2_000_000, 4
TARGET = 1.8
QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "8",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def write_table(folder: Path) -> None:
    """Numbers, a flag, a label of few values, a key of 32 letters and a time."""
    random, rows = np.random.default_rng(1), ROWS // FILES
    for place in range(FILES):
        table = pa.table(
            {
                "id": np.arange(place * rows, (place + 1) * rows),
                "a": random.normal(size=rows),
                "b": random.normal(size=rows),
                "c": random.integers(0, 1000, rows),
                "flag": random.integers(0, 2, rows).astype(bool),
                "label": np.array(["cat", "dog", "bird", "fish"])[random.integers(0, 4, rows)],
                "key": [f"{key:032x}" for key in random.integers(0, 2**62, rows)],
                "at": pa.array(random.integers(10**15, 2 * 10**15, rows), pa.timestamp("us", "UTC")),
            }
        )
        pq.write_table(table, folder / f"p{place}.parquet")


def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The cheapest thing that Python can do with the rows."""
    yield pa.record_batch([pa.array([sum(batch.num_rows for batch in batches)], pa.int64())], ["rows"])


def seconds(work: object) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure in one session, in turns; the first turn of each, which starts Python and loads numba, apart."""
    builder = SparkSession.builder.master("local[2]").appName("spark_digest")
    for key, value in QUIET.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder))
        measure(spark.read.parquet(folder))
    spark.stop()


def measure(frame: DataFrame) -> None:
    """Count, digest, and digest by shuffle."""
    contenders = {
        "mapInArrow, count": lambda: frame.mapInArrow(count, "rows long").collect(),
        "lkt1": lambda: lineagekit_spark.fingerprint(frame),
        "lkt1 + lkm1, by shuffle": lambda: lineagekit_spark.fingerprint(frame, algorithm="lkm1"),
    }
    first = {name: seconds(work) for name, work in contenders.items()}
    rounds = run(contenders, rounds=int(sys.argv[1]) if sys.argv[1:] else 7)
    report(f"{ROWS:,} x 8 on 2 cores", rounds, against="mapInArrow, count", targets={"lkt1": TARGET})
    print("  first time of each, in that order:", ", ".join(f"{taken:.1f} s" for taken in first.values()))


if __name__ == "__main__":
    main()
