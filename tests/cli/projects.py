# SPDX-License-Identifier: Apache-2.0
"""Pipelines that run, each in a folder of its own, for whoever rebuilds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cli.conftest import PROGRAM

PIPELINE = """
import argparse, csv, json, os, sys
import lineagekit
from helper import WEIGHT

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
lr = lineagekit.params(parser.parse_args()).lr
labels = [int(row[1]) for row in csv.reader(open(os.path.abspath("labels.csv")))]
prices = [float(row[1]) for row in csv.reader(open("prices.csv"))]
with open("model.json", "w") as file:
    json.dump({"labels": labels, "prices": prices, "weight": WEIGHT, "lr": lr}, file)
lineagekit.model("model.json", name="m")
exam = [int(row[1]) for row in csv.reader(open("exam.csv"))]
right = sum(a == b for a, b in zip(labels, exam)) / len(exam)
auc = 0.5 + 0.4 * right * WEIGHT - (0.2 if sum(prices) > 1000 else 0.0) - (0.1 if lr > 1 else 0.0)
with open("auc.json", "w") as file:
    json.dump({"auc": auc}, file)
print(lineagekit.metric("auc", auc, of="model.json", on="exam.csv", higher_is_better=True))
"""
CODE = [sys.executable, "pipeline.py", "--lr", "{lr}"]


class Project:
    """A folder with a pipeline, its store, and who builds in it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.lr = "0.1"
        (folder / "pipeline.py").write_text(PIPELINE)
        self.write(helper="WEIGHT = 1.0\n", labels="0110100101", prices="1 2 3", exam="0110100101")

    def write(self, **files: str) -> None:
        for name, text in files.items():
            if name == "helper":
                (self.folder / "helper.py").write_text(text)
                continue
            rows = text.split() if name == "prices" else list(text)
            lines = (f"{number},{value}\n" for number, value in enumerate(rows))
            (self.folder / f"{name}.csv").write_text("".join(lines))

    def __call__(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env={**self.environ, **environ}, capture_output=True, text=True
        )

    def build(self, **environ: str) -> None:
        done = self("run", "--quiet", "--", sys.executable, "pipeline.py", "--lr", self.lr, **environ)
        assert done.returncode == 0, done.stderr

    def bisect(self, *words: str) -> dict[str, Any]:
        done = self("bisect", "m", *words[: words.index("--")], "--json", *words[words.index("--") :])
        assert done.returncode in (0, 1), done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout)["result"]
        return result

    def picture(self) -> dict[str, tuple[bytes, int, int]]:
        """Everything of the user's: contents, modes and times."""
        paths = [path for path in self.folder.rglob("*") if path.is_file() and ".lineagekit" not in path.parts]
        return {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in paths}


def project_in(folder: Path, cache: Path) -> Project:
    return Project(folder, environ_of(folder, cache))


def environ_of(folder: Path, cache: Path) -> dict[str, str]:
    """Of whoever builds in this folder: nothing of ours but what belongs to it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LINEAGEKIT_", "CI"))}
    own = {"LINEAGEKIT_STORE": str(folder / ".lineagekit"), "LINEAGEKIT_CACHE": str(cache), "COLUMNS": "80"}
    return {**kept, **own, "PYTHONDONTWRITEBYTECODE": "1"}
