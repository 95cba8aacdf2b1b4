# SPDX-License-Identifier: Apache-2.0
"""What there was no time to hash is hashed later, where the stamps still prove that the bytes are those of the run.

    >>> pay(bench)  # doctest: +SKIP
    >>> bench.done["refined"]  # doctest: +SKIP
    1

The event stays as it is, and what was learned lies beside it. That and the end of the debt are one transaction: who is
killed learns it once more, and says the same. Of a folder that was too large no stamps are known, so it stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.naming import LOCAL
from lineagekit.errors import BadDataError
from lineagekit.events.content import proven
from lineagekit.events.lenient import mapping, objects
from lineagekit.events.naming import original_name
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.bench import Bench
from lineagekit.record.contents import add_content
from lineagekit.record.objects import keep_objects
from lineagekit.record.prove import Claim, Proof
from lineagekit.store.log import Refinement

Facet = Mapping[str, Any]
Owed = tuple[str, Facet, Facet]
"""Role, dataset, and what its run saw of it."""


def owes(event: Facet) -> bool:
    """Whether this event has a dataset that was not hashed for want of time."""
    return any(True for _ in _owed(event))


def pay(bench: Bench) -> None:
    """Hash as much of what is owed as the budget allows. Raises StoreError."""
    for key in bench.store.debts(bench.here.host):
        if not bench.prover.affords(0):
            return
        row = bench.store.event_of(key)
        owed = list(_owed(row.event)) if row else []
        proofs = bench.prover.prove(claim for _, dataset, told in owed for claim in _claims(dataset, told))
        found = [(one, snapshot) for one in owed if (snapshot := _snapshot(one, proofs, bench)) is not None]
        keep_objects((snapshot for _, snapshot in found), bench.store)
        with bench.store.write():
            bench.done["refined"] += bench.store.refine(_learned(key, one, snapshot) for one, snapshot in found)
            if all(proof.reason != reasons.OVER_BUDGET for proof in proofs.values()):
                bench.store.settle_debt(key)


def _owed(event: Facet) -> Iterator[Owed]:
    for role in ("input", "output"):
        for dataset in objects(event.get(f"{role}s")):
            told = mapping(mapping(dataset.get(f"{role}Facets")).get(f"lineagekit_{role}Content"))
            if told.get("reason") == reasons.OVER_BUDGET and dataset.get("namespace") == LOCAL:
                yield role, dataset, told


def _claims(dataset: Facet, told: Facet) -> list[Claim]:
    """One for the file, or for each part whose digest is missing; none where some stamp is not known."""
    path = original_name(str(dataset.get("name")))
    parts = objects(told.get("parts"))
    if told.get("partsTotal", 0) != len(parts):
        return []
    stamps = [(_path_of(path, part), part) for part in parts if not part.get("digest")] or [(path, told)]
    claims = [Claim(place, stamp) for place, told in stamps if (stamp := _evidence(told.get("evidence"))) is not None]
    return claims if len(claims) == len(stamps) else []


def _snapshot(one: Owed, proofs: Mapping[Claim, Proof], bench: Bench) -> Snapshot | None:
    """What the run saw, if all of it is proven."""
    _, dataset, told = one
    path, claims = original_name(str(dataset.get("name"))), _claims(dataset, told)
    digests = {claim.place: digest for claim in claims if (digest := proofs[claim].digest) is not None}
    if not claims or len(digests) < len(claims):
        return None
    if parts := objects(told.get("parts")):
        return _folder(path, parts, digests)
    found = Snapshot(path, "file", (digests[path],), bytes=claims[0].evidence.size)
    return add_content(found, claims[0], path, bench.options, bench.prover) if bench.content else found


def _folder(path: str, parts: Iterable[Facet], digests: Mapping[str, Digest]) -> Snapshot | None:
    try:
        entries = [_entry(part, digests.get(_path_of(path, part))) for part in parts]
    except BadDataError:
        return None
    manifest = Manifest.from_entries(entries)
    size, files = manifest.size, len(manifest)
    return Snapshot(path, "directory", (manifest.digest,), bytes=size, files=files, manifest=manifest)


def _entry(part: Facet, digest: Digest | None) -> Entry:
    known = digest if digest is not None else Digest.parse(str(part.get("digest")))
    return Entry(original_name(str(part.get("path"))), int(part.get("bytes") or 0), known)


def _path_of(root: str, part: Facet) -> str:
    return f"{root.rstrip('/')}/{original_name(str(part.get('path')))}"


def _learned(key: bytes, one: Owed, snapshot: Snapshot) -> Refinement:
    role, dataset, told = one
    return Refinement(key, role, str(dataset["namespace"]), str(dataset["name"]), proven(told, snapshot))


def _evidence(told: object) -> Evidence | None:
    """As `events.content.evidence_text` writes it."""
    try:
        return Evidence(*map(int, str(told).split(":")))
    except (ValueError, TypeError):
        return None
