# SPDX-License-Identifier: Apache-2.0
"""Proofs: the digest of the bytes that a run saw, or the reason why it cannot be known.

    >>> prover = Prover(Hashing("blake3", cache, threads=2), Budget())  # doctest: +SKIP
    >>> prover.prove([Claim("/data/orders.csv", evidence)])  # doctest: +SKIP
    {Claim(...): Proof(digest=Digest('blake3', ...), reason='')}

A claim says that a file had some evidence when the run saw it. It is proven if the file has it now, before and after it
is hashed. What was hashed under the same evidence before is not read again.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.listing import take_listing
from lineagekit.errors import BadDataError, ChangedWhileReadError, LineagekitError, NotFoundError, UnreadableError
from lineagekit.identity.batch import FIELDS, NUMBERS, SMALL
from lineagekit.identity.clock import COARSE_MARGIN, FINE, is_settled
from lineagekit.identity.crew import WORTH_HELPERS, Crew
from lineagekit.identity.digest import Digest
from lineagekit.identity.files import hash_file
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.mounts import is_local
from lineagekit.identity.trees import hash_tree
from lineagekit.record import reasons
from lineagekit.record.facts import Listing
from lineagekit.record.plan import Budget
from lineagekit.record.where import has_fine_stamps

CHANGED = "changed"
"""Not what it was: whether after it was read or after it was written, the story knows."""

FOLDER = "a folder"
"""What was opened as a file and is a folder: no dataset, whatever was done with it."""

_BATCH = 512


class Claim(NamedTuple):
    """The bytes that a file has while this is its evidence."""

    place: str
    evidence: Evidence


class Proof(NamedTuple):
    """A digest, or why there is none."""

    digest: Digest | None
    reason: str = ""


class Prover:
    """Hashes what is claimed, as long as the budget lasts."""

    def __init__(self, how: Hashing, budget: Budget) -> None:
        """The clock of the budget runs from here."""
        self._how = how
        self._until, self._bytes = time.monotonic() + budget.seconds, budget.bytes

    def prove(self, claims: Iterable[Claim]) -> dict[Claim, Proof]:
        """A proof for each claim; small files first, so that a budget brings as many as it can."""
        proofs = {claim: Proof(None, _look(claim)) for claim in claims}
        standing = [claim for claim, proof in proofs.items() if not proof.reason]
        algorithm = self._how.algorithm
        known = self._how.cache.lookup_many([claim.evidence for claim in standing], algorithm)
        for claim, hit in zip(standing, known, strict=False):
            if hit:
                proofs[claim] = Proof(Digest(algorithm, hit[1].hex()))
        unknown = [claim for claim in standing if proofs[claim].digest is None]
        self._hash(sorted(unknown, key=lambda claim: claim.evidence.size), proofs)
        return proofs

    def prove_folder(self, path: str, listing: Listing | None) -> Manifest | str:
        """All files of a folder that held just these, with these stamps; or why that is not known."""
        if listing is None:
            return reasons.OVER_BUDGET if os.path.isdir(path) else reasons.GONE
        if not _holds(path, listing):
            return CHANGED if os.path.isdir(path) else reasons.GONE
        if not self.affords(listing.bytes):
            return reasons.OVER_BUDGET
        try:
            manifest = hash_tree(path, self._how)
        except LineagekitError as error:
            return _reason(error)
        return manifest if _holds(path, listing) else CHANGED

    def grant(self, seconds: float) -> None:
        """What was spent on something else is not taken from the budget."""
        self._until += seconds

    def affords(self, size: int) -> bool:
        """Take this many bytes from the budget, if they and the time are there."""
        if size > self._bytes or time.monotonic() > self._until:
            return False
        self._bytes -= size
        return True

    def _hash(self, claims: Sequence[Claim], proofs: dict[Claim, Proof]) -> None:
        by_device: dict[int, list[Claim]] = {}
        single = []
        for claim in claims:
            size, device = claim.evidence.size, claim.evidence.device
            if not self.affords(size):
                proofs[claim] = Proof(None, reasons.OVER_BUDGET)
            elif size <= SMALL and is_local(device):
                by_device.setdefault(device, []).append(claim)
            else:
                single.append(claim)
        for device, small in by_device.items():
            single += self._hash_small(device, small, proofs)
        with ThreadPoolExecutor(self._how.threads) as pool:
            proofs.update(zip(single, pool.map(self._hash_one, single), strict=True))

    def _hash_small(self, device: int, claims: list[Claim], proofs: dict[Claim, Proof]) -> list[Claim]:
        """Hash in batches; returns what must be hashed one by one."""
        doubtful = []
        batches = [claims[i : i + _BATCH] for i in range(0, len(claims), _BATCH)]
        crew = Crew(self._how.algorithm, device, threads=self._how.threads)
        with closing(crew), ThreadPoolExecutor(self._how.threads) as pool:
            if len(batches) >= WORTH_HELPERS:
                crew.grow()
            began = time.time_ns()
            asked = ([os.fsencode(claim.place) for claim in batch] for batch in batches)
            for batch, (stats, digests, left) in zip(
                batches, pool.map(lambda paths: crew.read(b"", paths), asked), strict=True
            ):
                skipped = set(left)
                done = [claim for i, claim in enumerate(batch) if i not in skipped]
                doubtful += [batch[i] for i in left]
                self._take(done, stats, digests, proofs, began)
        return doubtful

    def _take(self, claims: list[Claim], stats: bytes, digests: bytes, proofs: dict[Claim, Proof], began: int) -> None:
        found = [Evidence(*numbers) for numbers in NUMBERS.iter_unpack(stats)]
        algorithm = self._how.algorithm
        self._how.cache.store_many(found, digests, algorithm, began=began)
        self._how.progress(sum(evidence.size for evidence in found))
        for i, (claim, evidence) in enumerate(zip(claims, found, strict=True)):
            raw = digests[32 * i : 32 * i + 32]
            proofs[claim] = Proof(Digest(algorithm, raw.hex())) if evidence == claim.evidence else Proof(None, CHANGED)

    def _hash_one(self, claim: Claim) -> Proof:
        if time.monotonic() > self._until:
            return Proof(None, reasons.OVER_BUDGET)
        try:
            hashed = hash_file(claim.place, self._how)
        except LineagekitError as error:
            return Proof(None, _reason(error))
        return Proof(hashed.digest) if hashed.evidence == claim.evidence else Proof(None, CHANGED)


def is_telling(evidence: Evidence, at: int) -> bool:
    """Whether any write after `at`, when this evidence was taken, would have moved the stamp.

    True of what had rested for some ticks. True of all where the kernel gives a file that was looked at a finer stamp.
    """
    if not is_local(evidence.device):
        return bool(evidence.ctime_ns + COARSE_MARGIN < at)
    return is_settled(evidence.ctime_ns, at) or bool(evidence.ctime_ns % FINE and has_fine_stamps(evidence.device))


def _look(claim: Claim) -> str:
    """Why a claim cannot be proven; '' if it still may."""
    try:
        found = os.stat(claim.place)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL inside
        return reasons.GONE
    except OSError:
        return reasons.UNREADABLE
    if not stat.S_ISREG(found.st_mode):
        return FOLDER if stat.S_ISDIR(found.st_mode) else reasons.NOT_REGULAR
    return "" if FIELDS(found) == claim.evidence else CHANGED


def _holds(path: str, listing: Listing) -> bool:
    return take_listing(path, patience=float("inf")) == listing._asdict()


def _reason(error: LineagekitError) -> str:
    match error:
        case ChangedWhileReadError():
            return CHANGED
        case UnreadableError():
            return reasons.UNREADABLE
        case NotFoundError():
            return reasons.GONE
        case BadDataError():
            return reasons.NOT_REGULAR
        case _:
            return reasons.UNREADABLE
