# SPDX-License-Identifier: Apache-2.0
"""The digest of a data frame of any size: each partition is hashed where it lies, and what it adds up to comes home.

    >>> lineagekit_spark.fingerprint(spark.read.parquet("s3a://lake/orders")).digest("lkt1")  # doctest: +SKIP
    Digest(algorithm='lkt1', ...)

    frame ──> partitions ──> states of 40 bytes ──> sum ──> lkt1
         └──> row hashes ──> shuffle by first byte, sort ──> 256 leaves ──> lkm1

No row comes to the driver, and no partitioning changes the answer: it is what `lineagekit.fingerprint` says of the same
rows in one file. A frame has no order, so there is no `lks1`. The frame is computed once for the digest: one that is
not deterministic, or not cached and dear, is better written first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from lineagekit_spark.failures import translate_failures

_ALGORITHMS = ("lkt1", "lkm1")


def fingerprint(df: Any, *, algorithm: str = "lkt1", columns: Sequence[str] = (), ignore: Sequence[str] = ()) -> Any:
    """Name a frame by its rows: a Snapshot with `lkt1`, and with `lkm1` too where that is the algorithm.

    `columns` and `ignore` choose as in `lineagekit.Options`. Raises UsageError for what is no frame of rows,
    UnsupportedTypeError for a column type without a canonical form, MissingExtraError where the driver or the
    executors lack lineagekit, pyarrow or numpy; what Spark itself raises comes out as it is.
    """
    _require_frame(df)
    if algorithm not in _ALGORITHMS:
        raise _usage(f"not an algorithm of frames: got {algorithm!r}, expected {' or '.join(_ALGORITHMS)}")
    with translate_failures():
        from lineagekit.identity.snapshot import Snapshot
        from lineagekit_spark.types import lost_in_parquet, plan_digest

        plan = plan_digest(df.schema, tuple(columns), tuple(ignore))
        kept = _numbered(df, plan.names)
        take = _take_sorted if algorithm == "lkm1" else _take_sum
        digests, rows = take(kept, plan)
        warnings = tuple(lost_in_parquet(df, plan.names))
        return Snapshot(type(df).__name__, "table", digests, rows=rows, columns=plan.columns, warnings=warnings)


def _require_frame(df: Any) -> None:
    if not (hasattr(df, "schema") and hasattr(df, "sparkSession")):
        raise _usage(f"not a frame of Spark: got a {type(df).__name__}, expected a pyspark.sql.DataFrame")
    if not hasattr(df, "mapInArrow"):
        version = df.sparkSession.version
        raise _usage(f"Spark {version} has no DataFrame.mapInArrow, expected 3.3 or newer", advice="Upgrade pyspark.")
    if df.isStreaming:
        advice = "Fingerprint the frame that foreachBatch hands out, or what was written."
        raise _usage("a stream has no digest: it never ends", advice=advice)


def _usage(message: str, *, advice: str = "") -> Exception:
    from lineagekit.errors import UsageError

    return UsageError(message, advice=advice)


def _numbered(df: Any, names: Sequence[str]) -> Any:
    """The columns of these names, under numbers: dots, backticks and letters of either case mean something to Spark."""
    places = {name: f"c{place}" for place, name in enumerate(df.columns)}
    return df.toDF(*places.values()).select([places[name] for name in names])


def _take_sum(kept: Any, plan: Any) -> tuple[Any, int]:
    from lineagekit.identity.digest import Digest
    from lineagekit.identity.tables.states import TableState
    from lineagekit_spark.states import STATE, table_state

    state, schema_hash = plan.state, plan.state.schema_hash
    for row in kept.mapInArrow(partial(table_state, schema_hash, plan.names), STATE).collect():
        state += TableState.from_bytes(schema_hash, bytes(row["state"]))
    return (Digest("lkt1", state.hex(), plan.parameters),), state.rows


def _take_sorted(kept: Any, plan: Any) -> tuple[Any, int]:
    """Both digests from one pass: what is shuffled are hashes of 32 bytes, and Spark sorts them, on disk if need be."""
    from blake3 import blake3
    from pyspark.sql import functions

    from lineagekit.identity.digest import Digest
    from lineagekit.identity.tables.states import TableState, sorted_hex_of_leaves
    from lineagekit_spark.states import BUCKET, HASH, bucket_leaves, row_hashes

    state, schema_hash = plan.state, plan.state.schema_hash
    hashes = kept.mapInArrow(partial(row_hashes, schema_hash, plan.names), HASH)
    in_buckets = hashes.repartition(functions.substring("hash", 1, 1)).sortWithinPartitions("hash")
    leaves = dict.fromkeys(range(256), blake3().digest())
    for row in in_buckets.mapInArrow(partial(bucket_leaves, schema_hash), BUCKET).collect():
        state += TableState.from_bytes(schema_hash, bytes(row["state"]))
        leaves[row["bucket"]] = bytes(row["leaf"])
    sorted_hex = sorted_hex_of_leaves(schema_hash, state.rows, leaves.values())
    digests = (Digest("lkt1", state.hex(), plan.parameters), Digest("lkm1", sorted_hex, plan.parameters))
    return digests, state.rows
