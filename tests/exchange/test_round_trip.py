# SPDX-License-Identifier: Apache-2.0
"""A history that was pushed to a Marquez and pulled into a new store is the same graph.

The server is the fake, and, where MARQUEZ_URL names one, a real one. What Marquez does not hand out (events of jobs and
datasets alone) is what is missing, and nothing else.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from lineagekit.events.build import build_events
from lineagekit.events.wire import event_key
from lineagekit.exchange.endpoint import Endpoint
from lineagekit.exchange.marquez import Pulled, pull
from lineagekit.exchange.patience import Patience
from lineagekit.exchange.sources import marquez_at
from lineagekit.store.index import open_index
from lineagekit.store.log import Row, Store, entry_of, open_store
from tests.events.accounts import FULL
from tests.exchange.fake_marquez import FakeMarquez, serve_marquez
from tests.exchange.relay import relayed
from tests.exchange.worlds import SCHEMA, push
from tests.store.histories import World
from tests.store.pictures import picture
from tests.store.told import dataset
from tests.store.told import run as told_run

Event = dict[str, Any]
LIVE = os.environ.get("MARQUEZ_URL", "")
PRODUCER = "https://example.com/round-trip"
FACET = {"_producer": PRODUCER, "_schemaURL": "https://example.com/facet.json"}


@pytest.fixture(params=["fake server", pytest.param("live server", marks=pytest.mark.live)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "live server":
        yield LIVE.rstrip("/")
        return
    with serve_marquez(FakeMarquez()) as server:
        yield server.url


@dataclass(frozen=True)
class Trip:
    """The events of a store, and of the one that they came back into; and what both say."""

    sent: list[Row]
    back: list[Row]
    pulled: Pulled
    before: dict[str, list[tuple[object, ...]]]
    after: dict[str, list[tuple[object, ...]]]

    @property
    def left_out(self) -> list[Row]:
        """What Marquez keeps to itself."""
        return [row for row in self.sent if row.kind != "run"]


def travel(folder: Path, events: Sequence[Event], url: str) -> Trip:
    """There and back."""
    spaces = {event["job"]["namespace"] for event in events if "run" in event}
    with open_store(folder / "here") as here, open_store(folder / "new") as new:
        here.append(map(entry_of, events))
        report = push(here, folder / "here", url, patience=Patience(), timeout=30.0)
        assert (report.state, report.refused, report.waiting) == ("done", 0, 0), report
        sent = here.events(limit=10_000)
        span = {"since": min(row.time for row in sent), "until": max(row.time for row in sent) + 1}
        pulled = pull(new, marquez_at(Endpoint(url, timeout=20.0)), namespaces=spaces, **span)
        back = new.events(limit=10_000)
        after = drawn(new, folder / "new")
    with open_store(folder / "comparable") as store:
        store.append(entry_of(row.event) for row in sent if row.kind == "run")
        return Trip(sent, back, pulled, drawn(store, folder / "comparable"), after)


def drawn(store: Store, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_index(store, folder) as index:
        index.catch_up()
        return picture(index)


def check(trip: Trip) -> None:
    assert trip.pulled.refused == 0
    for table, rows in trip.before.items():
        assert trip.after[table] == rows, table
    assert trip.before["run"]
    assert {row.key for row in trip.sent} - {row.key for row in trip.back} == {row.key for row in trip.left_out}
    assert {row.key for row in trip.back} <= {row.key for row in trip.sent}


def acceptable(events: Iterable[Event], space: str) -> list[Event]:
    """The same, with what the specification wants everywhere, and jobs in a namespace of their own."""
    told = []
    for event in events:
        kind = "RunEvent" if "run" in event else "JobEvent" if "job" in event else "DatasetEvent"
        dressed = dress({**event, "producer": PRODUCER, "schemaURL": SCHEMA.replace("RunEvent", kind)})
        if "job" in dressed:
            dressed["job"] = {**dressed["job"], "namespace": space}
        told.append(dressed)
    return told


def dress(value: Any) -> Any:
    """Facets with their producer and schema."""
    if isinstance(value, list):
        return [dress(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: {**FACET, **facet} for name, facet in one.items()}
        if key.lower().endswith("facets") and one
        else dress(one)
        for key, one in value.items()
    }


def somewhen() -> datetime:
    """A year in which a server that others use has nothing that would come in between."""
    return datetime(1000, 1, 1, tzinfo=UTC) + timedelta(seconds=random.Random().randrange(60 * 365 * 86_400))


@pytest.mark.parametrize("seed", range(3))
def test_any_history_comes_back_as_the_same_graph(tmp_path: Path, url: str, seed: int) -> None:
    check(trip := random_trip(tmp_path, url, seed))
    assert all(row.origin == f"marquez:{url}" for row in trip.back)


def random_trip(folder: Path, url: str, seed: int) -> Trip:
    world = World(seed)
    world.now = somewhen()
    events = world.events(10)
    return travel(folder, acceptable(events, f"round-trip-{uuid.uuid4()}"), url)


@pytest.mark.parametrize("seed", range(3, 30))
def test_many_histories_do(tmp_path: Path, seed: int) -> None:
    with serve_marquez(FakeMarquez()) as server:
        check(random_trip(tmp_path, server.url, seed))


def test_what_marquez_keeps_to_itself_is_all_that_is_missing(tmp_path: Path, url: str) -> None:
    space = f"round-trip-{uuid.uuid4()}"
    world = World(0)
    world.now = somewhen()
    events = acceptable([*world.run(), *world.run(), *world.design()], space)
    check(trip := travel(tmp_path, events, url))
    assert sorted(row.kind for row in trip.left_out) == ["dataset", "dataset", "job", "job"]


def test_all_that_we_say_of_a_run_comes_back(tmp_path: Path, url: str) -> None:
    account = replace(FULL, namespace=f"round-trip-{uuid.uuid4()}", journal=str(uuid.uuid4()), run=str(uuid.uuid4()))
    check(trip := travel(tmp_path, build_events(account), url))
    for sent, back in zip(sorted(trip.sent, key=_key), sorted(trip.back, key=_key), strict=True):
        assert without_nulls(back.event) == without_nulls(sent.event)
    for table in ("metric", "build", "read", "write"):
        assert trip.after[table], table


def _key(row: Row) -> bytes:
    return row.key


def odd_events(space: str, begin: datetime) -> Iterator[Event]:
    """What others write that Marquez writes otherwise."""

    def odd(spell: Callable[[datetime], str], **more: Any) -> Event:
        nonlocal begin
        begin += timedelta(days=2)
        event = told_run("odd", random.Random().randrange(10**9), reads=["/a"], writes=["/b"])[0]
        facets = {"nominalTime": {"nominalStartTime": spell(begin), "nominalEndTime": spell(begin)}, **more}
        return {**event, "eventTime": spell(begin), "run": {**event["run"], "facets": facets}}

    parent = {"run": {"runId": str(uuid.uuid4()), "x": 1}, "job": {"namespace": space, "name": "p", "y": 2}}
    minute, second = "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"
    for form in (f"{minute}Z", f"{minute}+05:30", f"{second}+05", f"{second}.50Z", f"{second}.123456000-08:00", second):
        yield odd(lambda time, form=form: time.strftime(form))
    yield odd(lambda time: time.strftime(f"{second}Z").lower())
    yield odd(lambda time: time.strftime(f"{second}Z"), nominalTime={"nominalStartTime": "2026-12-31T24:00:00+01:00"})
    yield odd(lambda time: time.strftime(f"{second}Z"), parent=parent)
    yield odd(lambda time: time.strftime(f"{second}Z"), parent={**parent, "root": parent})
    numbers = [1e15, 1e22, -0.0, 1e-7, 0.1, 2**64, 100.0, 5e-324, 1.5e300]
    yield odd(
        lambda time: time.strftime(f"{second}Z"), numbers={"n": numbers, "none": None, "list": [None, {"a": None}]}
    )


def test_what_others_spell_in_their_own_way_comes_back_as_the_same_events(tmp_path: Path, url: str) -> None:
    space = f"round-trip-{uuid.uuid4()}"
    events = acceptable(odd_events(space, somewhen()), space)
    check(trip := travel(tmp_path, events, url))
    assert len(trip.back) == len(events)


def test_a_parent_under_its_old_name_comes_back(tmp_path: Path) -> None:
    space, (start, *_) = f"round-trip-{uuid.uuid4()}", told_run("child", 1)
    parent = {"run": {"runId": str(uuid.uuid4())}, "job": {"namespace": space, "name": "p"}}
    start["run"] = {**start["run"], "facets": {"parentRun": parent}}
    with serve_marquez(FakeMarquez()) as server:
        check(travel(tmp_path, acceptable([start], space), server.url))


@pytest.mark.parametrize("name", ["schema", "columnLineage", "dataSource", "documentation", "symlinks"])
def test_facets_of_datasets_come_back(tmp_path: Path, url: str, name: str) -> None:
    space = f"round-trip-{uuid.uuid4()}"
    begin = somewhen()
    fields = [{"name": "x", "type": "INT"}, {"name": "y", "type": "STRUCT", "fields": [{"name": "z", "type": "INT"}]}]
    facets: dict[str, Any] = {
        "schema": {"fields": fields},
        "columnLineage": {"fields": {"x": {"inputFields": [{"namespace": "file", "name": "/a", "field": "x"}]}}},
        "dataSource": {"name": "files", "uri": "file:/"},
        "documentation": {"description": "all of it"},
        "symlinks": {"identifiers": [{"namespace": "hive", "name": "db.b", "type": "TABLE"}]},
    }
    told = {"schema": facets["schema"], name: facets[name]}
    reads, writes = (dataset(path, role, facets=told) for path, role in (("/a", "input"), ("/b", "output")))
    events = told_run("columns", 1, 2, reads=[reads], writes=[writes])
    for number, event in enumerate(events):
        event["eventTime"] = (begin + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        event["run"] = {**event["run"], "runId": str(uuid.uuid5(uuid.NAMESPACE_URL, space))}
    check(trip := travel(tmp_path, acceptable(events, space), url))
    assert len(trip.back) == 2


@pytest.mark.live
def test_the_fake_hands_out_what_the_real_one_does(tmp_path: Path) -> None:
    """To the letter: nulls, numbers and times, though not the order of keys."""
    space, begin = f"round-trip-{uuid.uuid4()}", somewhen()
    world = World(7)
    world.now = begin
    account = replace(FULL, namespace=space, journal=str(uuid.uuid4()), run=str(uuid.uuid4()))
    events = [*acceptable(odd_events(space, begin), space), *acceptable(world.run(), space), *build_events(account)]
    for event in events:
        posted = requests.post(f"{LIVE}/api/v1/lineage", json=event, timeout=60)
        assert posted.status_code == 201, (posted.text, event)
    handed = {event_key(one): one for event in events for one in at(event)}
    for event in events:
        assert handed[event_key(event)] == relayed(event)


def at(event: Event) -> list[Event]:
    """What the real one has at this moment."""
    moment = datetime.fromisoformat(relayed(event)["eventTime"])
    span = {"after": moment.isoformat(), "before": (moment + timedelta(microseconds=1)).isoformat(), "limit": "50"}
    return list(requests.get(f"{LIVE}/api/v1/events/lineage", params=span, timeout=60).json()["events"])


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def test_what_was_pulled_is_not_pushed_back(tmp_path: Path, url: str) -> None:
    trip = random_trip(tmp_path, url, 1)
    with open_store(tmp_path / "new") as store:
        report = push(store, tmp_path / "new", url)
        assert (report.state, report.sent, report.waiting) == ("done", 0, 0)
        assert store.cursor("there") == store.last_seq() == len(trip.back)
