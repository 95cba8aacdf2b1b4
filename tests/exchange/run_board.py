# SPDX-License-Identifier: Apache-2.0
"""What a Marquez 0.50 says of runs when it has heard some events: it believes the last one.

Checked against a recorded conversation (test_last_word.py), in which a run is completed twice. That a START after the
end makes it RUNNING was seen at a running server too; that RUNNING and OTHER do as START does was read in its code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.exchange.servers import Reply, Request

DONE = {"COMPLETE": "COMPLETED", "FAIL": "FAILED", "ABORT": "ABORTED"}


@dataclass
class Run:
    """One run, as it is shown."""

    state: str = ""
    began: str | None = None
    ended: str | None = None
    facets: dict[str, tuple[str, Any]] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)


@dataclass
class RunBoard:
    """All runs; `hear` is what a POST does."""

    runs: dict[str, Run] = field(default_factory=dict)

    def hear(self, event: dict[str, Any]) -> None:
        run = self.runs.setdefault(event["run"]["runId"], Run())
        time = event["eventTime"]
        if event["eventType"] in DONE:
            run.state, run.ended = DONE[event["eventType"]], time
        else:
            run.state, run.began = "RUNNING", time
        for name, facet in event["run"].get("facets", {}).items():
            run.facets[name] = max(run.facets.get(name, ("", None)), (time, facet), key=lambda told: told[0])
        run.inputs |= {one["name"] for one in event.get("inputs") or ()}
        run.outputs |= {one["name"] for one in event.get("outputs") or ()}

    def answer(self, request: Request) -> Reply:
        self.hear(json.loads(request.plain))
        return Reply(201)
