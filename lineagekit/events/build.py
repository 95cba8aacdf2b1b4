# SPDX-License-Identifier: Apache-2.0
"""A run, told in full, as OpenLineage events: plain dictionaries that any backend takes.

Dictionaries, because openlineage-python's classes cost 0.3 s to import and a millisecond an event; the tests hold both
to the same result. Events of a run share their parts: treat them as immutable.

    >>> account = Account("0197a1b2-0000-7000-8000-000000000001", "train.py", journal="j", began=10**18, ended=10**18)
    >>> [(event["eventType"], event["eventTime"]) for event in build_events(account)]
    [('START', '2001-09-09T01:46:40.000000Z'), ('COMPLETE', '2001-09-09T01:46:40.000001Z')]
"""

from __future__ import annotations

from collections.abc import Mapping

from lineagekit.errors import UsageError
from lineagekit.events import facets, ours
from lineagekit.events.account import Account, RunName
from lineagekit.events.datasets import early_dataset, input_dataset, output_dataset
from lineagekit.events.facets import Facet
from lineagekit.events.naming import (
    JOB_LIMIT,
    UNNAMED,
    mend_job_namespace,
    mend_name,
    run_id,
    safe_job_namespace,
    safe_name,
)
from lineagekit.events.place import code_location
from lineagekit.events.values import KEY_LIMIT, moment, plain_mapping, text

Event = dict[str, object]

START, END, FIRST_LATE = 0, 1, 2
"""Sequence numbers of a run's events."""

_STATEMENTS_LIMIT = 65_536  # characters of all statements of a job together
_MOST_TAGS = 100


def build_events(account: Account) -> list[Event]:
    """START and COMPLETE, FAIL or ABORT; START alone for a run that goes on.

    Both name the same inputs and outputs: a START without them would clear the job's edges in Marquez. What was read
    and written is told in full at the end only, or every run would take twice the room.
    """
    told = _Telling(account)
    start = told.start()
    return [start] if account.ended is None else [start, told.end(account.state, END)]


def build_start(account: Account) -> Event:
    """START of a run that goes on, with what it touched so far; never sent again when more is known."""
    return _Telling(account).start()


def build_late(account: Account, sequence: int) -> Event:
    """What came after the end, as an OTHER event: numbers begin at 2, and each makes an event of its own."""
    if sequence < FIRST_LATE:
        raise UsageError(f"not the number of a late event: got {sequence}, expected {FIRST_LATE} or more")
    return _Telling(account).end("OTHER", sequence)


