# SPDX-License-Identifier: Apache-2.0
"""What a person named: bytes at hand, a version that a store remembers, a run, a version of a model.

>>> find_side("orders@9f3c07", known, job).kept.rows  # doctest: +SKIP
1204
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lineagekit.differ.at import At, digest_of, find_at, manifest_of
from lineagekit.differ.job import Job
from lineagekit.differ.kept import Kept, Known, best, kept_of, summary_of
from lineagekit.errors import LineagekitError, NotFoundError
from lineagekit.events.lenient import text
from lineagekit.events.naming import original_name
from lineagekit.events.summary import RunSummary
from lineagekit.identity.digest import Digest
from lineagekit.store import query, walk, walk_bytes
from lineagekit.store.found import Snapshot, title_of
from lineagekit.store.targets import Target, build_target, find_target


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. A version of a model is its bytes, and the run that made it."""

    title: str
    at: At | None = None
    kept: Kept | None = None
    run: RunSummary | None = None
    grades: Mapping[str, str] = field(default_factory=dict)
    """Metrics of this version of a model, whichever run reported them."""

    @property
    def is_run(self) -> bool:
        """Whether a run is all that was meant."""
        return self.run is not None and self.kept is None


def is_at_hand(named: str) -> bool:
    """Whether a path or URI leads to something, so that no store has to be asked."""
    return find_at(named) is not None


def find_side(named: str, known: Known | None, job: Job) -> Side:
    """Find it: on a disk or in an object store first, then by what was recorded. NotFoundError says what may be."""
    at = find_at(named)
    if at is not None:
        return Side(named, at)
    if known is None:
        raise NotFoundError(f"no such file: {named!r}", advice="Check the path; versions and runs need a store.")
    target = find_target(known.db, named)
    if target.kind == "run":
        return Side(named, run=_run(known, target.run))
    if target.kind == "model":
        target = build_target(named, walk.builds_of_model(known.db, target.model)[-1])
    if target.kind == "build":
        side = _version(target, known, job)
        return replace(side, run=_run(known, target.run), grades=_grades(target, known))
    return _version(target, known, job)


def _run(known: Known, number: int) -> RunSummary:
    run = query.runs(known.db, [number])[number].run
    summary = summary_of(known.store, run)
    if summary is None:
        raise NotFoundError(f"nothing is left of run {run}", advice="Its events are damaged, or were never sent.")
    return summary


def _grades(target: Target, known: Known) -> dict[str, str]:
    """Reported by the run that made these bytes, and by those that read them."""
    metrics = walk.metrics_of(known.db, datasets=target.datasets)
    runs = {metric.run for metric in metrics}
    readers = {read.run for read in walk.reads_of(known.db, runs) if read.snap in target.snaps}
    of = [metric for metric in metrics if metric.run in readers or metric.run == target.run]
    return {metric.name + (f" on {metric.on}" if metric.on else ""): text(metric.value) for metric in of}


def _version(target: Target, known: Known, job: Job) -> Side:
    """These bytes; of a name alone its newest version."""
    snaps = target.snaps or tuple(snap for one in target.datasets for snap in walk.versions_of(known.db, one)[-1:])
    found = query.snapshots(known.db, snaps[:1])
    if not found:
        title = next(iter(query.datasets(known.db, target.datasets).values())).title
        return Side(target.text, kept=Kept(reason=f"no version of {title} was recorded with a digest"))
    snap = found[snaps[0]]
    kept = best(_remembered(snap, known))
    digest = _parsed(snap.text) if snap.identity == "content" else None
    if digest is not None and digest not in kept.digests:
        kept = replace(kept, digests=(digest, *kept.digests), reason="")
    if snap.identity == "pin" and not kept.pin:
        kept = replace(kept, pin=snap.text)
    kept = replace(kept, bytes=snap.size if kept.bytes is None else kept.bytes)
    at = None if digest is None else _still_there(target.text, snap, digest, known, job)
    return Side(target.text, at, kept)


def _remembered(snap: Snapshot, known: Known) -> Iterator[Kept]:
    numbers = walk_bytes.runs_that_saw(known.db, snap.id, dataset=snap.dataset)
    for run in query.runs(known.db, numbers).values():
        summary = summary_of(known.store, run.run)
        for seen in (*summary.inputs, *summary.outputs) if summary is not None else ():
            if snap.text in (seen.digest, *map(str, (kept := kept_of(seen, known.store)).digests)):
                yield kept


def _parsed(digest: str) -> Digest | None:
    try:
        return Digest.parse(digest)
    except LineagekitError:
        return None


def _still_there(title: str, snap: Snapshot, digest: Digest, known: Known, job: Job) -> At | None:
    """Where these bytes still are: under their own name, or another that had them."""
    twins = [one for one in query.find_snapshots(known.db, digest.hex) if one.text == snap.text]
    numbers = [snap.dataset, *(one.dataset for one in twins if one.dataset != snap.dataset)]
    for dataset in query.datasets(known.db, numbers[:3]).values():
        name = dataset.name if dataset.namespace == "file" else title_of(dataset.namespace, dataset.name)
        try:
            at = find_at(original_name(name)) if dataset.namespace == "file" or "://" in name else None
            if at is not None and _has(at, digest, job):
                return replace(at, title=title)
        except LineagekitError:  # a store that does not answer: what is remembered has to do
            continue
    return None


def _has(at: At, digest: Digest, job: Job) -> bool:
    if at.is_one:
        if digest.algorithm not in ("blake3", "sha256"):
            return False
        return digest_of(at, job.hashing(algorithm=digest.algorithm)) == digest
    algorithm = dict(digest.parameters).get("files", ("blake3",))[0]
    return digest.algorithm == "lkd1" and manifest_of(at, job.hashing(algorithm=algorithm)).digest == digest
