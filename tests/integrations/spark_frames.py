# SPDX-License-Identifier: Apache-2.0
"""A program: every frame of `FRAMES`, digested by one session of Spark and as the Parquet that it wrote, as JSON."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import lineagekit_spark
import pyarrow
from pyspark.sql import SparkSession, functions

import lineagekit

Frame = Any
FOLDER = Path(sys.argv[1])
ODD = ["", "\0", "a" * 39, "b" * 40, "日本語", "\U0001f600", "x" * 5000, "NaN", None, "a\nb\r\n", '"quoted"', "e\u0301"]
WHEN = [dt.datetime(2026, 3, 29, 1, 30, 0, 123456), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), None]


def start() -> SparkSession:
    quiet = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.session.timeZone": "Europe/Berlin",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.warehouse.dir": str(FOLDER / "warehouse"),
    }
    builder = SparkSession.builder.master("local[2]").appName("frames")
    for key, value in quiet.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


spark = start()


def rows(schema: str, values: list[Any]) -> Callable[[], Frame]:
    return lambda: spark.createDataFrame(values, schema)


def sql(text: str) -> Callable[[], Frame]:
    return lambda: spark.sql(text)


def vectors() -> Frame:
    from pyspark.ml.linalg import Vectors

    return spark.createDataFrame([(Vectors.dense([1.0, 2.0]),), (Vectors.sparse(9, [1], [3.0]),)], ["v"])


FRAMES: dict[str, Callable[[], Frame]] = {
    "integers": sql("select cast(id as byte) b, cast(id as short) s, cast(id as int) i, id - 50 l from range(100)"),
    "doubled rows": sql("select id % 7 as k from range(100)"),
    "floats": sql(
        "select cast(x as double) d, cast(x as float) f from values"
        " ('NaN'), ('0.0'), ('-0.0'), ('Infinity'), ('-Infinity'), ('1e-320'), ('0.1'), (null) t(x)"
    ),
    "booleans": rows("b boolean", [(True,), (False,), (None,)]),
    "strings": rows("s string", [(text,) for text in ODD]),
    "broken utf8": sql("select cast(x as string) s from values (X'ff'), (X'c3'), (X'6162') t(x)"),
    "binary": rows("b binary", [(b"",), (b"\0",), (b"\xff" * 64,), (None,), (b"y" * 3000,)]),
    "decimals": rows(
        "a decimal(5,2), b decimal(18,0), c decimal(38,10)",
        [
            (decimal.Decimal("1.25"), decimal.Decimal(-7), decimal.Decimal("-1234567890123456789012345678.0123456789")),
            (None, decimal.Decimal(10**17), None),
        ],
    ),
    "dates": rows("d date", [(dt.date(2026, 2, 28),), (dt.date(1, 1, 1),), (dt.date(9999, 12, 31),), (None,)]),
    "timestamps": rows("t timestamp", [(when,) for when in WHEN]),
    "old timestamps": sql("select timestamp_micros(x) t from values (-62135596800000000), (253402300799999999) t(x)"),
    "timestamps without a zone": rows("t timestamp_ntz", [(when,) for when in WHEN]),
    "lists": sql(
        "select * from values (array(1, 2)), (array()), (null), (array(cast(null as int))), (array(3, null)) t(a)"
    ),
    "lists of strings": rows("a array<string>", [(["x", None, "y" * 50],), ([],), (None,)]),
    "lists of floats": sql("select array(cast('NaN' as float), float(-0.0), float(id)) a from range(5)"),
    "lists of timestamps": rows("a array<timestamp>", [(WHEN,), ([],)]),
    "structs": rows(
        "s struct<x:int,y:struct<z:string,w:array<int>>>",
        [((1, ("a", [1])),), (None,), ((None, None),), ((2, (None, None)),), ((3, ("b", [])),)],
    ),
    "maps": rows("m map<string,int>", [({"a": 1, "b": None},), ({},), (None,), ({"z": 26},)]),
    "maps of structs": rows("m map<int,struct<a:string,b:date>>", [({1: ("x", dt.date(2026, 1, 1)), 2: None},)]),
    "lists of maps": rows("a array<map<string,array<double>>>", [([{"k": [1.0, None]}, None, {}],), (None,)]),
    "vectors": vectors,
    "odd names": lambda: spark.createDataFrame([(1, 2, 3, 4)], ["a.b", "日本", "back`tick", "two words"]),
    "many columns": lambda: spark.range(50).selectExpr(*[f"id * {i} as c{i:03}" for i in range(130)]),
    "nobody": rows("i int, s string", []),
    "many rows": sql("select id, id * 0.5 d, cast(id % 13 as string) s from range(30000)"),
}


def digests(snapshot: lineagekit.Snapshot) -> dict[str, Any]:
    names = {d.algorithm: str(d) for d in snapshot.digests if d.algorithm != "lks1"}
    return {**names, "rows": snapshot.rows, "columns": snapshot.columns}


def taken(frame: Frame) -> dict[str, Any]:
    return digests(lineagekit_spark.fingerprint(frame, algorithm="lkm1"))


def written(name: str, frame: Frame) -> dict[str, Any]:
    """What the local engine says of the one file that Spark makes of a frame."""
    folder = FOLDER / name.replace(" ", "_")
    frame.coalesce(1).write.parquet(str(folder))
    file = next(folder.glob("*.parquet"))
    return digests(lineagekit.fingerprint(file, lineagekit.Options(what="content", algorithm="lkm1")))


def compared(name: str, make: Callable[[], Frame]) -> dict[str, Any]:
    frame = make()
    with_holes = frame.coalesce(1).union(frame.where("1 = 0")).union(frame.where("1 = 0"))
    return {
        "file": written(name, frame),
        "as it is": digests(lineagekit_spark.fingerprint(frame)),
        "with empty partitions": digests(lineagekit_spark.fingerprint(with_holes)),
        "shuffled": digests(lineagekit_spark.fingerprint(frame.repartition(5), algorithm="lkm1")),
    }


def timestamps_as(form: str) -> Callable[[], Any]:
    def take() -> Any:
        spark.conf.set("spark.sql.parquet.outputTimestampType", form)
        return lineagekit_spark.fingerprint(FRAMES["lists of timestamps"]()).warnings

    return take


def same_with(setting: str, value: str) -> Callable[[], Any]:
    """Whether a setting of the session changes no digest."""

    def take() -> Any:
        frame = spark.sql("select id, string(id) s, timestamp_micros(id) t, array(X'00', null) a from range(50)")
        before, old = lineagekit_spark.fingerprint(frame), spark.conf.get(setting)
        spark.conf.set(setting, value)
        after = lineagekit_spark.fingerprint(frame)
        spark.conf.set(setting, old or "")
        return before == after

    return take


def on_bare_executors() -> Any:
    """A Python with Spark's packages and without ours."""
    bare = FOLDER / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    (site,) = bare.glob("lib/python*/site-packages")
    (site / "spark.pth").write_text(sysconfig.get_path("purelib"))  # the .pth of our own package there is not followed
    spark.sparkContext.pythonExec = str(bare / "bin" / "python")
    try:
        return lineagekit_spark.fingerprint(spark.range(3)).rows
    finally:
        spark.sparkContext.pythonExec = sys.executable


