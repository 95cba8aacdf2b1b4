# SPDX-License-Identifier: Apache-2.0
"""Spark with the real agent: what is in the log when a job has ended, however it ended."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from lineagekit.identity.fingerprint import fingerprint
from lineagekit.record import reasons
from tests.integrations.spark_jobs import (
    AGENT,
    DELTA,
    ICEBERG,
    PYTHON,
    SparkJob,
    facet,
    jar,
    names,
    run_spark,
    wait_for_the_jvm,
)

pytestmark = pytest.mark.spark

WRITE = "session.range(9).write.parquet('out')\n"
ONE_WRITE = "session = lineagekit_spark.attach(builder(), namespace='shop').getOrCreate()\n" + WRITE

LAKE = """
import lineagekit; lineagekit.autolog()

def attempt(work):
    try:
        work()
    except Exception as error:
        print(type(error).__name__)

making = (
    builder("lake").config("spark.jars", os.environ["LAKE_JARS"])
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.catalog.ice", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.ice.type", "hadoop")
    .config("spark.sql.catalog.ice.warehouse", os.path.join(os.getcwd(), "ice"))
)
lineagekit_spark.attach(making, namespace="shop", delta_full_events=True)
lineagekit_spark.attach(making, namespace="shop")
session = making.getOrCreate()
print(session.conf.get("spark.extraListeners"))
rows = session.range(100).withColumn("k", F.col("id") % 4)
typed = session.read.schema("id long, k long")
rows.write.mode("overwrite").parquet("orders")
rows.limit(5).write.mode("append").parquet("orders")
typed.parquet("orders").write.partitionBy("k").parquet("by_k")
typed.parquet("by_k").where("k = 1").groupBy("k").count().write.parquet("one_k")
typed.parquet("by_k").where("k = 2").count()
with open("in.csv", "w") as file:
    file.write("x,y\\n1,2\\n")
session.read.csv("in.csv", header=True, schema="x int, y int").write.saveAsTable("t")
attempt(lambda: rows.select(F.expr("id div (id - 50)")).write.parquet("failed"))
attempt(lambda: rows.write.parquet("orders"))
rows.select(F.udf(lambda value: value + 1, "long")("id")).write.parquet("by_udf")
rows.write.format("delta").save(os.path.abspath("delta"))
session.read.format("delta").load("delta").write.parquet("from_delta")
session.read.format("delta").load("delta").limit(2).write.parquet("some_of_delta")
session.sql(f"delete from delta.`{os.path.abspath('delta')}` where id < 5")
rows.writeTo("ice.db.t").create()
session.table("ice.db.t").write.parquet("from_ice")
rows.limit(7).writeTo("ice.db.t").append()
session.table("ice.db.t").write.parquet("from_longer_ice")
def snapshots():
    found = session.sql("select snapshot_id from ice.db.t.snapshots order by committed_at")
    return [row[0] for row in found.collect()]
first = snapshots()[0]
rows.limit(9).writeTo("ice.db.t").overwrite(F.lit(True))
session.read.option("snapshot-id", first).table("ice.db.t").write.parquet("from_old_ice")
session.table("ice.db.t").writeTo("ice.db.t").append()
print("snapshots", *snapshots())
merging = rows.writeTo("ice.db.m").tableProperty("format-version", "2")
merging.tableProperty("write.delete.mode", "merge-on-read").create()
session.sql("delete from ice.db.m where id = 5")
session.table("ice.db.m").write.parquet("from_deleted_ice")

def by_part(part):
    return rows.where(f"k = {part}").write.partitionBy("k").option("partitionOverwriteMode", "dynamic")
rows.write.partitionBy("k").parquet("parts")
typed.parquet("parts").where("k = 1").write.parquet("part_1")
by_part(2).mode("overwrite").parquet("parts")
typed.parquet("parts").where("k = 1").groupBy("k").count().write.parquet("part_1_again")
by_part(1).mode("append").parquet("parts")
typed.parquet("parts").where("k = 1").write.parquet("part_1_changed")
typed.parquet("parts").createOrReplaceTempView("parts")
two_parts = session.sql("select * from parts where k = 0 and id > (select min(id) from parts where k = 3)")
two_parts.write.parquet("parts_0_and_3")
cached = typed.parquet("parts").where("k = 2").cache()
cached.union(typed.parquet("parts").where("k = 1")).write.parquet("part_1_and_cached")

