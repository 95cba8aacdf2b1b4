# SPDX-License-Identifier: Apache-2.0
"""Events as they come and go: one canonical form, one key, one check at the border.

An event that went through Marquez comes back with nulls added, keys in another order, numbers as doubles, times
spelled anew, and of its parent what names it. Its canonical form is the same, so that nothing is kept twice.

    >>> event = {"eventTime": "2026-11-01T00:00:00.500Z", "job": {"name": "j", "namespace": "n"}, "n": 1}
    >>> canonical({"n": 1.0, "run": None, **event}) == canonical(event)
    True
    >>> read_event({"eventTime": "2026-11-01T00:00:00Z", "job": {"namespace": "n", "name": "j"}}).kind
    'job'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from lineagekit.errors import BadDataError
from lineagekit.events.naming import JOB_LIMIT, NAME_LIMIT, mend_name, mend_namespace
from lineagekit.events.values import integer_text, plain_mapping
from lineagekit.identity.canonical import encode_block, to_canonical

if TYPE_CHECKING:
    from pydantic import ValidationError

    from lineagekit.events.incoming import Event

KEY_BYTES = 16
_LONGEST_TEXT = 1_000_000
_NUMERIC = (int, float)
_EXPECTED = {
    "dict_type": "an object",
    "model_type": "an object",
    "tuple_type": "a list",
    "string_type": "a text",
    "string_unicode": "a text of whole characters",
    "string_too_short": "a name",
}
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt](?P<clock>\d\d:\d\d)(?::(?P<seconds>\d\d)(?:\.(?P<fraction>\d{0,9}))?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_END_OF_DAY = "T24:00:00"


def event_key(event: Mapping[str, Any]) -> bytes:
    """What an event is known by, 16 bytes; two with one key are one event. Raises BadDataError if it is no tree.

    Of our own, journal, run and sequence decide, so that settling twice says nothing new; of any other its content.
    """
    run = event.get("run")
    ours = (run.get("facets") or {}).get("lineagekit_event") if isinstance(run, Mapping) else None
    if isinstance(run, Mapping) and isinstance(ours, Mapping):
        journal, sequence = ours.get("journal"), ours.get("sequence")
        if isinstance(journal, str) and isinstance(sequence, _NUMERIC) and sequence == sequence // 1:
            named = to_canonical([journal, run.get("runId"), int(sequence)])
            return blake3(b"lineagekit.event.v1\0" + named.encode()).digest(KEY_BYTES)
    return blake3(b"lineagekit.foreign.v1\0" + canonical(event)).digest(KEY_BYTES)


def canonical(event: Mapping[str, Any]) -> bytes:
    """One spelling of an event, whoever relayed it: without nulls, keys sorted, numbers as doubles, times in UTC."""
    try:
        told = as_relayed({**event})
        _respell(told)
        return encode_block([told])
    except RecursionError as error:
        raise _refusal("it is nested too deep") from error
    except (TypeError, ValueError) as error:
        raise _refusal(str(error)) from error


def clean(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event that no backend chokes on: no nulls, NaN or NUL, safe names and namespaces, known widths.

    One that is clean already, as all that `build` makes, stays as it is.
    """
    told: dict[str, Any] = plain_mapping(mend_names(event), _LONGEST_TEXT)
    return told


