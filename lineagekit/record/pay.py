# SPDX-License-Identifier: Apache-2.0
"""What there was no time to hash is hashed later, where the stamps still prove that the bytes are those of the run.

    >>> pay(bench)  # doctest: +SKIP
    >>> bench.done["refined"]  # doctest: +SKIP
    1

The event stays as it is, and what was learned lies beside it. That and the end of some debts are one transaction: who
is killed learns it once more, and says the same. Of a folder that was too large no stamps are known, so it stays
unknown; and one with a part that is unknown for any other reason owes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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

_AT_ONCE = 50
"""Debts of one proof and one transaction."""


class Owed(NamedTuple):
    """A dataset of an event, and what its run saw of it."""

    key: bytes
    role: str
    dataset: Facet
    told: Facet
    claims: Sequence[Claim] = ()

    @property
    def path(self) -> str:
        """Where it is."""
        return original_name(str(self.dataset.get("name")))


def owes(event: Facet) -> bool:
    """Whether this event has a dataset that was not hashed for want of time."""
    return any(True for _ in _owed(b"", event))


def pay(bench: Bench) -> None:
    """Hash as much of what is owed as the budget allows. Raises StoreError."""
    keys = bench.store.debts(bench.here.host)
    for start in range(0, len(keys), _AT_ONCE):
        if not bench.prover.affords(0):
            return
        _pay(keys[start : start + _AT_ONCE], bench)


def _pay(keys: Sequence[bytes], bench: Bench) -> None:
    owed = [one for key in keys for one in _owed_of(key, bench)]
    proofs = bench.prover.prove(claim for one in owed for claim in one.claims)
    found = [(one, snapshot) for one in owed if (snapshot := _snapshot(one, proofs, bench)) is not None]
    waiting = {one.key for one in owed if any(proofs[claim].reason == reasons.OVER_BUDGET for claim in one.claims)}
    if not found and len(waiting) == len(keys):
        return
    keep_objects((snapshot for _, snapshot in found), bench.store)
    with bench.store.write():
        bench.done["refined"] += bench.store.refine(_learned(one, snapshot) for one, snapshot in found)
        for key in keys:
            if key not in waiting:
                bench.store.settle_debt(key)


def _owed_of(key: bytes, bench: Bench) -> list[Owed]:
    """What is owed of an event, and what is to be hashed for it."""
    row = bench.store.event_of(key)
    owed = _owed(key, row.event) if row else ()
    return [one._replace(claims=_claims(one)) for one in owed]


def _owed(key: bytes, event: Facet) -> Iterator[Owed]:
    for role in ("input", "output"):
        for dataset in objects(event.get(f"{role}s")):
            told = mapping(mapping(dataset.get(f"{role}Facets")).get(f"lineagekit_{role}Content"))
            if told.get("reason") == reasons.OVER_BUDGET and dataset.get("namespace") == LOCAL:
                yield Owed(key, role, dataset, told)


def _claims(one: Owed) -> list[Claim]:
    """One for the file, or for each part whose digest is missing; none where some stamp is not known."""
    path, told = one.path, one.told
    parts = objects(told.get("parts"))
    if told.get("partsTotal", 0) != len(parts):
        return []
    stamps = [(_path_of(path, part), part) for part in parts if not part.get("digest")] or [(path, told)]
    claims = [Claim(place, stamp) for place, told in stamps if (stamp := _evidence(told.get("evidence"))) is not None]
    return claims if len(claims) == len(stamps) else []


def _snapshot(one: Owed, proofs: Mapping[Claim, Proof], bench: Bench) -> Snapshot | None:
    """What the run saw, if all of it is proven."""
    path, claims = one.path, one.claims
    digests = {claim.place: digest for claim in claims if (digest := proofs[claim].digest) is not None}
    if not claims or len(digests) < len(claims):
        return None
    if parts := objects(one.told.get("parts")):
        return _folder(path, parts, digests)
    found = Snapshot(path, "file", (digests[path],), bytes=claims[0].evidence.size)
    return add_content(found, claims[0], path, bench.options, bench.prover) if bench.content else found


def _folder(path: str, parts: Iterable[Facet], digests: Mapping[str, Digest]) -> Snapshot | None:
    try:
        entries = [_entry(part, digests.get(_path_of(path, part))) for part in parts]
    except BadDataError:
        return None
    return Snapshot.of_folder(path, Manifest.from_entries(entries))


def _entry(part: Facet, digest: Digest | None) -> Entry:
    known = digest if digest is not None else Digest.parse(str(part.get("digest")))
    return Entry(original_name(str(part.get("path"))), int(part.get("bytes") or 0), known)


def _path_of(root: str, part: Facet) -> str:
    return f"{root.rstrip('/')}/{original_name(str(part.get('path')))}"


def _learned(one: Owed, snapshot: Snapshot) -> Refinement:
    namespace, name = str(one.dataset["namespace"]), str(one.dataset["name"])
    return Refinement(one.key, one.role, namespace, name, proven(one.told, snapshot))


def _evidence(told: object) -> Evidence | None:
    """As `events.content.evidence_text` writes it."""
    try:
        return Evidence(*map(int, str(told).split(":")))
    except (ValueError, TypeError):
        return None