def arriving():
    return session.readStream.schema("x int, y int").csv("arriving", header=True).writeStream
for mark, stream in (
    ("mark_1", arriving().foreachBatch(lambda batch, number: batch.write.parquet("in_batches"))),
    ("mark_2", arriving().format("parquet").option("path", "streamed")),
):
    stream.trigger(availableNow=True).option("checkpointLocation", mark).start().awaitTermination()
session.stop()
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> SparkJob:
    """Everything that one session can do, in one."""
    jars = ",".join(str(jar(one)) for one in [*DELTA, ICEBERG])
    folder = tmp_path_factory.mktemp("lake")
    (folder / "arriving").mkdir()
    (folder / "arriving" / "1.csv").write_text("x,y\n1,2\n")
    job = run_spark(folder, LAKE, environ={"LAKE_JARS": jars})
    assert not re.findall(r"lineagekit: .*", job.errors)
    return job


def test_the_application_hangs_under_the_run_of_its_script(lake: SparkJob) -> None:
    (script,) = lake.of("job.py")
    (application,) = [run for run in lake.log if run["job"] == "lake"]
    assert application["namespace"] == "shop"
    assert application["facets"]["parent"]["run"]["runId"] == script["run"]
    assert application["facets"]["parent"]["job"] == {"namespace": script["namespace"], "name": "job.py"}
    (written,) = lake.writing("one_k")
    assert written["facets"]["parent"]["run"]["runId"] == application["run"]


def test_the_script_and_its_udf_workers_are_one_run_without_files_of_sparks(lake: SparkJob) -> None:
    assert {run["job"].partition(".")[0] for run in lake.log} == {"lake", "job"}
    (script,) = lake.of("job.py")
    assert not script["inputs"]
    assert names(script["outputs"], lake.folder) == ["in.csv"]
    assert "unwatched" not in script["facets"]["lineagekit_run"]


@pytest.mark.parametrize("path", ["by_k", "one_k", "by_udf", "from_delta", "from_ice", "delta", "in_batches"])
def test_a_write_is_a_run_that_is_complete(lake: SparkJob, path: str) -> None:
    assert [run["state"] for run in lake.writing(path)] == ["COMPLETE"]


def test_overwrite_append_and_a_refused_write_are_three_runs(lake: SparkJob) -> None:
    assert [run["state"] for run in lake.writing("orders")] == ["COMPLETE", "COMPLETE", "FAIL"]


def test_a_query_that_failed_has_failed_though_the_agent_says_it_is_complete(lake: SparkJob) -> None:
    said = [event["eventType"] for event in lake.events_of("failed")]
    assert said[-1] == "COMPLETE"
    (failed,) = lake.writing("failed")
    assert failed["state"] == "FAIL"
    assert facet(failed)["query"]["error"] == "org.apache.spark.SparkArithmeticException"
    assert lake.output.splitlines()[1:3] == ["ArithmeticException", "AnalysisException"]


def content(lake: SparkJob, path: str, role: str) -> list[dict[str, Any]]:
    """What was bound to complete runs that wrote this path."""
    runs = [run for run in lake.writing(path) if run["state"] == "COMPLETE"]
    return [dict(seen["content"]) for run in runs for seen in run[f"{role}s"]]


def test_what_was_written_and_is_still_there_is_known_by_its_bytes(lake: SparkJob) -> None:
    for path in ("by_k", "one_k", "by_udf", "from_delta"):
        expected = str(fingerprint(lake.folder / path).digests[0])
        assert [told["digest"] for told in content(lake, path, "output")] == [expected], path
    (read,) = content(lake, "by_k", "input")
    assert (read["digest"], read["scope"]) == (str(fingerprint(lake.folder / "orders").digests[0]), "directory")


def test_what_was_written_twice_before_anybody_looked_is_known_once(lake: SparkJob) -> None:
    states = [told["state"] for told in content(lake, "orders", "output")]
    assert states == ["unknown", "exact"]


