# SPDX-License-Identifier: Apache-2.0
"""The settings that make Spark load the agent, and the agent write into the journal of lineagekit.

    >>> settings_for(said, agent, wishes)  # doctest: +SKIP
    {'spark.jars': 'own.jar,openlineage-spark_2.13-1.53.0.jar', 'spark.extraListeners': 'io.openlineage...', ...}

What the user has said stays: lists are added to, and who has set a transport or a namespace for the agent keeps it.
"""

from __future__ import annotations

import os
import re
import time
from typing import NamedTuple

from lineagekit_spark.jars import LISTENER, Agent
from lineagekit_spark.said import EXTENSIONS, JARS, LISTENERS, PACKAGES, Said, merged

TRANSPORT = "spark.openlineage.transport."
LOCATION = f"{TRANSPORT}location"
APPLICATION = "spark.openlineage.applicationRunId"
NAMESPACE = "spark.openlineage.namespace"
ADAPTIVE = "spark.sql.adaptive.enabled"

_DELTA = "io.delta.sql.DeltaSparkSessionExtension"


class Wishes(NamedTuple):
    """What the caller of `attach` or `conf` asked for."""

    namespace: str = ""
    jar: str = ""
    transport: str = "file"
    url: str = ""
    delta_full_events: bool = False
    queries: bool = True

    def refuse_nonsense(self) -> None:
        """Raises ValueError."""
        if self.transport not in ("file", "http"):
            raise ValueError(f"no such transport: got {self.transport!r}, expected file or http.")
        if self.transport == "http" and not self.url.startswith(("http://", "https://")):
            raise ValueError(
                f"no endpoint: got {self.url!r}, expected url='https://...' of one that takes OpenLineage."
            )


def agent_settings(said: Said, agent: Agent) -> dict[str, str]:
    """What brings the agent into the driver, beside what is there."""
    settings = {LISTENERS: merged(said.get(LISTENERS), LISTENER)}
    if agent.jar and "openlineage-spark" not in said.listed(JARS):
        settings[JARS] = merged(said.listed(JARS), agent.jar)
    elif agent.package and "openlineage-spark" not in said.listed(PACKAGES) + said.listed(JARS):
        settings[PACKAGES] = merged(said.listed(PACKAGES), agent.package)
    return settings


def transport_settings(said: Said, wishes: Wishes, folder: str) -> dict[str, str]:
    """Where the events go. Raises OSError where the file cannot be made."""
    if said.get(f"{TRANSPORT}type"):
        return {}
    if wishes.transport == "http":
        return http_settings(wishes.url)
    path = new_event_file(folder, said.get("spark.app.name"))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))
    return file_settings(path)


def file_settings(path: str) -> dict[str, str]:
    """For a file, which the JVM itself appends to: what is in it survives Python, whatever ends that."""
    return {f"{TRANSPORT}type": "file", LOCATION: path}


def http_settings(url: str) -> dict[str, str]:
    """For any endpoint that takes OpenLineage; a path in the URL is its own."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    settings = {f"{TRANSPORT}type": "http", f"{TRANSPORT}url": f"{scheme}://{host}"}
    return {**settings, f"{TRANSPORT}endpoint": f"/{path}"} if slash and path else settings


def naming_settings(said: Said, wishes: Wishes) -> dict[str, str]:
    """Namespace, and an id for the application's run that we know before it begins."""
    from lineagekit.agent.journal import new_id

    settings = {} if said.get(APPLICATION) else {APPLICATION: new_id(time.time_ns())}
    if wishes.namespace:
        settings[NAMESPACE] = wishes.namespace
    elif not said.get(NAMESPACE):
        settings[NAMESPACE] = own_namespace()
    return settings


def new_event_file(folder: str, application: str) -> str:
    """A name in the folder of journals that nobody else has; settling takes the file for a journal. Raises OSError."""
    from lineagekit.agent.journal import new_id

    os.makedirs(os.path.join(folder, "journal"), mode=0o700, exist_ok=True)
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", application)[:60].strip("._") or "application"
    return os.path.join(folder, "journal", f"spark-{safe}-{new_id(time.time_ns())}.jsonl")


def loses_delta_queries(said: Said) -> bool:
    """Whether the agent will drop queries: with Delta's extension it passes over all that Spark plans adaptively."""
    return _DELTA in said.get(EXTENSIONS) and said.get(ADAPTIVE, "true").lower() != "false"


def own_namespace() -> str:
    """As jobs of lineagekit have it: from the settings, else the repository's name."""
    from lineagekit.agent.origin import place_of_job
    from lineagekit.agent.process import open_process

    process = open_process()
    settings = process.settings if process is not None else {}
    return str(settings.get("namespace") or place_of_job()["namespace"])
