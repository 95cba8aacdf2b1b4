# SPDX-License-Identifier: Apache-2.0
"""Whose application it is: the run of the script that makes the session, as the agent's settings say a parent.

    >>> parent_settings()  # doctest: +SKIP
    {'spark.openlineage.parentRunId': '0198...', 'spark.openlineage.parentJobName': 'train.py', ...}

That run is written down at once: a script that leaves all work to Spark says nothing else of itself. Where it was told
of a parent by OPENLINEAGE_PARENT_ID alone, as under Airflow or dbt, that one is meant.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_PARENT, _ROOT = "OPENLINEAGE_PARENT_ID", "OPENLINEAGE_ROOT_PARENT_ID"


def parent_settings() -> dict[str, str]:
    """Settings of the agent; none where there is no parent, or where it cannot be told which of several."""
    from lineagekit.agent.scope import whose

    run = whose()
    if run is not None:
        return _named("parent", *_names_of(run))
    told = _split(os.environ.get(_PARENT, ""))
    if told is None:
        return _of_ids()
    root = _split(os.environ.get(_ROOT, ""))
    return {**_named("parent", *told), **(_named("rootParent", *root) if root else {})}


def _names_of(run: Any) -> tuple[str, str, str]:
    if not run.began:
        run.begin()
    if run.job and run.namespace:
        return run.namespace, run.job, run.id
    from lineagekit.agent.origin import place_of_job

    place = run.place or place_of_job()
    return run.namespace or place["namespace"], run.job or place["job"], run.id


def _of_ids() -> dict[str, str]:
    """Of a run that this process is not part of only the id is known: lineagekit was kept out of the children."""
    from lineagekit.agent.process import RUN

    ids = [one for one in os.environ.get(RUN, "").split(",") if one]
    return _named("parent", "default", "unknown", ids[0]) if len(ids) == 1 else {}


def _split(told: str) -> tuple[str, str, str] | None:
    """`namespace/job/run`, where a namespace may hold slashes."""
    parts = told.rsplit("/", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 and all(parts) else None


def _named(which: str, namespace: str, job: str, run: str) -> dict[str, str]:
    prefix = f"spark.openlineage.{which}"
    return {f"{prefix}RunId": run, f"{prefix}JobName": job, f"{prefix}JobNamespace": namespace}
