# SPDX-License-Identifier: Apache-2.0
"""What is known of the inputs of Spark's queries beside what the end says: the version at the start, the files read.

    >>> reads.files(run, "/data/orders")  # doctest: +SKIP
    ('dt=2026-11-01/part-0.parquet',)

The query listener writes into a file of its own, which is taken before that of the agent. A start that was heard in an
earlier settle is in the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lineagekit.errors import BadDataError
from lineagekit.events.lenient import Facets, facet, mapping, objects, text
from lineagekit.record.lake import inside
from lineagekit.store.log import Store

_MARK = b'"lineagekit_spark":'


class Reads:
    """By runs of the agent."""

    def __init__(self, store: Store) -> None:
        """Nothing is known yet, but for what is in this log."""
        self._store = store
        self._files: dict[str, list[str]] = {}
        self._versions: dict[tuple[str, str], Facets] = {}
        self._applications: dict[str, str] = {}

    def note(self, line: bytes) -> None:
        """A line of the query listener: of which files a query is made, where it says that these are all."""
        if _MARK not in line:
            return
        with suppress(ValueError, RecursionError):
            run = mapping(mapping(json.loads(line)).get("run"))
            query = mapping(facet(run.get("facets"), "lineagekit_spark").get("query"))
            files = query.get("files")
            if query.get("all") is True and isinstance(files, list):
                self._files[text(run.get("runId"))] = [text(file) for file in files]

    def hear(self, run: str, event: Mapping[str, Any]) -> None:
        """An event of the agent: the version of an input is at the end that of a table which was written meanwhile."""
        if event.get("eventType") == "START":
            details = facet(mapping(event.get("run")).get("facets"), "spark_applicationDetails")
            self._applications[run] = text(details.get("applicationId"))
            for one in objects(event.get("inputs")):
                self._versions[run, text(one.get("name"))] = facet(one.get("facets"), "version")

    def as_begun(self, run: str, dataset: Mapping[str, Any], written: frozenset[str]) -> Mapping[str, Any]:
        """The input with the version that it had at the start; with none if it was written, and the start is silent."""
        name = text(dataset.get("name"))
        if (run, name) not in self._versions:
            self._recall(run)
        version = self._versions.setdefault((run, name), {})
        if not version and name not in written:
            return dataset
        return {**dataset, "facets": {**mapping(dataset.get("facets")), "version": version}}

    def application(self, run: str) -> str:
        """Spark's id of it, which only a start tells; '' where that was not heard."""
        if run not in self._applications:
            self._recall(run)
        return self._applications.setdefault(run, "")

    def _recall(self, run: str) -> None:
        for row in self._store.run_events(run):
            if not row.damaged:
                self.hear(run, row.event)

    def files(self, run: str, folder: str) -> tuple[str, ...]:
        """Those that were read in this folder, relative to it; none where that is not known."""
        found = []
        for file in self._files.get(run, ()):
            with suppress(BadDataError):
                found.append(inside(folder, file))
        return tuple(sorted(found))
