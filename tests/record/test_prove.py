# SPDX-License-Identifier: Apache-2.0
"""A digest is given only for bytes that had the claimed evidence before and after they were hashed."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.cache import open_cache
from lineagekit.identity.hashing import Hashing
from lineagekit.record import reasons
from lineagekit.record.ask import Asked, AskedOutput
from lineagekit.record.batch import find_contested
from lineagekit.record.plan import Budget
from lineagekit.record.prove import CHANGED, FOLDER, Claim, Proof, Prover, is_telling
from lineagekit.record.touches import Written
from lineagekit.record.where import has_fine_stamps


def claim(path: Path) -> Claim:
    return Claim(str(path), Evidence.of(os.stat(path)))


def prove(*claims: Claim, budget: Budget | None = None) -> list[Proof]:
    proofs = Prover(Hashing(threads=2), budget or Budget()).prove(claims)
    return [proofs[one] for one in claims]


def test_files_of_every_size_are_proven(tmp_path: Path) -> None:
    claims = []
    for size in (0, 1, 1 << 20, (1 << 20) + 1, 33 << 20):
        (tmp_path / str(size)).write_bytes(b"x" * size)
        claims.append(claim(tmp_path / str(size)))
    digests = [proof.digest and proof.digest.hex for proof in prove(*claims)]
    assert digests == [blake3(b"x" * one.evidence.size).hexdigest() for one in claims]


def test_thousands_of_files_are_proven(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(2_100)]
    for path in paths:
        path.write_bytes(path.name.encode())
    assert [proof.digest and proof.digest.hex for proof in prove(*map(claim, paths))] == [
        blake3(path.name.encode()).hexdigest() for path in paths
    ]


@pytest.mark.parametrize("how", ["written", "replaced", "touched", "restored"])
def test_a_file_that_changed_in_any_way_is_not_proven(tmp_path: Path, how: str) -> None:
    path, found = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"1")
    before = claim(path)
    found.write_bytes(b"1")
    if how == "written":
        path.write_bytes(b"2")
    elif how == "replaced":
        os.replace(found, path)
    elif how == "touched":
        path.chmod(0o600)
    else:
        path.write_bytes(b"3")
        os.utime(path, ns=(before.evidence.mtime_ns, before.evidence.mtime_ns))
    assert prove(before) == [Proof(None, CHANGED)]


def test_what_is_there_no_more_or_is_something_else_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    some = Evidence(1, 2, 3, 4, 5)
    names = ("none", "file/below", "fifo", ".", "x" * 300)
    reasons_found = [proof.reason for proof in prove(*(Claim(f"{tmp_path}/{name}", some) for name in names))]
    assert reasons_found == [reasons.GONE, reasons.GONE, reasons.NOT_REGULAR, FOLDER, reasons.UNREADABLE]


def test_a_writer_at_work_never_gets_a_wrong_digest_out_of_us(tmp_path: Path) -> None:
    path, stop = tmp_path / "a", threading.Event()
    path.write_bytes(bytes(200_000))

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path.write_bytes(bytes([number % 251]) * 200_000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            one = claim(path)
            data = path.read_bytes()
            if Evidence.of(os.stat(path)) != one.evidence:
                continue
            (proof,) = prove(one)
            assert proof.digest is None or proof.digest.hex == blake3(data).hexdigest()
    finally:
        stop.set()
        writer.join()


def test_what_was_hashed_before_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1" * 1000)
    time.sleep(0.03)
    read: list[int] = []
    with closing(open_cache(tmp_path / "cache")) as cache:
        for _ in range(2):
            Prover(Hashing(cache=cache, progress=read.append), Budget()).prove([claim(path)])
    assert read == [1000]


def test_a_budget_of_no_time_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    assert prove(claim(tmp_path / "a"), budget=Budget(seconds=-1)) == [Proof(None, reasons.OVER_BUDGET)]


def test_evidence_tells_if_it_had_rested_or_the_kernel_stamps_finely(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    found = Evidence.of(os.stat(tmp_path / "a"))
    assert is_telling(found, found.ctime_ns + 30_000_000)
    assert is_telling(found._replace(ctime_ns=found.ctime_ns // 1000 * 1000 + 1), found.ctime_ns) == has_fine_stamps(
        found.device
    )
    coarse = found._replace(ctime_ns=found.ctime_ns // 10**9 * 10**9)
    assert not is_telling(coarse, coarse.ctime_ns + 10**9)


@pytest.mark.parametrize(("fine", "contested"), [(True, frozenset()), (False, {"first"})])
def test_of_two_runs_that_leave_the_same_stamp_the_earlier_is_unknown_unless_stamps_are_fine(
    fine: bool, contested: set[str]
) -> None:
    one = Claim("/out", Evidence(1, 2, 3, 4, 5))
    asked = {
        run: Asked([], [AskedOutput(Written("/out", at, "open", evidence=one.evidence), one)])
        for at, run in ((20, "second"), (10, "first"))
    }
    assert {run for run, _ in find_contested(asked, lambda *_: fine)} == contested
