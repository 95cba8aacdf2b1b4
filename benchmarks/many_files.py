# SPDX-License-Identifier: Apache-2.0
"""Claim: a folder's manifest, walk and sort included, in the time in which `b3sum` reads its files.

Peers: `find | xargs -P2 b3sum --num-threads 1`, as xargs divides the work and in batches of 256 files (few large
files fit one command line, which leaves a core idle); `dvc add` and model_signing where installed (see peers.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from data import FOLDER
from measure import ratio, report, run
from peers import Contenders, installed, run_dvc_add, run_model_signing, run_xargs_b3sum

from lineagekit.config import Config
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.trees import hash_tree

TREES = {"50,000 x 10 KB": ("small", 50_000, 10_240, 1.0), "2,000 x 1 MB": ("middle", 2_000, 1_000_000, 1.15)}


def tree(name: str, files: int, size: int) -> Path:
    """A folder with folders of 1,000 files, no two alike, made once."""
    root = FOLDER / "files" / name
    tail = os.urandom(size - 8)
    for number in range(0 if not root.exists() else files, files):
        folder = root / f"part-{number // 1000:04}"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        (folder / f"sample-{number:07}.bin").write_bytes(number.to_bytes(8, "little") + tail)
    return root


def contenders(root: Path, how: Hashing) -> Contenders:
    """Everybody who hashes a folder."""
    return {
        "xargs -P2 b3sum": lambda: run_xargs_b3sum(root),
        "xargs -P2 -n 256 b3sum": lambda: run_xargs_b3sum(root, batch=256),
        "lineagekit": lambda: hash_tree(root, how).digest,
    }


def slow_contenders(root: Path) -> Contenders:
    """Those of a scratch environment."""
    return {"dvc add": lambda: run_dvc_add(root), "model_signing": lambda: run_model_signing(root)}


def main() -> None:
    """Measure all on both folders; the slow peers in fewer rounds."""
    how = Hashing(threads=Config.from_environment().threads)
    for title, (name, files, size, target) in TREES.items():
        root = tree(name, files, size)
        rounds = run(installed(contenders(root, how)), rounds=7)
        report(title, rounds, against="xargs -P2 b3sum", targets={"lineagekit": target})
        slow = installed(slow_contenders(root))
        if slow:
            rounds = run(slow | {"lineagekit": lambda root=root: hash_tree(root, how).digest}, rounds=3)
            report(f"{title}, slower peers", rounds, against="lineagekit")
        if "dvc add" in slow:
            print(f"  {ratio(rounds, 'dvc add', 'lineagekit'):.1f} times faster than dvc add   target >= 8")


if __name__ == "__main__":
    main()
