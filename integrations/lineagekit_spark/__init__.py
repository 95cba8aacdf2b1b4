# SPDX-License-Identifier: Apache-2.0
"""Spark: one call, and every job of a session is recorded by the OpenLineage agent into the journal of lineagekit.

    >>> spark = lineagekit_spark.attach(SparkSession.builder, namespace="shop").getOrCreate()  # doctest: +SKIP

For jobs without Python `conf` gives the same settings, and `python -m lineagekit_spark` prints them for `spark-submit`.
"""

from __future__ import annotations

from lineagekit_spark.attach import attach
from lineagekit_spark.submit import conf

__all__ = ["attach", "conf", "fingerprint"]


def __getattr__(name: str) -> object:
    """`fingerprint`, whose module needs pyarrow: it is loaded for who asks."""
    if name == "fingerprint":
        from lineagekit_spark.digest import fingerprint

        return fingerprint
    raise AttributeError(f"module 'lineagekit_spark' has no attribute {name!r}")
