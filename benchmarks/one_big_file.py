# SPDX-License-Identifier: Apache-2.0
"""Claim: one warm file of 2 GiB in the time of `b3sum`.

Peers: `b3sum`, and model_signing where it is installed (see peers.py). All read the file from the page cache.
"""

from __future__ import annotations

import os
from pathlib import Path

from data import FOLDER
from measure import report, run
from peers import installed, run_b3sum, run_model_signing

from lineagekit.config import Config
from lineagekit.identity.files import hash_file
from lineagekit.identity.hashing import Hashing

SIZE = 2 << 30


def big_file() -> Path:
    """Random bytes, made once."""
    path = FOLDER / "files" / "big"
    if not path.exists() or path.stat().st_size != SIZE:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            for _ in range(SIZE >> 20):
                file.write(os.urandom(1 << 20))
    return path


def main() -> None:
    """Measure both."""
    path, how = big_file(), Hashing(threads=Config.from_environment().threads)
    contenders = {
        "b3sum": lambda: run_b3sum(path),
        "model_signing": lambda: run_model_signing(path),
        "lineagekit": lambda: hash_file(path, how),
    }
    rounds = run(installed(contenders), rounds=7)
    report(f"one file of {SIZE >> 30} GiB", rounds, against="b3sum", targets={"lineagekit": 1.05})


if __name__ == "__main__":
    main()
