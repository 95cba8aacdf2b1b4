# SPDX-License-Identifier: Apache-2.0
"""Claim: `lineagekit trace` of an answer of <= 1,000 nodes takes < 250 ms, and on 100,000 runs <= 1.5x that on 10,000.

Each time a new process, from the shell to the last line. The stores are made by histories.py, which also knows from
the company alone how many runs a model came from: an answer that is wrong is no time. `--runs 10000 1000000` measures
the largest.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from histories import FOLDER, Answers, known_answers, write_store
from measure import ratio, report, run

LINEAGEKIT = Path(sys.executable).with_name("lineagekit")
MOST_MS, MOST_RATIO, MOST_NODES = 250, 1.5, 1000
TEN = "/data/models/model-[0-9].joblib"


def main() -> None:
    """Measure each question on both stores, in alternation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs=2, default=(10_000, 100_000), metavar=("FEW", "MANY"))
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    stores = {runs: write_store(FOLDER / f"history-{runs}-0", runs) for runs in asked.runs}
    known = {runs: known_answers(runs) for runs in asked.runs}
    for runs, folder in stores.items():
        check(folder, known[runs])
    for question in ("model", "windowed", TEN):
        measure(question, stores, known, rounds=asked.rounds)
    few, _ = stores.values()
    report(
        "what any command takes",
        run({"lineagekit log -n 1": partial(ask, few, "log", "-n", "1")}),
        against="lineagekit log -n 1",
    )


def check(folder: Path, known: Answers) -> None:
    """The runs that a trace finds are those that the company knows of."""
    for model in filter(None, (known.model, known.windowed)):
        result = json.loads(ask(folder, "trace", model.name, "--json"))["result"]
        (root,) = result["roots"]
        found = len(result["steps"]), root["run"], root["digest"].rpartition(":")[2], root["of"]
        expected = model.upstream, model.run, model.digest, model.versions
        if found != expected:
            raise SystemExit(f"{folder}: trace {model.name} is wrong: got {found}, expected {expected}")
        print(f"{folder}: {model.name} came from {model.upstream} runs, as it should be")


def measure(question: str, stores: dict[int, Path], known: dict[int, Answers], *, rounds: int) -> None:
    """One question on both stores."""
    work = {}
    for runs, folder in stores.items():
        named = {"model": known[runs].model, "windowed": known[runs].windowed}.get(question)
        target = named.name if named else question
        nodes = ask(folder, "trace", target, "--format", "dot").count("[shape=")
        if nodes > MOST_NODES:
            raise SystemExit(f"{target}: got {nodes} nodes, expected at most {MOST_NODES}")
        work[f"{runs:,} runs: {target}, {nodes} nodes"] = partial(ask, folder, "trace", target)
    few, many = work
    taken = run(work, rounds=rounds)
    report(f"trace, {question}", taken, against=few, targets={many: MOST_RATIO})
    slowest = max(statistics.median(seconds) for seconds in taken.values()) * 1000
    verdict = slowest < MOST_MS and ratio(taken, many, few) <= MOST_RATIO
    print(f"  slowest {slowest:.0f} ms   target < {MOST_MS} ms   {'met' if verdict else 'MISSED'}")


def ask(folder: Path, *words: str) -> str:
    """A command in a process of its own; what it printed."""
    environ = {**os.environ, "LINEAGEKIT_STORE": str(folder)}
    return subprocess.run([LINEAGEKIT, *words], env=environ, capture_output=True, check=True, encoding="utf-8").stdout


if __name__ == "__main__":
    main()
