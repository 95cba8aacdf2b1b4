# SPDX-License-Identifier: Apache-2.0
"""Claim: `attach` costs the driver <= 2 % CPU over the agent alone, for 10 writes; its listener <= 25 ms a query.

Peer: the same agent, set up by hand, into the same kind of file. Needs `make spark-env`. CPU of Python and of the JVM.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-spark" / "bin" / "python"
AGENT = ROOT / ".venv-spark" / "jars" / "openlineage-spark_2.13-1.53.0.jar"
ROUNDS = 6
HOW = ("agent", "attach", "listener")

JOB = """
import json, os, sys, time
from pyspark.sql import SparkSession
how, agent = sys.argv[1:]
making = (
    SparkSession.builder.master("local[2]").appName("bench")
    .config("spark.ui.enabled", "false").config("spark.log.level", "ERROR").config("spark.sql.shuffle.partitions", "2")
    .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -Xshare:auto")
    .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
)
if how == "agent":
    making = (
        making.config("spark.jars", agent)
        .config("spark.extraListeners", "io.openlineage.spark.agent.OpenLineageSparkListener")
        .config("spark.openlineage.transport.type", "file")
        .config("spark.openlineage.transport.location", os.path.join(os.getcwd(), "events.jsonl"))
    )
else:
    import lineagekit_spark
    making = lineagekit_spark.attach(making, jar=agent, queries=how == "listener")
    if how == "listener":
        from lineagekit_spark.listener import QueryListener
        heard, original = [], QueryListener.onSuccess
        def onSuccess(*words):
            began = time.perf_counter()
            original(*words)
            heard.append((time.perf_counter() - began) * 1000)
        QueryListener.onSuccess = onSuccess
session = making.getOrCreate()
java = f"/proc/{session.sparkContext._gateway.proc.pid}/stat"
rows = session.range(1000)
rows.write.parquet("in")
def cpu():
    ticks = open(java).read().rpartition(")")[2].split()[11:13]
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
began = cpu()
for number in range(10):
    session.read.schema("id long").parquet("in").groupBy("id").count().write.parquet(f"out{number}")
session.sparkContext._jsc.sc().listenerBus().waitUntilEmpty(60000)
print(json.dumps({"writes": cpu() - began, "all": cpu(), "heard": heard if how == "listener" else []}))
session.stop()
"""


def measure(how: str) -> dict[str, list[float] | float]:
    """One application in a process and a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "store"))
        program = os.path.join(folder, "job.py")
        Path(program).write_text(JOB)
        environ = os.environ | {"LINEAGEKIT_STORE": os.path.join(folder, "store"), "LINEAGEKIT_SETTLE": "off"}
        command = [str(PYTHON), program, how, str(AGENT)]
        done = subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environ, text=True)
        found: dict[str, list[float] | float] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    """Rounds of all three, in an order that turns each time, so that the machine's moods hit all alike."""
    if not AGENT.exists():
        sys.exit("no agent: run make spark-env")
    print(f"load {os.getloadavg()[0]:.1f} before the start; medians of {ROUNDS} rounds, and their quartiles")
    taken = []
    for number in range(ROUNDS):
        order = HOW[number % len(HOW) :] + HOW[: number % len(HOW)]
        taken.append({how: measure(how) for how in order})
    for part, what in (("all", "from the start to the tenth write"), ("writes", "ten writes")):
        alone = statistics.median(one["agent"][part] for one in taken)
        print(f"{what}: {alone:.2f} s CPU with the agent alone")
        for how, target in (("attach", "   target <= +2 %"), ("listener", "")):
            low, over, high = _quartiles([one[how][part] / one["agent"][part] - 1 for one in taken])
            print(f"  {how:10} {over:+7.1%}  ({low:+.1%} to {high:+.1%}){target}")
    low, later, high = _quartiles([time for one in taken for time in one["listener"]["heard"][1:]])
    first = statistics.median(one["listener"]["heard"][0] for one in taken)
    print(f"listener, a query: {later:.1f} ms ({low:.1f} to {high:.1f}), the first {first:.0f} ms   target <= 25 ms")


def _quartiles(numbers: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(numbers, n=4)
    return low, middle, high


if __name__ == "__main__":
    main()
