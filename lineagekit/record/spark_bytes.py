# SPDX-License-Identifier: Apache-2.0
"""The bytes behind what Spark's agent says, while they are still those: added to its event on the way into the log.

    >>> Binder(prover, began_of).bind(event)  # doctest: +SKIP

Spark names folders, and says when a query began and ended. What it read is known if nothing there was changed since
the query began; what it wrote, if nothing was changed since it ended, if there is proof that it was committed, and if
the new files have the size that Spark says. A Delta table is the files of its version, as its own log tells. All else
is *unknown*, with its reason. Spark prunes partitions without saying so: of an input the whole folder is told.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.listing import take_listing
from lineagekit.errors import LineagekitError
from lineagekit.events.account import Use
from lineagekit.events.content import content
from lineagekit.events.lenient import count, facet, mapping, microseconds, objects, text
from lineagekit.events.producers import SPARK, known_producer
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.delta import DeltaLog
from lineagekit.record.facts import Listing
from lineagekit.record.prove import CHANGED, Claim, Prover

Event = dict[str, Any]
Role = Literal["input", "output"]

MARK = b"/integration/spark"
"""In every event of Spark's agent: the end of its producer."""

_TICK = 5 * 10**6
"""Nanoseconds: Spark says its times in milliseconds."""
_DOOR = "spark"


class Span(NamedTuple):
    """When a query ran, in nanoseconds."""

    began: int
    ended: int
    written: frozenset[str] = frozenset()
    """What it wrote itself."""


@dataclass(slots=True)
class Look:
    """What lies at a path: sizes and last stamps of its files by relative path, and the last stamp of all of it."""

    files: dict[str, tuple[int, int]]
    newest: int
    is_folder: bool