def mend_names(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with names and namespaces that poison no backend, and all else as it is."""
    mended = {**event}
    for key, limit in (("job", JOB_LIMIT), ("dataset", NAME_LIMIT)):
        if key in event:
            mended[key] = _mended(event[key], limit)
    for key in ("inputs", "outputs"):
        if isinstance(datasets := event.get(key), list | tuple):
            mended[key] = [_mended(dataset, NAME_LIMIT) for dataset in datasets]
    return mended


def read_event(obj: object) -> Event:
    """What somebody sent, as an event; BadDataError if it cannot be lineage. What it does not know it passes over."""
    from pydantic import ValidationError

    from lineagekit.events import incoming  # pydantic costs 0.1 s, and who only writes does not need it

    if not isinstance(obj, dict):
        raise _refusal(f"got {type(obj).__name__}, expected an object")
    try:
        if obj.get("run") is not None:
            return incoming.RunEvent.model_validate(obj)
        if obj.get("job") is not None:
            return incoming.JobEvent.model_validate(obj)
        if obj.get("dataset") is not None:
            return incoming.DatasetEvent.model_validate(obj)
    except ValidationError as error:
        raise _refusal(_reason(error)) from error
    except RecursionError as error:
        raise _refusal("it is nested too deep") from error
    keys = ", ".join(sorted(map(str, obj))[:8]) or "nothing"
    raise _refusal(f"got {keys[:200]}, expected run and job, or job, or dataset")


def _refusal(why: str) -> BadDataError:
    return BadDataError(f"not an OpenLineage event: {why}", advice="See https://openlineage.io/docs/spec.")


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"{place} is missing"
    expected = _EXPECTED.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return f"{place}: got {ascii(first['input'])[:100]}, expected {expected}"


def as_relayed(value: Any) -> Any:
    """Without nulls in objects, and with numbers as doubles; what is no double keeps its digits."""
    if isinstance(value, dict):
        return {k: v if type(v) is str else as_relayed(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [v if type(v) is str else as_relayed(v) for v in value]
    return _as_double(value) if isinstance(value, _NUMERIC) and not isinstance(value, bool) else value


def _as_double(number: Any) -> float | str:
    try:
        return float(number) + 0.0  # minus zero becomes zero
    except OverflowError:
        return integer_text(number)


def _respell(told: dict[str, Any]) -> None:
    """What Marquez reads and writes in its own way: times, and of which run a run is a part."""
    run = told.get("run")
    facets = run.get("facets") if isinstance(run, dict) else None
    nominal = None
    if isinstance(facets, dict):
        nominal = facets.get("nominalTime")
        _respell_parent(facets)
    for holder, keys in ((told, ("eventTime",)), (nominal, ("nominalStartTime", "nominalEndTime"))):
        if isinstance(holder, dict):
            for key in keys:
                if isinstance(time := holder.get(key), str):
                    holder[key] = _respelled(time)


def _respell_parent(facets: dict[str, Any]) -> None:
    """By its newer name, and of the parent what names it; of other runs that it tells of all is kept."""
    if "parent" not in facets and "parentRun" in facets:
        facets["parent"] = facets.pop("parentRun")
    if isinstance(parent := facets.get("parent"), dict):
        for name, kept in (("run", ("runId",)), ("job", ("namespace", "name"))):
            if isinstance(told := parent.get(name), dict):
                parent[name] = {key: told[key] for key in kept if key in told}


def _respelled(time: str) -> str:
    found = _TIME.fullmatch(time)
    if found is None:
        return time
    whole, zone = f"{found['day']}T{found['clock']}:{found['seconds'] or '00'}", found["zone"] or "Z"
    fraction = (found["fraction"] or "").rstrip("0")
    if zone not in ("Z", "z") or whole[11:13] == "24":
        try:
            whole = _in_utc(whole, zone.upper(), ends=whole.endswith(_END_OF_DAY) and not fraction)
        except (ValueError, OverflowError):
            return time
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def _in_utc(whole: str, zone: str, *, ends: bool) -> str:
    begin = whole.replace(_END_OF_DAY, "T00:00:00") if ends else whole
    moment = (datetime.fromisoformat(begin + zone) + timedelta(days=ends)).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def _mended(named: Any, limit: int) -> Any:
    if not isinstance(named, dict):
        return named
    mended = {**named}
    if isinstance(name := named.get("name"), str):
        mended["name"] = mend_name(name, limit)
    if isinstance(namespace := named.get("namespace"), str):
        mended["namespace"] = mend_namespace(namespace)
    return mended