def test_a_delta_table_is_known_by_the_files_of_the_version_that_was_read(lake: SparkJob) -> None:
    (read,) = content(lake, "from_delta", "input")
    assert (read["state"], read["pins"]) == ("exact", [{"system": "delta", "version": "0"}])
    (some,) = content(lake, "some_of_delta", "input")
    assert (some["state"], some["reason"]) == ("unknown", reasons.NO_VERSION)


def test_an_iceberg_table_is_known_by_the_files_of_the_snapshot_that_was_read_or_written(lake: SparkJob) -> None:
    snapshots = [f"iceberg {number}" for number in lake.output.splitlines()[3].split()[1:]]
    told = {path: next(iter(content(lake, path, "input"))) for path in ("from_ice", "from_longer_ice", "from_old_ice")}
    assert [one["state"] for one in told.values()] == ["exact"] * 3
    assert [pin_of(one) for one in told.values()] == [snapshots[0], snapshots[1], snapshots[0]]
    assert told["from_old_ice"]["digest"] == told["from_ice"]["digest"] != told["from_longer_ice"]["digest"]
    written = content(lake, "ice/db/t", "output")[1:]  # one of the first two is CREATE TABLE AS SELECT around the other
    assert [(one["state"], pin_of(one)) for one in written] == [("exact", one) for one in snapshots]
    assert [one["files"] for one in written] == [2, 3, 1, 2]
    (itself,) = content(lake, "ice/db/t", "input")
    assert (pin_of(itself), itself["digest"]) == (snapshots[2], written[2]["digest"])


def test_an_iceberg_table_with_rows_that_were_deleted_is_known_by_its_version_alone(lake: SparkJob) -> None:
    (read,) = content(lake, "from_deleted_ice", "input")
    assert (read["state"], read["reason"]) == ("unknown", reasons.NO_FILE_LIST)
    assert pin_of(read) == pin_of(content(lake, "ice/db/m", "output")[-1])


def pin_of(told: dict[str, Any]) -> str:
    (pin,) = told["pins"]
    return f"{pin['system']} {pin['version']}"


def test_what_is_written_to_another_partition_does_not_change_an_input_and_to_that_one_it_does(lake: SparkJob) -> None:
    first, again, changed = (content(lake, path, "input")[0] for path in ("part_1", "part_1_again", "part_1_changed"))
    assert [(one["state"], one["scope"]) for one in (first, again, changed)] == [("exact", "files")] * 3
    assert first["digest"] == again["digest"] != changed["digest"]
    assert {os.path.dirname(part["path"]) for part in changed["parts"]} == {"k=1"}
    (run,) = lake.writing("part_1_changed")
    earlier = lake.writing("part_1")[0]["run"]
    assert "changed (2 files added)" in lake.ask("diff", earlier, run["run"])
    assert "0 differ" in lake.ask("diff", earlier, lake.writing("part_1_again")[0]["run"])


def test_files_of_subqueries_count_and_with_a_cached_frame_the_folder_is_told(lake: SparkJob) -> None:
    (read,) = content(lake, "parts_0_and_3", "input")
    assert {os.path.dirname(part["path"]) for part in read["parts"]} == {"k=0", "k=3"}
    (read,) = content(lake, "part_1_and_cached", "input")
    assert (read["scope"], read["digest"]) == ("directory", str(fingerprint(lake.folder / "parts").digests[0]))


def test_a_stream_that_is_written_batch_by_batch_is_told_and_a_sink_of_files_is_not(lake: SparkJob) -> None:
    (run,) = lake.writing("in_batches")
    assert names(run["inputs"], lake.folder) == ["arriving"]
    assert content(lake, "in_batches", "output")[0]["state"] == "exact"
    assert list((lake.folder / "streamed").glob("*.parquet"))
    assert not lake.writing("streamed")  # the agent says no output: a gap of its own


def test_of_a_partitioned_table_exactly_the_files_that_were_read_are_known(lake: SparkJob) -> None:
    (run,) = lake.writing("one_k")
    assert names(run["inputs"], lake.folder) == ["by_k"]
    files = facet(run)["query"]["files"]
    assert files
    assert {os.path.dirname(path) for path in files} == {str(lake.folder / "by_k" / "k=1")}
    assert all(os.path.exists(path) for path in files)


