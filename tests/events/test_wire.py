# SPDX-License-Identifier: Apache-2.0
"""One canonical form, one key, one check at the border."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.errors import BadDataError
from lineagekit.events.build import build_events
from lineagekit.events.incoming import DatasetEvent, JobEvent, RunEvent
from lineagekit.events.wire import canonical, clean, event_key, read_event
from tests.events.accounts import FULL
from tests.events.schemas import ROOT

REFERENCE = ROOT / "../shared/reference"
CONVERSATION = REFERENCE / "marquez_conversation.jsonl.gz"
PRODUCERS = sorted((REFERENCE / "events").rglob("*.jsonl.gz"))
needs_conversation = pytest.mark.skipif(not CONVERSATION.is_file(), reason="Marquez' conversation is not here")

JOB = {"namespace": "n", "name": "j"}
RUN: dict[str, Any] = {
    "eventTime": "2026-11-01T00:00:00.500000Z",
    "eventType": "COMPLETE",
    "run": {"runId": "0197a1b2-0000-7000-8000-000000000001"},
    "job": JOB,
    "inputs": [{"namespace": "file", "name": "/a"}],
}

leaves = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=4)


def lines(path: Path) -> list[Any]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def relayed(value: Any) -> Any:
    """As a server gives it back that holds numbers as doubles, adds nulls and sorts keys its own way."""
    if isinstance(value, dict):
        return {"~added": None, **{key: relayed(value[key]) for key in sorted(value, reverse=True)}}
    if isinstance(value, list):
        return [relayed(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(objects)
def test_an_event_keeps_its_key_on_its_way_through_a_server(facet: dict[str, Any]) -> None:
    event = {**RUN, "run": {**RUN["run"], "facets": {"x": facet}}}
    assert event_key(relayed(event)) == event_key(event)


@given(objects, objects)
def test_events_that_differ_have_two_keys(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(relayed(one), sort_keys=True).replace("-0.0", "0.0") == json.dumps(
        relayed(other), sort_keys=True
    ).replace("-0.0", "0.0")
    assert (event_key({**RUN, "x": one}) == event_key({**RUN, "x": other})) == same


@needs_conversation
def test_what_marquez_gave_back_is_what_was_sent() -> None:
    talk = lines(CONVERSATION)
    sent = [one["request"] for one in talk if one["method"] == "POST" and one["status"] == 201]
    answers = [one["response"] for one in talk if one["path"].startswith("/api/v1/events/lineage")]
    returned = {canonical(event) for one in answers if "events" in one for event in one["events"]}
    assert len(returned) == 16
    assert returned <= {canonical(event) for event in sent}


@pytest.mark.parametrize(
    "time",
    ["2026-11-01T00:00:00.5Z", "2026-11-01T00:00:00.500", "2026-11-01T01:30:00.50+01:30", "2026-10-31T23:00:00.5-0100"],
)
def test_a_time_has_one_spelling(time: str) -> None:
    assert event_key({**RUN, "eventTime": time}) == event_key(RUN)
    nominal = {**RUN, "run": {"runId": "r", "facets": {"nominalTime": {"nominalStartTime": RUN["eventTime"]}}}}
    other = {**RUN, "run": {"runId": "r", "facets": {"nominalTime": {"nominalStartTime": time}}}}
    assert event_key(nominal) == event_key(other)


@pytest.mark.parametrize(
    ("time", "respelled"),
    [
        ("2026-11-01T07:00Z", "2026-11-01T07:00:00Z"),
        ("2026-11-01T07:00", "2026-11-01T07:00:00Z"),
        ("2026-11-01t07:00:00.50z", "2026-11-01T07:00:00.5Z"),
        ("2026-11-01T07:00+05:30", "2026-11-01T01:30:00Z"),
        ("2026-11-01T07:00:00+05", "2026-11-01T02:00:00Z"),
        ("2026-11-01T07:00:00.5-05", "2026-11-01T12:00:00.5Z"),
        ("2026-11-01T07:00:00+05:30:15", "2026-11-01T01:29:45Z"),
        ("2026-11-01T07:00:00.Z", "2026-11-01T07:00:00Z"),
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-12-31T24:00", "2027-01-01T00:00:00Z"),
        ("2026-12-31T24:00:00.000+01:00", "2026-12-31T23:00:00Z"),
        ("0800-11-01T07:00:00+01:00", "0800-11-01T06:00:00Z"),
    ],
)
def test_a_spelling_that_marquez_changes_has_the_key_of_the_new_one(time: str, respelled: str) -> None:
    assert event_key({**RUN, "eventTime": time}) == event_key({**RUN, "eventTime": respelled})
    for name in ("nominalStartTime", "nominalEndTime"):
        one, other = ({**RUN, "run": {"runId": "r", "facets": {"nominalTime": {name: t}}}} for t in (time, respelled))
        assert event_key(one) == event_key(other)


@given(st.datetimes(), st.sampled_from(["", "Z", "+01:30", "-08", "+0530"]))
def test_a_moment_has_one_key_however_it_is_told(moment: datetime, zone: str) -> None:
    whole = f"{moment.isoformat(timespec='microseconds')}{zone}"
    try:
        utc = datetime.fromisoformat(whole + "Z" * (not zone)).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return
    told = f"{utc.isoformat(timespec='microseconds').rstrip('0').rstrip('.')}Z"
    assert event_key({**RUN, "eventTime": whole}) == event_key({**RUN, "eventTime": told})


@pytest.mark.parametrize(
    "time",
    [
        *("yesterday", "2026-13-41T00:00:00+01:00", "0001-01-01T00:00:00+23:00", "9999-12-31T24:00:00Z", None, 7),
        *("2026-11-01T24:00:01Z", "2026-11-01T24:30Z", "2026-11-01T25:00:00Z", "\u0662026-11-01T07:00:00Z"),
    ],
)
def test_what_is_no_time_is_left_alone(time: object) -> None:
    told = json.dumps(time)
    assert f'"eventTime":{told}'.encode() in canonical({**RUN, "eventTime": time}) or time is None


def with_parent(**parent: Any) -> dict[str, Any]:
    return {**RUN, "run": {**RUN["run"], "facets": {"parent": parent}}}


def test_of_a_parent_counts_what_marquez_keeps() -> None:
    run, job, root = {"runId": "p"}, {"namespace": "n", "name": "p"}, {"run": {"runId": "r", "x": 1}}
    key = event_key(with_parent(run=run, job=job, root=root))
    assert key == event_key(with_parent(run={**run, "facets": {}}, job={**job, "x": 1}, root=root))
    assert key != event_key(with_parent(run={"runId": "q"}, job=job, root=root))
    assert key != event_key(with_parent(run=run, job={**job, "name": "q"}, root=root))
    assert key != event_key(with_parent(run=run, job=job, root={"run": {"runId": "r"}}))
    assert key != event_key(with_parent(run=run, job=job, root=root, x=1))


def test_a_parent_under_its_old_name_is_the_same() -> None:
    parent = {"run": {"runId": "p"}, "job": {"namespace": "n", "name": "p"}}
    old, both = ({**RUN, "run": {**RUN["run"], "facets": facets}} for facets in ({"parentRun": parent}, {}))
    both["run"]["facets"] = {"parentRun": {}, "parent": parent}
    assert event_key(old) == event_key(with_parent(**parent)) != event_key(both)


@given(values)
def test_whatever_a_parent_is_the_event_has_a_key(parent: Any) -> None:
    for facet in (parent, {"run": parent, "job": parent}):
        for name in ("parent", "parentRun"):
            assert event_key({**RUN, "run": {**RUN["run"], "facets": {name: facet}}})


def test_of_our_own_events_journal_run_and_sequence_decide() -> None:
    start, end = build_events(FULL)
    assert event_key(start) != event_key(end)
    other: Any = copy.deepcopy(relayed(json.loads(json.dumps(end))))
    other["inputs"] = []
    assert event_key(other) == event_key(end)
    other["run"]["facets"]["lineagekit_event"]["journal"] = "another"
    assert event_key(other) != event_key(end)


@pytest.mark.parametrize("ours", [None, 5, {}, {"journal": 1, "sequence": 1}, {"journal": "j", "sequence": math.nan}])
def test_a_facet_of_ours_that_names_nothing_makes_no_key(ours: object) -> None:
    event = {**RUN, "run": {**RUN["run"], "facets": {"lineagekit_event": ours}}}
    assert event_key(event) != event_key({**event, "x": 1})


def test_a_key_has_sixteen_bytes_and_stays_the_same_for_ever() -> None:
    assert event_key(RUN).hex() == "10fc3883ac896181cf718b2ef9165cd8"
    assert event_key(build_events(FULL)[1]).hex() == "84dc3aefdc9e9156561c7192d26ba4d9"


def test_numbers_that_no_double_holds_have_a_form() -> None:
    odd = {**RUN, "x": [10**400, math.nan, math.inf, -0.0, 2**64]}
    assert canonical(odd) == canonical(copy.deepcopy(odd))
    assert canonical({"x": 10**400}) != canonical({"x": 10**400 + 1})
    assert canonical({"x": -0.0}) == canonical({"x": 0})


def test_an_event_that_is_nested_without_end_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(BadDataError, match="nested too deep"):
        canonical({"x": nested})


def test_an_event_of_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadDataError, match="not JSON serializable"):
        canonical({"x": object()})


def test_what_was_cleaned_can_be_sent_anywhere() -> None:
    odd = {
        **RUN,
        "job": {"namespace": "my team", "name": "a#b", "facets": None},
        "outputs": [{"namespace": "ä", "name": "nul\0", "facets": {"f" * 300: {"x": math.nan, "y": [None]}}}],
        "inputs": None,
    }
    told = clean(odd)
    assert told["job"] == {"namespace": "my+20team", "name": "a%23b"}
    (output,) = told["outputs"]
    assert (output["namespace"], output["name"]) == ("+C3+A4", "nul%00")
    ((key, facet),) = output["facets"].items()
    assert (len(key) <= 255, facet) == (True, {"x": "NaN", "y": []})
    assert "inputs" not in told
    assert clean(told) == told


def test_a_clean_event_stays_as_it_is() -> None:
    long = {**RUN, "job": {**JOB, "facets": {"sql": {"query": "SELECT 1;" * 20_000}}}}
    assert clean(long) == long


def test_what_odd_people_put_where_datasets_belong_is_cleaned_all_the_same() -> None:
    assert clean({"job": 5, "inputs": [7, {"name": 3}]}) == {"job": 5, "inputs": [7, {"name": 3}]}


@pytest.mark.parametrize("path", PRODUCERS, ids=lambda path: path.name)
def test_what_producers_send_is_read(path: Path) -> None:
    for event in lines(path):
        read = read_event(event)
        assert isinstance(read, RunEvent | DatasetEvent | JobEvent)
        assert clean(clean(event)) == clean(event)


def test_a_run_event_is_read() -> None:
    event = read_event({**RUN, "unknown": 1, "outputs": None})
    assert isinstance(event, RunEvent)
    assert (event.kind, event.event_type, event.run.run_id) == ("run", "COMPLETE", RUN["run"]["runId"])
    assert event.time.isoformat() == "2026-11-01T00:00:00.500000+00:00"
    assert (event.inputs[0].name, event.outputs, event.run.facets) == ("/a", (), {})


def test_null_facets_are_none() -> None:
    dataset = {"namespace": "n", "name": "d", "facets": {"a": None, "b": {"x": None}}, "inputFacets": None}
    event = read_event({**RUN, "inputs": [dataset], "job": {**JOB, "facets": None}})
    assert isinstance(event, RunEvent)
    assert (event.inputs[0].facets, event.inputs[0].role_facets, event.job.facets) == ({"b": {"x": None}}, {}, {})


def test_a_time_without_a_zone_is_in_utc() -> None:
    event = read_event({**RUN, "eventTime": "2026-11-01T00:00:00"})
    assert event.time.isoformat() == "2026-11-01T00:00:00+00:00"


def test_events_without_a_run_are_of_a_job_or_a_dataset() -> None:
    rest = {"eventTime": RUN["eventTime"], "run": None}
    assert isinstance(read_event({**rest, "job": JOB}), JobEvent)
    assert isinstance(read_event({**rest, "job": None, "dataset": JOB}), DatasetEvent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eventTime": None}, "eventTime: got None, expected a time"),
        ({"eventTime": "2026-11-01"}, "eventTime: got '2026-11-01', expected a time"),
        ({"eventTime": 1700000000}, "eventTime: got 1700000000, expected a time"),
        ({"run": {}}, "run.runId is missing"),
        ({"run": {"runId": 7}}, "run.runId: got 7, expected a text"),
        ({"run": {"runId": "\ud800"}}, r"run.runId: got '\\ud800', expected a text of whole characters"),
        ({"run": 7}, "run: got 7, expected an object"),
        ({"job": None}, "job: got None, expected an object"),
        ({"job": {"namespace": "n", "name": ""}}, "job.name: got '', expected a name"),
        ({"inputs": {"a": 1}}, "inputs: got {'a': 1}, expected a list"),
        ({"inputs": [None]}, "inputs.0: got None, expected an object"),
        ({"job": {**JOB, "facets": {"x": 5}}}, "job.facets.x: got 5, expected an object"),
        ({"run": None, "job": None}, "got eventTime, eventType, inputs, job, run, expected run and job"),
    ],
)
def test_what_cannot_be_lineage_is_refused_with_the_reason(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadDataError, match=message) as raised:
        read_event({**RUN, **change})
    assert raised.value.message.startswith("not an OpenLineage event: ")


@pytest.mark.parametrize("value", [[], None, "x", 5, {}])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(BadDataError, match="not an OpenLineage event: got"):
        read_event(value)


@given(
    st.recursive(st.none() | leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
)
def test_whatever_is_sent_it_is_read_or_refused(value: object) -> None:
    for event in (value, {**RUN, "run": value}, {**RUN, "inputs": value}, {**RUN, "inputs": [value]}):
        with contextlib.suppress(BadDataError):
            read_event(event)


def test_events_that_say_no_facets_share_nothing() -> None:
    one, other = read_event(RUN), read_event(RUN)
    assert isinstance(one, RunEvent)
    assert isinstance(other, RunEvent)
    one.run.facets["x"] = {}
    one.inputs[0].role_facets["x"] = {}
    assert (other.run.facets, other.inputs[0].role_facets, other.job.facets) == ({}, {}, {})
