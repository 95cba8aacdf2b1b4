# SPDX-License-Identifier: Apache-2.0
"""Memory stays bounded however large the data: measured by the kernel, in a process of its own (`make slow`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

PEAK = """
import resource, sys
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options
snapshot = fingerprint(sys.argv[1], Options(profile=True))
unit = 1 if sys.platform == "darwin" else 1024
print(snapshot.rows or snapshot.files, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def count_and_peak(path: Path) -> tuple[int, float]:
    """Rows or files, and the megabytes that it took to hash them."""
    out = subprocess.run([sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True).stdout
    count, peak = out.split()
    return int(count), int(peak) / 1e6


def test_a_million_files_take_less_than_three_hundred_megabytes(tmp_path: Path) -> None:
    for folder in range(1_000):
        (tmp_path / str(folder)).mkdir()
        for name in range(1_000):
            path = f"{tmp_path}/{folder}/{name}"
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    count, peak = count_and_peak(tmp_path)
    assert count == 1_000_000
    assert peak < 300


def test_a_table_that_decodes_to_ten_gigabytes_takes_less_than_one(tmp_path: Path) -> None:
    values = np.arange(1_000_000) % 150
    group = pa.table({f"c{i}": values for i in range(10)})
    with pq.ParquetWriter(tmp_path / "large.parquet", group.schema) as writer:
        for _ in range(125):
            writer.write_table(group)
    count, peak = count_and_peak(tmp_path / "large.parquet")
    assert count == 125_000_000
    assert peak < 1_000
