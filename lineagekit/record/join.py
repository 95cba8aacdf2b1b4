# SPDX-License-Identifier: Apache-2.0
"""What we recorded of a run, and what another producer says of the same run, as one: nobody is told of two ends.

    >>> [entry.type for entry in join(ours, theirs)]  # doctest: +SKIP
    ['START', 'COMPLETE']

Airflow says when a task began, how it ended and what its operator knows; we know what its body read and wrote, by
content. Their events stay as they are, but for the last of those that end the run: it is told with what we recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lineagekit.events.lenient import mapping, objects
from lineagekit.events.summary import ENDS
from lineagekit.store.log import Entry, entry_of

Event = Mapping[str, Any]


def join(ours: Sequence[Entry], theirs: Sequence[Entry]) -> list[Entry]:
    """Entries of one run: all of theirs, and of ours what they have not got."""
    mine = next((entry for entry in ours if entry.type in ENDS), None)
    if not theirs or mine is None:  # or late: the run has ended long ago
        return [*theirs, *ours]
    begins = () if any(entry.type == "START" for entry in theirs) else [entry for entry in ours if entry is not mine]
    ends = [entry for entry in theirs if entry.type in ENDS]
    if not ends:  # killed, or what it said was lost
        return [*begins, *theirs, entry_of(_added(_body(mine), _body(theirs[0]), times_of=_body(mine)))]
    last = max(ends, key=lambda entry: entry.time)
    told = entry_of(_added(_body(mine), _body(last), times_of=_body(last)))
    return [*begins, *(told if entry is last else entry for entry in theirs)]


def _body(entry: Entry) -> Event:
    return entry.body if isinstance(entry.body, Mapping) else mapping(json.loads(entry.body))


def _added(ours: Event, theirs: Event, *, times_of: Event) -> dict[str, Any]:
    """Their event with ours in it; of what both say theirs counts, but of content."""
    run, job = mapping(theirs.get("run")), mapping(theirs.get("job"))
    return {
        **theirs,
        "eventType": times_of.get("eventType"),
        "eventTime": times_of.get("eventTime"),
        "run": {**run, "facets": _both(mapping(ours.get("run")), run)},
        "job": {**job, "facets": _both(mapping(ours.get("job")), job)},
        "inputs": _datasets(ours.get("inputs"), theirs.get("inputs"), "inputFacets"),
        "outputs": _datasets(ours.get("outputs"), theirs.get("outputs"), "outputFacets"),
    }


def _both(ours: Event, theirs: Event) -> dict[str, Any]:
    return {**mapping(ours.get("facets")), **mapping(theirs.get("facets"))}


def _datasets(ours: object, theirs: object, side: str) -> list[Event]:
    """Each once, under its name."""
    found: dict[tuple[object, object], Event] = {_name(one): one for one in objects(ours)}
    for one in objects(theirs):
        mine = found.get(_name(one))
        if mine is not None:
            told = {**mapping(one.get(side)), **mapping(mine.get(side))}
            one = {**one, "facets": _both(mine, one), **({side: told} if told else {})}
        found[_name(one)] = one
    return list(found.values())


def _name(dataset: Event) -> tuple[object, object]:
    return dataset.get("namespace"), dataset.get("name")
