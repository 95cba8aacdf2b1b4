# SPDX-License-Identifier: Apache-2.0
"""The four tables that the table benchmarks share, written once to a scratch folder.

T1 10M x 10 numbers (10 row groups) · T2 2M x text (2) · T3 200k x 200 mixed (1) · T4 1M x 128-float embeddings (1)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(os.environ.get("LINEAGEKIT_BENCH_DATA") or Path(tempfile.gettempdir()) / "lineagekit-bench")


def table_file(name: str) -> Path:
    """The Parquet file of T1, T2, T3 or T4; made when it is not there yet."""
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        make, group_rows = {
            "T1": (numbers, 1_000_000),
            "T2": (text, 1_000_000),
            "T3": (wide, None),
            "T4": (embeddings, None),
        }[name]
        table = make(np.random.default_rng(1))
        pq.write_table(table, scratch, row_group_size=group_rows or table.num_rows)
        scratch.rename(path)
    return path


def numbers(rng: np.random.Generator, rows: int = 10_000_000) -> pa.Table:
    """T1: five doubles, five integers."""
    floats = {f"f{i}": rng.normal(100, 15, rows) for i in range(5)}
    integers = {f"i{i}": rng.integers(0, 10 ** (3 * i + 1), rows) for i in range(5)}
    return pa.table(floats | integers)


def text(rng: np.random.Generator, rows: int = 2_000_000) -> pa.Table:
    """T2: id, 32 hex characters, about 200 bytes of text, a label."""
    letters = rng.integers(97, 123, rows * 200, dtype=np.uint8)
    letters[rng.random(letters.size) < 0.15] = 32
    lengths = rng.integers(150, 250, rows)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    body = np.resize(letters, int(ends[-1]))
    texts = pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(ends), pa.py_buffer(body)]).cast(
        pa.string()
    )
    hexes = np.frombuffer(rng.bytes(16 * rows).hex().encode(), np.uint8)
    ids = pa.Array.from_buffers(
        pa.string(), rows, [None, pa.py_buffer(np.arange(0, 32 * rows + 1, 32, dtype=np.int32)), pa.py_buffer(hexes)]
    )
    labels = pa.DictionaryArray.from_arrays(rng.integers(0, 3, rows).astype(np.int32), ["neg", "neutral", "pos"]).cast(
        pa.string()
    )
    return pa.table({"id": np.arange(rows), "doc_id": ids, "text": texts, "label": labels})


def wide(rng: np.random.Generator, rows: int = 200_000) -> pa.Table:
    """T3: 140 doubles, 40 integers (half of them with 5 % nulls), 20 strings."""
    columns: dict[str, pa.Array] = {f"f{i:03d}": pa.array(rng.normal(size=rows)) for i in range(140)}
    for i in range(40):
        nulls = rng.random(rows) < (0.05 if i % 2 else 0)
        columns[f"i{i:02d}"] = pa.array(rng.integers(0, 1 << 40, rows), mask=nulls)
    words = np.array([f"category-{i}" for i in range(1000)])
    for i in range(20):
        columns[f"s{i:02d}"] = pa.array(words[rng.integers(0, len(words), rows)])
    return pa.table(columns)


def embeddings(rng: np.random.Generator, rows: int = 1_000_000) -> pa.Table:
    """T4: an id and 128 float32."""
    values = pa.array(rng.normal(size=rows * 128).astype(np.float32))
    lists = pa.ListArray.from_arrays(pa.array(np.arange(0, rows * 128 + 1, 128, dtype=np.int32)), values)
    return pa.table({"id": np.arange(rows), "e": lists})