def test_a_count_of_which_the_agent_is_silent_is_told_of_the_application(lake: SparkJob) -> None:
    events = lake.ask("show", "--events", next(run["run"] for run in lake.log if run["job"] == "lake"))
    assert f"{lake.folder}/by_k/k=2/" in events
    assert f"{lake.folder}/by_k/k=3/" not in events


def test_a_csv_that_became_a_table_is_an_edge(lake: SparkJob) -> None:
    runs = lake.writing("warehouse/t")
    assert runs
    assert all(names(run["inputs"], lake.folder) == ["in.csv"] for run in runs)
    traced = lake.ask("trace", str(lake.folder / "warehouse" / "t"))
    assert "in.csv" in traced
    assert "job.py" in traced


def test_delta_and_iceberg_are_told_by_path_and_their_files_are_not(lake: SparkJob) -> None:
    (from_delta,) = lake.writing("from_delta")
    assert names(from_delta["inputs"], lake.folder) == ["delta"]
    assert not [path for path in facet(from_delta)["query"]["files"] if "_delta_log" in path]
    (from_ice,) = lake.writing("from_ice")
    assert names(from_ice["inputs"], lake.folder) == ["ice/db/t"]


def test_doctor_counts_what_the_agent_has_not_told(lake: SparkJob) -> None:
    last = max((facet(run) for run in lake.log if "lineagekit_spark" in run["facets"]), key=lambda f: f["executions"])
    assert (last["writes"], last["failed"], last["reported"]) == (31, 2, 30)  # Delta's DELETE is told without output


def test_attaching_twice_keeps_one_listener_of_each(lake: SparkJob) -> None:
    assert lake.output.splitlines()[0] == "io.openlineage.spark.agent.OpenLineageSparkListener"


def test_a_killed_python_loses_no_event(tmp_path: Path) -> None:
    job = run_spark(tmp_path, ONE_WRITE + "os.kill(os.getpid(), 9)\n", ends=-9)
    wait_for_the_jvm(job)
    _assert_all_is_told(job)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"),
    [("session.stop()", 0), ("pass", 0), ("sys.exit(3)", 3), ("os._exit(4)", 4), ("raise KeyError('no')", 1)],
)
def test_however_python_ends_no_event_is_lost(tmp_path: Path, end: str, code: int) -> None:
    job = run_spark(tmp_path, ONE_WRITE + end, ends=code)
    wait_for_the_jvm(job)
    _assert_all_is_told(job)


def _assert_all_is_told(job: SparkJob) -> None:
    said = [(event["job"]["name"].count("."), event["eventType"]) for event in job.events()]
    assert (said[0], said[-1]) == ((0, "START"), (0, "COMPLETE"))
    assert {(2, "START"), (2, "COMPLETE")} <= set(said)
    assert [run["state"] for run in job.log] == ["COMPLETE", "COMPLETE"]
    assert [run["job"] for run in job.writing("out")] == [run["job"] for run in job.of("insert_into_hadoop")]


@pytest.mark.slow
def test_a_udf_under_lineagekit_run_is_part_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "factor.txt").write_text("3")
    code = """
    session = lineagekit_spark.attach(builder()).getOrCreate()
    path = os.path.abspath("factor.txt")
    times = F.udf(lambda value: value * int(open(path).read()), "long")
    session.range(9).select(times("id")).write.parquet("out")
    session.stop()
    """
    job = run_spark(tmp_path, code, command=(PYTHON, "-m", "lineagekit", "run", "--", PYTHON))
    assert [run["job"].partition(".")[0] for run in job.log] == ["job", "job", "job"]
    (script,) = job.of("job.py")
    assert names(script["inputs"], tmp_path) == ["factor.txt"]
    assert script["state"] == "COMPLETE"