class Binder:
    """Binds the events of Spark's agent; those of others pass."""

    def __init__(self, prover: Prover, began_of: Callable[[str], int | None]) -> None:
        """`began_of` tells when a run began, in microseconds, by its id; None where nobody said so."""
        self._prover, self._began_of = prover, began_of
        self._failed: set[str] = set()
        self._began: dict[str, int] = {}
        self.manifests: list[Manifest] = []
        """Of the folders that were bound: the log keeps them."""

    def note(self, line: bytes) -> None:
        """Before: that a run failed may be said behind its end, which Spark calls complete."""
        if b'"FAIL"' in line:
            with suppress(ValueError):
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
        if event.get("eventType") != "COMPLETE" or run in self._failed:
            return event
        known = self._began_of(run)
        began = self._began[run] if known is None else min(known, self._began[run])
        if began == at:  # its START was lost: nobody knows since when it read
            return event
        written = frozenset(text(one.get("name")) for one in objects(event.get("outputs")))
        span = Span(began * 1000, at * 1000 + _TICK, written)
        return {
            **event,
            **{f"{role}s": [self._bound(one, role, span) for one in objects(event.get(f"{role}s"))] for role in _ROLES},
        }

    def _bound(self, dataset: Mapping[str, Any], role: Role, span: Span) -> Mapping[str, Any]:
        path = text(dataset.get("name"))
        if dataset.get("namespace") != "file" or not os.path.isabs(path):
            return dataset
        try:
            use = self._input(path, dataset, span) if role == "input" else self._output(path, dataset, span)
        except (OSError, LineagekitError):
            use = Use("file", path, path=path, reason=reasons.UNREADABLE)
        told = {**mapping(dataset.get(f"{role}Facets")), f"lineagekit_{role}Content": content(role, use)}
        return {**dataset, f"{role}Facets": told}

    def _input(self, path: str, dataset: Mapping[str, Any], span: Span) -> Use:
        use = Use("file", path, path=path, at=span.began, door=_DOOR)
        if DeltaLog.is_one(path):
            log = DeltaLog(path)
            return self._delta(use, log, _version_read(log, path, dataset, span))
        look = _look(path)
        if look is None:
            return replace(use, reason=reasons.GONE)
        if look.newest >= span.began:
            return replace(use, reason=reasons.CHANGED_AFTER_READ)
        return self._proven(use, look, reasons.CHANGED_AFTER_READ)

    def _output(self, path: str, dataset: Mapping[str, Any], span: Span) -> Use:
        use = Use("file", path, path=path, at=span.ended - _TICK, door=_DOOR)
        if DeltaLog.is_one(path):
            log = DeltaLog(path)
            version = log.version_between(span.began, span.ended)
            return replace(use, reason=reasons.NOT_COMMITTED) if version is None else self._delta(use, log, version)
        said = count(facet(dataset.get("outputFacets"), "outputStatistics").get("size"))
        look = _look(path)
        if said is None:
            return replace(use, reason=reasons.NOT_COMMITTED)
        if look is None:
            return replace(use, reason=reasons.GONE)
        if look.newest > span.ended:
            return replace(use, reason=reasons.CHANGED_AFTER_WRITE)
        if sum(size for name, (size, at) in look.files.items() if at >= span.began and _is_data(name)) != said:
            return replace(use, reason=reasons.OTHER_SIZE)
        return self._proven(use, look, reasons.CHANGED_AFTER_WRITE)

    def _proven(self, use: Use, look: Look, changed: str) -> Use:
        if not look.is_folder:
            claim = Claim(use.path, Evidence.of(os.stat(use.path)))
            proof = self._prover.prove([claim])[claim]
            if _look(use.path) != look:
                return replace(use, reason=changed)
            if proof.digest is None:
                return replace(use, reason=changed if proof.reason == CHANGED else proof.reason)
            snapshot = Snapshot(use.path, "file", (proof.digest,), bytes=claim.evidence.size)
            return replace(use, snapshot=snapshot, evidence=claim.evidence)
        listing = take_listing(use.path)
        outcome = self._prover.prove_folder(use.path, Listing(**listing) if listing else None)
        if isinstance(outcome, str):
            return replace(use, reason=changed if outcome == CHANGED else outcome)
        if _look(use.path) != look:  # between the first look and the listing
            return replace(use, reason=changed)
        return replace(use, snapshot=self._snapshot(use.path, outcome))

    def _delta(self, use: Use, log: DeltaLog, version: int | None) -> Use:
        """By the files of this version, whatever else lies in the folder; by its number alone where these are gone."""
        if version is None:
            return replace(use, format="delta", reason=reasons.NO_VERSION)
        use = replace(use, format="delta", pins=({"system": "delta", "version": str(version)},))
        files = log.files(version)
        if files is None:
            return replace(use, reason=reasons.NO_FILE_LIST)
        claims = {}
        for name, size in files.items():
            try:
                found = os.stat(os.path.join(use.path, name))
            except FileNotFoundError:  # cleaned up since
                return replace(use, reason=reasons.GONE)
            if found.st_size != size:
                return replace(use, reason=reasons.CHANGED_AFTER_WRITE)
            claims[name] = Claim(os.path.join(use.path, name), Evidence.of(found))
        proofs = self._prover.prove(claims.values())
        digests = bytearray()
        for claim in claims.values():
            if (digest := proofs[claim].digest) is None:
                return replace(use, reason=proofs[claim].reason)
            digests += bytes.fromhex(digest.hex)
        names, sizes = [os.fsencode(name) for name in claims], array("Q", files.values())
        return replace(use, snapshot=self._snapshot(use.path, Manifest.from_columns("blake3", names, sizes, digests)))

    def _snapshot(self, path: str, manifest: Manifest) -> Snapshot:
        self.manifests.append(manifest)
        digests: tuple[Digest, ...] = (manifest.digest,)
        return Snapshot(path, "directory", digests, bytes=manifest.size, files=len(manifest), manifest=manifest)


_ROLES: tuple[Role, Role] = ("input", "output")


def _version_read(log: DeltaLog, path: str, dataset: Mapping[str, Any], span: Span) -> int | None:
    """As the event says, else the newest when the query began, if that is beyond doubt.

    Of a table that is read by its path Spark says no version, not even an older one that was asked for: only where the
    size that it says is that of the newest, and nobody else committed meanwhile, is it known to be that.
    """
    said = text(facet(dataset.get("facets"), "version").get("datasetVersion"))
    if said.isdecimal():
        return int(said)
    version = log.version_at(span.began)
    own = path in span.written
    if version is None or log.commits_between(span.began, span.ended) > own:
        return None
    size = count(facet(dataset.get("inputFacets"), "inputStatistics").get("size"))
    files = log.files(version)
    return version if files is not None and size == sum(files.values()) else None


def _look(path: str) -> Look | None:
    """Everything below, however deep; None where there is nothing. Raises OSError."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    newest = _last(found)
    if not os.path.isdir(path):
        return Look({os.path.basename(path): (found.st_size, newest)}, newest, False)
    files: dict[str, tuple[int, int]] = {}
    waiting = [path]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                last = _last(entry.stat())
                newest = max(newest, last)
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    files[os.path.relpath(entry.path, path)] = entry.stat().st_size, last
    return Look(files, newest, True)


def _last(found: os.stat_result) -> int:
    return max(found.st_mtime_ns, found.st_ctime_ns)


def _is_data(name: str) -> bool:
    """Not the mark of success, nor a checksum: Spark does not count these."""
    return not os.path.basename(name).startswith(("_", "."))
