# SPDX-License-Identifier: Apache-2.0
"""The bytes behind what Spark's agent says, while they are still those: added to its event on the way into the log.

    >>> Binder(prover, store).bind(event)  # doctest: +SKIP

Spark names folders, and says when a query began and ended. What it read is known if nothing there was changed since
the query began; what it wrote, if nothing was changed since it ended, if there is proof that it was committed, and if
the new files have the size that Spark says. A Delta or Iceberg table is the files of its version, as its own log tells.
All else is *unknown*, with its reason.

Spark prunes partitions, and the agent does not tell. Where the query listener has told which files were read, and that
these were all, the input is these files (`scope: files`), and what happens beside them is no matter; else it is the
whole folder (`scope: directory`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.listing import take_listing
from lineagekit.errors import LineagekitError, StoreError
from lineagekit.events.account import Part, Use
from lineagekit.events.content import MOST_PARTS, content
from lineagekit.events.lenient import count, facet, mapping, microseconds, objects, text
from lineagekit.events.producers import SPARK, known_producer
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.delta import DeltaLog
from lineagekit.record.facts import Listing
from lineagekit.record.iceberg import IcebergTable
from lineagekit.record.lake import Lake, Span, lie_in
from lineagekit.record.look import Look, arrived, is_data, last_change, look
from lineagekit.record.prove import CHANGED, Claim, Prover
from lineagekit.record.spark_reads import Reads
from lineagekit.store.log import Store

Event = dict[str, Any]
Role = Literal["input", "output"]

MARK = b"/integration/spark"
"""In every event of Spark's agent: the end of its producer."""

_ROLES: tuple[Role, Role] = ("input", "output")
_TICK = 5 * 10**6
"""Nanoseconds: Spark says its times in milliseconds."""
_DOOR = "spark"

ODD = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    LineagekitError,
)
"""What strangers' tables and events may make of a reader. One of them must not keep the others out of the log."""


