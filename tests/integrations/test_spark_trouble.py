# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with the agent, its jar, Java or the store: the job runs on, and doctor says how to mend it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.integrations.spark_jobs import OTHER_SCALA, PYTHON, ROOT, START, environment, jar, run_spark

pytestmark = pytest.mark.spark

WRITE = "session.range(9).write.parquet('out')\n"

AGENT = """
package io.openlineage.spark.agent;

public class OpenLineageSparkListener extends org.apache.spark.scheduler.SparkListener {
    public OpenLineageSparkListener(org.apache.spark.SparkConf conf) { %s }
    public void onOtherEvent(org.apache.spark.scheduler.SparkListenerEvent event) { %s }
}
"""


def doctor(folder: Path, environ: dict[str, str]) -> str:
    """What it says in the environment of the job."""
    done = subprocess.run(
        [PYTHON, "-m", "lineagekit", "doctor"],
        env=environment(folder, environ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "making", "sentence"),
    [
        ("a jar for another Scala", "builder()", "a jar for another Scala: got .* for 2.12, expected one for 2.13"),
        ("a package that nobody has", "builder().config('spark.jars.ivySettings', IVY)", "could not fetch the agent"),
        ("a store that is a file", "builder()", "spark.attach failed"),
        ("a journal that is a file", "builder()", "File exists"),
        ("a session that runs", "(builder().getOrCreate(), builder())[1]", "attach came too late"),
    ],
)
def test_where_the_agent_cannot_be_had_the_job_runs_without(
    tmp_path: Path, what: str, making: str, sentence: str
) -> None:
    (tmp_path / "ivy.xml").write_text(
        '<ivysettings><settings defaultResolver="x"/><resolvers><filesystem name="x">'
        '<artifact pattern="/nowhere/[artifact].[ext]"/></filesystem></resolvers></ivysettings>'
    )
    (tmp_path / "file").touch()
    if what == "a journal that is a file":
        (tmp_path / "store").mkdir()
        (tmp_path / "store" / "journal").touch()
    environ = {
        "a jar for another Scala": {"LINEAGEKIT_SPARK_JAR": str(jar(OTHER_SCALA))},
        "a package that nobody has": {"LINEAGEKIT_SPARK_JAR": "", "HOME": str(tmp_path)},
        "a store that is a file": {"LINEAGEKIT_STORE": str(tmp_path / "file")},
    }.get(what, {})
    code = f"IVY = os.path.abspath('ivy.xml')\nsession = lineagekit_spark.attach({making}).getOrCreate()\n"
    job = run_spark(tmp_path, code + WRITE + "session.stop()", environ=environ)
    assert list((tmp_path / "out").glob("*.parquet"))
    assert re.search(sentence, job.errors)
    assert not job.events()
    if "LINEAGEKIT_STORE" not in environ:
        assert re.search(sentence, doctor(tmp_path, environ))


def broken_agent(folder: Path, *, made: str = "", heard: str = "") -> Path:
    """A jar of an agent for another Spark: it throws when it is made, or when it hears of something."""
    source = folder / "OpenLineageSparkListener.java"
    source.write_text(AGENT % (made, heard))
    spark = next(PYTHON.parents[1].glob("lib/python*/site-packages/pyspark/jars"))
    subprocess.run(["javac", "-cp", f"{spark}/*", "-d", folder / "classes", source], check=True, timeout=300)
    path = folder / "openlineage-spark_2.13-9.9.9.jar"
    with ZipFile(path, "w") as archive:
        for file in (folder / "classes").rglob("*.class"):
            archive.write(file, file.relative_to(folder / "classes"))
    return path


@pytest.mark.slow
def test_an_agent_that_cannot_be_made_is_left_out(tmp_path: Path) -> None:
    agent = broken_agent(tmp_path, made='throw new NoSuchMethodError("SparkContext.gone()");')
    environ = {"LINEAGEKIT_SPARK_JAR": str(agent)}
    job = run_spark(tmp_path, "session = lineagekit_spark.attach(builder()).getOrCreate()\n" + WRITE, environ=environ)
    assert list((tmp_path / "out").glob("*.parquet"))
    assert not job.events()
    said = doctor(tmp_path, environ)
    assert "the last session is not recorded: Spark did not start with the agent, and was started without" in said


@pytest.mark.slow
def test_of_an_agent_that_throws_at_whatever_it_hears_doctor_says_that_it_told_nothing(tmp_path: Path) -> None:
    agent = broken_agent(tmp_path, heard='throw new IllegalStateException("no such event");')
    environ = {"LINEAGEKIT_SPARK_JAR": str(agent)}
    code = "session = lineagekit_spark.attach(builder()).getOrCreate()\n" + WRITE + "session.stop()\n"
    job = run_spark(tmp_path, code, environ=environ)
    assert list((tmp_path / "out").glob("*.parquet"))
    assert not job.events()
    job.ask("settle")
    said = doctor(tmp_path, environ)
    assert "job: Spark ran 1 writes, the agent reported 0" in said
    assert "it may not know this Spark. Name another version of it in LINEAGEKIT_SPARK_JAR" in said


def test_without_java_the_job_says_what_it_would_say_without_us_and_doctor_that_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("bash", "sh", "dirname", "readlink", "ps", "uname", "env"):
        if found := shutil.which(name):
            os.symlink(found, bare / name)
    environ = {"PATH": str(bare), "JAVA_HOME": ""}
    ends = []
    for making in ("builder()", "lineagekit_spark.attach(builder())"):
        program = tmp_path / "job.py"
        program.write_text(f"{START}\n{making}.getOrCreate()\n")
        env = environment(tmp_path, environ)
        done = subprocess.run([PYTHON, program], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        ends.append((done.returncode, done.stderr.splitlines()[-1]))
    assert ends[0] == ends[1]
    assert ends[0][0] == 1
    assert "JAVA_GATEWAY_EXITED" in ends[0][1]
    assert "no Java: Spark does not start. Install one, or set JAVA_HOME." in doctor(tmp_path, environ)
