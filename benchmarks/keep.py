# SPDX-License-Identifier: Apache-2.0
"""Claim: taking the digest of what a job read and keeping its bytes costs <= 1.15x of `b3sum` and a copy of the same.

One large file, and 10,000 of 4 KiB. Peer: `b3sum`, then `cp --reflink=auto`, in the same round. Also said: what keeping
adds to the digests that are taken anyhow, and what it costs when the bytes are kept already.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from data import FOLDER
from measure import Rounds, report, run
from one_big_file import SIZE as BIG
from one_big_file import big_file
from peers import Contenders, installed, run_b3sum, run_xargs_b3sum

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.hashing import Hashing
from lineagekit.record.plan import THREADS, Budget
from lineagekit.record.prove import Claim, Prover
from lineagekit.store.clone import Wanted
from lineagekit.store.kept import Kept

FILES, SIZE, ROUNDS = 10_000, 4096, 6
LIMIT = 10 << 30


def small_files() -> Path:
    """A folder of random bytes, made once."""
    folder = FOLDER / "files" / "small4k"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for number in range(FILES):
            (folder / f"{number}.bin").write_bytes(os.urandom(SIZE))
    return folder


def prove(claims: list[Claim]) -> Iterator[Wanted]:
    """What settling does with what a job read."""
    for claim, proof in Prover(Hashing(threads=THREADS), Budget()).prove(claims).items():
        assert proof.digest is not None
        yield Wanted(claim.place, str(proof.digest), claim.evidence.size, claim.evidence)


def keep(claims: list[Claim], folder: Path) -> None:
    """And then keeps."""
    kept = list(Kept(folder, most=LIMIT).put_all(prove(claims)))
    assert len(kept) == len(claims)


def measure(title: str, place: Path, hash_all: Callable[[Path], None], targets: dict[str, float]) -> None:
    """Round by round in a new folder, and who comes first alternates: the disk is slower for whoever comes second."""
    paths = [place] if place.is_file() else sorted(place.iterdir())
    claims = [Claim(str(path), Evidence.of(os.stat(path))) for path in paths]
    rounds: Rounds = {}
    for turn in range(-1, ROUNDS):
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            work_of = installed(contenders(place, claims, hash_all, Path(name)))
            first, second, *others = work_of
            for one in (first, second, *others) if turn % 2 else (second, first, *others):
                os.sync()  # what is on its way to the disk holds up whoever writes next
                taken = run({one: work_of[one]}, rounds=1, warm_up=0)[one]
                rounds.setdefault(one, []).extend(taken if turn >= 0 else ())
    report(title, rounds, against="b3sum and cp", targets=targets)


def contenders(place: Path, claims: list[Claim], hash_all: Callable[[Path], None], scratch: Path) -> Contenders:
    """All of one round."""

    def peer() -> None:
        hash_all(place)
        subprocess.run(["cp", "-r", "--reflink=auto", place, scratch / "copy"], check=True)

    return {
        "b3sum and cp": peer,
        "digests and keeping": lambda: keep(claims, scratch / "store"),
        "digests alone": lambda: list(prove(claims)),
        "digests, all kept before": lambda: keep(claims, scratch / "store"),
    }


def main() -> None:
    """Measure both."""
    measure(f"one file of {BIG >> 30} GiB", big_file(), run_b3sum, {"digests and keeping": 1.15})
    measure(f"{FILES:,} files of 4 KiB", small_files(), run_xargs_b3sum, {})


if __name__ == "__main__":
    main()
