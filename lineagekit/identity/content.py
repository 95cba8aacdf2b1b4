# SPDX-License-Identifier: Apache-2.0
"""The content of a table: its digests, taken once for the same bytes and options, then remembered.

>>> take_content("orders.parquet", Options()).rows  # doctest: +SKIP
1204
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import cast

from lineagekit.identity.digest import Digest
from lineagekit.identity.options import Options
from lineagekit.identity.profile import Profile
from lineagekit.identity.records import records_digest_of_lines
from lineagekit.identity.snapshot import Snapshot
from lineagekit.identity.streams import Source, data_suffix, name_of, split_suffixes
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.sources import open_table

_VERSION = 1  # of what is remembered: raise it when a digest's meaning or this JSON changes


@dataclass(frozen=True, slots=True)
class Content:
    """What one pass over a table tells."""

    digests: tuple[Digest, ...]
    rows: int
    columns: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()
    profile: Profile | None = None

    def to_bytes(self) -> bytes:
        """For the cache."""
        profile = base64.b64encode(self.profile.to_bytes()).decode() if self.profile else ""
        return json.dumps([[*map(str, self.digests)], self.rows, self.columns, self.warnings, profile]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Content:
        """From the cache."""
        digests, rows, columns, warnings, profile = json.loads(data)
        return cls(
            tuple(map(Digest.parse, digests)),
            rows,
            tuple((name, logical) for name, logical in columns),
            tuple(warnings),
            Profile.from_bytes(base64.b64decode(profile)) if profile else None,
        )


def remember_content(source: Source, digest: Digest, options: Options) -> Content:
    """Content of a table file whose bytes have this digest, from the cache if it was taken before."""
    selection = [options.columns, options.ignore, options.delimiter, options.algorithm == "lkm1", options.profile]
    key = json.dumps(["table", _VERSION, str(digest), split_suffixes(name_of(source)), *selection])
    known = options.cache.recall(key)
    if known is not None:
        return Content.from_bytes(known)
    content = take_content(source, options)
    options.cache.keep(key, content.to_bytes())
    return content


def take_content(target: object, options: Options) -> Content:
    """Content of a table file or object; of JSON lines also the digest of the records as they stand."""
    source = open_table(target, delimiter=options.delimiter)
    table = digest_table(
        source,
        TableOptions(
            options.columns,
            options.ignore,
            sort=options.algorithm == "lkm1",
            profile=options.profile,
            threads=options.threads,
            progress=options.progress,
        ),
    )
    digests = table.digests
    if is_lines(target) and not (options.columns or options.ignore):
        digests += (records_digest_of_lines(cast(Source, target)),)
    return Content(digests, table.rows, table.columns, source.warnings, table.profile)


def table_snapshot(name: str, content: Content, shown: tuple[Digest, ...] = (), *, size: int | None = None) -> Snapshot:
    """The Snapshot of a table, the digests of its bytes (`shown`) first."""
    return Snapshot(
        name,
        "table",
        shown + content.digests,
        bytes=size,
        rows=content.rows,
        columns=content.columns,
        warnings=content.warnings,
        profile=content.profile,
    )


def is_lines(target: object) -> bool:
    """Whether this is a file of JSON lines, going by its name."""
    return data_suffix(name_of(cast(Source, target))) in (".jsonl", ".ndjson")
