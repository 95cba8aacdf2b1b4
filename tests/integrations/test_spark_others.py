# SPDX-License-Identifier: Apache-2.0
"""The oldest Spark that is supported and the newest that there is: the core of what is tested with the main one.

Each runs one application, with the agent for its Scala, that ends by SIGKILL of Python.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lineagekit.identity.fingerprint import fingerprint
from tests.integrations.spark_jobs import (
    AGENT,
    OTHER_SCALA,
    ROOT,
    SparkJob,
    facet,
    jar,
    names,
    run_spark,
    wait_for_the_jvm,
)

pytestmark = [pytest.mark.spark, pytest.mark.slow]

CORE = """
import lineagekit; lineagekit.autolog()
making = builder("core")
if os.environ["LAKE_JARS"]:
    making.config("spark.jars", os.environ["LAKE_JARS"])
    making.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    making.config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
session = lineagekit_spark.attach(making, namespace="shop", delta_full_events=True).getOrCreate()
print(session.version)
with open("in.csv", "w") as file:
    file.writelines(["id,k\\n", *(f"{number},{number % 4}\\n" for number in range(40))])
session.read.csv("in.csv", schema="id long, k long", header=True).coalesce(1).write.parquet("orders")
orders = session.read.schema("id long, k long").parquet("orders")
orders.write.partitionBy("k").parquet("by_k")
session.read.schema("id long, k long").parquet("by_k").where("k = 1").groupBy("k").count().write.parquet("one_k")
try:
    orders.select(F.expr("raise_error('no')")).write.parquet("failed")
except Exception as error:
    print(type(error).__name__)
if os.environ["LAKE_JARS"]:
    orders.write.format("delta").save(os.path.abspath("delta"))
    session.read.format("delta").load("delta").write.parquet("from_delta")
print(lineagekit_spark.fingerprint(orders).digest("lkt1"))
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""

OTHERS = {
    "35": (OTHER_SCALA, ["io.delta:delta-spark_2.12:3.3.3", "io.delta:delta-storage:3.3.3"]),
    "-newest": (AGENT, []),
}


@pytest.fixture(scope="module", params=OTHERS)
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SparkJob:
    """The core cases under one of them."""
    home = ROOT / f".venv-spark{request.param}"
    if not (home / ".done").exists():
        pytest.skip(f"no {home.name}: make {home.name}/.done")
    agent, delta = OTHERS[request.param]
    environ = {
        "LINEAGEKIT_SPARK_JAR": str(jar(agent)),
        "LAKE_JARS": ",".join(str(jar(one, home / "jars")) for one in delta),
    }
    folder = tmp_path_factory.mktemp("core")
    job = run_spark(folder, CORE, environ=environ, command=(home / "bin" / "python",), ends=-9)
    wait_for_the_jvm(job, "core")
    return job


def content(job: SparkJob, path: str, role: str) -> dict[str, Any]:
    (run,) = job.writing(path)
    (seen,) = run[f"{role}s"]
    return dict(seen["content"])


def test_every_write_is_told_though_python_was_killed(core: SparkJob) -> None:
    paths = ["orders", "by_k", "one_k", *(["delta", "from_delta"] if (core.folder / "delta").exists() else [])]
    assert [(path, run["state"]) for path in paths for run in core.writing(path)] == [(p, "COMPLETE") for p in paths]
    assert {run["namespace"] for run in core.of("core.")} == {"shop"}
    assert names(core.writing("orders")[0]["inputs"], core.folder) == ["in.csv"]


def test_what_was_read_and_written_is_known_by_its_bytes(core: SparkJob) -> None:
    for path in ("orders", "by_k", "one_k"):
        assert content(core, path, "output")["digest"] == str(fingerprint(core.folder / path).digests[0]), path
    assert content(core, "orders", "input")["digest"] == str(fingerprint(core.folder / "in.csv").digests[0])


def test_of_a_partitioned_table_exactly_what_was_read_is_known(core: SparkJob) -> None:
    told = content(core, "one_k", "input")
    assert (told["state"], told["scope"]) == ("exact", "files")
    assert {os.path.dirname(part["path"]) for part in told["parts"]} == {"k=1"}


def test_a_delta_table_is_known_by_its_version(core: SparkJob) -> None:
    if (core.folder / "delta").exists():
        told = content(core, "from_delta", "input")
        assert (told["state"], told["pins"]) == ("exact", [{"system": "delta", "version": "0"}])


def test_a_query_that_failed_has_failed(core: SparkJob) -> None:
    (failed,) = core.writing("failed")
    assert failed["state"] == "FAIL"
    assert "Exception" in facet(failed)["query"]["error"]
    assert "Exception" in core.output


def test_the_digest_of_a_frame_is_that_of_its_file(core: SparkJob) -> None:
    (file,) = Path(core.folder / "orders").glob("*.parquet")
    assert core.output.splitlines()[-1] == str(fingerprint(file).digest("lkt1"))
