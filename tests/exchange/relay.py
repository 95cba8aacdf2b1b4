# SPDX-License-Identifier: Apache-2.0
"""What a Marquez 0.50 makes of an event that is posted: what it hands out for it, and what it does not keep.

Each rule was seen at a running one (test_round_trip.py asks it again where MARQUEZ_URL names one).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

DEEPEST = 1000
RUN_FACETS, JOB_FACETS = ("nominalTime", "parent"), ("documentation", "sourceCodeLocation", "sql", "jobType")
DATASET_FACETS = (
    "documentation",
    "schema",
    "dataSource",
    "description",
    "lifecycleStateChange",
    "columnLineage",
    "symlinks",
)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{0,9}))?)?(Z|[+-]\d\d(?::\d\d(?::\d\d)?)?)?", re.I | re.A
)


class NotKeptError(ValueError):
    """It answers 500, and has no event."""


def read(body: bytes) -> Json:
    """What was posted. Raises NotKeptError."""
    if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(body) > DEEPEST:
        raise NotKeptError("nested too deep")
    try:
        event: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotKeptError("no JSON") from error
    respelled(event["eventTime"])
    return event


def relayed(event: Json) -> Json:
    """As it comes back: nulls dropped and others added, numbers and times respelled, keys in another order."""
    told: Json = json.loads(json.dumps(event), object_pairs_hook=_without_nulls, parse_float=_number)
    told["eventTime"] = respelled(told["eventTime"])
    for holder, names in (("run", RUN_FACETS), ("job", JOB_FACETS)):
        if holder in told:
            _add_nulls(told[holder], names)
    _respell_run(told.get("run", {}).get("facets") or {})
    for side in ("inputs", "outputs"):
        for dataset in told.setdefault(side, None) or ():
            _add_nulls(dataset, DATASET_FACETS)
            _complete(dataset["facets"] or {})
            dataset.setdefault("inputFacets", None)
            dataset.setdefault("outputFacets", None)
    return dict(sorted(told.items()))


def respelled(time: str) -> str:
    """In UTC, without zeros at its end. Raises NotKeptError."""
    found = _TIME.fullmatch(time)
    if found is None:
        raise NotKeptError(f"no time: {time}")
    day, hours, minutes, seconds, fraction, zone = found.groups(default="")
    fraction = fraction.rstrip("0")
    clock = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    if int(minutes) > 59 or int(seconds or 0) > 59 or clock > timedelta(days=1) or (clock.days and fraction):
        raise NotKeptError(f"no time: {time}")
    try:
        moment = datetime.fromisoformat(day) + clock - _offset(zone)
    except (ValueError, OverflowError) as error:
        raise NotKeptError(f"no time: {time}") from error
    return f"{moment.isoformat()}{'.' * bool(fraction)}{fraction}Z"


def _offset(zone: str) -> timedelta:
    if zone in ("", "Z", "z"):
        return timedelta(0)
    parts = [*map(int, zone[1:].split(":")), 0, 0]
    offset = timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])
    if offset > timedelta(hours=18):
        raise NotKeptError(f"no zone: {zone}")
    return -offset if zone[0] == "-" else offset


def _respell_run(facets: Json) -> None:
    if nominal := facets.get("nominalTime"):
        for name in ("nominalStartTime", "nominalEndTime"):
            nominal[name] = respelled(nominal[name]) if nominal.get(name) else None
    if old := facets.pop("parentRun", None):
        facets["parent"] = facets.get("parent") or old
    if parent := facets.get("parent"):
        parent["run"] = {"runId": parent["run"].get("runId")}
        parent["job"] = {name: parent["job"].get(name) for name in ("namespace", "name")}


def _complete(facets: Json) -> None:
    """Standard facets have all of their standard keys."""
    for column in (facets.get("schema") or {}).get("fields") or ():
        _default(column, ("type", "description"))
    for column in ((facets.get("columnLineage") or {}).get("fields") or {}).values():
        _default(column, ("transformationDescription", "transformationType"))
    if source := facets.get("dataSource"):
        _default(source, ("name", "uri"))


def _default(holder: Json, names: Iterable[str]) -> None:
    for name in names:
        holder.setdefault(name, None)


def _add_nulls(holder: Json, names: Iterable[str]) -> None:
    facets = holder.get("facets")
    holder["facets"] = facets if facets is None else {**dict.fromkeys(names), **facets}


def _without_nulls(pairs: list[tuple[str, Any]]) -> Json:
    return {key: value for key, value in pairs if value is not None}


def _number(text: str) -> int | float:
    """Large ones are written out, and minus zero loses its sign."""
    number = Decimal(text)
    return int(number) if int(number.as_tuple().exponent) >= 0 else float(text) + 0.0


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for byte in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", body):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest
