# SPDX-License-Identifier: Apache-2.0
"""TableSource: a table that can be read as record batches, in one part or in several at once.

>>> source = open_table("orders.parquet")  # doctest: +SKIP
>>> [part.first_row for part in source.parts]  # doctest: +SKIP
[0, 1000000]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa


class ReadPart(Protocol):
    """Read the named columns, in that order; `threads` lets the reader decode on several cores."""

    def __call__(self, columns: Sequence[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        """Yield the part's record batches in row order."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive rows that can be read on their own."""

    first_row: int
    read: ReadPart


@dataclass(frozen=True, slots=True)
class TableSource:
    """Schema, parts, and what the reading itself adds to a digest's name.

    `rows` is None where only reading can tell; a source has several parts only where every `first_row` is known.
    """

    schema: pa.Schema
    parts: tuple[Part, ...]
    rows: int | None = None
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
