# SPDX-License-Identifier: Apache-2.0
"""Claim: `lineagekit impact` with an answer of up to 1,000 nodes takes < 250 ms, and costs what its answer costs.

Peer: the same command on the store of 10,000 runs, whose answers are about as large. Cold processes, the command line
and all. First every answer is compared with what the makers of the history know; a wrong one ends the benchmark.

    python benchmarks/impact.py [--rounds N] [RUNS=FOLDER ...]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from answers import Reach, Used
from histories import FOLDER, known_answers, write_store
from measure import ratio, run

COMMAND = str(Path(sys.executable).with_name("lineagekit"))
SIZES = (10_000, 100_000)
QUESTIONS = ("feed", "wide", "used", "used_widely", "returned")
MOST = 250  # milliseconds


def main() -> None:
    """Check, then measure each question in each store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("stores", nargs="*", metavar="RUNS=FOLDER", help="histories by how many runs they were made of")
    chosen = parser.parse_args()
    named = {int(runs): Path(folder) for runs, _, folder in (one.partition("=") for one in chosen.stores)}
    stores = named or {runs: write_store(FOLDER / f"history-{runs}-0", runs) for runs in SIZES}
    words: dict[int, dict[str, list[str]]] = {}
    for runs, folder in stores.items():
        began = time.perf_counter()
        ask(folder, ["log", "-n", "1"])
        words[runs] = check(folder, runs)
        print(f"{runs:,} runs: index up to date and answers checked in {time.perf_counter() - began:.1f} s")
    smallest = min(stores)
    for question in words[smallest]:
        compare(question, {runs: (folder, words[runs][question]) for runs, folder in stores.items()}, chosen.rounds)


def check(folder: Path, runs: int) -> dict[str, list[str]]:
    """What is asked, if all answers are right."""
    answers = known_answers(runs)
    words = {}
    for name in QUESTIONS:
        known = getattr(answers, name)
        if known is None:
            continue
        words[name] = ["impact", known.name] + (["--version", known.digest] if isinstance(known, Used) else [])
        require_equal(f"{runs:,} runs, {name}", found(ask(folder, [*words[name], "--json"])), expected(known))
    return words


def expected(known: Reach | Used) -> dict[str, int]:
    """By those who made the history."""
    if isinstance(known, Reach):
        return {"jobs": known.jobs, "datasets": known.datasets, "models": known.models}
    return {"runs": known.runs, "builds": known.builds}


def found(answer: dict[str, Any]) -> dict[str, int]:
    """By the command."""
    consumers = answer["consumers"]
    if answer["by"] == "name":
        jobs = {job for one in consumers for job in one["jobs"]}
        made = [one for one in consumers if one["kind"] != "job"]
        return {"jobs": len(jobs), "datasets": len(made), "models": answer["counts"].get("model", 0)}
    return {"runs": answer["runs"], "builds": sum(len(one["versions"]) for one in consumers)}


def require_equal(title: str, got: dict[str, int], known: dict[str, int]) -> None:
    """A wrong answer is not worth measuring."""
    if got != known:
        raise SystemExit(f"{title}: got {got}, expected {known}")


def ask(folder: Path, words: list[str]) -> dict[str, Any]:
    """The command's result, if it was asked for as JSON."""
    environ = os.environ | {"LINEAGEKIT_STORE": str(folder), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run([COMMAND, *words], check=True, capture_output=True, env=environ)
    result: dict[str, Any] = json.loads(done.stdout)["result"] if "--json" in words else {}
    return result


def compare(question: str, asked: dict[int, tuple[Path, list[str]]], rounds: int) -> None:
    """One line a store: milliseconds, and how many times that of the smallest store."""
    told = {f"{runs:,} runs": (folder, words) for runs, (folder, words) in asked.items()}
    taken = run({name: lambda it=it: ask(*it) for name, it in told.items()}, rounds=rounds)
    peer = next(iter(told))
    print(f"{question}: {' '.join(asked[min(asked)][1])[:90]}")
    for name, seconds in taken.items():
        median = statistics.median(seconds) * 1000
        print(f"  {name:20} {median:6.0f} ms   target < {MOST}   {ratio(taken, name, peer):5.2f}x   target <= 1.5x")


if __name__ == "__main__":
    main()
