# SPDX-License-Identifier: Apache-2.0
"""Whether Spark's sessions are recorded: what this machine has for it, what went wrong last, how much was told.

    >>> found = spark_health(store, "/data/.lineagekit")  # doctest: +SKIP
    >>> found["applications"][0]["writes"], found["applications"][0]["reported"]  # doctest: +SKIP
    (12, 11)

There are two witnesses: the query listener of `lineagekit_spark`, which counts what Spark ran and of how much of that
the agent has told, and the agent, whose events are the lineage. Of a write that only the first has seen there is none.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from lineagekit.config import Config
from lineagekit.events.lenient import count, facet, mapping, text
from lineagekit.store.log import Store

FACET = "lineagekit_spark"
NOTE = "spark.json"

_COUNTS = ("executions", "writes", "failed", "reported")

_ROWS = 300
"""Runs that are looked through: the last ones."""

_APPLICATIONS = 5


def spark_health(store: Store | None, folder: str) -> dict[str, Any]:
    """What there is, what failed when a session was last attached, and the last applications, if there is a log yet."""
    applications = list(_applications(store)) if store is not None else []
    return {"installed": _installed(), "trouble": _trouble(folder), "applications": applications}


def spark_text(found: Mapping[str, Any]) -> Iterator[str]:
    """The same in words; nothing where there is no Spark."""
    lines = list(_lines(found))
    if lines:
        yield f"spark        {lines[0]}"
        yield from (f"             {line}" for line in lines[1:])


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    installed = found["installed"]
    if installed:
        yield f"pyspark {installed['pyspark']}; the agent: {installed['agent']}"
        if not installed["java"]:
            yield "no Java: Spark does not start. Install one, or set JAVA_HOME."
    if found["trouble"]:
        yield f"the last session is not recorded: {found['trouble']}"
    for one in found["applications"]:
        yield from _lines_of(one)


def _lines_of(one: Mapping[str, Any]) -> Iterator[str]:
    failed = f" ({one['failed']} {'query' if one['failed'] == 1 else 'queries'} failed)" if one["failed"] else ""
    missing = one["writes"] - one["reported"]
    reported = one["reported"] if missing else "all"
    yield f"{one['job']}: Spark ran {one['writes']} writes{failed}, the agent reported {reported}"
    if missing and not one["reported"]:
        yield (
            "the agent has told of no write at all. Look for OpenLineage in Spark's log: it may not know this Spark."
            " Name another version of it in LINEAGEKIT_SPARK_JAR"
        )
    if missing:
        yield (
            f"of {missing} there is no lineage. The agent is silent about Delta's DELETE, and with Delta's extension"
            " about adaptive queries: lineagekit_spark.attach(..., delta_full_events=True)"
        )


def _installed() -> dict[str, Any]:
    """What a session on this machine would find; nothing where pyspark is not installed beside lineagekit."""
    try:
        pyspark = version("pyspark")
    except PackageNotFoundError:
        return {}
    from lineagekit_spark.jars import WrongJarError, find_agent, scala_of_spark

    home = os.environ.get("SPARK_HOME") or _folder_of_pyspark()
    scala = scala_of_spark(home, pyspark)
    try:
        agent = find_agent(scala, Config.from_environment().cache_folder, home=home)
    except WrongJarError as error:
        return {"pyspark": pyspark, "scala": scala, "java": _java(), "agent": str(error)}
    where = agent.jar or (f"{agent.package}, which Spark will fetch" if agent.package else "beside Spark's own jars")
    return {"pyspark": pyspark, "scala": scala, "java": _java(), "agent": where}


def _folder_of_pyspark() -> str:
    spec = find_spec("pyspark")
    return os.path.dirname(spec.origin) if spec is not None and spec.origin else ""


def _java() -> str:
    home = os.environ.get("JAVA_HOME", "")
    named = os.path.join(home, "bin", "java")
    return (named if home and os.access(named, os.X_OK) else "") or shutil.which("java") or ""


def _trouble(folder: str) -> str:
    try:
        with open(os.path.join(folder, NOTE), encoding="utf-8") as file:
            return text(mapping(json.load(file)).get("what"))
    except (OSError, ValueError):
        return ""


def unreported(store: Store, runs: Iterable[str]) -> Iterator[str]:
    """A sentence for each Spark application among these runs of which not every write was told."""
    for application, counts in _last_said(store, runs).items():
        if missing := counts["writes"] - counts["reported"]:
            run = store.find_run(application)
            told = f"Spark ran {counts['writes']} writes, the agent reported {counts['reported']}"
            yield f"{run.job if run else application}: {told}: of {missing} there is no lineage"


def _applications(store: Store) -> Iterator[dict[str, Any]]:
    last = _last_said(store, (row.run for row in store.recent_runs(_ROWS)))
    for application, counts in list(last.items())[:_APPLICATIONS]:
        run = store.find_run(application)
        yield {"run": application, "job": run.job if run else application, **counts}


def _last_said(store: Store, runs: Iterable[str]) -> dict[str, dict[str, int]]:
    """The last that the listener said of each application, in whichever of its runs it said so."""
    last: dict[str, dict[str, int]] = {}
    for run in runs:
        for event in store.run_events(run):
            said = facet(mapping(event.event.get("run")).get("facets"), FACET) if not event.damaged else {}
            application = text(said.get("application"))
            counts = {key: count(said.get(key)) or 0 for key in _COUNTS}
            if application and counts["executions"] >= last.get(application, counts)["executions"]:
                last[application] = counts
    return last
