# SPDX-License-Identifier: Apache-2.0
"""What runs already: a session, a JVM, a Connect server; and what that JVM was told.

    >>> has_jvm()  # doctest: +SKIP
    False

A Python that `spark-submit` started finds a JVM, as does the second session of a process: class path and settings of
such a JVM are made. A jar can still be added to the loader that Spark looks for listeners with.
"""

from __future__ import annotations

import os

from lineagekit_spark.jars import LISTENER

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def spark_home() -> tuple[str, str]:
    """Spark's folder, and the version of pyspark."""
    from pyspark.find_spark_home import _find_spark_home
    from pyspark.version import __version__

    return str(_find_spark_home()), str(__version__)


def is_connect(options: Mapping[str, Any]) -> bool:
    """Whether the session would be a client of a Connect server, which has no JVM of its own."""
    mode = options.get("spark.api.mode") or os.environ.get("SPARK_API_MODE", "")
    asked = options.get("spark.remote") or os.environ.get("SPARK_REMOTE") or mode == "connect"
    if asked or "SPARK_CONNECT_MODE_ENABLED" in os.environ:
        return True
    return not (_is_there("pyspark.core.context") or _is_there("pyspark.context"))


def is_active() -> bool:
    """Whether this process has a Spark context."""
    return _context()._active_spark_context is not None


def is_attached() -> bool:
    """Whether the context that runs was started with the agent: then nothing is left to do."""
    active = _context()._active_spark_context
    return active is not None and LISTENER in (active.getConf().get("spark.extraListeners") or "")


def has_jvm() -> bool:
    """Whether the JVM of this process is there, or handed to it by `spark-submit`."""
    return _context()._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def jvm_settings() -> dict[str, str] | None:
    """What the JVM was told that is there already; None where there is none yet."""
    if not has_jvm():
        return None
    from pyspark.conf import SparkConf

    return dict(SparkConf(_jvm=_jvm()).getAll())


def can_load(jar: str) -> bool:
    """Whether the JVM has the agent, or takes it from the jar now."""
    if _loads():
        return True
    if not jar or "://" in jar:
        return False
    jvm = _jvm()
    url = jvm.java.io.File(jar).toURI().toURL()
    _loader(jvm).addURL(url)
    return _loads()


def set_properties(values: Mapping[str, str]) -> None:
    """Set properties of the JVM, or clear those without a value; nothing where there is no JVM."""
    if _context()._gateway is None:
        return
    system = _jvm().java.lang.System
    for key, value in values.items():
        if value:
            system.setProperty(key, value)
        else:
            system.clearProperty(key)


def _is_there(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it would be in: pyspark.core came with Spark 4
        return False


def _context() -> Any:
    from pyspark import SparkContext

    return SparkContext


def _jvm() -> Any:
    context = _context()
    context._ensure_initialized()
    return context._jvm


def _loader(jvm: Any) -> Any:
    return jvm.java.lang.Thread.currentThread().getContextClassLoader()


def _loads() -> bool:
    from py4j.protocol import Py4JJavaError

    try:
        _loader(_jvm()).loadClass(LISTENER)
    except Py4JJavaError:
        return False
    return True
