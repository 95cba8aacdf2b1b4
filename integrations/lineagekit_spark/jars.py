# SPDX-License-Identifier: Apache-2.0
"""The jar of the OpenLineage agent: where it lies, and whether it is one for the Scala of this Spark.

    >>> scala_of("/opt/openlineage-spark_2.13-1.53.0.jar")
    '2.13'
    >>> find_agent("2.13", "/home/ann/.cache/lineagekit").jar  # doctest: +SKIP
    '/home/ann/.m2/repository/io/openlineage/openlineage-spark_2.13/1.53.0/openlineage-spark_2.13-1.53.0.jar'

A jar for another Scala fails when its classes are loaded, and takes the session with it: it is refused before that.
"""

from __future__ import annotations

import os
import re
from glob import glob
from typing import NamedTuple

VERSION = "1.53.0"
"""Of the agent, where it is not found on this machine."""

JAR = "LINEAGEKIT_SPARK_JAR"
"""The variable that names a jar."""

LISTENER = "io.openlineage.spark.agent.OpenLineageSparkListener"

_NAME = re.compile(r"openlineage-spark_(2\.1[23])-([0-9][0-9.]*)")
_END_OF_ARCHIVE = b"PK\x05\x06"
_WITNESS = "io/openlineage/spark/agent/util/ScalaConversionUtils.class"
_MARKS = {"2.13": b"scala/collection/JavaConverters$AsJava", "2.12": b"scala/collection/convert/Decorators"}


class Agent(NamedTuple):
    """Where the agent comes from: a file, or Maven coordinates; neither where Spark's own folder of jars has it."""

    jar: str = ""
    package: str = ""


class WrongJarError(ValueError):
    """The jar that was named is none that this Spark can load."""


def find_agent(scala: str, cache: str, named: str = "", home: str = "") -> Agent:
    """What was named, else what lies on this machine, else coordinates for Spark to fetch. Raises WrongJarError."""
    named = named or os.environ.get(JAR, "")
    if named:
        return Agent(jar=checked(named, scala))
    if home and glob(os.path.join(home, "jars", "openlineage-spark*.jar")):
        return Agent()
    found = sorted(_lying_around(scala, cache), key=_version_of)
    for path in reversed(found):
        if _is_whole(path):
            return Agent(jar=path)
    return Agent(package=package_for(scala))


def package_for(scala: str) -> str:
    """Maven's name for the agent."""
    return f"io.openlineage:openlineage-spark_{scala}:{VERSION}"


def checked(path: str, scala: str) -> str:
    """The path, if there is an agent for this Scala in it. A URL is believed by its name."""
    path = os.path.expanduser(path)
    if "://" not in path:
        path = os.path.abspath(path)
        if not os.path.isfile(path):
            raise WrongJarError(f"no jar: got {path}, which is not there. Correct the path.")
        if not _is_whole(path):
            raise WrongJarError(f"no jar: {path} is cut short, or no archive. Fetch it again.")
    got = scala_of(path)
    if not got:
        raise WrongJarError(f"no jar of the OpenLineage agent: got {path}. Name one of {package_for(scala)}.")
    if got != scala:
        raise WrongJarError(
            f"a jar for another Scala: got {path} for {got}, expected one for {scala}."
            f" Name one of {package_for(scala)}."
        )
    return path


def scala_of(path: str) -> str:
    """For which Scala a jar of the agent was made: by its name, else by what is in it; '' if it is none."""
    named = _NAME.search(os.path.basename(path))
    if named:
        return named[1]
    return "" if "://" in path else _look_inside(path)


def scala_of_spark(home: str, version: str) -> str:
    """Which Scala this Spark runs on: by the jar in its folder, else as it is built for PyPI."""
    for path in glob(os.path.join(home, "jars", "scala-library-2.1*.jar")) if home else ():
        return os.path.basename(path)[len("scala-library-") :][:4]
    return "2.12" if version.startswith("3.") else "2.13"


def _lying_around(scala: str, cache: str) -> list[str]:
    home = os.path.expanduser("~")
    name = f"openlineage-spark_{scala}"
    places = (
        os.path.join(cache, "spark", f"{name}-*.jar"),
        os.path.join(home, ".m2", "repository", "io", "openlineage", name, "*", f"{name}-*.jar"),
        os.path.join(home, ".ivy2*", "jars", f"io.openlineage_{name}-*.jar"),
        os.path.join(home, ".ivy2*", "cache", "io.openlineage", name, "jars", f"{name}-*.jar"),
    )
    found = (path for place in places for path in glob(place))
    return [path for path in found if not path.endswith(("-sources.jar", "-javadoc.jar"))]


def _version_of(path: str) -> tuple[int, ...]:
    named = _NAME.search(os.path.basename(path))
    return tuple(int(part) for part in named[2].split(".") if part) if named else ()


def _is_whole(path: str) -> bool:
    """Whether an archive ends as one does: a download that broke off does not."""
    try:
        with open(path, "rb") as file:
            file.seek(-min(os.fstat(file.fileno()).st_size, 66_000), os.SEEK_END)
            return _END_OF_ARCHIVE in file.read()
    except OSError:
        return False


def _look_inside(path: str) -> str:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            code = archive.read(_WITNESS)
    except (OSError, BadZipFile, KeyError):
        return ""
    return next((scala for scala, mark in _MARKS.items() if mark in code), "")
