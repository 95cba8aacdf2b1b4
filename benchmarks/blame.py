# SPDX-License-Identifier: Apache-2.0
"""Claim: `lineagekit blame` of builds a week apart takes < 1.5 s on 1,000,000 runs, and costs what differs.

Each time a new process, from the shell to the last line. Peer: the same question of the store of 10,000 runs. A model
is asked about twice: its last build against the one a week before, and against the one just before.

    python benchmarks/blame.py [--rounds N] [RUNS=FOLDER ...]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from histories import FOLDER, known_answers, write_store
from measure import report, run

LINEAGEKIT = Path(sys.executable).with_name("lineagekit")
SIZES = (10_000, 100_000)
MOST = 1.5
PAIRS = {"a week apart": "-8", "neighbours": "-2"}


def main() -> None:
    """Measure each pair in each store, in alternation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("stores", nargs="*", metavar="RUNS=FOLDER", help="histories by how many runs they were made of")
    chosen = parser.parse_args()
    named = {int(runs): Path(folder) for runs, _, folder in (one.partition("=") for one in chosen.stores)}
    stores = named or {runs: write_store(FOLDER / f"history-{runs}-0", runs) for runs in SIZES}
    for title, good in PAIRS.items():
        work: dict[str, Callable[[], object]] = {}
        for runs, folder in stores.items():
            model = known_answers(runs).model
            if model is None:
                raise SystemExit(f"{folder}: a history without a model")
            words = model.name, "--good", good, "--bad", "-1"
            found = json.loads(ask(folder, *words, "--json"))["result"]
            if found["good"]["number"] >= found["bad"]["number"] or not found["suspects"]:
                raise SystemExit(
                    f"{folder}: got {found['good']} and {found['bad']}, expected what differs between them"
                )
            name = f"{runs:,} runs: {model.name}, {found['compared']['runs']} runs compared"
            work[name] = partial(ask, folder, *words)
        few = next(iter(work))
        taken = run(work, rounds=chosen.rounds)
        report(f"blame, {title}", taken, against=few)
        slowest = max(statistics.median(seconds) for seconds in taken.values())
        print(f"  slowest {slowest:.2f} s   target < {MOST} s   {'met' if slowest < MOST else 'MISSED'}")


def ask(folder: Path, *words: str) -> str:
    """The command in a process of its own; what it printed."""
    environ = {**os.environ, "LINEAGEKIT_STORE": str(folder)}
    done = subprocess.run([LINEAGEKIT, "blame", *words], env=environ, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"blame {' '.join(words)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
