# SPDX-License-Identifier: Apache-2.0
"""Uses: one dataset as one run saw it, from what the run did to it and what could be proven.

    >>> input_use(asked, known, elsewhere=False)  # doctest: +SKIP
    Use(namespace='file', name='/data/orders.csv', ..., reason='')

None is no dataset at all: a folder that was opened as a file, a temporary file that is gone, a file that was opened to
be changed and was not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace

from lineagekit.agent.naming import LOCAL
from lineagekit.errors import BadDataError
from lineagekit.events.account import RunName, Use
from lineagekit.events.tables import tables_of
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.ask import AskedInput, AskedOutput, Folder
from lineagekit.record.prove import CHANGED, FOLDER, Claim, Proof, is_telling
from lineagekit.record.touches import Dataset, Read, Result, Written
from lineagekit.record.where import Links, is_temporary, mount_of


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out for all stories together."""

    proofs: Mapping[Claim, Proof]
    snapshots: Mapping[Claim, Snapshot]
    """Of what is proven, with the content where it was taken."""
    folders: Mapping[Folder, Manifest | str]
    contested: Set[tuple[str, Claim]]
    """Outputs that a later run claims with the same evidence."""
    links: Links
    name_of: Callable[[str], RunName]
    """What the run of this id is called."""
    root_of: Callable[[str], RunName | None] = lambda run: None
    """The topmost ancestor of the run of this id, or itself."""


def input_use(asked: AskedInput, known: Known, *, elsewhere: bool) -> Use | None:
    """An input: the same bytes as at first touch, here, where the run moved them, or in their copy."""
    read = asked.touch
    snapshot, reason = None, read.doubt
    if read.is_folder:
        outcome = known.folders.get((read.place, read.listing), read.lost)
        snapshot, reason = _of_folder(read.path, outcome, reasons.CHANGED_AFTER_READ)
    elif read.evidence is None:
        reason = reasons.NO_BYTES
    elif not reason and not is_telling(read.evidence, read.at):
        reason = reasons.CHANGED_TOO_SHORTLY
    elif not reason:
        snapshot, reason = _first(asked.claims, known)
        reason = "" if snapshot else read.lost or reason
    if reason == FOLDER:
        return None
    reason = _explained(reason, reasons.CHANGED_AFTER_READ, elsewhere)
    return _use(read, snapshot, reason, known)


def output_use(asked: AskedOutput, run: str, known: Known, *, elsewhere: bool) -> Use | None:
    """An output of `run`: the bytes that its last write or rename left."""
    written, claim = asked.touch, asked.claim
    changed = reasons.UNFINISHED if written.is_open else reasons.CHANGED_AFTER_WRITE
    snapshot, reason = None, ""
    if written.is_folder:
        snapshot, reason = _of_folder(written.path, known.folders[written.path, written.listing], changed)
    elif claim is not None:
        snapshot, reason = _first((claim,), known)
        if snapshot is None and (taken := _taken(written, claim)) is not None:
            snapshot, reason = taken, ""
    elif os.path.isdir(written.path):
        return None
    else:
        reason = reasons.UNFINISHED if os.path.lexists(written.path) else reasons.GONE
    finished = claim is not None or written.is_folder
    never_changed = snapshot is not None and written.evidence is None and not written.is_folder
    if never_changed or reason == FOLDER or _is_dropped(written.path, reason, finished=finished):
        return None
    if claim is not None and (run, claim) in known.contested:
        snapshot, reason = None, reasons.AMBIGUOUS
    return _use(written, snapshot, _explained(reason, changed, elsewhere), known)


def _use(touch: Read | Written, snapshot: Snapshot | None, reason: str, known: Known) -> Use:
    if snapshot is not None and snapshot.name != touch.path:
        snapshot = replace(snapshot, name=touch.path)
    return Use(
        LOCAL,
        touch.path,
        path=touch.path,
        snapshot=snapshot,
        reason=reason,
        evidence=touch.evidence,
        format=touch.shape.format,
        pins=touch.shape.pins,
        realpath=known.links.real(touch.path),
        mount=mount_of(touch.evidence.device) if touch.evidence else "",
        at=touch.at,
        door=touch.door,
        columns=touch.shape.columns,
        rows=touch.shape.rows,
        model=touch.model,
    )


def _first(claims: Iterable[Claim], known: Known) -> tuple[Snapshot | None, str]:
    """The snapshot of the first claim that is proven, else why the first is not."""
    reason = ""
    for claim in claims:
        if claim in known.snapshots:
            return known.snapshots[claim], ""
        reason = reason or known.proofs[claim].reason
    return None, reason


def _taken(written: Written, claim: Claim) -> Snapshot | None:
    """By the digest that the job took itself, where the bytes are not there any more."""
    try:
        digests = (Digest.parse(written.taken),) if written.taken else ()
    except BadDataError:
        return None
    return Snapshot(written.path, "file", digests, bytes=claim.evidence.size) if digests else None


def _of_folder(path: str, outcome: Manifest | str, changed: str) -> tuple[Snapshot | None, str]:
    if isinstance(outcome, str):
        return None, changed if outcome == CHANGED else outcome
    return Snapshot.of_folder(path, outcome), ""


def _is_dropped(path: str, reason: str, *, finished: bool) -> bool:
    """A temporary file that is gone was never meant to stay; nor was one that was not even finished."""
    return reason == reasons.GONE and (not finished or is_temporary(path))


def _explained(reason: str, changed: str, elsewhere: bool) -> str:
    """After a restart other disks may be mounted: what does not fit was not changed, and is not gone."""
    if elsewhere and reason in (CHANGED, reasons.GONE, reasons.UNREADABLE):
        return reasons.FOREIGN_HOST
    return changed if reason == CHANGED else reason


def dataset_use(dataset: Dataset) -> Use:
    """What is no file of this machine."""
    return Use(
        dataset.namespace,
        dataset.name,
        kind="dataset",
        snapshot=_said_snapshot(dataset),
        reason="" if dataset.digests else reasons.NO_BYTES,
        format=dataset.shape.format,
        pins=dataset.shape.pins,
        at=dataset.at,
        door=dataset.door,
        columns=dataset.shape.columns,
        rows=dataset.shape.rows,
        bytes=dataset.bytes,
    )


def _said_snapshot(dataset: Dataset) -> Snapshot | None:
    """Digests that the job itself took, on request, of what it held in memory."""
    try:
        digests = tuple(map(Digest.parse, dataset.digests))
    except BadDataError:
        return None
    shape = dataset.shape
    return Snapshot(dataset.name, "table", digests, rows=shape.rows, columns=shape.columns) if digests else None


def result_use(result: Result) -> Use:
    """An answer, whose digest the job has taken."""
    snapshot, reason = None, result.reason or reasons.OVER_BUDGET
    try:
        if result.digest:
            digests = (Digest.parse(result.digest),)
            snapshot = Snapshot(
                result.name, "stream", digests, bytes=result.bytes, rows=result.rows, columns=result.columns
            )
            reason = ""
    except BadDataError:
        reason = reasons.UNREADABLE
    return Use(
        result.namespace,
        result.name,
        kind=result.kind,
        snapshot=snapshot,
        reason=reason,
        pins=({"system": result.kind, "etag": result.etag},) if result.etag else (),
        at=result.at,
        door=result.door,
        columns=result.columns,
        rows=result.rows,
        bytes=result.bytes,
        statement=result.statement,
        tables=result.tables or (tables_of(result.statement) if result.kind == "query" else ()),
    )
