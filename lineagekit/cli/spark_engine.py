# SPDX-License-Identifier: Apache-2.0
"""`lineagekit fingerprint --engine spark`: tables too large for one machine, through a session of Spark.

    >>> with spark_session() as spark:  # doctest: +SKIP
    ...     take_with_spark(spark, "s3a://lake/orders", Options(what="content"))
    Snapshot(name='s3a://lake/orders', ...)

The session is what pyspark finds: `spark-submit`, `SPARK_REMOTE`, `SPARK_MASTER`, spark-defaults.conf, else all cores
of this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from lineagekit.errors import BadDataError, LineagekitError, MissingExtraError, NotFoundError, StoreError, UsageError
from lineagekit.extras import need
from lineagekit.identity.options import Options
from lineagekit.identity.snapshot import Snapshot

_GLOB = re.compile(r"([\\\[\]{}*?])")
_CLASS = re.compile(r"^\[(?P<name>[A-Z_.0-9]+)\] *")
_QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


@contextmanager
def spark_session() -> Iterator[Any]:
    """A session, stopped at the end unless it was there before; MissingExtraError without pyspark or Java."""
    sql = need("pyspark.sql", extra="spark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers would run the first python3 of the path
    active = sql.SparkSession.getActiveSession()
    builder = sql.SparkSession.builder.appName("lineagekit fingerprint")
    for key, value in _QUIET.items():
        builder = builder.config(key, value)
    if "SPARK_MASTER" in os.environ:
        builder = builder.master(os.environ["SPARK_MASTER"])
    spark = active or _start(builder)
    try:
        yield spark
    finally:
        if not active:
            spark.stop()


def _start(builder: Any) -> Any:
    try:
        return builder.getOrCreate()
    except _spark_errors() as error:
        home = os.environ.get("JAVA_HOME")
        if not shutil.which("java", path=f"{home}/bin" if home else None):
            advice = "Install Java 17, or set JAVA_HOME to where it is."
            raise MissingExtraError("Spark needs Java, and there is none", advice=advice) from error
        advice = "See what it said, and check SPARK_MASTER, SPARK_REMOTE and PYSPARK_SUBMIT_ARGS."
        raise StoreError(f"Spark did not start: {_first_line(error)}", advice=advice) from error


def take_with_spark(spark: Any, target: str, options: Options) -> Snapshot:
    """The Snapshot of one target, by content; errors of Spark come out as ours."""
    locations = need("lineagekit_spark.locations", extra="spark")
    algorithm = "lkm1" if options.algorithm == "lkm1" else "lkt1"
    try:
        if options.what == "bytes":  # of a saved list
            locations.require_files(spark, _uri(target))
            raise UsageError(f"Spark takes digests of content: got one of bytes, {target}", advice="Check it without.")
        snapshot = locations.fingerprint_location(
            spark, _uri(target), algorithm=algorithm, columns=options.columns, ignore=options.ignore
        )
    except _spark_errors() as error:
        raise _translate(error, target) from error
    return replace(cast(Snapshot, snapshot), name=target)


def _spark_errors() -> tuple[type[Exception], ...]:
    """Of pyspark and py4j; and of the system, where a JVM cannot be started."""
    return (OSError, *need("lineagekit_spark.failures", extra="spark").spark_errors())


def _uri(target: str) -> str:
    """What Spark calls it: a plain name is a file of this machine, whatever Spark's own file system is."""
    if "://" in target:
        return target
    literal = os.path.lexists(target)
    return "file://" + (_GLOB.sub(r"\\\1", os.path.abspath(target)) if literal else os.path.abspath(target))


def _translate(error: Exception, target: str) -> LineagekitError:
    text = str(error)
    if "DATA_SOURCE_NOT_FOUND" in text or "ClassNotFoundException: delta" in text:
        advice = "Give Spark its package, for instance by PYSPARK_SUBMIT_ARGS or spark-submit --packages."
        return StoreError(f"{target} is a Delta table, and this Spark has no Delta", advice=advice)
    if "PATH_NOT_FOUND" in text:
        return NotFoundError(f"no such file or folder: {target}", advice="Check the name.")
    if "UnsupportedFileSystemException" in text or "ClassNotFoundException" in text:
        advice = "Give Spark the package that reads it, such as hadoop-aws for s3a://."
        return StoreError(f"Spark cannot open {target}: {_first_line(error)}", advice=advice)
    return BadDataError(f"Spark cannot read {target}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    """The line that says something: after py4j's own, without the name of the class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(": ")), lines[0] if lines else type(error).__name__)
    return _CLASS.sub("", re.sub(r"^: [\w.$]+: ", "", said)).split(" SQLSTATE")[0].rstrip(". ")
