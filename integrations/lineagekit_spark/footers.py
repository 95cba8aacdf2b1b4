# SPDX-License-Identifier: Apache-2.0
"""Where Spark and lineagekit read other types from the same Parquet file: a warning, for their digests differ.

    >>> list(read_otherwise(["file:/data/day.parquet"], (("at", "timestamp[us,utc]"),)))  # doctest: +SKIP
    ["column 'at' is timestamp[us,utc] to Spark, and timestamp[ns] in file:/data/day.parquet: ..."]

Spark has one timestamp of microseconds and no unsigned numbers; Parquet has more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from lineagekit.identity.tables.layout import Layout
from lineagekit.identity.tables.sources import open_table

_END = "without --engine spark the digest is another"


def read_otherwise(files: Sequence[str], columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One warning a column; of files that are not on this machine only the timestamps, which are the usual ones."""
    ours = dict(columns)
    for file in files:
        if urlsplit(file).scheme != "file":
            continue
        for name, logical in Layout.of(open_table(unquote(urlsplit(file).path)).schema).columns:
            if name in ours and ours[name] != logical:
                yield f"column {name!r} is {ours.pop(name)} to Spark, and {logical} in {file}: {_END}"
    if any(urlsplit(file).scheme != "file" for file in files):
        for name, logical in ours.items():
            if "timestamp[us" in logical:
                yield f"column {name!r} is {logical} to Spark: where files hold INT96 or other units, {_END}"
