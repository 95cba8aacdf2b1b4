# SPDX-License-Identifier: Apache-2.0
"""Contents: what is in the tables whose bytes are proven, taken once for the same bytes, and never at a run's cost.

    >>> add_content(snapshot, claim, "/data/orders.csv", options, prover)  # doctest: +SKIP
    Snapshot(name='/data/orders.csv', kind='table', ...)

Whatever goes wrong here is a warning beside the digest of the bytes, which stays.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from lineagekit.errors import LineagekitError
from lineagekit.identity.batch import FIELDS
from lineagekit.identity.options import Options
from lineagekit.identity.snapshot import Snapshot
from lineagekit.identity.streams import NamedStream, translate_errors
from lineagekit.identity.tables.sources import is_table
from lineagekit.record.prove import Claim, Prover

if TYPE_CHECKING:
    from lineagekit.identity.content import Content

_WORTH_THREADS = 4 << 20  # bytes: below, starting threads takes longer than what they do

# Readers of four formats, any of which may stumble over a damaged file: no other run shall wait for that for ever.
_FAILURES = (LineagekitError, ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)

_NO_TABLES = frozenset(
    (
        *(".bin", ".ckpt", ".cfg", ".gif", ".h5", ".html", ".ini", ".joblib", ".jpeg", ".jpg", ".json", ".log", ".md"),
        *(".model", ".mp3", ".mp4", ".npy", ".npz", ".onnx", ".pdf", ".pickle", ".pkl", ".png", ".pt", ".pth", ".py"),
        *(".safetensors", ".sqlite", ".tif", ".tiff", ".toml", ".txt", ".wav", ".webp", ".xml", ".yaml", ".yml"),
    )
)
"""Files that nobody needs to look into to know that they are none."""

_TABLES = frozenset((".arrow", ".arrows", ".csv", ".feather", ".ipc", ".jsonl", ".ndjson", ".parquet", ".pq", ".tsv"))


def add_content(snapshot: Snapshot, claim: Claim, name: str, options: Options, prover: Prover) -> Snapshot:
    """The same snapshot with the digests, schema and profile of the table, if the file is one.

    `name` is what the run called it: a copy has none that tells what is in it.
    """
    try:
        if not _is_table(claim.place, name):
            return snapshot
        if not prover.affords(0):
            return _warned(snapshot, "the content was not taken: over budget")
        from lineagekit.identity.content import table_snapshot  # Arrow costs 0.3 s

        content = _take(snapshot, claim, name, options)
    except _FAILURES as error:
        return _warned(snapshot, f"the content was not taken: {getattr(error, 'message', error)}")
    if not _is_still(claim):
        return _warned(snapshot, "the content was not taken: the file changed meanwhile")
    return table_snapshot(snapshot.name, content, snapshot.digests, size=snapshot.bytes)


def _take(snapshot: Snapshot, claim: Claim, name: str, options: Options) -> Content:
    from lineagekit.identity.content import remember_content

    if claim.evidence.size < _WORTH_THREADS:
        options = replace(options, threads=1)
    if _suffix(name) == _suffix(claim.place):
        return remember_content(claim.place, snapshot.digests[0], options)
    with translate_errors(claim.place), open(claim.place, "rb") as file, NamedStream(file, name) as stream:
        return remember_content(stream, snapshot.digests[0], options)


def _is_table(place: str, name: str) -> bool:
    suffix = _suffix(name)
    return suffix not in _NO_TABLES and (suffix in _TABLES or is_table(place))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _warned(snapshot: Snapshot, warning: str) -> Snapshot:
    return replace(snapshot, warnings=(*snapshot.warnings, warning))


def _is_still(claim: Claim) -> bool:
    try:
        return bool(FIELDS(os.stat(claim.place)) == claim.evidence)
    except OSError:
        return False