class _Telling:
    """The parts that events of a run have in common."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.run = run_id(account.run)
        self.job = _job(account)
        self.facets = _early_facets(account)
        self.inputs = [early_dataset(use) for use in account.inputs]
        self.outputs = [early_dataset(use) for use in account.outputs]

    def start(self) -> Event:
        told = self._event("START", START, self.facets)
        return {**told, "inputs": self.inputs, "outputs": self.outputs}

    def end(self, type_: str, sequence: int) -> Event:
        told = self._event(type_, sequence, {**self.facets, **_late_facets(self.account)})
        told["inputs"] = list(map(input_dataset, self.account.inputs, self.inputs))
        told["outputs"] = list(map(output_dataset, self.account.outputs, self.outputs))
        return told

    def _event(self, type_: str, sequence: int, run_facets: dict[str, Facet]) -> Event:
        return {
            "eventType": type_,
            "eventTime": moment(self._time(sequence) * 1000),
            "producer": facets.PRODUCER,
            "schemaURL": facets.EVENT_SCHEMA,
            "run": {
                "runId": self.run,
                "facets": {**run_facets, "lineagekit_event": ours.event(self.account.journal, sequence)},
            },
            "job": self.job,
        }

    def _time(self, sequence: int) -> int:
        """In microseconds, of which no two events of a run share one: Marquez could not tell their order."""
        began = max(0, self.account.began) // 1000
        ended = max(began + 1, (self.account.ended or 0) // 1000)
        return began if sequence == START else ended + sequence - END


def _job(account: Account) -> Facet:
    told: dict[str, Facet] = {"jobType": facets.JOB_TYPE}
    if account.code is not None and (place := code_location(account.code)):
        told["sourceCodeLocation"] = facets.source_code_location(place)
    if statements := _statements(account):
        told["sql"] = statements
    if owners := _owners(account):
        told["ownership"] = facets.ownership("Job", owners)
    if account.extra and (description := account.extra.get("description")):
        told["documentation"] = facets.documentation(text(str(description)))
    return {
        "namespace": safe_job_namespace(account.namespace),
        "name": safe_name(account.job, JOB_LIMIT),
        "facets": told,
    }


def _early_facets(account: Account) -> dict[str, Facet]:
    """What is known when a run begins."""
    told = _ready_facets(account.facets) if account.facets else {}
    if account.parent is not None:
        told["parent"] = _parent(account.parent, account.root)
    if isinstance(python := account.environment.get("python"), str) and python:
        told["processing_engine"] = facets.processing_engine(text(python, 255))
    if account.params:
        listed = ours.listed_params(account.params)
        told["lineagekit_params"] = ours.params(listed, len(account.params))
        told["executionParameters"] = facets.execution_parameters((one["name"], one["value"]) for one in listed)
    if account.extra and (tags := _tags(account.extra)):
        told["tags"] = facets.tags(tags)
    told["lineagekit_run"] = ours.run(account)
    return told


def _late_facets(account: Account) -> dict[str, Facet]:
    """What is known when a run has ended, and would be twice as much to keep if START had it too."""
    told: dict[str, Facet] = {}
    if account.code is not None:
        told["lineagekit_code"] = ours.code(account.code)
    if account.environment:
        told["lineagekit_environment"] = ours.environment(account.environment)
    if account.metrics:
        chosen = ours.chosen_metrics(account.metrics)
        told["lineagekit_metrics"] = ours.metrics(chosen, len(account.metrics))
        told["test"] = facets.outcomes([ours.outcome(metric) for metric in chosen])
    if account.state != "COMPLETE" and (error := account.error or ("killed" if account.killed else "")):
        told["errorMessage"] = _error(error)
    return told


def _ready_facets(given: Mapping[str, object]) -> dict[str, Facet]:
    """Run facets that a journal brought; what the rest of the account tells is not taken from there."""
    told: dict[str, Facet] = {}
    for key, value in given.items():
        if isinstance(value, Mapping) and key != "parent" and not key.startswith("lineagekit_"):
            facet: Facet = {"_producer": facets.PRODUCER, "_schemaURL": facets.RUN_FACET_SCHEMA, **plain_mapping(value)}
            if isinstance(facet["_producer"], str) and isinstance(facet["_schemaURL"], str):
                told[text(key, KEY_LIMIT)] = facet
    return told


def _parent(parent: RunName, root: RunName | None) -> Facet:
    top = (run_id(root.run), _name_of(root)) if root is not None else None
    return facets.parent(run_id(parent.run), _name_of(parent), top)


def _name_of(other: RunName) -> tuple[str, str]:
    """A journal has it as it was said, the log as its events said it."""
    return mend_job_namespace(other.namespace), mend_name(other.job, JOB_LIMIT) or UNNAMED


def _error(error: str) -> Facet:
    """The last line of a traceback is its message."""
    shown = text(error)
    lines = shown.rstrip().splitlines()
    return facets.error_message(lines[-1], shown) if len(lines) > 1 else facets.error_message(shown, "")


def _statements(account: Account) -> Facet | None:
    uses = [use for use in (*account.inputs, *account.outputs) if use.statement and use.kind != "http"]
    if not uses:
        return None
    statements = dict.fromkeys(use.statement for use in uses)
    schemes = {use.namespace.partition(":")[0] for use in uses}
    return facets.sql(
        text(";\n".join(statements), _STATEMENTS_LIMIT), text(schemes.pop(), 255) if len(schemes) == 1 else ""
    )


def _owners(account: Account) -> list[str]:
    """Whom the author named, and whom the settings do."""
    owner = account.extra.get("owner")
    owners = [*(owner if isinstance(owner, list | tuple) else [owner]), *account.owners]
    return list(dict.fromkeys(text(str(one), 255) for one in owners[:_MOST_TAGS] if one))


def _tags(extra: Mapping[str, object]) -> list[tuple[str, str]]:
    said = [(key, value) for key, value in extra.items() if key not in ("owner", "description") and value is not None]
    return [(text(key, 255), ours.value_text(value)) for key, value in said[:_MOST_TAGS]]
