# SPDX-License-Identifier: Apache-2.0
"""Spark's own start and its talk to the JVM: files, a child and sockets that are no lineage of the script's.

    "pyspark.java_gateway": "lineagekit_spark.hooks:gateway"
    "py4j.clientserver": "lineagekit_spark.hooks:connections"

The JVM leaves its port in a temporary file, which would be an input of every script that uses Spark.
"""

from __future__ import annotations

from lineagekit_python.around import around

from lineagekit.agent.border import border

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


class aside(border):
    """A block whose files, children and sockets are not recorded, and whose errors are the job's own."""

    __slots__ = ()

    def __exit__(self, *_: Any) -> bool:
        """Let everything through."""
        return super().__exit__(None, None, None)


def gateway(module: Any) -> None:
    """Starting the JVM."""
    around(module, "launch_gateway", _aside)


def connections(module: Any) -> None:
    """Connecting to it."""
    around(module, "ClientServerConnection.connect_to_java_server", _aside)


def results(module: Any) -> None:
    """Rows that come home by a socket of their own, as `collect()` brings them: `pyspark.util`, before 4 `rdd`."""
    if hasattr(module, "local_connect_and_auth"):
        around(module, "local_connect_and_auth", _aside)


def _aside(original: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        with aside("spark"):
            return original(*args, **kwargs)

    return call
