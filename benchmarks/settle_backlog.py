# SPDX-License-Identifier: Apache-2.0
"""Claim: a backlog of small runs is settled at >= 1,000 runs a second, stats and hashes of their files included.

Each run has a journal of its own, twelve facts, two inputs and an output. Peer, in the same run: hashing these files
with `fingerprint`, one call a file and nothing remembered.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.journal import boot_id, encode, new_id
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle

NOBODY = 2**22 - 1  # a process id that the kernel gives to nobody


def write_run(number: int, data: Path, journals: Path) -> None:
    """Three small files, and a journal that tells of them."""
    run, id_ = new_id(time.time_ns()), new_id(time.time_ns())
    paths = [str(data / f"{name}{number}.bin") for name in ("a", "b", "out")]
    for path in paths:
        Path(path).write_text(f"{number},{path}\n" * 200)
    a, b, out = ({"path": path, "evidence": Evidence.of(os.stat(path)), "door": "open"} for path in paths)
    place = {"cwd": str(data), "entry": str(data / "train.py"), "argv": ["python", "train.py", "--rate", "0.3"]}
    facts = [
        {"fact": "journal", "version": 1, "id": id_, "host": os.uname().nodename, "boot": boot_id(), "pid": NOBODY}
        | {"start": "1", "parent": ""},
        {"fact": "run", "job": f"train{number % 7}.py", "rank": 1, "namespace": "", "parent": "", "how": "process"}
        | place,
        {"fact": "read"} | a,
        {"fact": "read"} | b,
        {"fact": "params", "params": {"C": 0.3, "seed": 1}},
        {"fact": "writing", "path": paths[2], "was": None, "mode": "w", "door": "open"},
        {"fact": "written"} | out,
        {"fact": "model", "path": paths[2], "name": "", "version": ""},
        {"fact": "metric", "name": "auc", "value": 0.9, "of": paths[2], "on": paths[0], "higher_is_better": True},
        {"fact": "code", "entry": place["entry"], "modules": [["__main__", place["entry"], ["sha256:" + "0" * 64]]]},
        {"fact": "environment", "python": "3.11.7", "packages": {"pandas": "2.2.0", "numpy": "2.0"}},
        {"fact": "end", "state": "COMPLETE", "error": "", "exit": 0},
    ]
    now = time.time_ns()
    records = b"".join(encode(dict(fact, run=run, n=n, at=now + n)) for n, fact in enumerate(facts))
    (journals / f"{id_}.journal").write_bytes(records)


def main() -> None:
    """Make the backlog, then settle it."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 5000
    with tempfile.TemporaryDirectory() as name:
        data, journals = Path(name, "data"), Path(name, "store", "journal")
        data.mkdir()
        journals.mkdir(parents=True)
        for number in range(runs):
            write_run(number, data, journals)
        time.sleep(0.1)  # until the files' times can prove something
        began = time.perf_counter()
        for path in sorted(data.iterdir()):
            fingerprint(str(path), Options(what="bytes"))
        peer = time.perf_counter() - began
        began = time.perf_counter()
        settled = settle(str(Path(name, "store")), plan=Plan(cache_folder=str(Path(name, "cache"))))
        taken = time.perf_counter() - began
    assert (settled.runs, settled.exact) == (runs, 3 * runs), settled
    print(f"{runs} runs settled: {runs / taken:,.0f} runs/s   target >= 1,000")
    print(f"hashing their files alone: {runs / peer:,.0f} runs/s")


if __name__ == "__main__":
    main()