@pytest.mark.slow
def test_of_the_queries_that_delta_hides_at_least_the_number_is_known(tmp_path: Path) -> None:
    code = """
    making = (
        builder().config("spark.jars", os.environ["LAKE_JARS"])
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    )
    session = lineagekit_spark.attach(making).getOrCreate()
    session.range(9).write.parquet("plain")
    session.range(9).groupBy("id").count().write.parquet("hidden")
    session.stop()
    """
    job = run_spark(tmp_path, code, environ={"LAKE_JARS": ",".join(str(jar(one)) for one in DELTA)})
    assert "delta_full_events=True" in job.errors
    assert job.writing("plain")
    assert not job.writing("hidden")
    (application,) = [run for run in job.log if run["job"] == "job"]
    assert (facet(application)["writes"], facet(application)["reported"]) == (2, 1)
    assert "hidden" in facet(application)["query"]["output"]


@pytest.mark.slow
def test_under_spark_submit_the_agent_is_given_to_the_jvm_that_runs(tmp_path: Path) -> None:
    home = next(PYTHON.parents[1].glob("lib/python*/site-packages/pyspark"))
    environ = {"SPARK_HOME": str(home), "PYSPARK_PYTHON": str(PYTHON)}
    job = run_spark(tmp_path, ONE_WRITE, environ=environ, command=(home / "bin" / "spark-submit",))
    _assert_all_is_told(job)


@pytest.mark.slow
def test_words_for_spark_submit_record_a_job_that_knows_nothing_of_us(tmp_path: Path) -> None:
    home = next(PYTHON.parents[1].glob("lib/python*/site-packages/pyspark"))
    words = _printed(tmp_path, "--namespace", "shop")
    job = run_spark(
        tmp_path,
        "session = builder().getOrCreate()\n" + WRITE,
        environ={"SPARK_HOME": str(home), "PYSPARK_PYTHON": str(PYTHON)},
        command=(home / "bin" / "spark-submit", *words),
    )
    _assert_all_is_told(job)
    assert {run["namespace"] for run in job.log} == {"shop"}


def _printed(folder: Path, *words: str) -> list[str]:
    import shlex
    import subprocess

    from tests.integrations.spark_jobs import environment

    env = environment(folder, {"LINEAGEKIT_SPARK_JAR": str(jar(AGENT))})
    command = [PYTHON, "-m", "lineagekit_spark", *words]
    done = subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True, text=True)
    return shlex.split(done.stdout)


@pytest.mark.slow
def test_each_session_of_a_process_is_an_application_and_only_those_that_were_attached(tmp_path: Path) -> None:
    code = """
    for name in ("first", "second", "third"):
        making = builder(name)
        making if name == "second" else lineagekit_spark.attach(making)
        session = making.getOrCreate()
        session.range(9).write.parquet(name)
        session.stop()
    """
    job = run_spark(tmp_path, code)
    assert [run["job"] for run in job.log if "." not in run["job"]] == ["first", "third"]
    assert [len(job.writing(name)) for name in ("first", "second", "third")] == [1, 0, 1]


@pytest.mark.slow
def test_what_was_said_before_stays(tmp_path: Path) -> None:
    (tmp_path / "spark-defaults.conf").write_text(
        "spark.extraListeners org.apache.spark.scheduler.StatsReportListener\nspark.openlineage.namespace=ours\n"
    )
    code = """
    session = lineagekit_spark.attach(builder()).config("spark.jars", os.environ["B"]).getOrCreate()
    session.range(9).write.parquet("out")
    print(session.conf.get("spark.extraListeners"))
    print(session.conf.get("spark.jars"))
    session.stop()
    """
    a, b, agent = jar(DELTA[1]), jar(DELTA[2]), jar(AGENT)
    environ = {
        "SPARK_CONF_DIR": str(tmp_path),
        "PYSPARK_SUBMIT_ARGS": f"--jars {a} --driver-memory 1g pyspark-shell",
        "B": str(b),
    }
    job = run_spark(tmp_path, code, environ=environ)
    listeners, jars = job.output.splitlines()
    assert listeners.split(",")[0] == "org.apache.spark.scheduler.StatsReportListener"
    assert jars.split(",") == [str(a), str(b), str(agent)]
    assert {run["namespace"] for run in job.log} == {"ours"}
