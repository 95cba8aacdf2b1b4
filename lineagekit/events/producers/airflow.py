# SPDX-License-Identifier: Apache-2.0
"""Airflow's provider: what its events leave out.

1. A task that is killed, or ends by `os._exit`, says START and nothing more, ever. How it ended the end of its DAG
   tells, in `airflowState`: one state for each task, of all its tries and mapped instances together.
2. Of statements to databases that the provider does not know (SQLite) there is the text and no table. Which database
   it was is not said either, so these tables are told apart by DAG: tables of two DAGs are never taken for one.

>>> event = {"job": {"facets": {"sql": {"query": "INSERT INTO daily SELECT id FROM orders"}}}}
>>> said = read(event, Said("run", "COMPLETE", 2, job=Name("prod", "shop.load")))
>>> list(said.inputs), list(said.outputs)
([Name(namespace='airflow:prod', name='shop/orders')], [Name(namespace='airflow:prod', name='shop/daily')])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from lineagekit.events.lenient import Facets, count, facet, mapping, text
from lineagekit.events.said import Name, Said, Told, Touch
from lineagekit.events.tables import tables_in

_STATES = {"failed": "FAIL", "success": "COMPLETE", "skipped": "COMPLETE", "removed": "ABORT"}


class Ended(NamedTuple):
    """How the tasks of a DAG ended, as its own last event tells."""

    at: int
    dag: str
    states: Mapping[str, str]


class Attempt(NamedTuple):
    """What an event of a task tells of its tries."""

    is_last: bool
    """There can be none after it."""


def read(event: Facets, said: Said) -> Said:
    """Fill in tables that only the statement names; note how the tasks of a DAG ended."""
    job = mapping(mapping(event.get("job")).get("facets"))
    if "sql" in job and said.job and not (said.inputs or said.outputs):
        told = tables_in(text(facet(job, "sql").get("query")))
        dag = _dag_of(event, said.job.name)
        said.inputs, said.outputs = (
            {Name(f"airflow:{said.job.namespace}", f"{dag}/{table}"): Touch() for table in tables} for tables in told
        )
    of_run = mapping(mapping(event.get("run")).get("facets"))
    if "airflowState" in of_run:
        states = mapping(facet(of_run, "airflowState").get("tasksState"))
        dag = said.job.name if said.job else ""
        said.note = Ended(said.time, dag, {str(task): text(state) for task, state in states.items()})
    elif told_of := facet(of_run, "airflow"):
        tried = count(mapping(told_of.get("taskInstance")).get("try_number"))
        retries = count(mapping(told_of.get("task")).get("retries"))
        said.note = Attempt(tried is not None and retries is not None and tried > retries)
    return said


def _dag_of(event: Facets, job: str) -> str:
    """Its name, which may have dots in it: that of the topmost run, where it is told."""
    parent = facet(mapping(mapping(event.get("run")).get("facets")), "parent")
    root = text(mapping(mapping(parent.get("root")).get("job")).get("name"))
    return root if root and job.startswith(f"{root}.") else job.partition(".")[0]


def closed(told: Told, of_task: Iterable[Said], of_dag: Iterable[Said]) -> Told:
    """A task of which only the beginning is known, as the end of its DAG tells of it.

    That a task has succeeded says nothing of an attempt after which there may have been another one.
    """
    ends = [said.note for said in of_dag if isinstance(said.note, Ended)]
    if told.ended or not ends:
        return told
    last = max(ends, key=lambda end: end.at)
    state = _STATES.get(last.states.get(told.job.name.removeprefix(f"{last.dag}."), ""))
    is_last = any(isinstance(said.note, Attempt) and said.note.is_last for said in of_task)
    if state == "COMPLETE" and not is_last:
        return told
    return replace(told, state=state, ended=max(last.at, told.began)) if state else told
