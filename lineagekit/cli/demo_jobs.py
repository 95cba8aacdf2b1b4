# SPDX-License-Identifier: Apache-2.0
"""Two jobs for the demo, recorded for real: what each run read and wrote is read back from the store.

>>> list(recorded_digests(Path("/tmp/demo"), "id,label"))  # doctest: +SKIP
[Digest('blake3', '61a0...'), Digest('blake3', '8c1f...'), Digest('blake3', 'b0d2...')]
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lineagekit.errors import StoreError
from lineagekit.events.summary import summarize
from lineagekit.identity.digest import Digest
from lineagekit.store.log import open_store

_FEATURES = """\
import csv
with open("raw.csv") as raw, open("features.csv", "w") as out:
    for row in csv.DictReader(raw):
        print(len(row["text"]), row["label"], sep=",", file=out)
"""
_TRAIN = """\
import json, lineagekit
with open("features.csv") as features:
    labels = [line.strip().partition(",")[2] for line in features]
with open("model.json", "w") as model:
    json.dump({"pos": labels.count("pos") / len(labels)}, model)
lineagekit.model("model.json", name="demo")
"""
_STORE = ".lineagekit"


def recorded_digests(folder: Path, raw: str) -> Iterator[Digest]:
    """Write the raw data, run both jobs, and tell what was recorded: raw data, features, model."""
    folder.mkdir(exist_ok=True)
    (folder / "raw.csv").write_text(raw)
    for name, code in (("features.py", _FEATURES), ("train.py", _TRAIN)):
        (folder / name).write_text(code)
        _run(folder, name)
    yield _seen(folder, "features.py", "raw.csv")
    yield _seen(folder, "train.py", "features.csv")
    yield _seen(folder, "train.py", "model.json")


def _run(folder: Path, script: str) -> None:
    told = {"LINEAGEKIT_STORE": str(folder / _STORE), "LINEAGEKIT_SETTLE": "detached", "LINEAGEKIT_DISABLED": ""}
    command = [sys.executable, "-m", "lineagekit", "run", "--quiet", "--", sys.executable, script]
    done = subprocess.run(command, cwd=folder, env=os.environ | told, capture_output=True, text=True)
    if done.returncode:
        raise StoreError(f"the demo's {script} failed: {done.stderr.strip()}", advice="Run: lineagekit doctor")


def _seen(folder: Path, job: str, file: str) -> Digest:
    with open_store(folder / _STORE) as store:
        run = store.find_runs(job)[0]
        summary = summarize(row.event for row in store.run_events(run.run))
    names = {os.path.basename(seen.name): seen.digest for seen in (*summary.inputs, *summary.outputs)}
    return Digest.parse(names[file])
