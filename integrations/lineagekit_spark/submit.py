# SPDX-License-Identifier: Apache-2.0
"""The same settings for whoever starts Spark without Python: as a mapping, or as words for `spark-submit`.

    spark-submit $(python -m lineagekit_spark --name daily) --class shop.Daily shop.jar

>>> conf("shop", transport="http", url="https://lineage.example.com", jar="openlineage-spark_2.13-1.53.0.jar")[
...     "spark.openlineage.transport.url"
... ]  # doctest: +SKIP
'https://lineage.example.com'

Spark takes the last `--conf` of a name: a job with jars, packages or listeners of its own names them beside these.
"""

from __future__ import annotations

import os
from typing import Any

from lineagekit_spark import running
from lineagekit_spark.jars import LISTENER, Agent, find_agent, scala_of_spark
from lineagekit_spark.parents import parent_settings
from lineagekit_spark.said import JARS, LISTENERS, PACKAGES
from lineagekit_spark.settings import (
    ADAPTIVE,
    NAMESPACE,
    Wishes,
    file_settings,
    http_settings,
    new_event_file,
    own_namespace,
)


def conf(
    namespace: str = "", *, name: str = "", jar: str | os.PathLike[str] = "", scala: str = "", **wishes: Any
) -> dict[str, str]:
    """Settings that make a Spark application record itself: into this store's journal, or to the endpoint `url`.

    For another Spark than the one beside this Python name its `scala` ("2.12" or "2.13"). Raises ValueError.
    """
    asked = Wishes(namespace=namespace, jar=os.fspath(jar), **wishes)
    asked.refuse_nonsense()
    agent = _agent_of(asked, scala)
    settings = {LISTENERS: LISTENER, NAMESPACE: asked.namespace or own_namespace()}
    settings.update({JARS: agent.jar} if agent.jar else {PACKAGES: agent.package} if agent.package else {})
    settings.update(http_settings(asked.url) if asked.transport == "http" else file_settings(_new_file(name)))
    if asked.delta_full_events:
        settings[ADAPTIVE] = "false"
    return {**settings, **parent_settings()}


def _agent_of(asked: Wishes, scala: str) -> Agent:
    from lineagekit.config import Config

    home, version = "", "4"
    if not scala:
        try:
            home, version = running.spark_home()
        except (ImportError, SystemExit):  # pyspark leaves so where it finds no Spark
            home = os.environ.get("SPARK_HOME", "")
    scala = scala or scala_of_spark(home, version)
    return find_agent(scala, Config.from_environment().cache_folder, asked.jar, home)


def _new_file(name: str) -> str:
    """A file that the JVM will make, in a folder that is there."""
    from lineagekit.agent.process import open_process

    process = open_process()
    if process is None:
        raise ValueError("lineagekit is disabled: got LINEAGEKIT_DISABLED, expected none. Unset it.")
    process.prepare_store()
    return new_event_file(process.config.store_folder, name)
