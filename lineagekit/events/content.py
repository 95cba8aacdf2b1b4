# SPDX-License-Identifier: Apache-2.0
"""The facet that binds a dataset's name to its bytes, for one run: `lineagekit_inputContent` and `..outputContent`.

In `inputFacets` and `outputFacets`, because there alone Marquez keeps what each run said. Numbers that do not survive a
double (times, inodes) are texts. What is not known is not there.

>>> use = Use("file", "/data/a.csv", reason="gone", at=1_790_000_000_000_000_001, door="open")
>>> facet = content("input", use)
>>> facet["state"], facet["reason"], facet["at"]
('unknown', 'gone', '2026-09-21T14:13:20.000000001Z')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineagekit.agent.evidence import Evidence
from lineagekit.events.account import Part, Use
from lineagekit.events.facets import PRODUCER, Facet
from lineagekit.events.naming import NAME_LIMIT, NAMESPACE_LIMIT, escape_name
from lineagekit.events.ours import schema_url
from lineagekit.events.values import Plain, count, exact_moment, plain_mapping, text
from lineagekit.identity.snapshot import Snapshot

MOST_PARTS = 1000
"""Beyond it a folder is told by its digest alone, whose manifest the store has."""
_LONGEST_NAME = 100_000

_OF_CONTENT = {"lks1": "lks1", "lkt1": "lkt1", "lkm1": "lkm1", "records-sha256": "records"}
_URL = {
    "input": schema_url("ContentDatasetFacet", "InputContentInputDatasetFacet"),
    "output": schema_url("ContentDatasetFacet", "OutputContentOutputDatasetFacet"),
}


def content(role: str, use: Use) -> Facet:
    """What one run saw of a dataset: digests if they are proven, and whatever helps to bind it."""
    state, snapshot = use.state, use.snapshot
    facet: Facet = {"_producer": PRODUCER, "_schemaURL": _URL[role], "state": state}
    if state == "exact" and snapshot is not None:
        _add_digests(facet, snapshot)
    else:
        facet["reason"] = text(use.reason or (snapshot.reason if snapshot is not None else "") or "no digest was taken")
    _add_size(facet, use)
    _add_place(facet, use)
    if use.files:
        facet["parts"] = [_part(part) for part in use.files[:MOST_PARTS]]
        facet["partsTotal"] = len(use.files)
    if use.statement or use.tables:
        _add_query(facet, use)
    if snapshot is not None and snapshot.warnings:
        facet["warnings"] = [text(warning) for warning in snapshot.warnings]
    if len(use.name) * 4 > NAME_LIMIT or len(use.namespace) * 4 > NAMESPACE_LIMIT:
        _add_uncut_names(facet, use)
    return facet


def proven(told: Mapping[str, Any], snapshot: Snapshot) -> Facet:
    """The facet of a dataset whose digests were not known, now that they are."""
    facet: Facet = {key: value for key, value in told.items() if key != "reason"}
    facet["state"] = "exact"
    _add_digests(facet, snapshot)
    for key, found in (("kind", snapshot.kind), ("rows", snapshot.rows), ("bytes", snapshot.bytes)):
        if found is not None:
            facet.setdefault(key, found)
    return facet


def version_of(told: Facet) -> str:
    """The one digest to call these bytes by: of the bytes, else of the content; empty where none is proven."""
    return str(next((told[key] for key in ("digest", *_OF_CONTENT.values()) if key in told), ""))


def _add_digests(facet: Facet, snapshot: Snapshot) -> None:
    for digest in snapshot.digests:
        key = _OF_CONTENT.get(digest.algorithm, "digest")
        if key not in facet:
            # The short way where there are no parameters to spell.
            facet[key] = str(digest) if digest.parameters else f"{digest.algorithm}:{digest.hex}"
    if snapshot.profile is not None:
        facet["schemaDigest"] = snapshot.profile.schema_hash.hex()


def _add_size(facet: Facet, use: Use) -> None:
    """Rows, bytes, files: as the job said, else as they were found."""
    snapshot, evidence = use.snapshot, use.evidence
    kind, rows, size, files = use.kind, use.rows, use.bytes, len(use.files) or None
    if snapshot is not None:
        kind = kind or snapshot.kind
        rows = snapshot.rows if rows is None else rows
        size = snapshot.bytes if size is None else size
        files = files if snapshot.files is None else snapshot.files
    if size is None and evidence is not None:
        size = evidence.size
    if kind:
        facet["kind"] = text(kind)
    if use.format:
        facet["format"] = text(use.format)
    for key, number in (("rows", rows), ("bytes", size), ("files", files)):
        if number is not None and count(number) is not None:
            facet[key] = number


def _add_place(facet: Facet, use: Use) -> None:
    if use.evidence is not None:
        facet["evidence"] = evidence_text(use.evidence)
    if use.pins:
        facet["pins"] = [plain_mapping(pin) for pin in use.pins]
    if use.realpath and use.realpath != use.path:
        facet["realpath"] = escape_name(use.realpath)
    if use.mount:
        facet["mount"] = text(use.mount)
    if use.at:
        facet["at"] = exact_moment(use.at)
    if use.door:
        facet["door"] = text(use.door)


def _add_query(facet: Facet, use: Use) -> None:
    if use.statement:
        facet["statement"] = text(use.statement)
    if use.tables:
        facet["tables"] = [text(table) for table in use.tables[:MOST_PARTS]]


def _add_uncut_names(facet: Facet, use: Use) -> None:
    """Escapes can be read back (`naming.original_name`), a cut cannot."""
    whole = escape_name(use.name)
    if len(whole.encode()) > NAME_LIMIT:
        facet["name"] = text(whole, _LONGEST_NAME)
    if len(use.namespace) * 4 > NAMESPACE_LIMIT:
        facet["namespace"] = text(use.namespace)


def _part(part: Part) -> dict[str, Plain]:
    told: dict[str, Plain] = {"path": escape_name(part.path)}
    if part.size is not None:
        told["bytes"] = count(part.size) or 0
    if part.digest:
        told["digest"] = text(part.digest)
    if part.table:
        told["lkt1"] = text(part.table)
    if part.evidence is not None:
        told["evidence"] = evidence_text(part.evidence)
    return told


def evidence_text(evidence: Evidence) -> str:
    """`size:mtime_ns:ctime_ns:inode:device`: equal texts are equal evidence."""
    size, mtime, ctime, inode, device = evidence
    return f"{size}:{mtime}:{ctime}:{inode}:{device}"
