# SPDX-License-Identifier: Apache-2.0
"""CSV and JSON lines on the executors: whole files, read by lineagekit's own readers and not by Spark's.

>>> files = spark.read.format("binaryFile").load("s3a://lake/orders/").select("path", "content")  # doctest: +SKIP
>>> files.mapInArrow(partial(file_states, ()), FILE).collect()  # doctest: +SKIP
[Row(path='s3a://lake/orders/p0.csv', state=..., facts='{"schema_hash": ...}')]

Spark's readers guess types and drop what they cannot parse; a digest would then hang on the guess. Ours compare the
text of cells, so the digest of one file is what it is without Spark, and those of a folder add up.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from lineagekit.identity.tables.digest import TableDigest, TableOptions, digest_table
from lineagekit.identity.tables.sources import open_table

FILE = "path string, state binary, facts string"

_LINES = re.compile(r"\.json(\.\w+)?$", re.IGNORECASE)  # so Spark calls what are lines of JSON


class _File(io.BytesIO):
    """Bytes under the name that says what is in them."""

    def __init__(self, data: memoryview, name: str) -> None:
        super().__init__(data)
        self.name = name


def file_states(options: dict[str, Any], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row a file: its state, and what else the driver must know to add and to name it."""
    for batch in batches:
        for row in range(batch.num_rows):
            path, content = batch.column(0)[row].as_py(), memoryview(batch.column(1)[row].as_buffer())
            source = open_table(_File(content, _LINES.sub(r".jsonl\1", path)))
            chosen = TableOptions(tuple(options["columns"]), tuple(options["ignore"]))
            yield _file_row(path, digest_table(source, chosen))


def _file_row(path: str, table: TableDigest) -> pa.RecordBatch:
    facts = {
        "schema_hash": table.state.schema_hash.hex(),
        "columns": table.columns,
        "parameters": table.digests[0].parameters,
    }
    columns = [
        pa.array([path], pa.string()),
        pa.array([table.state.to_bytes()], pa.binary()),
        pa.array([json.dumps(facts)], pa.string()),
    ]
    return pa.record_batch(columns, ["path", "state", "facts"])
