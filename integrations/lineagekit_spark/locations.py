# SPDX-License-Identifier: Apache-2.0
"""A place that Spark can read, as a table: what is in it, and the digest of that.

    >>> fingerprint_location(spark, "s3a://lake/orders", columns=("id",))  # doctest: +SKIP
    Snapshot(name='s3a://lake/orders', kind='table', ...)

Delta and Parquet are read by Spark, CSV and JSON lines by lineagekit on the executors (see `texts`). Nothing is
guessed: the values of partition folders are text, as cells of CSV are, files with other columns are merged, and a
folder that holds several formats, which a table of another kind may be, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from lineagekit.errors import BadDataError, NotFoundError, UsageError
from lineagekit.identity.digest import Digest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.identity.streams import data_suffix
from lineagekit.identity.tables.states import TableState
from lineagekit_spark.digest import fingerprint
from lineagekit_spark.failures import translate_failures
from lineagekit_spark.footers import read_otherwise

_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
_STRICT = {"ignoreCorruptFiles": "false", "ignoreMissingFiles": "false"}


def fingerprint_location(
    spark: Any, uri: str, *, algorithm: str = "lkt1", columns: Sequence[str] = (), ignore: Sequence[str] = ()
) -> Snapshot:
    """The Snapshot of a table file, a folder of them or a Delta table; NotFoundError, BadDataError or UsageError."""
    with translate_failures():
        if _list_files(spark, uri.rstrip("/") + "/_delta_log"):
            frame = spark.read.format("delta").load(uri)
            return replace(fingerprint(frame, algorithm=algorithm, columns=columns, ignore=ignore), name=uri)
        files = require_files(spark, uri)
        form = _format_of(uri, files)
        if form == "parquet":
            snapshot = fingerprint(
                _read_parquet(spark, uri, files), algorithm=algorithm, columns=columns, ignore=ignore
            )
            return replace(snapshot, name=uri, warnings=tuple(read_otherwise(files, snapshot.columns)))
        if algorithm == "lkm1":
            raise UsageError(f"lkm1 of {form} is not taken by Spark: got {uri}", advice="Write it as Parquet first.")
        _refuse_partitions(uri, files)
        return _add_files(spark, uri, columns, ignore)


def _refuse_partitions(uri: str, files: list[str]) -> None:
    """Where text lies in partition folders below, their values would be lost."""
    for file in files:
        if "=" in unquote(file).removeprefix(uri).rpartition("/")[0]:
            raise BadDataError(
                f"{uri} has partition folders of text: {file}, expected Parquet", advice="Name one folder."
            )


def require_files(spark: Any, uri: str) -> list[str]:
    """What Spark sees there; NotFoundError where that is nothing."""
    files = _list_files(spark, uri)
    if not files:
        raise NotFoundError(f"no files: {uri}", advice="Check the name; files that begin with _ or . do not count.")
    return files


def _list_files(spark: Any, uri: str) -> list[str]:
    """The files there, at any depth but for names that begin with a dot or an underscore; none where nothing is."""
    from pyspark.errors import AnalysisException

    try:
        return sorted(_binary_files(spark, uri).inputFiles())
    except AnalysisException as error:
        if "PATH_NOT_FOUND" in str(error):
            return []
        raise


def _binary_files(spark: Any, uri: str) -> Any:
    reader = spark.read.format("binaryFile").options(**_STRICT, recursiveFileLookup="true")
    return reader.load(uri)


def _format_of(uri: str, files: list[str]) -> str:
    forms = sorted({_FORMATS.get(data_suffix(file), data_suffix(file) or "no suffix") for file in files})
    known = sorted(set(_FORMATS.values()))
    if len(forms) > 1 or forms[0] not in known:
        advice = "Name the files of one format, by a pattern. Of Iceberg and Hudi, fingerprint a frame."
        raise BadDataError(f"{uri} is no table: got {', '.join(forms)}, expected {', '.join(known)}", advice=advice)
    return forms[0]


def _read_parquet(spark: Any, uri: str, files: list[str]) -> Any:
    """Partition values as text (the session is ours), the columns of all files, and no file left out in silence."""
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    frame = spark.read.options(**_STRICT, mergeSchema="true").parquet(uri)
    missed = sorted(set(files) - set(frame.inputFiles()))
    if missed:
        raise BadDataError(
            f"{uri} has files in folders that are no partitions: {missed[0]}", advice="Name that folder."
        )
    return frame


def _add_files(spark: Any, uri: str, columns: Sequence[str], ignore: Sequence[str]) -> Snapshot:
    from lineagekit_spark.texts import FILE, file_states

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")  # of whole files: many would not fit
    options = {"columns": list(columns), "ignore": list(ignore)}
    contents = _binary_files(spark, uri).select("path", "content")
    rows = sorted(contents.mapInArrow(partial(file_states, options), FILE).collect(), key=lambda row: row["path"])
    facts = [json.loads(row["facts"]) for row in rows]
    schema_hash = bytes.fromhex(facts[0]["schema_hash"])
    state = TableState(schema_hash)
    for row, fact in zip(rows, facts):
        if any(fact[key] != facts[0][key] for key in ("schema_hash", "parameters")):
            said = "; ".join(_said(*pair) for pair in ((rows[0], facts[0]), (row, fact)))
            raise BadDataError(f"files of other columns or types: {said}", advice="Fingerprint them one by one.")
        state += TableState.from_bytes(schema_hash, bytes(row["state"]))
    named = tuple((name, logical) for name, logical in facts[0]["columns"])
    digest = Digest("lkt1", state.hex(), {key: tuple(items) for key, items in facts[0]["parameters"]})
    return Snapshot(uri, "table", (digest,), rows=state.rows, columns=named)


def _said(row: Any, fact: dict[str, Any]) -> str:
    return f"{row['path']} has {', '.join(f'{name} {logical}' for name, logical in fact['columns'])}"
