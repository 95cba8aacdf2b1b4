# SPDX-License-Identifier: Apache-2.0
"""The companion of the agent: hears of each query from Spark itself, and writes down what the agent does not tell.

    >>> listen(session, application, "/data/.lineagekit/journal/spark-daily-0198.jsonl", "shop")  # doctest: +SKIP

That is: which queries failed (the agent may call those complete), exactly which files were read, and how many wrote,
so that it can be seen of how many the agent has told. Each is a line in a file beside the agent's: an event without
inputs and outputs, which adds to what is known of a run, and no edge. Only where Python and Spark share a machine.

Which run of the agent a query is: Spark tells its listeners of a query's end one after the other, and the agent stands
before us. So the last line of its file is that end, or one of an earlier query if the agent is silent about this one;
whether it is, the output tells, or the files.
"""

from __future__ import annotations

import atexit
import os
import threading

from lineagekit.agent.border import border
from lineagekit_spark.events import add_line, first_job, job_of, last_event, line_of
from lineagekit_spark.plans import Query, files_read, query_of

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_PATIENCE = 2000
"""Milliseconds that the end of the process waits for, at most, where the session was not stopped before."""


def listen(session: Any, application: str, location: str, namespace: str) -> None:
    """Be told of the queries of a session from here on; `namespace` is that of the application, its job."""
    from pyspark.java_gateway import ensure_callback_server_started

    gateway = session.sparkContext._gateway
    ensure_callback_server_started(gateway)
    job = {"namespace": namespace, "name": session.sparkContext.appName}
    listener = QueryListener(gateway.jvm, application, location, job)
    session._jsparkSession.listenerManager().register(listener)
    atexit.register(_take_leave, session, listener, os.getpid())


def _take_leave(session: Any, listener: Any, pid: int) -> None:
    """Hear of the last queries, and be gone before Java calls a Python that is not there, as after `stop()`."""
    with border("spark.leave"):
        context = session.sparkContext
        if os.getpid() != pid or context._jsc is None:
            return
        with border("spark.last"):
            context._jsc.sc().listenerBus().waitUntilEmpty(_PATIENCE)
        session._jsparkSession.listenerManager().unregister(listener)


class QueryListener:
    """What Spark calls after each query, on a thread of py4j's."""

    def __init__(self, jvm: Any, application: str, location: str, job: dict[str, str]) -> None:
        """Take the run of the application and its job, and the file of the agent's events beside which ours are put."""
        self._runtime = jvm.scala.runtime.ScalaRunTime  # each name in this costs a question to the JVM
        self._application, self._location, self._job = application, location, job
        self._path = location[: -len(".jsonl")] + "-queries.jsonl"
        self._lock = threading.Lock()
        self._known = ""  # the run of the agent that was last found to be a query
        self._untold = False  # the last write was not told of; if it is part of another, that may be
        self.executions = self.writes = self.failed = self.reported = 0

    def onSuccess(self, name: str, execution: Any, nanoseconds: int) -> None:
        """Spark calls this."""
        with border("spark.query"), self._lock:
            query = query_of(execution)
            found: dict[str, Any] = {"files": []}
            with border("spark.files"):
                files = files_read(execution, self._runtime)
                found = {"files": files.paths, **({"more": files.more} if files.more else {"all": files.all})}
            self._tell("OTHER", query, name, found)

    def onFailure(self, name: str, execution: Any, error: Any) -> None:
        """Spark calls this. The plan may never have been run, and is left alone."""
        with border("spark.query"), self._lock:
            self.failed += 1
            self._tell("FAIL", query_of(execution), name, {"error": str(error.getClass().getName())})

    def _tell(self, kind: str, query: Query, name: str, found: dict[str, Any]) -> None:
        self.executions += 1
        self.writes += query.writes
        event = self._agents_end(query, found.get("files", ()))
        self._count_told(query, event)
        if not (event or query.writes or found.get("files") or kind == "FAIL"):
            return
        told = {"name": name, **({"output": query.output} if query.writes else {}), **found}
        counts = {key: getattr(self, key) for key in ("executions", "writes", "failed", "reported")}
        told = {"application": self._application, **counts, "query": told}
        if event is None:
            line = line_of("OTHER", self._application, first_job(self._location) or self._job, told)
        else:
            line = line_of(kind, event["run"]["runId"], job_of(event), told)
        add_line(self._path, line)

    def _agents_end(self, query: Query, files: Any) -> dict[str, Any] | None:
        """The event with which the agent ended this query; None where it tells nothing of it."""
        event = None
        with border("spark.match"):
            event = last_event(self._location)
        run = event["run"]["runId"] if event else ""
        if (
            event is None
            or event.get("eventType") not in ("COMPLETE", "FAIL")
            or run in (self._known, self._application)
        ):
            return None
        if not query.fits(event, files):
            return None
        self._known = run
        return event

    def _count_told(self, query: Query, event: dict[str, Any] | None) -> None:
        is_told = bool(event and event.get("outputs"))
        if query.writes:
            self.reported += is_told
            self._untold = not is_told
        elif query.encloses and is_told and self._untold:  # CREATE TABLE AS SELECT, told of instead of what it ran
            self.reported += 1
            self._untold = False

    class Java:
        """For py4j: which interface this is."""

        implements = ("org.apache.spark.sql.util.QueryExecutionListener",)
