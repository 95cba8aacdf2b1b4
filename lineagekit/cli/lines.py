# SPDX-License-Identifier: Apache-2.0
r"""A snapshot as lines of text, for a saved list or for a person.

>>> from lineagekit.identity.digest import Digest
>>> snapshot = Snapshot("a.csv", "file", (Digest("blake3", "00"),), bytes=1500)
>>> print(*snapshot_lines("a.csv", snapshot, detailed=False))
blake3:00  a.csv
>>> print(*snapshot_lines("a.csv", snapshot, detailed=True), sep="\n")
a.csv  file · 1.5 kB
  blake3:00
"""

from __future__ import annotations

from collections.abc import Iterator

from lineagekit.cli.checklist import format_line
from lineagekit.identity.snapshot import Snapshot


def snapshot_lines(name: str, snapshot: Snapshot, *, detailed: bool) -> Iterator[str]:
    """One digest a line, as a saved list has it; `detailed`, for a terminal, with what is worth knowing beside."""
    if not detailed:
        yield from (format_line(digest, name) for digest in snapshot.digests)
        return
    yield format_line(name, " · ".join(_facts(snapshot)))
    yield from (f"  {digest}" for digest in snapshot.digests)


def _facts(snapshot: Snapshot) -> Iterator[str]:
    yield snapshot.kind
    for count, one in ((snapshot.files, "file"), (snapshot.rows, "row"), (len(snapshot.columns) or None, "column")):
        if count is not None:
            yield f"{count:,} {one}{'' if count == 1 else 's'}"
    if snapshot.bytes is not None:
        yield _size(snapshot.bytes)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
