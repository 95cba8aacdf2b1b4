# SPDX-License-Identifier: Apache-2.0
"""Claim: the digest of a table that decodes to 10 GB takes less than 1 GB of memory, profile included.

Limit: peak resident memory of the process that takes it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data import FOLDER

GROUPS, ROWS, COLUMNS = 125, 1_000_000, 10
TAKE = """
import resource, sys, time
from lineagekit.config import Config
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.sources import open_table
began = time.perf_counter()
options = TableOptions(profile=True, threads=Config.from_environment().threads)
rows = digest_table(open_table(sys.argv[1]), options).rows
print(rows, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def large_file() -> Path:
    """125 million rows of ten 64-bit numbers: 10 GB decoded, little on the disk, since values repeat."""
    path = FOLDER / "large.parquet"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(1).integers(0, 200, ROWS)
        group = pa.table({f"c{i}": values + i if i % 2 else values * 0.5 for i in range(COLUMNS)})
        with pq.ParquetWriter(path.with_suffix(".part"), group.schema) as writer:
            for _ in range(GROUPS):
                writer.write_table(group, row_group_size=ROWS)
        path.with_suffix(".part").rename(path)
    return path


def main() -> None:
    """Take the digest in a process of its own."""
    out = subprocess.run([sys.executable, "-c", TAKE, str(large_file())], check=True, capture_output=True, text=True)
    rows, seconds, peak = out.stdout.split()
    peak_mb = int(peak) * (1 if sys.platform == "darwin" else 1024) / 1e6
    decoded_gb = int(rows) * COLUMNS * 8 / 1e9
    print(f"{decoded_gb:.1f} GB decoded in {float(seconds):.1f} s, peak {peak_mb:.0f} MB   target < 1000 MB")


if __name__ == "__main__":
    main()