def digest_of(text: str, **options: Any) -> Callable[[], Any]:
    return lambda: digests(lineagekit_spark.fingerprint(spark.sql(text), **options))


ANSWERS: dict[str, Callable[[], Any]] = {
    "INT96": timestamps_as("INT96"),
    "TIMESTAMP_MILLIS": timestamps_as("TIMESTAMP_MILLIS"),
    "TIMESTAMP_MICROS": timestamps_as("TIMESTAMP_MICROS"),
    "interval of days": lambda: lineagekit_spark.fingerprint(spark.sql("select interval '1' day i")).warnings,
    "interval of months": digest_of("select interval '1' month i"),
    "variant": digest_of("select array(parse_json('1')) v"),
    "duplicate fields": digest_of("select named_struct('x', 1, 'x', 2) s"),
    "duplicate columns": digest_of("select 1 a, 2 a"),
    "no columns": lambda: lineagekit_spark.fingerprint(spark.range(3).select()),
    "a stream": lambda: lineagekit_spark.fingerprint(spark.readStream.format("rate").load()),
    "a list": lambda: lineagekit_spark.fingerprint([1, 2]),
    "sha256": digest_of("select 1 a", algorithm="sha256"),
    "chosen": lambda: [
        digests(lineagekit_spark.fingerprint(spark.createDataFrame([(1, 2, 3)], ["a.b", "x", "X"]), **choice))
        for choice in ({"columns": ["a.b", "X"]}, {"ignore": ("x",)})
    ],
    "chosen here": lambda: [
        digests(lineagekit.fingerprint(pyarrow.table({"a.b": [1], "x": [2], "X": [3]}), lineagekit.Options(**choice)))
        for choice in ({"columns": ("a.b", "X")}, {"ignore": ("x",)})
    ],
    "other zone": same_with("spark.sql.session.timeZone", "Asia/Tokyo"),
    "large types": same_with("spark.sql.execution.arrow.useLargeVarTypes", "true"),
    "one batch": same_with("spark.sql.execution.arrow.maxRecordsPerBatch", "0"),
    "small batches": same_with("spark.sql.execution.arrow.maxRecordsPerBatch", "3"),
    "user's own failure": lambda: lineagekit_spark.fingerprint(
        spark.range(3).select(functions.udf(lambda _: 1 / 0, "int")("id"))
    ),
    "bare executors": on_bare_executors,
}


def answer(take: Callable[[], Any]) -> Any:
    try:
        return take()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    results = {
        "frames": {name: answer(partial(compared, name, frame)) for name, frame in FRAMES.items()},
        "answers": {name: answer(take) for name, take in ANSWERS.items()},
    }
    (FOLDER / "results.json").write_text(json.dumps(results))
    spark.stop()


main()
