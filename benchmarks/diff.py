# SPDX-License-Identifier: Apache-2.0
"""Claim: a diff of two large tables of which 100 rows changed costs at most five times decoding both, in 1.5 GB.

Peer: pyarrow's streaming decode of both files with as many threads. `python benchmarks/diff.py [ROWS]` (10 million)
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data import FOLDER, numbers
from measure import report, run
from tables import decode

CHANGED, GROUP_ROWS, ROUNDS = 100, 1_000_000, 3
TARGET, TARGET_BYTES = 5.0, 1.5e9
_MEASURED = (
    "import json, resource, sys; from lineagekit.differ.diff import diff; found = diff(*sys.argv[1:]);"
    "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024;"
    "print(json.dumps([found.verdict, found.rows.changed, peak]))"
)


def tables(rows: int) -> tuple[Path, Path]:
    """An id and ten numbers; and the same with one number changed in each of a hundred rows."""
    before, after = (FOLDER / f"diff-{rows}-{name}.parquet" for name in ("before", "after"))
    if not after.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(1)
        table = numbers(rng, rows).add_column(0, "id", pa.array(np.arange(rows)))
        pq.write_table(table, before, row_group_size=GROUP_ROWS)
        places = rng.choice(rows, CHANGED, replace=False)
        for number, name in enumerate(table.column_names[1:]):
            values = table[name].to_numpy().copy()
            values[places[number::10]] += 1
            table = table.set_column(number + 1, name, pa.array(values))
        pq.write_table(table, after, row_group_size=GROUP_ROWS)
    return before, after


def main() -> None:
    """Measure time against the decode, then memory in a process of its own."""
    from lineagekit.differ.diff import diff

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    before, after = map(str, tables(rows))
    rounds = run(
        {
            "streaming decode of both": lambda: (decode(before), decode(after)),
            "diff": lambda: diff(before, after),
            "diff with a key": lambda: diff(before, after, key=("id",)),
        },
        rounds=ROUNDS,
    )
    targets = {"diff": TARGET, "diff with a key": TARGET}
    report(f"{rows:,} rows x 11, {CHANGED} changed", rounds, against="streaming decode of both", targets=targets)
    told = subprocess.run([sys.executable, "-c", _MEASURED, before, after], capture_output=True, text=True, check=True)
    verdict, changed, peak = json.loads(told.stdout)
    print(f"  {verdict}; peak memory {peak / 1e9:.2f} GB, target < {TARGET_BYTES / 1e9:.1f} GB")
    if changed != CHANGED:
        raise SystemExit(f"{changed} rows are said to have changed, expected {CHANGED}")


if __name__ == "__main__":
    main()
