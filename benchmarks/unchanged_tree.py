# SPDX-License-Identifier: Apache-2.0
"""Claim: an unchanged folder of 50,000 files, proven unchanged by the digest cache, in twice the time of stat.

Peers: walking and stat'ing every file with os.scandir, which is the least that a proof needs; `dvc status` where dvc
is installed (see peers.py).
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path

from many_files import TREES, tree
from measure import ratio, report, run
from peers import Contenders, installed, prepare_dvc_status, run_dvc_status

from lineagekit.config import Config
from lineagekit.identity.cache import open_cache
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.trees import hash_tree


def walk_and_stat(root: Path) -> None:
    """The peer, as plain as it can be."""
    folders = [os.fsencode(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    entry.stat()


def main() -> None:
    """Hash once, then measure."""
    name, files, size, _ = TREES["50,000 x 10 KB"]
    root = tree(name, files, size)
    with tempfile.TemporaryDirectory() as folder, closing(open_cache(folder)) as cache:
        how = Hashing(cache=cache, threads=Config.from_environment().threads)
        hash_tree(root, how)
        ours = {"walk and stat": lambda: walk_and_stat(root), "lineagekit": lambda: hash_tree(root, how).digest}
        rounds = run(ours, rounds=9)
        report(f"unchanged tree of {files:,} files", rounds, against="walk and stat", targets={"lineagekit": 2.0})
        slow: Contenders = {"lineagekit": ours["lineagekit"], "dvc status": lambda: run_dvc_status(root)}
        if "dvc status" in installed(slow):
            prepare_dvc_status(root)
            rounds = run(slow, rounds=5)
            print(f"  {ratio(rounds, 'dvc status', 'lineagekit'):.1f} times faster than dvc status   target >= 8")


if __name__ == "__main__":
    main()
