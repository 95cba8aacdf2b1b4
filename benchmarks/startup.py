# SPDX-License-Identifier: Apache-2.0
"""Claim: the command answers at once: `--help`, `--version` < 60 ms, a small file's fingerprint < 250 ms over python.

Peer: `python -c pass` of the same interpreter. Bytecode is cached, as after any installation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import run

COMMAND = str(Path(sys.executable).with_name("lineagekit"))


def call(*words: str) -> None:
    """Run a command, its output thrown away."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""})


def main() -> None:
    """Measure each over python's own start."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.csv")
        small.write_text("id,label\n1,pos\n2,neg\n")
        plain = Path(folder, "small.bin")
        plain.write_bytes(b"x" * 1000)
        rounds = run(
            {
                "python": lambda: call(sys.executable, "-c", "pass"),
                "--help": lambda: call(COMMAND, "--help"),
                "--version": lambda: call(COMMAND, "--version"),
                "fingerprint small.bin": lambda: call(COMMAND, "fingerprint", str(plain)),
                "fingerprint small.csv": lambda: call(COMMAND, "fingerprint", str(small)),
            },
            rounds=15,
        )
    for name, target in (
        ("--help", 60),
        ("--version", 60),
        ("fingerprint small.bin", 250),
        ("fingerprint small.csv", 250),
    ):
        over = statistics.median(a - b for a, b in zip(rounds[name], rounds["python"], strict=True))
        print(f"{name:24} {over * 1000:5.0f} ms over python   target < {target}")


if __name__ == "__main__":
    main()
