# SPDX-License-Identifier: Apache-2.0
"""Events that are pulled out of a Marquez: all of them, once, whatever it is doing meanwhile.

The server is a fake that answers as the recorded one did, and, where MARQUEZ_URL names one, a real one.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.errors import NotFoundError, StoreError, UsageError
from lineagekit.events.wire import canonical, event_key
from lineagekit.exchange.endpoint import Endpoint
from lineagekit.exchange.marquez import Pulled, pull
from lineagekit.exchange.pages import END, FIRST, moment
from lineagekit.exchange.patience import Patience
from lineagekit.exchange.sources import Marquez, find_source, marquez_at
from lineagekit.settings import DestinationSettings, Settings
from lineagekit.store.admit import admit
from lineagekit.store.log import Store, open_store
from tests.exchange.fake_marquez import FakeMarquez, as_json, serve_marquez
from tests.exchange.servers import Reply, free_port, serve
from tests.exchange.worlds import SCHEMA, run_id

RECORDED = [json.loads(line) for line in Path(__file__).with_name("recorded_events.jsonl").read_text().splitlines()]
LIVE = os.environ.get("MARQUEZ_URL", "")
HOUR, DAY = 3600 * 1_000_000, 24 * 3600 * 1_000_000
AUTUMN = 1_793_491_200_000_000  # 2026-11-01
QUICK = Patience(tries=3, pause=0.001, longest=0.3)


def make(number: int, time: int, *, type_: str = "COMPLETE", namespace: str = "tests", **facets: Any) -> dict[str, Any]:
    return {
        "eventTime": moment(time),
        "eventType": type_,
        "producer": "https://example.com/tests",
        "schemaURL": SCHEMA,
        "run": {"runId": run_id(number), "facets": facets},
        "job": {"namespace": namespace, "name": "train", "facets": {}},
        "inputs": [{"namespace": "file", "name": "/data/orders.csv"}],
        "outputs": [],
    }


def make_job(number: int, time: int) -> dict[str, Any]:
    """What a Marquez counts and does not hand out."""
    event = make(number, time)
    del event["run"], event["eventType"]
    return {**event, "schemaURL": SCHEMA.replace("RunEvent", "JobEvent")}


def source(url: str, *, page: int = 4, timeout: float = 5.0, **more: Any) -> Marquez:
    return replace(marquez_at(Endpoint(url, timeout=timeout, **more)), page=page, patience=QUICK)


def keys(store: Store) -> list[bytes]:
    return [row.key for row in store.events(limit=1_000_000)]


def holds_exactly(store: Store, events: list[dict[str, Any]]) -> bool:
    return sorted(keys(store)) == sorted({event_key(event) for event in events})


@dataclass(frozen=True)
class Place:
    """A server, and a stretch of time in which it has no events but ours."""

    url: str
    begin: int

    def post(self, *events: dict[str, Any]) -> None:
        for event in events:
            response = requests.post(f"{self.url}/api/v1/lineage", json=event, timeout=60)
            assert response.status_code == 201, response.text

    def pull(self, store: Store, **options: Any) -> Pulled:
        page = options.pop("page", 4)
        return pull(store, source(self.url, page=page), since=self.begin, until=self.begin + DAY, **options)

    def runs(self, *offsets: int, **more: Any) -> list[dict[str, Any]]:
        return [make(number, self.begin + offset, **more) for number, offset in enumerate(offsets)]


@pytest.fixture(
    params=[
        "fake server",
        pytest.param("live server", marks=pytest.mark.live),
    ]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    begin = random.Random().randrange(-900 * 365 * DAY, -100 * 365 * DAY)
    if request.param == "live server":
        yield Place(LIVE.rstrip("/"), begin)
        return
    with serve_marquez(FakeMarquez()) as server:
        yield Place(server.url, begin)


class TestAnyMarquez:
    """The contract, with the fake as with a real one."""

    def test_every_event_of_a_stretch_comes_once(self, place: Place, store: Store) -> None:
        events = place.runs(*range(0, 30, 3), *range(HOUR, HOUR + 10))
        place.post(*events)
        pulled = place.pull(store)
        assert (pulled.events, pulled.new, pulled.known, pulled.refused) == (20, 20, 0, 0)
        assert (pulled.first, pulled.last) == (place.begin, place.begin + HOUR + 9)
        assert holds_exactly(store, events)

    def test_pulling_again_brings_nothing(self, place: Place, store: Store) -> None:
        place.post(*place.runs(*range(12)))
        place.pull(store)
        again = place.pull(store)
        assert (again.new, again.refused) == (0, 0)
        assert again.known == again.events
        assert len(keys(store)) == 12

    def test_what_comes_late_is_found(self, place: Place, store: Store) -> None:
        events = place.runs(*(hour * HOUR for hour in range(20)))
        place.post(*events)
        place.pull(store, page=1)
        late = make(99, place.begin + 3 * HOUR + 1)
        place.post(late)
        assert place.pull(store, page=1).new == 1
        assert holds_exactly(store, [*events, late])

    def test_events_of_one_microsecond_come_whole_however_many(self, place: Place, store: Store) -> None:
        events = place.runs(*[7] * 11, 6, 8)
        place.post(*events)
        assert place.pull(store, page=2).new == 13
        assert holds_exactly(store, events)

    def test_what_is_counted_and_not_handed_out_is_no_hindrance(self, place: Place, store: Store) -> None:
        events = place.runs(0, 1, 2)
        place.post(*events, *(make_job(number, place.begin + 1) for number in range(9)))
        assert place.pull(store, page=2).new == 3
        assert place.pull(store, page=2).new == 0
        assert holds_exactly(store, events)

    def test_who_is_killed_goes_on(self, place: Place, store: Store) -> None:
        events = place.runs(*range(0, 40, 2))
        place.post(*events)
        for windows in (1, 2, 3):
            with pytest.raises(KilledError):
                place.pull(store, progress=Killer(windows))
        before = len(keys(store))
        assert 0 < before < 20
        place.pull(store)
        assert holds_exactly(store, events)

    def test_namespaces_are_of_jobs_and_leave_the_rest_for_others(self, place: Place, store: Store) -> None:
        events = [make(n, place.begin + n * HOUR, namespace="mine" if n % 3 else "others") for n in range(18)]
        place.post(*events)
        pulled = place.pull(store, namespaces=["mine"], page=1)
        assert (pulled.events, pulled.new, pulled.others) == (18, 12, 6)
        assert holds_exactly(store, [event for event in events if event["job"]["namespace"] == "mine"])
        assert place.pull(store, page=1).new == 6
        assert holds_exactly(store, events)

    def test_what_we_sent_is_known_when_it_comes_back(self, place: Place, store: Store) -> None:
        ours = {"journal": "0197", "sequence": 3, "_producer": "https://x.example", "_schemaURL": "https://x.example/s"}
        event = make(1, place.begin, lineagekit_event=ours)
        store.append([admit(event)])
        place.post(event)
        assert (place.pull(store).new, len(keys(store))) == (0, 1)

    def test_nulls_that_were_added_are_not_kept(self, place: Place, store: Store) -> None:
        facet = {
            "_producer": "https://x.example",
            "_schemaURL": "https://x.example/s",
            "list": [1, None],
            "big": 1 << 70,
        }
        place.post(make(1, place.begin, custom=facet))
        place.pull(store)
        (row,) = store.events()
        assert not list(nulls(row.event))
        assert row.event["run"]["facets"]["custom"] == facet

    def test_a_part_of_history_leaves_the_rest_for_later(self, place: Place, store: Store) -> None:
        events = place.runs(*range(10))
        place.post(*events)
        server = source(place.url)
        assert pull(store, server, since=place.begin + 3, until=place.begin + 6).new == 3
        assert pull(store, server, since=place.begin, until=place.begin + 10).new == 7
        assert holds_exactly(store, events)


class TestTheRecordedServer:
    """The fake answers as a real one did, and what a real one handed out is what was posted."""

    def test_the_fake_answers_as_the_real_one_did(self) -> None:
        fake = FakeMarquez()
        with serve(fake.answer) as server:
            for recorded in RECORDED:
                if recorded["method"] == "POST":
                    requests.post(server.url + recorded["path"], json=recorded["request"], timeout=10)
                    continue
                answer = requests.get(server.url + recorded["path"], timeout=10)
                assert answer.status_code == recorded["status"], recorded["path"]
                if answer.ok:
                    assert alike(answer.json()) == alike(recorded["response"]), recorded["path"]

    def test_what_it_handed_out_is_what_was_posted(self, store: Store) -> None:
        told = [event for one in RECORDED if one["status"] == 200 for event in one["response"].get("events", ())]
        raw = {event_key(event): event for event in told}.values()
        posted = [one["request"] for one in RECORDED if one["method"] == "POST"]
        fake = FakeMarquez()
        for event in raw:
            fake.keep(event, event)
        for event in posted:
            if "run" not in event:
                fake.post(event)
        with serve_marquez(fake) as server:
            pulled = pull(store, source(server.url))
        assert (pulled.new, pulled.refused) == (16, 0)
        assert holds_exactly(store, [event for event in posted if "run" in event])


@dataclass(frozen=True)
class Step:
    """Somebody writes; or it is pulled, killed after so many windows, while others write at these questions."""

    writes: tuple[tuple[int, str], ...] = ()
    killed: int | None = None
    during: tuple[tuple[int, bool, int, str], ...] = ()


times = st.builds(
    lambda day, offset: AUTUMN + day * DAY + offset,
    st.sampled_from([-700_000, -3, -2, -1, 0]),
    st.integers(0, 4) | st.integers(0, DAY - 1),
)
kinds = st.sampled_from(["run", "run", "run", "job"])
writes = st.builds(Step, st.lists(st.tuples(times, kinds), min_size=1, max_size=12).map(tuple))
pulls = st.builds(
    Step,
    st.just(()),
    st.none() | st.integers(1, 6),
    st.lists(st.tuples(st.integers(1, 30), st.booleans(), times, kinds), max_size=6).map(tuple),
)


class World:
    """A fake server, a store, and a number for each event."""

    def __init__(self, store: Store) -> None:
        self.store, self.fake, self.count = store, FakeMarquez(), 0

    def write(self, time: int, kind: str) -> None:
        self.count += 1
        self.fake.post((make if kind == "run" else make_job)(self.count, time))

    def take(self, step: Step, url: str) -> None:
        for time, kind in step.writes:
            self.write(time, kind)
        if step.writes:
            return
        begun = self.fake.asked

        def during(between: bool) -> Callable[[int], None]:
            due = [one for one in step.during if one[1] == between]
            return lambda asked: [self.write(time, kind) for at, _, time, kind in due if at == asked - begun] and None

        self.fake.before_each, self.fake.in_between = during(False), during(True)
        with suppress(KilledError):
            pull(self.store, source(url, page=2), progress=Killer(step.killed) if step.killed else None)
        self.fake.before_each = self.fake.in_between = lambda asked: None


def test_what_comes_while_its_own_window_is_read_is_found_the_next_time(store: Store) -> None:
    fake = FakeMarquez()
    events = [make(number, AUTUMN + number * HOUR) for number in range(40)]
    for event in events:
        fake.post(event)
    late = [(AUTUMN + number * HOUR + 1, make(100 + number, AUTUMN + number * HOUR + 1)) for number in range(25)]
    expected = [*events, *(event for _, event in late)]
    # Each as soon as the event just before it was handed out.
    fake.in_between = lambda asked: fake.post(late.pop(0)[1]) if late and fake.reached >= late[0][0] - 1 else None
    with serve_marquez(fake) as server:
        pull(store, source(server.url, page=1))
        assert not late
        assert len(keys(store)) < len(expected)
        fake.in_between = lambda asked: None
        pull(store, source(server.url, page=1))
    assert holds_exactly(store, expected)


histories = st.lists(writes | pulls, max_size=8)


def play(folder: Path, steps: list[Step]) -> None:
    with open_store(folder) as store:
        world = World(store)
        with serve_marquez(world.fake) as server:
            for step in steps:
                world.take(step, server.url)
            pull(store, source(server.url, page=2))
            assert holds_exactly(store, world.fake.events())
            assert pull(store, source(server.url, page=2)).new == 0
            windows = store.windows(server.url)
        assert all(left.until <= right.since for left, right in pairwise(windows))


@settings(deadline=None, max_examples=25)
@given(histories)
def test_whatever_happens_meanwhile_the_log_has_every_event_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    play(tmp_path_factory.mktemp("store"), steps)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(histories)
def test_so_it_is_in_many_histories(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    play(tmp_path_factory.mktemp("store"), steps)


@pytest.fixture
def fake() -> FakeMarquez:
    fake = FakeMarquez()
    for number in range(30):
        fake.post(make(number, AUTUMN + number * HOUR))
    return fake


class TestTrouble:
    def test_a_server_that_stumbles_is_asked_again(self, fake: FakeMarquez, store: Store) -> None:
        fake.before_each = lambda asked: Reply(503) if asked % 3 else None
        with serve_marquez(fake) as server:
            assert pull(store, source(server.url)).new == 30

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (as_json({"code": 500, "message": "out of memory"}, 500), "500: out of memory"),
            (Reply(200, b"<html>Sign in</html>"), "the answer is no list of events: got '<html>Sign in</html>'"),
            (Reply(200, b'{"totalCount": "3", "events": []}'), 'the answer is no list of events: got \'{"totalCount"'),
            (Reply(200, b'{"totalCount":3,"events"'), 'the answer is no list of events: got \'{"totalCount"'),
            (Reply(200), "the answer is no list of events: got nothing"),
            (Reply(cut=True), "the connection broke"),
            (Reply(hold=True), "the server did not answer in time"),
            (Reply(429, headers={"Retry-After": "900"}), "asks to be left alone for 900 s"),
        ],
    )
    def test_one_that_falls_over_loses_nothing(self, fake: FakeMarquez, store: Store, reply: Reply, said: str) -> None:
        fake.before_each = lambda asked: reply if asked > 38 else None
        with serve_marquez(fake) as server:
            with pytest.raises(StoreError) as failed:
                pull(store, source(server.url, timeout=0.02))
            assert said in failed.value.message
            assert "stopped answering after " in failed.value.message
            assert failed.value.advice.endswith("What was pulled is kept: run lineagekit pull again, and it goes on.")
            before = len(keys(store))
            assert 0 < before < 30
            fake.before_each = lambda asked: None
            assert pull(store, source(server.url)).new == 30 - before
        assert holds_exactly(store, fake.events())

    def test_one_that_was_never_there_is_told_so(self, store: Store) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(StoreError) as failed:
            pull(store, source(url))
        assert (
            failed.value.message == f"{url} stopped answering before the first event: no connection: Connection refused"
        )

    @pytest.mark.parametrize(
        ("status", "advice"),
        [(401, "Check the destination's API key."), (404, "Check the URL: there is no Marquez behind it.")],
    )
    def test_what_will_not_be_better_later_is_not_tried_again(self, store: Store, status: int, advice: str) -> None:
        with serve(lambda request: Reply(status)) as server:
            with pytest.raises(StoreError) as failed:
                pull(store, source(server.url))
            assert len(server.requests) == 1
        assert failed.value.advice == advice

    def test_a_key_is_sent_and_never_told(self, store: Store) -> None:
        key = "k3y-that-nobody-sees"
        with serve(lambda request: Reply(403, request.headers["authorization"].encode())) as server:
            with pytest.raises(StoreError) as failed:
                pull(store, source(server.url, authorization=lambda: f"Bearer {key}"))
            assert server.requests[0].headers["authorization"] == f"Bearer {key}"
        assert key not in str(failed.value)

    def test_what_is_no_event_is_named_and_stops_nothing(self, fake: FakeMarquez, store: Store) -> None:
        bad = make(50, AUTUMN + 5 * HOUR)
        fake.keep(bad, {**bad, "job": None, "run": {"runId": ""}})
        with serve_marquez(fake) as server:
            pulled = pull(store, source(server.url))
            assert (pulled.new, pulled.refused) == (30, 1)
            assert pulled.reasons[0].startswith(
                "COMPLETE of run at 2026-11-01T05:00:00.000000Z: not an OpenLineage event"
            )
            assert pull(store, source(server.url)).refused == 0

    def test_an_event_beyond_all_measure_hides_no_other(self, fake: FakeMarquez, store: Store) -> None:
        deep = make(50, AUTUMN + 5 * HOUR)
        fake.rows.append(
            (AUTUMN + 5 * HOUR + 1, "run", json.dumps(deep)[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}")
        )
        with serve_marquez(fake) as server:
            pulled = pull(store, source(server.url))
        assert (pulled.new, pulled.refused) == (30, 1)
        assert "nested too deep" in pulled.reasons[0]

    def test_large_events_are_read_in_small_pages(self, store: Store) -> None:
        fake = FakeMarquez()
        for number in range(10):
            fake.post(make(number, AUTUMN + number * HOUR, text={"text": "x" * 3_000_000}))
        with serve_marquez(fake) as server:
            assert pull(store, source(server.url, page=1000)).new == 10

    def test_a_server_that_sends_less_than_it_was_asked_for_is_seen_through(
        self, fake: FakeMarquez, store: Store
    ) -> None:
        with serve(lambda request: fake.answer(replace(request, path=at_most_3(request.path)))) as server:
            assert pull(store, source(server.url, page=20)).new == 30

    def test_what_the_server_forgets_is_kept(self, fake: FakeMarquez, store: Store) -> None:
        events = fake.events()
        with serve_marquez(fake) as server:
            pull(store, source(server.url))
            del fake.rows[:10]
            fake.post(late := make(70, AUTUMN + 20 * HOUR + 1))
            assert pull(store, source(server.url)).new == 1
        assert holds_exactly(store, [*events, late])


class TestCost:
    def test_a_history_that_is_as_it_was_costs_few_questions(self, store: Store) -> None:
        fake = FakeMarquez()
        for number in range(400):
            fake.post(make(number, AUTUMN + number * HOUR))
        with serve_marquez(fake) as server:
            pull(store, source(server.url))
            fake.asked = 0
            pulled = pull(store, source(server.url))
            assert pulled.windows <= 10
            assert fake.asked < 50

    def test_pulling_every_minute_leaves_few_windows(self, store: Store) -> None:
        fake = FakeMarquez()
        with serve_marquez(fake) as server:
            for number in range(40):
                fake.post(make(number, AUTUMN + number * HOUR))
                pull(store, source(server.url, page=20))
            assert len(store.windows(server.url)) < 6


class TestFindingIt:
    @pytest.mark.parametrize("ending", ["", "/", "/api/v1", "/api/v1/", "/api/v1/lineage", "/api/v1/events/lineage"])
    def test_any_address_of_a_server_will_do(self, ending: str) -> None:
        for begin in ("http://host:5000", "https://host/marquez"):
            found = find_source(begin + ending, Settings(), {})
            assert (found.name, found.endpoint.url) == (begin, f"{begin}/api/v1/events/lineage")
            assert find_source(f"marquez+{begin}{ending}", Settings(), {}) == found

    def test_a_name_or_a_url_that_is_configured_has_its_key(self) -> None:
        one = DestinationSettings(name="ours", url="http://host:5000", api_key_env="KEY")
        other = DestinationSettings(name="theirs", url="http://other:5000", api_key_env="MISSING")
        for wanted in ("ours", "http://host:5000/api/v1"):
            found = find_source(wanted, Settings(destination=[other, one]), {"KEY": "secret"})
            assert found.endpoint.authorization() == "Bearer secret"

    def test_the_only_one_that_is_configured_is_meant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENLINEAGE_URL", "http://host:5000")
        assert find_source("", Settings(), os.environ).name == "http://host:5000"
        kafka = DestinationSettings(transport={"type": "kafka", "topic": "t"})
        with pytest.raises(UsageError, match=r"no Marquez is configured\. Name it"):
            find_source("", Settings(destination=[kafka]), {})
        two = [DestinationSettings(url=f"http://{host}:5000") for host in ("a", "b")]
        with pytest.raises(UsageError, match="which Marquez: 2 are configured"):
            find_source("", Settings(destination=two), {})

    def test_what_is_neither_url_nor_name_is_not_found(self) -> None:
        with pytest.raises(NotFoundError, match="got there, expected a URL or a name"):
            find_source("there", Settings(), {})
        with pytest.raises(UsageError, match="not the URL of a server"):
            find_source("http://", Settings(), {})


class TestTime:
    def test_all_times_that_an_event_can_have_are_asked_for(self, store: Store) -> None:
        fake = FakeMarquez()
        for number, time in enumerate([FIRST, FIRST + 1, -1, 0, AUTUMN, END - 1]):
            fake.post(make(number, time))
        with serve_marquez(fake) as server:
            assert pull(store, source(server.url, page=1)).new == 6

    def test_a_plus_sign_does_not_become_a_blank(self, store: Store) -> None:
        with serve_marquez(FakeMarquez()) as server:
            pull(store, source(server.url))
            queries = [dict(parse_qsl(urlsplit(request.path).query)) for request in server.requests]
        assert {query["before"] for query in queries} == {"+10000-01-01T00:00:00Z"}


class KilledError(Exception):
    """What happens to processes."""


class Killer:
    """Progress that ends with the windows it was told of."""

    def __init__(self, windows: int) -> None:
        self.total: int | None = None
        self._left = windows

    def __call__(self, count: int, /) -> None:
        self._left -= 1
        if not self._left:
            raise KilledError


def nulls(value: Any) -> Iterator[str]:
    """Keys of objects that are null."""
    if isinstance(value, dict):
        for key, one in value.items():
            if one is None:
                yield key
            yield from nulls(one)
    if isinstance(value, list):
        for one in value:
            yield from nulls(one)


def alike(told: dict[str, Any]) -> tuple[int, list[bytes]]:
    return told["totalCount"], [canonical(event) for event in told["events"]]


def at_most_3(path: str) -> str:
    address, _, query = path.partition("?")
    limited = [(name, "3" if name == "limit" and int(value) > 3 else value) for name, value in parse_qsl(query)]
    return f"{address}?{requests.models.RequestEncodingMixin._encode_params(limited)}"