class Binder:
    """Binds the events of Spark's agent; those of others pass."""

    def __init__(self, prover: Prover, store: Store) -> None:
        """The log tells what was heard of a run before."""
        self._prover, self._store = prover, store
        self._failed: set[str] = set()
        self._began: dict[str, int] = {}
        self._reads = Reads(store)
        self.manifests: list[Manifest] = []
        """Of the folders that were bound: the log keeps them."""

    def note(self, line: bytes) -> None:
        """Before: that a run failed may be said behind its end, which Spark calls complete."""
        self._reads.note(line)
        if b'"FAIL"' in line:
            with suppress(ValueError, RecursionError):
                event = mapping(json.loads(line))
                if event.get("eventType") == "FAIL":
                    self._failed.add(text(mapping(event.get("run")).get("runId")))

    def bind(self, event: object) -> object:
        """The event, with content where that can be known; itself where there is nothing to add."""
        if not isinstance(event, dict) or known_producer(text(event.get("producer"))) is not SPARK:
            return event
        run, at = text(mapping(event.get("run")).get("runId")), microseconds(text(event.get("eventTime")))
        if not run or at is None:
            return event
        self._began[run] = min(at, self._began.get(run, at))
        self._reads.hear(run, event)
        if event.get("eventType") != "COMPLETE" or run in self._failed:
            return event
        row = self._store.find_run(run)
        began = self._began[run] if row is None or row.began is None else min(row.began, self._began[run])
        if began == at:  # its START was lost: nobody knows since when it read
            return event
        written = frozenset(text(one.get("name")) for one in objects(event.get("outputs")))
        span = Span(began * 1000, at * 1000 + _TICK, written)
        bound = {role: [self._bound(run, one, role, span) for one in objects(event.get(f"{role}s"))] for role in _ROLES}
        return {**event, **{f"{role}s": datasets for role, datasets in bound.items()}}

    def _bound(self, run: str, dataset: Mapping[str, Any], role: Role, span: Span) -> Mapping[str, Any]:
        path = text(dataset.get("name"))
        if dataset.get("namespace") != "file" or not os.path.isabs(path):
            return dataset
        use = Use("file", path, path=path, at=span.began if role == "input" else span.ended - _TICK, door=_DOOR)
        scope: dict[str, str] = {}
        try:
            if lake := _lake_at(path):
                said = self._reads.as_begun(run, dataset, span.written) if role == "input" else dataset
                own = span._replace(application=self._reads.application(run))
                use = self._version(use, lake, said, role, own)
            elif role == "output":
                use = self._output(use, dataset, span)
            else:
                files = self._reads.files(run, path)
                use = self._input(use, span, files)
                scope = {"scope": "files" if use.files else "directory"} if os.path.isdir(path) else {}
        except StoreError:
            raise
        except ODD:
            use = replace(use, reason=reasons.UNREADABLE)
        told = {**mapping(dataset.get(f"{role}Facets")), f"lineagekit_{role}Content": {**content(role, use), **scope}}
        return {**dataset, f"{role}Facets": told}

    def _input(self, use: Use, span: Span, files: tuple[str, ...]) -> Use:
        """The whole folder if all of its files were read and it is as it was; else those that were, where known."""
        seen = look(use.path)
        if seen is None:
            return replace(use, reason=reasons.GONE)
        is_whole = not files or {name for name in seen.files if is_data(name)} <= set(files)
        if seen.is_folder and files and (seen.newest >= span.began or not is_whole):
            return self._files(use, dict.fromkeys(files), reasons.CHANGED_AFTER_READ, before=span.began)
        if seen.newest >= span.began:
            return replace(use, reason=reasons.CHANGED_AFTER_READ)
        return self._proven(use, seen, reasons.CHANGED_AFTER_READ)

    def _output(self, use: Use, dataset: Mapping[str, Any], span: Span) -> Use:
        said = count(facet(dataset.get("outputFacets"), "outputStatistics").get("size"))
        seen = look(use.path)
        if said is None:
            return replace(use, reason=reasons.NOT_COMMITTED)
        if seen is None:
            return replace(use, reason=reasons.GONE)
        is_changed = seen.newest > span.ended
        new = {
            name: size for name, (size, at) in seen.files.items() if span.began <= at <= span.ended and is_data(name)
        }
        if sum(new.values()) != said:
            return replace(use, reason=reasons.CHANGED_AFTER_WRITE if is_changed else reasons.OTHER_SIZE)
        if is_changed:
            use = replace(use, reason=reasons.CHANGED_AFTER_WRITE)
        else:
            use = self._proven(use, seen, reasons.CHANGED_AFTER_WRITE)
        if not seen.is_folder or len(new) > MOST_PARTS:
            return use
        # Who reads a part of it finds who wrote that, also where the others were written by somebody else since.
        return replace(use, files=self._files(use, new, reasons.CHANGED_AFTER_WRITE, before=span.ended + 1).files)

    def _proven(self, use: Use, seen: Look, changed: str) -> Use:
        if not seen.is_folder:
            claim = Claim(use.path, Evidence.of(os.stat(use.path)))
            proof = self._prover.prove([claim])[claim]
            if look(use.path) != seen:
                return replace(use, reason=changed)
            if proof.digest is None:
                return replace(use, reason=changed if proof.reason == CHANGED else proof.reason)
            snapshot = Snapshot(use.path, "file", (proof.digest,), bytes=claim.evidence.size)
            return replace(use, snapshot=snapshot, evidence=claim.evidence)
        listing = take_listing(use.path)
        outcome = self._prover.prove_folder(use.path, Listing(**listing) if listing else None)
        if isinstance(outcome, str):
            return replace(use, reason=changed if outcome == CHANGED else outcome)
        if look(use.path) != seen:  # between the first look and the listing
            return replace(use, reason=changed)
        return replace(use, snapshot=self._snapshot(use.path, outcome))

    def _version(self, use: Use, lake: Lake, dataset: Mapping[str, Any], role: Role, span: Span) -> Use:
        """By the files of this version, whatever else lies in the folder; by its number alone where these are gone."""
        use = replace(use, format=lake.system)
        version = lake.read(dataset, span) if role == "input" else lake.written(dataset, span)
        if version is None:
            return replace(use, reason=reasons.NO_VERSION if role == "input" else reasons.NOT_COMMITTED)
        use = replace(use, pins=({"system": lake.system, "version": str(version)},))
        files = lake.files(version)
        if files is None or not lie_in(use.path, files):
            return replace(use, reason=reasons.NO_FILE_LIST)
        # Files of a version are never written again: one that was is not what either side has seen.
        changed = reasons.CHANGED_AFTER_READ if role == "input" else reasons.CHANGED_AFTER_WRITE
        return replace(self._files(use, files, changed, before=span.ended), files=())

    def _files(self, use: Use, files: Mapping[str, int | None], changed: str, *, before: int) -> Use:
        """Just these files of a folder, if each has the size that is said, and is what was there before this moment."""
        claims: dict[str, Claim] = {}
        known: dict[str, int] = {}
        for name, size in files.items():
            path = os.path.join(use.path, name)
            try:
                found, moved = os.stat(path), arrived(path, known)
            except FileNotFoundError:  # cleaned up since
                return replace(use, reason=reasons.GONE)
            if (size is not None and found.st_size != size) or max(last_change(found), moved) >= before:
                return replace(use, reason=changed)
            claims[name] = Claim(path, Evidence.of(found))
        proofs = self._prover.prove(claims.values())
        entries: dict[str, Digest] = {}
        for name, claim in claims.items():
            if (digest := proofs[claim].digest) is None:
                return replace(use, reason=changed if proofs[claim].reason == CHANGED else proofs[claim].reason)
            entries[name] = digest
        sized = [Entry(name, claims[name].evidence.size, digest) for name, digest in entries.items()]
        parts = tuple(Part(one.path, one.size, str(one.digest), claims[one.path].evidence) for one in sized)
        return replace(use, snapshot=self._snapshot(use.path, Manifest.from_entries(sized)), files=parts)

    def _snapshot(self, path: str, manifest: Manifest) -> Snapshot:
        self.manifests.append(manifest)
        return Snapshot.of_folder(path, manifest)


def _lake_at(path: str) -> Lake | None:
    kinds: tuple[type[DeltaLog], type[IcebergTable]] = (DeltaLog, IcebergTable)
    return next((kind(path) for kind in kinds if kind.is_one(path)), None)
