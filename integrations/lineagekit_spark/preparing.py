# SPDX-License-Identifier: Apache-2.0
"""Before and after a session is made: what is set, what is taken back, what is watched.

    >>> prepared = prepare(builder, Wishes(namespace="shop"))  # doctest: +SKIP
    >>> watch(prepared, builder.getOrCreate())  # doctest: +SKIP

The JVM that pyspark starts keeps what it was started with, also for the next session of this process: an application's
own settings are taken out of it as soon as its session is there.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from lineagekit.agent.handover import hand_over_at_exit
from lineagekit_spark import running
from lineagekit_spark.jars import find_agent, scala_of_spark
from lineagekit_spark.notes import forget_trouble, note_trouble
from lineagekit_spark.parents import parent_settings
from lineagekit_spark.said import JARS, PACKAGES, SUBMIT_ARGS, Said, rewrite_arguments
from lineagekit_spark.settings import (
    ADAPTIVE,
    APPLICATION,
    LOCATION,
    NAMESPACE,
    Wishes,
    agent_settings,
    loses_delta_queries,
    naming_settings,
    transport_settings,
)

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

    from lineagekit.agent.process import Process

_GAP = (
    "lineagekit: Delta's extension and adaptive execution are both on, and so the OpenLineage agent tells nothing of"
    " many queries. To close the gap: attach(..., delta_full_events=True), which switches adaptive execution off."
)


class UnrecordedError(Exception):
    """Why a session is not recorded, in a sentence for its author."""


class Prepared:
    """What was set for one application, and what was there before."""

    def __init__(self, builder: Any, process: Process, wishes: Wishes) -> None:
        """Remember what there is."""
        self.builder, self.process, self.wishes = builder, process, wishes
        self.before = dict(builder._options)
        self.arguments = os.environ.get(SUBMIT_ARGS)
        self.settings: dict[str, str] = {}
        self.said: Said | None = None

    @property
    def folder(self) -> str:
        """The store."""
        return self.process.config.store_folder

    def apply(self, settings: dict[str, str], said: Said) -> None:
        """Tell the builder; and the command line where that is stronger."""
        self.settings, self.said = settings, said
        stronger = {key: settings[key] for key in (JARS, PACKAGES) if key in settings and said.on_command_line(key)}
        if stronger:
            rewrite_arguments(stronger)
        for key, value in settings.items():
            self.builder.config(key, value)

    def take_back(self) -> None:
        """As if nobody had attached."""
        self.builder._options.clear()
        self.builder._options.update(self.before)
        if self.arguments is None:
            os.environ.pop(SUBMIT_ARGS, None)
        else:
            os.environ[SUBMIT_ARGS] = self.arguments
        self.leave_jvm()
        with suppress(OSError):
            if LOCATION in self.settings and not os.path.getsize(self.settings[LOCATION]):
                os.unlink(self.settings[LOCATION])

    def leave_jvm(self) -> None:
        """The JVM is to start no other session with what was meant for this one. Jars that it has it keeps."""
        if self.said is not None:
            ours = self.settings.keys() - {JARS, PACKAGES}
            running.set_properties({key: self.said.get(key) for key in ours})

    def why_it_failed(self, error: Exception) -> str:
        """How Spark failed by what we set; '' where it was not that."""
        text = f"{type(error).__name__}: {error}"
        if PACKAGES in self.settings and "gateway" in text.lower():
            return (
                f"Spark could not fetch the agent, and was started without: {self.settings[PACKAGES]}."
                " Name a jar of it in LINEAGEKIT_SPARK_JAR."
            )
        is_ours = "openlineage" in text.lower()
        return f"Spark did not start with the agent, and was started without: {sentence_of(error)}" if is_ours else ""

    def note(self, what: str) -> None:
        """For the log, once, and for `lineagekit doctor`."""
        from lineagekit.agent.border import troubles

        troubles.count("spark.attach", what.rstrip("."))
        with suppress(OSError):  # it may be the store that cannot be written
            note_trouble(self.folder, what)


def prepare(builder: Any, wishes: Wishes) -> Prepared | None:
    """Set what the agent needs; None where nothing was changed, which the log and `lineagekit doctor` then tell."""
    from lineagekit.agent.process import open_process

    process = open_process()
    if process is None or running.is_attached():
        return None
    prepared = Prepared(builder, process, wishes)
    try:
        _set(prepared)
    except Exception as error:  # job border
        prepared.take_back()
        prepared.note(sentence_of(error))
        return None
    return prepared


def _set(prepared: Prepared) -> None:
    wishes, options = prepared.wishes, prepared.before
    if running.is_connect(options):
        raise UnrecordedError(
            "this is Spark Connect: its server must be started with the settings of: python -m lineagekit_spark --url"
        )
    if running.is_active():
        raise UnrecordedError("attach came too late: a session runs already. Call it before the first getOrCreate().")
    home, version = running.spark_home()
    scala = scala_of_spark(home, version)
    agent = find_agent(scala, prepared.process.config.cache_folder, wishes.jar, home)
    said = Said(options, home, running.jvm_settings())
    settings = agent_settings(said, agent)
    if running.has_jvm() and not running.can_load(agent.jar):
        raise UnrecordedError(
            "Java runs already, without the agent, and there is no jar of it here."
            " Give it to spark-submit: python -m lineagekit_spark prints how."
        )
    _leave_out_talk(prepared.process)
    prepared.process.prepare_store()
    settings.update(naming_settings(said, wishes))
    settings.update({key: value for key, value in parent_settings().items() if not _has_parent(said)})
    settings.update(transport_settings(said, wishes, prepared.folder))
    if loses_delta_queries(said):
        settings.update(_close_gap(wishes))
    prepared.apply(settings, said)
    _choose_python(said)


def _leave_out_talk(process: Process) -> None:
    if process.watching:
        from lineagekit.agent.hooks import when_imported
        from lineagekit_spark import hooks

        when_imported("py4j.clientserver", hooks.connections)
        for module in ("pyspark.util", "pyspark.rdd"):
            when_imported(module, hooks.results)


def _has_parent(said: Said) -> bool:
    return bool(said.get("spark.openlineage.parentRunId"))


def _close_gap(wishes: Wishes) -> dict[str, str]:
    if wishes.delta_full_events:
        return {ADAPTIVE: "false"}
    import logging

    logging.getLogger("lineagekit").warning(_GAP)
    return {}


def _choose_python(said: Said) -> None:
    """Workers on this machine run this Python, not the first on the path. What other machines have we cannot know."""
    is_here = said.get("spark.master", os.environ.get("MASTER", "local")).startswith("local")
    if is_here and not (said.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON")):
        os.environ["PYSPARK_PYTHON"] = sys.executable


def watch(prepared: Prepared, session: Any) -> None:
    """The session is there: let go of the JVM, say so in the journal, and count its queries."""
    prepared.leave_jvm()
    forget_trouble(prepared.folder)
    location, application = prepared.settings.get(LOCATION), prepared.settings.get(APPLICATION)
    if not (location and application):
        return
    prepared.process.say({"fact": "spark", "application": application, "file": location})
    hand_over_at_exit(prepared.process)
    if prepared.wishes.queries:
        from lineagekit_spark.listener import listen

        namespace = prepared.settings.get(NAMESPACE) or (prepared.said.get(NAMESPACE) if prepared.said else "")
        listen(session, application, location, namespace)


def sentence_of(error: BaseException) -> str:
    """An error in one line: ours are sentences already."""
    from lineagekit.agent.border import describe

    text = describe(error)
    return text.partition(": ")[2] if type(error).__module__.startswith("lineagekit_spark") else text.split("\n")[0]
