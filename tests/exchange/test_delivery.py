# SPDX-License-Identifier: Apache-2.0
"""The way of the log to one destination that behaves, and to those that do not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lineagekit.exchange.backlog import drop, put_back, start_over
from lineagekit.exchange.claim import claim
from lineagekit.exchange.delivery import Delivery
from lineagekit.exchange.destinations import choose, find_destinations
from lineagekit.exchange.patience import Delivered
from lineagekit.settings import DestinationSettings, Settings
from lineagekit.store.log import Store, open_store
from tests.exchange.servers import Reply, Request, free_port, serve
from tests.exchange.worlds import QUICK, append, append_runs, destination, entry, make_event, push, run_id

SICK = Reply(500, b"<html>Error 500", headers={"Content-Type": "text/html"})
FAIL = Reply(500, b'{"code": 500, "message": "no database"}')


def outcome(report: Delivered) -> tuple[str, int, int, int, int]:
    return report.state, report.sent, report.refused, report.parked, report.waiting


def letters(store: Store) -> list[tuple[int, str]]:
    return [(letter.seq, letter.status) for letter in store.letters("there")]


def pairs(*numbers: int) -> list[tuple[str, str]]:
    """What a server sees of whole runs."""
    return [(run_id(number), type_) for number in numbers for type_ in ("START", "COMPLETE")]


def only(sick: Callable[[Request], bool], reply: Reply = SICK) -> Callable[[Request], Reply]:
    """A server that is well but for some events."""
    return lambda request: reply if sick(request) else Reply()


def of_run(number: int, *types: str) -> Callable[[Request], bool]:
    wanted = types or ("START", "COMPLETE")
    return lambda request: request.event["run"]["runId"] == run_id(number) and request.event["eventType"] in wanted


class TestWell:
    def test_the_whole_log_is_sent_in_order(self, store: Store, folder: Path) -> None:
        append_runs(store, range(30))
        with serve() as server:
            report = push(store, folder, server.url, patience=replace(QUICK, page=7))
        assert outcome(report) == ("done", 60, 0, 0, 0)
        assert server.events == pairs(*range(30))

    def test_what_was_sent_is_not_sent_again(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve() as server:
            push(store, folder, server.url)
            append_runs(store, [2])
            assert push(store, folder, server.url).sent == 2
            assert outcome(push(store, folder, server.url)) == ("done", 0, 0, 0, 0)
        assert server.events == pairs(1, 2)

    def test_an_empty_log_opens_no_connection(self, store: Store, folder: Path) -> None:
        assert outcome(push(store, folder, f"http://127.0.0.1:{free_port()}")) == ("done", 0, 0, 0, 0)

    def test_the_bytes_of_the_log_are_what_is_sent(self, store: Store, folder: Path) -> None:
        append(store, [make_event(1, "START", job={"namespace": "tests", "name": "tr\u00e4in \u4e2d\ud83d\ude00"})])
        with serve() as server:
            push(store, folder, server.url)
        assert [request.body for request in server.requests] == [row.body for row in store.events()]

    def test_what_comes_during_a_pass_is_sent_too(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])

        def answer(request: Request) -> Reply:
            if len(server.requests) == 2:
                append_runs(store, [2])
            return Reply()

        with serve(answer) as server:
            assert push(store, folder, server.url).sent == 4

    def test_progress_is_told_event_by_event(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))
        told: list[int] = []
        with (
            serve() as server,
            closing(Delivery(store, destination(server.url), str(folder), progress=told.append)) as delivery,
        ):
            delivery.run(QUICK)
        assert told == [1] * 6


class TestTrouble:
    def test_nobody_there_loses_nothing(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))
        port = free_port()
        report = push(store, folder, f"http://127.0.0.1:{port}")
        assert outcome(report) == ("later", 0, 0, 0, 6)
        assert report.reason == "no connection: Connection refused"
        with serve(port=port) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 6, 0, 0, 0)

    def test_a_server_that_is_well_again_soon_is_waited_for(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve(lambda request: FAIL if len(server.requests) < 3 else Reply()) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 2, 0, 0, 0)
        assert server.events == [pairs(1)[0], pairs(1)[0], *pairs(1)]

    @pytest.mark.parametrize("reply", [FAIL, Reply(503), Reply(hold=True), Reply(cut=True)])
    def test_a_server_in_trouble_is_left_alone_and_nothing_is_lost(
        self, store: Store, folder: Path, reply: Reply
    ) -> None:
        append_runs(store, range(50))
        with serve(lambda request: reply if in_trouble else Reply()) as server:
            in_trouble = True
            report = push(store, folder, server.url, timeout=0.03 if reply.hold else 5)
            assert outcome(report) == ("later", 0, 0, 0, 100)
            assert len(server.requests) < 30
            assert letters(store) == []
            server.requests.clear()
            in_trouble = False
            assert outcome(push(store, folder, server.url)) == ("done", 100, 0, 0, 0)
        assert server.events == pairs(*range(50))

    def test_a_server_that_fails_on_the_way_goes_on_where_it_was(self, store: Store, folder: Path) -> None:
        append_runs(store, range(10))
        with serve(lambda request: Reply(cut=True) if 7 < len(server.requests) < 40 else Reply()) as server:
            assert push(store, folder, server.url).sent == 7
            server.requests.extend(server.requests[:1] * 40)
            assert outcome(push(store, folder, server.url)) == ("done", 13, 0, 0, 0)
        taken = [*server.events[:7], *server.events[-13:]]
        assert taken == pairs(*range(10))

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_short_rest_is_granted(self, store: Store, folder: Path, status: int) -> None:
        append_runs(store, [1])
        rest = Reply(status, headers={"Retry-After": "0"})
        with serve(lambda request: rest if len(server.requests) == 1 else Reply()) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 2, 0, 0, 0)

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_long_rest_ends_the_pass_at_once(self, store: Store, folder: Path, status: int) -> None:
        append_runs(store, range(5))
        with serve(lambda request: Reply(status, headers={"Retry-After": "120"})) as server:
            report = push(store, folder, server.url)
        assert (*outcome(report), report.wait) == ("later", 0, 0, 0, 10, 120.0)
        assert len(server.requests) == 1


class TestAstray:
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(401, b'{"message": "no key"}'),
            Reply(403),
            Reply(404),
            Reply(405),
            Reply(302, headers={"Location": "/login"}),
            Reply(200, b"<html>Please log in", headers={"Content-Type": "text/html"}),
        ],
    )
    def test_a_wrong_address_stops_the_destination_and_skips_nothing(
        self, store: Store, folder: Path, reply: Reply
    ) -> None:
        append_runs(store, range(3))
        with serve(lambda request: reply) as server:
            report = push(store, folder, server.url)
        assert outcome(report) == ("astray", 0, 0, 0, 6)
        assert report.reason.startswith(f"{reply.status}: ")
        assert len(server.requests) == 1
        assert (store.cursor("there"), letters(store)) == (0, [])

    def test_a_destination_that_cannot_be_opened_is_told(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        report = push(store, folder, "http://127.0.0.1:1", api_key_env="NO_SUCH_VARIABLE")
        assert outcome(report) == ("astray", 0, 0, 0, 2)
        assert report.reason.startswith("no API key: the variable NO_SUCH_VARIABLE is empty.")

    def test_who_refuses_everything_is_the_wrong_address(self, store: Store, folder: Path) -> None:
        append_runs(store, range(10))
        with serve(lambda request: Reply(400, b"what is this?")) as server:
            report = push(store, folder, server.url, patience=replace(QUICK, refusals=5))
        assert outcome(report) == ("astray", 0, 5, 0, 15)
        assert report.reason == ("it refused 5 events in a row and took none, the last because of 400: what is this?")


class TestRefusals:
    @pytest.mark.parametrize(
        "reply", [Reply(422, b'{"errors": ["too wide"]}'), Reply(500, b'{"code": 400, "message": "too wide"}')]
    )
    def test_a_refused_event_becomes_a_letter_and_the_rest_goes_on(
        self, store: Store, folder: Path, reply: Reply
    ) -> None:
        append_runs(store, range(3))
        with serve(only(of_run(1, "START"), reply)) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 5, 1, 0, 0)
            assert outcome(push(store, folder, server.url)) == ("done", 0, 0, 0, 0)
        (letter,) = store.letters("there")
        assert (letter.seq, letter.run, letter.status) == (3, run_id(1), "refused")
        assert letter.reason == f"{reply.status}: too wide"
        assert server.events == pairs(0, 1, 2)

    def test_a_damaged_event_is_a_letter_too(self, store: Store, folder: Path) -> None:
        append_runs(store, [1, 2])
        with store.write() as connection:
            connection.execute("UPDATE event SET body = zeroblob(50) WHERE seq = 2")  # type: ignore[attr-defined]
        with serve() as server:
            assert outcome(push(store, folder, server.url)) == ("done", 3, 1, 0, 0)
        assert letters(store) == [(2, "refused")]

    def test_what_was_put_back_is_sent_once_more(self, store: Store, folder: Path) -> None:
        append_runs(store, range(2))
        with serve(only(of_run(1), Reply(422))) as server:
            push(store, folder, server.url)
            assert put_back(store, "there") == 2
            assert outcome(push(store, folder, server.url)) == ("done", 0, 2, 0, 0)
        with serve() as server:
            assert put_back(store, "there") == 2
            assert outcome(push(store, folder, server.url)) == ("done", 2, 0, 0, 0)
            assert put_back(store, "there") == 0
        assert (server.events, letters(store)) == (pairs(1), [])

    def test_a_start_that_comes_after_the_end_is_followed_by_the_end_again(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve(only(of_run(1, "START"), Reply(422))) as server:
            push(store, folder, server.url)
        put_back(store, "there")
        with serve() as server:
            assert outcome(push(store, folder, server.url)) == ("done", 1, 0, 0, 0)
        assert server.events == pairs(1)


class TestParking:
    """A server that stumbles over an event while it takes others."""

    @pytest.mark.parametrize("reply", [SICK, Reply(502), Reply(cut=True), Reply(hold=True)])
    def test_an_event_that_fails_while_others_pass_blocks_only_its_run(
        self, store: Store, folder: Path, reply: Reply
    ) -> None:
        append_runs(store, range(4))
        with serve(only(of_run(1, "START"), reply)) as server:
            patience = replace(QUICK, slow=1.0, longest=5.0)
            report = push(store, folder, server.url, patience=patience, timeout=0.2 if reply.hold else 5)
        assert outcome(report) == ("done", 6, 0, 1, 2)
        assert letters(store) == [(3, "parked"), (4, "behind")]
        assert [one for one in server.events if one[0] != run_id(1)] == pairs(0, 2, 3)

    def test_when_the_server_has_learned_it_the_run_arrives_in_order(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))
        with serve(only(of_run(1))) as server:
            push(store, folder, server.url)
        append(store, [make_event(1, "OTHER")])
        with serve() as server:
            assert outcome(push(store, folder, server.url)) == ("done", 3, 0, 0, 0)
        assert server.events == [*pairs(1), (run_id(1), "COMPLETE")]  # as Marquez must be told it: see last_word.py
        assert letters(store) == []

    def test_several_in_a_row_are_found_out(self, store: Store, folder: Path) -> None:
        append_runs(store, range(8))
        with serve(only(lambda request: request.event["run"]["runId"] < run_id(5))) as server:
            report = push(store, folder, server.url)
        assert outcome(report) == ("done", 6, 0, 5, 10)
        assert [status for _, status in letters(store)] == ["parked", "behind"] * 5

    def test_refusals_do_not_prove_that_others_pass(self, store: Store, folder: Path) -> None:
        append_runs(store, range(4))
        with serve(lambda request: Reply(422) if of_run(2)(request) else FAIL) as server:
            report = push(store, folder, server.url)
        assert (*outcome(report), letters(store)) == ("later", 0, 0, 0, 8, [])

    def test_what_was_refused_meanwhile_is_kept_once_others_pass(self, store: Store, folder: Path) -> None:
        append_runs(store, range(4))
        with serve(
            lambda request: Reply(422) if of_run(1)(request) else SICK if of_run(0)(request) else Reply()
        ) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 4, 2, 1, 2)
        assert letters(store) == [(1, "parked"), (2, "behind"), (3, "refused"), (4, "refused")]

    def test_an_event_at_the_end_of_the_log_is_not_parked(self, store: Store, folder: Path) -> None:
        append_runs(store, range(2))
        with serve(only(of_run(1))) as server:
            assert outcome(push(store, folder, server.url)) == ("later", 2, 0, 0, 2)
        assert letters(store) == []

    def test_what_only_needs_more_time_gets_it(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))
        slow = threading.Event()

        def answer(request: Request) -> Reply:
            if of_run(1, "START")(request):
                slow.wait(0.15)
            return Reply()

        with serve(answer) as server:
            patience = replace(QUICK, slow=50.0)
            assert outcome(push(store, folder, server.url, patience=patience, timeout=0.1)) == ("done", 6, 0, 0, 0)

    def test_an_event_without_a_run_blocks_nothing(self, store: Store, folder: Path) -> None:
        events = [make_event(number, "START") for number in range(3)]
        for event in events:
            del event["run"]
        append(store, events)
        with serve(only(lambda request: request.event["eventTime"] == events[0]["eventTime"])) as server:
            assert outcome(push(store, folder, server.url)) == ("done", 2, 0, 1, 1)

    def test_dropping_what_is_parked_sets_its_run_free(self, store: Store, folder: Path) -> None:
        append_runs(store, range(3))
        with serve(only(of_run(1, "START"))) as server:
            push(store, folder, server.url)
            dropped = drop(store, "there")
            assert [(letter.seq, letter.status) for letter in dropped] == [(3, "parked")]
            server.requests.clear()
            assert outcome(push(store, folder, server.url)) == ("done", 1, 0, 0, 0)
        assert (server.events, letters(store)) == ([pairs(1)[1]], [])

    def test_only_some_of_many_parked_runs_are_tried_in_a_pass(self, store: Store, folder: Path) -> None:
        append_runs(store, range(10), types=["START"])
        append_runs(store, [10])
        with serve(only(lambda request: request.event["run"]["runId"] != run_id(10))) as server:
            push(store, folder, server.url)
            server.requests.clear()
            push(store, folder, server.url, patience=replace(QUICK, parked=3))
            assert len(set(server.events)) == 3


class TestMany:
    def test_two_at_once_send_nothing_twice(self, store: Store, folder: Path) -> None:
        append_runs(store, range(40))

        def pusher(url: str) -> Delivered:
            with open_store(folder) as own:
                return push(own, folder, url, patience=replace(QUICK, queue=10.0))

        with serve() as server, ThreadPoolExecutor() as threads:
            reports = list(threads.map(pusher, [server.url] * 3))
        assert sum(report.sent for report in reports) == 80
        assert server.events == pairs(*range(40))

    def test_who_comes_second_is_told(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with claim(str(folder), "there") as mine:
            assert mine
            report = push(store, folder, "http://127.0.0.1:1")
        assert (*outcome(report), report.reason) == ("busy", 0, 0, 0, 2, "another process is delivering to it")

    def test_a_pass_that_is_stopped_ends_behind_the_event_on_its_way(self, store: Store, folder: Path) -> None:
        append_runs(store, range(5))
        stop = threading.Event()

        def answer(request: Request) -> Reply:
            if len(server.requests) == 3:
                stop.set()
            return Reply()

        with (
            serve(answer) as server,
            closing(Delivery(store, destination(server.url), str(folder), stop=stop)) as delivery,
        ):
            assert outcome(delivery.run(QUICK)) == ("later", 3, 0, 0, 7)
        assert store.cursor("there") == 3

    def test_destinations_do_not_share_their_place(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve() as first, serve() as second:
            push(store, folder, first.url)
            with closing(Delivery(store, replace(destination(second.url), name="other"), str(folder))) as delivery:
                assert delivery.run(QUICK).sent == 2
        assert first.events == second.events == pairs(1)


class TestWhatCameFromThere:
    """Events that were pulled out of a server are not sent back to it."""

    def pulled(self, store: Store, url: str, *numbers: int) -> None:
        entries = [entry(make_event(number, type_)) for number in numbers for type_ in ("START", "COMPLETE")]
        store.append(entries, origin=f"marquez:{url}")

    def test_it_is_passed_over_and_the_cursor_moves(self, store: Store, folder: Path) -> None:
        with serve() as server:
            self.pulled(store, server.url, 1)
            append_runs(store, [2])
            self.pulled(store, server.url, *range(3, 10))
            assert outcome(push(store, folder, server.url, patience=replace(QUICK, page=3))) == ("done", 2, 0, 0, 0)
        assert server.events == pairs(2)
        assert store.cursor("there") == store.last_seq()

    def test_nothing_else_in_the_log_opens_no_connection(self, store: Store, folder: Path) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        self.pulled(store, url, 1, 2)
        assert outcome(push(store, folder, f"{url}/api/v1/lineage")) == ("done", 0, 0, 0, 0)
        assert store.cursor("there") == 4

    def test_what_came_from_elsewhere_is_sent(self, store: Store, folder: Path) -> None:
        self.pulled(store, "http://elsewhere:5000", 1)
        with serve() as server:
            assert push(store, folder, server.url).sent == 2

    def test_a_server_by_its_url_alone_is_the_same_one(self, store: Store, folder: Path) -> None:
        with serve() as server:
            self.pulled(store, server.url, 1)
            (one,) = choose([], [server.url])
            with closing(Delivery(store, one, str(folder))) as delivery:
                assert outcome(delivery.run(QUICK)) == ("done", 0, 0, 0, 0)
        assert server.requests == []

    def test_so_is_a_transport_of_openlineage(self, store: Store, folder: Path) -> None:
        with serve() as server:
            self.pulled(store, server.url, 1)
            transport = {"type": "http", "url": server.url}
            (one,) = find_destinations(Settings(destination=[DestinationSettings(transport=transport)]), {})
            with closing(Delivery(store, one, str(folder))) as delivery:
                assert delivery.run(QUICK).sent == 0
        assert server.requests == []

    def test_starting_over_sends_the_rest(self, store: Store, folder: Path) -> None:
        with serve() as server:
            self.pulled(store, server.url, 1)
            append_runs(store, [2])
            push(store, folder, server.url)
            start_over(store, "there", str(folder))
            assert push(store, folder, server.url).sent == 2
        assert server.events == pairs(2) * 2

    def test_while_the_server_is_in_doubt_the_cursor_stays(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve(lambda request: SICK) as server:
            self.pulled(store, server.url, 2, 3)
            assert outcome(push(store, folder, server.url)) == ("later", 0, 0, 0, 6)
        assert (store.cursor("there"), letters(store)) == (0, [])

    def test_behind_an_event_that_fails_it_is_passed_over_too(self, store: Store, folder: Path) -> None:
        append_runs(store, [1])
        with serve(only(of_run(1))) as server:
            self.pulled(store, server.url, 2)
            append_runs(store, [3])
            self.pulled(store, server.url, 4)
            assert push(store, folder, server.url).sent == 2
        assert store.cursor("there") == 8
        assert {run for run, _ in server.events} == {run_id(1), run_id(3)}


def test_a_name_that_would_poison_the_server_is_mended_on_the_way(store: Store, folder: Path) -> None:
    poison = make_event(1, "COMPLETE", outputs=[{"namespace": "team ä #1", "name": "a\x00b", "facets": {}}])
    append(store, [poison, make_event(2, "COMPLETE")])
    with serve() as server:
        Delivery(store, destination(server.url), str(folder)).run(QUICK)
        sent = [json.loads(request.body) for request in server.requests]
    assert sent[0]["outputs"] == [{"namespace": "team+20+C3+A4+20+231", "name": "a%00b", "facets": {}}]
    assert sent[1] == make_event(2, "COMPLETE")
