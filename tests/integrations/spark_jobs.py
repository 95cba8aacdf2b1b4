# SPDX-License-Identifier: Apache-2.0
"""Spark jobs in processes of their own, and what of them is in the log when they have been settled.

The jars are fetched once, by Maven, into the virtual environment in which pyspark is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from lineagekit.events.summary import summarize
from lineagekit.store.log import open_store

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-spark" / "bin" / "python"
JARS = ROOT / ".venv-spark" / "jars"

AGENT = "io.openlineage:openlineage-spark_2.13:1.53.0"
OTHER_SCALA = "io.openlineage:openlineage-spark_2.12:1.53.0"
DELTA = [
    "io.delta:delta-spark_4.0_2.13:4.4.0",
    "io.delta:delta-storage:4.4.0",
    "io.delta:delta-kernel-api:4.4.0",
    "io.delta:delta-kernel-defaults:4.4.0",
    "io.delta:delta-kernel-unitycatalog:4.4.0",
]
ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0"

START = """
import os, sys
import lineagekit_spark
from pyspark.sql import SparkSession, functions as F

def builder(name="job"):
    return (
        SparkSession.builder.master("local[2]").appName(name)
        .config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
        .config("spark.sql.shuffle.partitions", "2").config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -Xshare:auto")
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.warehouse.dir", os.path.join(os.getcwd(), "warehouse"))
    )
"""


def jar(coordinates: str, folder: Path = JARS) -> Path:
    """The file of a jar; fetched where it is not there, and where that cannot be done the test is left out."""
    _, name, version = coordinates.split(":")
    path = folder / f"{name}-{version}.jar"
    if not path.exists():
        fetch = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
        try:
            subprocess.run(fetch, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"no {path.name}: make spark-env, which needs Maven ({error})")
    return path


@dataclass(frozen=True)
class SparkJob:
    """What a job left behind."""

    folder: Path
    code: int
    output: str
    errors: str

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def events(self) -> list[dict[str, Any]]:
        """What lies in the files of events before it is settled, those of the companion aside."""
        files = [path for path in sorted(self.store.glob("journal/*.jsonl")) if not path.stem.endswith("-queries")]
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    def events_of(self, path: str) -> list[dict[str, Any]]:
        """What the agent said of the run that names this output."""
        wanted = {e["run"]["runId"] for e in self._said if path in names(e["outputs"], self.folder)}
        return [event for event in self._said if event["run"]["runId"] in wanted]

    @cached_property
    def _said(self) -> list[dict[str, Any]]:
        return self.events()

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """Each run as `lineagekit log --json` has it after `lineagekit settle`, oldest first, and what events say."""
        self.ask("settle")
        rows = [json.loads(line) for line in self.ask("log", "--json", "-n", "1000").splitlines()]
        with open_store(str(self.store), make=False) as store:
            said = {row["run"]: summarize([one.event for one in store.run_events(row["run"])]) for row in rows}
        return [{**row, **asdict(said[row["run"]])} for row in reversed(rows)]

    def of(self, part: str) -> list[dict[str, Any]]:
        """Runs whose job has this in its name."""
        return [run for run in self.log if part in run["job"]]

    def writing(self, path: str) -> list[dict[str, Any]]:
        """Runs that wrote to a place below the folder of the job."""
        return [run for run in self.log if path in names(run["outputs"], self.folder)]

    def ask(self, *words: str) -> str:
        """Call `lineagekit` in the job's store."""
        done = subprocess.run(
            [sys.executable, "-m", "lineagekit", *words],
            env=environment(self.folder, {"LINEAGEKIT_DISABLED": "1"}),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def run_spark(
    folder: Path,
    code: str,
    *,
    environ: Mapping[str, str] = {},
    command: tuple[str | Path, ...] = (PYTHON,),
    ends: int = 0,
) -> SparkJob:
    """Run a job in a folder, with a store below it. It must end with this code; a signal's is negative."""
    program = folder / "job.py"
    program.write_text(START + textwrap.dedent(code))
    (folder / "store").mkdir(exist_ok=True)
    env = environment(folder, {"LINEAGEKIT_SPARK_JAR": str(jar(AGENT)), **environ})
    done = subprocess.run(
        [*command, program], cwd=folder, env=env, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL
    )
    assert done.returncode == ends, done.stderr[-4000:]
    return SparkJob(folder, done.returncode, done.stdout, done.stderr)


def wait_for_the_jvm(job: SparkJob, application: str = "job") -> None:
    """It outlives Python, and closes the application in its own time."""
    for _ in range(600):
        last = job.events()[-1:]
        if [(one["eventType"], one["job"]["name"]) for one in last] == [("COMPLETE", application)]:
            return
        time.sleep(0.1)
    raise AssertionError("the JVM did not end its application")


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Of a job or a question: the store of this folder, and nothing of whoever runs the tests."""
    left = {key: value for key, value in os.environ.items() if not key.startswith(("LINEAGEKIT", "SPARK", "PYSPARK"))}
    return {**left, "LINEAGEKIT_STORE": str(folder / "store"), "LINEAGEKIT_SETTLE": "off", **more}


def names(datasets: list[dict[str, Any]], folder: Path) -> list[str]:
    """Names of datasets, those below the folder relative to it."""
    return [one["name"].removeprefix(f"{folder}/") for one in datasets]


def facet(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the companion told of a run."""
    found: dict[str, Any] = run["facets"]["lineagekit_spark"]
    return found
