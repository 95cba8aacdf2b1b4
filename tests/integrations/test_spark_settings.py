# SPDX-License-Identifier: Apache-2.0
"""What Spark is told, decided without a Spark: jars, lists that are added to, parents, files, words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from lineagekit_spark import jars, parents, plans, running, said, settings
from lineagekit_spark.events import add_line, first_job, last_event, line_of
from lineagekit_spark.jars import Agent, WrongJarError
from lineagekit_spark.said import Said
from lineagekit_spark.settings import Wishes

from lineagekit.store.admit import admit

NAME = "openlineage-spark_2.13-1.53.0.jar"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("LINEAGEKIT", "SPARK", "PYSPARK", "OPENLINEAGE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def make_jar(path: Path, mark: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w") as archive:
        archive.writestr("io/openlineage/spark/agent/util/ScalaConversionUtils.class", mark)
    return path


def test_a_jar_is_looked_for_where_it_was_named_then_on_this_machine_then_at_mavens(tmp_path: Path) -> None:
    assert jars.find_agent("2.13", str(tmp_path)) == Agent(package="io.openlineage:openlineage-spark_2.13:1.53.0")
    old = make_jar(tmp_path / ".ivy2.5.2/jars/io.openlineage_openlineage-spark_2.13-1.9.0.jar")
    assert jars.find_agent("2.13", str(tmp_path)).jar == str(old)
    new = make_jar(tmp_path / ".m2/repository/io/openlineage/openlineage-spark_2.13/1.53.0" / NAME)
    make_jar(tmp_path / ".m2/repository/io/openlineage/openlineage-spark_2.12/1.60.0/openlineage-spark_2.12-1.60.0.jar")
    assert jars.find_agent("2.13", str(tmp_path)).jar == str(new)
    named = make_jar(tmp_path / "here" / NAME)
    assert jars.find_agent("2.13", str(tmp_path), str(named)).jar == str(named)
    make_jar(tmp_path / "spark" / "jars" / NAME)
    assert jars.find_agent("2.13", str(tmp_path), home=str(tmp_path / "spark")) == Agent()


def test_a_download_that_broke_off_is_passed_over(tmp_path: Path) -> None:
    whole = make_jar(tmp_path / "spark" / "openlineage-spark_2.13-1.50.0.jar")
    (tmp_path / "spark" / NAME).write_bytes(whole.read_bytes()[:40])
    assert jars.find_agent("2.13", str(tmp_path)).jar == str(whole)
    with pytest.raises(WrongJarError, match="cut short"):
        jars.find_agent("2.13", "", str(tmp_path / "spark" / NAME))


@pytest.mark.parametrize(
    ("name", "mark", "sentence"),
    [
        ("openlineage-spark_2.12-1.53.0.jar", b"", "a jar for another Scala: got .* for 2.12, expected one for 2.13"),
        ("agent.jar", b"scala/collection/convert/Decorators", "a jar for another Scala"),
        ("agent.jar", b"", "no jar of the OpenLineage agent"),
    ],
)
def test_a_wrong_jar_is_refused_by_its_name_or_by_what_is_in_it(
    tmp_path: Path, name: str, mark: bytes, sentence: str
) -> None:
    with pytest.raises(WrongJarError, match=sentence):
        jars.find_agent("2.13", "", str(make_jar(tmp_path / name, mark)))


def test_a_jar_of_any_name_is_taken_for_what_it_is(tmp_path: Path) -> None:
    named = make_jar(tmp_path / "agent.jar", b"scala/collection/JavaConverters$AsJava")
    assert jars.find_agent("2.13", "", str(named)).jar == str(named)
    assert jars.find_agent("2.13", "", f"s3a://jars/{NAME}").jar == f"s3a://jars/{NAME}"


def test_scala_is_read_off_sparks_folder_and_else_off_its_version(tmp_path: Path) -> None:
    assert [jars.scala_of_spark("", version) for version in ("3.5.9", "4.0.5")] == ["2.12", "2.13"]
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "scala-library-2.13.8.jar").touch()
    assert jars.scala_of_spark(str(tmp_path), "3.5.9") == "2.13"


def test_lists_are_added_to_and_the_command_line_counts_for_jars(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").write_text(
        "# ours\nspark.extraListeners=a.B\nspark.jars   x.jar\n\nspark.sql.adaptive.enabled: false\n"
    )
    told = Said({"spark.jars.packages": "g:n:1"}, str(tmp_path))
    agent = settings.agent_settings(told, Agent(jar="agent.jar"))
    assert agent == {"spark.extraListeners": f"a.B,{jars.LISTENER}", "spark.jars": "x.jar,agent.jar"}
    fetched = settings.agent_settings(told, Agent(package="io.openlineage:openlineage-spark_2.13:1.53.0"))
    assert fetched["spark.jars.packages"] == "g:n:1,io.openlineage:openlineage-spark_2.13:1.53.0"
    assert told.get("spark.sql.adaptive.enabled") == "false"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--jars y.jar --conf spark.jars=z.jar --conf 'k=a b' pyspark-shell")
    told = Said({"spark.jars": "w.jar"}, str(tmp_path))
    assert told.listed("spark.jars") == "y.jar,w.jar"
    said.rewrite_arguments({"spark.jars": "y.jar,w.jar,agent.jar"})
    assert os.environ["PYSPARK_SUBMIT_ARGS"] == ("--conf 'k=a b' --conf spark.jars=y.jar,w.jar,agent.jar pyspark-shell")


@pytest.mark.parametrize(("module", "connect"), [("context.py", False), ("core/context.py", False), ("sql.py", True)])
def test_a_pyspark_without_a_context_of_its_own_is_a_client_of_connect_and_3_5_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, connect: bool
) -> None:
    path = tmp_path / "pyspark" / module
    path.parent.mkdir(parents=True)
    for package in (tmp_path / "pyspark", path.parent):
        (package / "__init__.py").touch()
    path.touch()
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert running.is_connect({}) is connect
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "pyspark"]:
            del sys.modules[name]


def test_who_has_an_agent_gets_no_second_one() -> None:
    told = Said({"spark.jars": f"/opt/{NAME}", "spark.extraListeners": jars.LISTENER}, "")
    assert settings.agent_settings(told, Agent(jar="agent.jar")) == {"spark.extraListeners": jars.LISTENER}
    told = Said({"spark.jars.packages": "io.openlineage:openlineage-spark_2.13:1.50.0"}, "")
    assert "spark.jars.packages" not in settings.agent_settings(told, Agent(package="io.openlineage:x"))


def test_who_has_a_transport_keeps_it_and_every_application_gets_a_file_of_its_own(tmp_path: Path) -> None:
    own = Said({"spark.openlineage.transport.type": "kafka"}, "")
    assert settings.transport_settings(own, Wishes(), str(tmp_path)) == {}
    told = Said({"spark.app.name": "daily / ä"}, "")
    files = [settings.transport_settings(told, Wishes(), str(tmp_path))[settings.LOCATION] for _ in range(2)]
    assert len(set(files)) == 2
    assert all(Path(path).name.startswith("spark-daily-01") and os.stat(path).st_mode & 0o77 == 0 for path in files)


def test_an_endpoint_keeps_its_path() -> None:
    assert settings.http_settings("https://lineage.example.com/api/v2") == {
        "spark.openlineage.transport.type": "http",
        "spark.openlineage.transport.url": "https://lineage.example.com",
        "spark.openlineage.transport.endpoint": "/api/v2",
    }
    with pytest.raises(ValueError, match="expected url="):
        Wishes(transport="http").refuse_nonsense()
    with pytest.raises(ValueError, match="expected file or http"):
        Wishes(transport="carrier pigeon").refuse_nonsense()


@pytest.mark.parametrize(
    ("options", "loses"),
    [
        ({}, False),
        ({"spark.sql.extensions": "a.B,io.delta.sql.DeltaSparkSessionExtension"}, True),
        ({"spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension", settings.ADAPTIVE: "false"}, False),
    ],
)
def test_the_gap_is_deltas_extension_with_adaptive_execution(options: dict[str, str], loses: bool) -> None:
    assert settings.loses_delta_queries(Said(options, "")) is loses


def test_a_parent_that_openlineage_names_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parents.parent_settings() == {}
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", "air/flow/daily.task/0198")
    monkeypatch.setenv("OPENLINEAGE_ROOT_PARENT_ID", "air/flow/daily/0197")
    told = parents.parent_settings()
    assert told["spark.openlineage.parentJobNamespace"] == "air/flow"
    assert told["spark.openlineage.parentJobName"] == "daily.task"
    assert told["spark.openlineage.rootParentRunId"] == "0197"
    monkeypatch.delenv("OPENLINEAGE_PARENT_ID")
    monkeypatch.setenv("LINEAGEKIT_RUN", "0199,0200")  # of two it cannot be told which
    assert parents.parent_settings() == {}
    monkeypatch.setenv("LINEAGEKIT_RUN", "0199")
    assert parents.parent_settings()["spark.openlineage.parentRunId"] == "0199"


def test_words_are_printed_for_spark_submit_and_a_wrong_jar_is_said(tmp_path: Path) -> None:
    named = str(make_jar(tmp_path / NAME))
    done = _ask(tmp_path, "--scala", "2.13", "--jar", named, "--namespace", "shop", "--name", "daily")
    words = done.stdout.split()
    assert f"spark.jars={named}" in words
    assert "spark.openlineage.namespace=shop" in words
    assert any(f"location={tmp_path}/store/journal/spark-daily-" in word for word in words)
    done = _ask(tmp_path, "--scala", "2.12", "--jar", named)
    assert done.returncode == 2
    assert "expected one for 2.12" in done.stderr
    done = _ask(tmp_path, "--scala", "2.12", "--url", "https://lineage.example.com")
    assert "spark.jars.packages=io.openlineage:openlineage-spark_2.12:1.53.0" in done.stdout
    assert "spark.openlineage.transport.type=http" in done.stdout


def _ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LINEAGEKIT_STORE": str(folder / "store")}
    command = [sys.executable, "-m", "lineagekit_spark", *words]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)


def event(job: str = "app.write.out", outputs: tuple[str, ...] = (), inputs: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "job": {"namespace": "shop", "name": job},
        "inputs": [{"name": name} for name in inputs],
        "outputs": [{"name": name} for name in outputs],
    }


def test_an_event_is_a_querys_by_its_output_its_command_or_its_files() -> None:
    write = plans.Query("InsertIntoHadoopFsRelationCommand", True, "/data/out")
    assert write.fits(event(outputs=("/data/out",)), ())
    assert not write.fits(event(outputs=("/data/other",)), ())
    assert plans.Query("AppendData", True, "ice.db.t").fits(event(outputs=("/ice/db/t",)), ())
    assert plans.Query("DeleteCommand", True, "").fits(event("app.execute_delete_command"), ())
    assert not plans.Query("DeleteCommand", True, "").fits(event("app.execute_merge_into_command"), ())
    read = plans.Query("Aggregate", False, "")
    assert read.fits(event(inputs=("/data/in",)), ["/data/in/dt=1/a.parquet"])
    assert not read.fits(event(inputs=("/data/in",)), ["/data/in/a.parquet", "/data/other/b.parquet"])
    assert not read.fits(event(inputs=("/data/in",)), [])


def test_a_list_of_files_is_one_text_and_stays_within_its_bounds() -> None:
    paths = [f"file:///data/in/k=1/a%20{n}.parquet" for n in range(3)]
    found = files_read(_plan([_scan([*paths, "file:///d/_delta_log/1.json"])]))
    assert found == ([f"/data/in/k=1/a {n}.parquet" for n in range(3)], 0, True)
    found = files_read(_plan([_scan([f"s3a://b/{n:05}.parquet" for n in range(1500)])]))
    assert (len(found.paths), found.more, found.all) == (1000, 500, False)


def test_files_in_stages_subqueries_and_what_is_used_again_are_found() -> None:
    stage = _leaf("ShuffleQueryStageExec", plan=lambda: _plan([_scan(["file:///in/stage"])]))
    again = _leaf("ReusedExchangeExec", child=lambda: _plan([_scan(["file:///in/again"])]))
    adaptive = _leaf("AdaptiveSparkPlanExec", executedPlan=lambda: _plan([stage, again, _leaf("RangeExec")]))
    below = _plan([_scan(["file:///in/subquery"])])
    assert files_read(_plan([adaptive], [below])) == (["/in/again", "/in/stage", "/in/subquery"], 0, True)


@pytest.mark.parametrize("name", ["InMemoryTableScanExec", "BatchScanExec", "LocalTableScanExec", "RDDScanExec"])
def test_what_may_stand_for_files_that_nobody_sees_makes_the_list_incomplete(name: str) -> None:
    found = files_read(_plan([_scan(["file:///in/a"]), _leaf(name)]))
    assert (found.paths, found.all) == (["/in/a"], False)


def files_read(plan: Any) -> plans.Files:
    runtime = SimpleNamespace(stringOf=lambda text: text)
    return plans.files_read(SimpleNamespace(executedPlan=lambda: plan), runtime)


def _seq(items: Sequence[Any]) -> Any:
    return SimpleNamespace(size=lambda: len(items), apply=lambda number: items[number])


def _plan(leaves: Sequence[Any], subqueries: Sequence[Any] = ()) -> Any:
    return SimpleNamespace(collectLeaves=lambda: _seq(leaves), subqueriesAll=lambda: _seq(subqueries))


def _leaf(name: str, **named: Any) -> Any:
    class_ = SimpleNamespace(getName=lambda: f"org.apache.spark.sql.execution.{name}")
    return SimpleNamespace(getClass=lambda: class_, **named)


def _scan(paths: list[str]) -> Any:
    text = "Array(" + ", ".join(f"path: {path}, range: 0-9, partition values: [1]" for path in paths) + ")"
    partitions = _seq([SimpleNamespace(files=lambda: text)])
    return _leaf("FileSourceScanExec", inputRDD=lambda: SimpleNamespace(filePartitions=lambda: partitions))


def test_the_last_line_is_read_from_the_end_and_ours_is_an_event_without_edges(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("")
    assert last_event(str(path)) is None
    first = {"eventType": "START", "job": {"namespace": "shop", "name": "daily"}}
    last = {"eventType": "COMPLETE", "why": "x" * 50_000}
    path.write_text(json.dumps(first) + "\n" + json.dumps(last) + "\n")
    assert last_event(str(path)) == last
    assert first_job(str(path)) == {"namespace": "shop", "name": "daily"}
    path.write_bytes(b"{" * (5 << 20))  # a line too long to be read in a job
    assert last_event(str(path)) is None
    assert first_job(str(path)) is None
    run = "01a2182e-ba17-7cc3-945f-775e1df43da5"
    ours = line_of("FAIL", run, {"namespace": "shop", "name": "daily"}, {"writes": 3})
    add_line(str(tmp_path / "ours.jsonl"), ours)
    entry = admit(json.loads((tmp_path / "ours.jsonl").read_bytes()))
    assert (entry.kind, entry.type, entry.run) == ("run", "FAIL", run)
