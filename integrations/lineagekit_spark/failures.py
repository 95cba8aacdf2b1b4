# SPDX-License-Identifier: Apache-2.0
"""What Spark says when a digest fails, in words that help: what is missing where, or what is wrong with the data.

>>> with translate_failures():  # doctest: +SKIP
...     frame.mapInArrow(table_state, STATE).collect()
MissingExtraError: the Python of the executors has no package blake3. Install lineagekit there: ...
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lineagekit import errors

_ABSENT = re.compile(
    r"No module named '(?P<package>(?:lineagekit|lineagekit_spark|blake3|numpy|pyarrow))(?:\.[\w.]+)?'"
)
_OURS = re.compile(r"lineagekit\.errors\.(?P<kind>\w+): (?P<message>[^\n]*)")
_WHERE = (
    "Run: pip install 'lineagekit[spark]' in the Python that executors use (PYSPARK_PYTHON or spark.pyspark.python), "
    "in their image, or in the environment that spark.archives ships."
)


@contextmanager
def translate_failures() -> Iterator[None]:
    """Raise as ours what Spark wraps of ours or of a missing package; all else comes out as it is."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise errors.MissingExtraError(
            f"the Python of the driver has no package {error.name}", advice="Run: pip install 'lineagekit[spark]'"
        ) from error
    except spark_errors() as error:
        ours = _translate(str(error))
        if ours is None:
            raise
        raise ours from error


def spark_errors() -> tuple[type[Exception], ...]:
    """What Spark raises; a client of Spark Connect has no py4j."""
    from pyspark.errors import PySparkException

    try:
        from py4j.protocol import Py4JError
    except ModuleNotFoundError:
        return (PySparkException,)
    return (PySparkException, Py4JError)


def _translate(text: str) -> errors.LineagekitError | None:
    absent = _ABSENT.search(text)
    if absent:
        message = f"the Python of the executors has no package {absent['package']}"
        return errors.MissingExtraError(message, advice=_WHERE)
    if "PYTHON_VERSION_MISMATCH" in text:
        version = ".".join(map(str, sys.version_info[:2]))
        message = f"executors run another Python than the driver, which is {version}"
        return errors.UsageError(message, advice="Set PYSPARK_PYTHON to the driver's Python before the session starts.")
    said = _OURS.findall(text)
    if said:
        kind, message = said[-1]
        return getattr(errors, kind, errors.BadDataError)(message)
    return None
