# SPDX-License-Identifier: Apache-2.0
"""Who uses this, by name and by bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.events.owners import owners_in
from lineagekit.graph.consumers import Consumer, is_active, kind_of
from lineagekit.graph.impact import Impact, Scope, impact
from lineagekit.settings import Settings
from lineagekit.store import query, walk
from lineagekit.store.found import Dataset, Flow
from lineagekit.store.run_ids import run_text
from tests.store.histories import World
from tests.store.told import Event, dataset, digest, moment, run, run_id, told

DAY = 1440.0
RAW, CLEAN, REPORT = "/d/raw.csv", "/d/clean.csv", "/d/report.csv"

Ask = Callable[..., Impact]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[[Sequence[Event]], Ask]]:
    """Tell a history, and get what questions are asked with."""
    opened = []

    def tell(*events: Sequence[Event]) -> Ask:
        told_of = told(tmp_path / str(len(opened)), *events)
        _, index = told_of.__enter__()
        opened.append(told_of)

        def asking(target: str, settings: Settings | None = None, **scope: object) -> Impact:
            return impact(index.database, target, scope=Scope(**scope), settings=settings)

        return asking

    yield tell
    for one in opened:
        one.__exit__(None, None, None)


def depths(answer: Impact) -> dict[str, int]:
    return {one.title: one.depth for one in answer.consumers}


def only(answer: Impact) -> Consumer:
    (one,) = answer.consumers
    return one


def model(name: str, path: str, **said: object) -> Event:
    return dataset(path, "output", model=name, **said)


def columns(name: str, **fields: tuple[str, str]) -> Event:
    """An output each column of which was made of one column of a dataset."""
    told_of = {to: {"inputFields": [{"namespace": "file", "name": a, "field": b}]} for to, (a, b) in fields.items()}
    return dataset(name, "output", facets={"columnLineage": {"fields": told_of}})


class TestByName:
    def test_direct_and_transitive_uses_are_told_apart_and_models_come_first(self, ask) -> None:
        answer = ask(
            [
                *run("clean", 0, 1, reads=[RAW], writes=[CLEAN]),
                *run("report", 2, 3, reads=[CLEAN], writes=[REPORT]),
                *run("train", 4, 5, reads=[CLEAN], writes=[model("churn", "/m/churn.pkl")]),
            ]
        )(RAW)
        assert list(depths(answer).items()) == [("churn", 2), (CLEAN, 1), (REPORT, 2)]
        assert answer.counts == {"model": 1, "file": 2}
        assert [one.via for one in answer.consumers] == [CLEAN, RAW, CLEAN]
        assert answer.by == "name"

    def test_what_two_ways_lead_to_is_one_consumer_by_the_shorter_one(self, ask) -> None:
        answer = ask(
            [
                *run("a", 0, 1, reads=[RAW], writes=["/d/a", "/d/b"]),
                *run("join", 2, 3, reads=["/d/a", "/d/b"], writes=[REPORT]),
                *run("late", 4, 5, reads=[RAW], writes=[REPORT]),
            ]
        )(RAW)
        assert depths(answer) == {"/d/a": 1, "/d/b": 1, REPORT: 1}
        report = next(one for one in answer.consumers if one.title == REPORT)
        assert report.jobs == ("shop/late", "shop/join")
        assert report.job == "shop/late"

    def test_circles_end(self, ask) -> None:
        answer = ask(
            [
                *run("a", 0, 1, reads=["/d/1"], writes=["/d/2"]),
                *run("b", 2, 3, reads=["/d/2"], writes=["/d/3"]),
                *run("c", 4, 5, reads=["/d/3"], writes=["/d/1", "/d/2"]),
            ]
        )("/d/1")
        assert depths(answer) == {"/d/2": 1, "/d/3": 2}

    def test_a_job_that_changes_the_target_itself_depends_on_it_too(self, ask) -> None:
        answer = ask(run("append", 0, 1, reads=[RAW], writes=[RAW]))(RAW)
        assert (only(answer).kind, only(answer).title) == ("job", "shop/append")

    def test_a_job_that_writes_nothing_is_a_consumer(self, ask) -> None:
        answer = ask(run("mail", 0, 1, reads=[RAW]) + run("clean", 2, 3, reads=[RAW], writes=[CLEAN]))(RAW)
        assert [(one.kind, one.title, one.jobs) for one in answer.consumers] == [
            ("file", CLEAN, ("shop/clean",)),
            ("job", "shop/mail", ("shop/mail",)),
        ]

    def test_a_job_that_once_failed_is_no_consumer_beside_what_it_makes(self, ask) -> None:
        events = run("clean", 0, 1, reads=[RAW], writes=[CLEAN]) + run("clean", 5, 6, reads=[RAW], state="FAIL")
        assert depths(ask(events)(RAW)) == {CLEAN: 1}

    def test_only_what_a_run_says_went_into_an_output_leads_there(self, ask) -> None:
        entry = {"type": "DATASET", "namespace": "file", "name": REPORT}
        entry["inputs"] = [{"type": "DATASET", "namespace": "file", "name": CLEAN}]
        facets = {"lineage": {"entries": [entry]}}
        told_of = ask(run("both", 0, 1, reads=[RAW, CLEAN], writes=[REPORT], job_facets=facets))
        assert only(told_of(CLEAN)).title == REPORT
        assert (only(told_of(RAW)).kind, only(told_of(RAW)).title) == ("job", "shop/both")

    def test_a_folder_is_used_through_what_lies_inside_it(self, ask) -> None:
        answer = ask(run("one", 0, 1, reads=["/x/dt=1"], writes=[REPORT]) + run("w", 2, 3, writes=["/x"]))("/x")
        assert (only(answer).title, only(answer).via, only(answer).weak) == (REPORT, "/x/dt=1", ())

    def test_a_part_is_used_through_the_whole_around_it_though_that_is_not_sure(self, ask) -> None:
        answer = ask(run("all", 0, 1, reads=["/x"], writes=[REPORT]) + run("w", 2, 3, writes=["/x/dt=1"]))("/x/dt=1")
        assert (only(answer).title, only(answer).via, only(answer).weak) == (REPORT, "/x", ("whole",))

    def test_no_way_leads_up_to_the_whole_and_down_again_to_another_part(self, ask) -> None:
        told_of = ask(
            [
                *run("w", 0, 1, reads=[RAW], writes=["/x/dt=1"]),
                *run("v", 2, 3, writes=["/x"]),
                *run("other", 4, 5, reads=["/x/dt=2"], writes=[REPORT]),
            ]
        )
        assert not told_of("/x/dt=1").consumers
        assert depths(told_of(RAW)) == {"/x/dt=1": 1}

    def test_a_link_into_a_folder_is_a_use_of_the_folder(self, ask) -> None:
        link = dataset("/link", at=1, digest="a", realpath="/data/x.csv")
        answer = ask(run("w", 0, 0.5, writes=["/data"]) + run("reader", 1, 2, reads=[link], writes=[REPORT]))("/data")
        assert depths(answer) == {REPORT: 1}

    def test_what_is_only_designed_counts_and_is_said_to_be_no_more(self, ask) -> None:
        design = {"eventTime": moment(0), "job": {"namespace": "shop", "name": "plan"}}
        design |= {"inputs": [dataset(RAW)], "outputs": [dataset(REPORT)]}
        view = {"namespace": "v", "name": "view", "facets": {"lineage": {"inputs": [dataset(REPORT)]}}}
        events = [design, {"eventTime": moment(0), "dataset": view}]
        answer = ask(events)(RAW)
        assert depths(answer) == {REPORT: 1, "v/view": 2}
        assert {one.weak for one in answer.consumers} == {("design",)}
        assert {(one.last_use, one.active, one.runs) for one in answer.consumers} == {(None, None, 0)}
        answer = ask(events + run("plan", 1, 2, reads=[RAW], writes=[REPORT]))(RAW)
        assert [one.weak for one in answer.consumers] == [(), ("design",)]

    def test_a_sure_way_beats_a_doubtful_one_however_much_longer_it_is(self, ask) -> None:
        design = {"eventTime": moment(0), "job": {"namespace": "shop", "name": "plan"}}
        design |= {"inputs": [dataset(RAW)], "outputs": [dataset("/d/mid")]}
        events = [design, *run("on", 4, 5, reads=["/d/mid"], writes=["/d/on"])]
        weak = {one.title: (one.depth, one.weak) for one in ask(events)(RAW).consumers}
        assert weak == {"/d/mid": (1, ("design",)), "/d/on": (2, ("design",))}
        events += run("clean", 0, 1, reads=[RAW], writes=[CLEAN]) + run("mid", 2, 3, reads=[CLEAN], writes=["/d/mid"])
        weak = {one.title: (one.depth, one.weak) for one in ask(events)(RAW).consumers}
        assert weak == {CLEAN: (1, ()), "/d/mid": (1, ()), "/d/on": (2, ())}
        events += run("short", 2, 3, reads=[RAW], writes=["/d/mid"])
        weak = {one.title: (one.depth, one.weak) for one in ask(events)(RAW, depth=2).consumers}
        assert weak == {CLEAN: (1, ()), "/d/mid": (1, ()), "/d/on": (2, ())}

    def test_versions_of_a_model_are_one_consumer_wherever_they_lie(self, ask) -> None:
        events = run("train", 0, 1, reads=[RAW], writes=[model("churn", "/m/1.pkl")])
        events += run("train", 2, 3, reads=[RAW], writes=[model("churn", "/m/2.pkl")])
        told_of = ask(events + run("score", 4, 5, reads=["/m/1.pkl"], writes=[REPORT]))
        assert depths(told_of(RAW)) == {"churn": 1, REPORT: 2}
        assert depths(told_of("churn")) == {REPORT: 1}

    def test_a_pattern_asks_for_all_that_fit_and_none_of_them_is_a_consumer(self, ask) -> None:
        events = run("a", 0, 1, reads=["/p/1"], writes=["/p/2"]) + run("b", 2, 3, reads=["/p/2"], writes=[REPORT])
        answer = ask(events)("/p/*")
        assert answer.target == "/p/* (2 datasets)"
        assert depths(answer) == {REPORT: 1, "shop/a": 1}

    def test_one_of_ten_thousand_inputs_is_as_good_as_any(self, ask) -> None:
        reads = [f"/in/{number}" for number in range(10_000)]
        answer = ask(run("many", 0, 1, reads=reads, writes=[REPORT]))("/in/4711")
        assert depths(answer) == {REPORT: 1}

    def test_names_keep_every_byte(self, ask) -> None:
        odd = '/d/new\nline "quoted", \x1b[31m%0A*?[x].csv'
        answer = ask(run("odd", 0, 1, reads=[RAW], writes=[odd]))(RAW)
        assert only(answer).title == odd


class TestScope:
    CHAIN = (
        *run("clean", 0, 1, reads=[RAW], writes=[CLEAN]),
        *run("clean", 9 * DAY, 9 * DAY + 1, reads=[RAW], writes=[CLEAN]),
        *run("report", 2, 3, reads=[CLEAN], writes=[REPORT]),
        *run("train", 9 * DAY + 4, 9 * DAY + 5, reads=[CLEAN], writes=[model("churn", "/m")]),
    )

    def test_depth_ends_the_way(self, ask) -> None:
        assert depths(ask(self.CHAIN)(RAW, depth=1)) == {CLEAN: 1}

    def test_models_are_shown_alone_though_the_way_leads_through_tables(self, ask) -> None:
        answer = ask(self.CHAIN)(RAW, models=True)
        assert (depths(answer), answer.left_out) == ({"churn": 2}, 2)

    def test_since_leaves_out_what_was_not_used_since_then(self, ask) -> None:
        begin = 1_777_593_600_000_000 + 8 * 86_400_000_000
        assert depths(ask(self.CHAIN)(RAW, since=begin)) == {"churn": 2, CLEAN: 1}
        assert not ask(self.CHAIN)(RAW, since=begin + 2 * 86_400_000_000).consumers

    def test_since_ends_the_way_where_nothing_has_gone_it_since(self, ask) -> None:
        """The table is still read, but nothing was put into it since."""
        events = run("clean", 0, 1, reads=[RAW], writes=[CLEAN])
        events += run("report", 9 * DAY, 9 * DAY + 1, reads=[CLEAN], writes=[REPORT])
        assert not ask(events)(RAW, since=1_777_593_600_000_000 + 8 * 86_400_000_000).consumers

    def test_uses_are_counted_and_dated(self, ask) -> None:
        clean = next(one for one in ask(self.CHAIN)(RAW).consumers if one.title == CLEAN)
        first = 1_777_593_600_000_000
        assert (clean.runs, clean.first_use, clean.last_use) == (2, first, first + 9 * 86_400_000_000)


class TestColumns:
    @pytest.fixture
    def told_of(self, ask) -> Ask:
        return ask(
            [
                *run("clean", 0, 1, reads=[RAW], writes=[columns(CLEAN, total=(RAW, "price"), day=(RAW, "date"))]),
                *run("report", 2, 3, reads=[CLEAN], writes=[columns(REPORT, sum=(CLEAN, "total"))]),
                *run("days", 4, 5, reads=[CLEAN], writes=[columns("/d/days", d=(CLEAN, "day"))]),
                *run("plain", 6, 7, reads=["/d/days"], writes=["/d/plain"]),
            ]
        )

    def test_a_column_leads_only_where_it_goes(self, told_of: Ask) -> None:
        assert depths(told_of(RAW, columns=("price",))) == {CLEAN: 1, REPORT: 2}
        assert depths(told_of(CLEAN, columns=("total", "day"))) == {REPORT: 1, "/d/days": 1, "/d/plain": 2}

    def test_a_flow_that_tells_no_columns_passes_all_on_and_is_marked(self, told_of: Ask) -> None:
        answer = told_of(RAW, columns=("date",))
        assert {one.title: one.weak for one in answer.consumers} == {
            CLEAN: (),
            "/d/days": (),
            "/d/plain": ("columns",),
        }

    def test_a_column_that_no_event_names_is_refused_with_the_nearest(self, told_of: Ask) -> None:
        with pytest.raises(UsageError, match="Did you mean price"):
            told_of(RAW, columns=("pice",))
        with pytest.raises(UsageError, match="no event says what is made of it"):
            told_of(RAW, columns=("zzz",))

    def test_where_no_columns_are_known_at_all_everything_may_use_it(self, told_of: Ask) -> None:
        answer = told_of("/d/plain", columns=("x",))
        assert not answer.consumers
        answer = told_of("/d/days", columns=("d",))
        assert only(answer).weak == ("columns",)

    def test_columns_come_back_through_a_circle(self, ask) -> None:
        told_of = ask(
            [
                *run("a", 0, 1, reads=["/1"], writes=[columns("/2", y=("/1", "x"))]),
                *run("b", 2, 3, reads=["/2"], writes=[columns("/1", x2=("/2", "y"))]),
                *run("c", 4, 5, reads=["/1"], writes=[columns("/3", z=("/1", "x2"))]),
            ]
        )
        assert depths(told_of("/1", columns=("x",))) == {"/2": 1, "/3": 3, "shop/b": 2}


def period(number: int, raw: str, clean: str | None = None) -> list[Event]:
    """A day on which the raw file held `raw`, and what was made of it."""
    at, clean = number * DAY, clean or str(number)
    return [
        *run("load", at, at + 5, writes=[dataset(RAW, "output", at=at + 4, digest=raw)]),
        *run(
            "clean",
            at + 10,
            at + 15,
            reads=[dataset(RAW, at=at + 11, digest=raw)],
            writes=[dataset(CLEAN, "output", at=at + 14, digest=clean)],
        ),
        *run(
            "train",
            at + 20,
            at + 30,
            reads=[dataset(CLEAN, at=at + 21, digest=clean)],
            writes=[model("churn", "/m/churn.pkl", at=at + 29, digest=f"e{number}")],
        ),
    ]


class TestByContent:
    def test_bytes_reach_only_what_was_made_of_them(self, ask) -> None:
        told_of = ask(period(1, "a") + period(2, "b"))
        answer = told_of(f"{RAW}@{digest('a')}")
        assert depths(answer) == {"churn": 2, CLEAN: 1}
        assert (answer.by, answer.runs, answer.versions) == ("content", 2, (digest("a"),))
        assert {one.last_use for one in answer.consumers} < {one.last_use for one in told_of(RAW).consumers} | {
            one.last_use for one in answer.consumers
        }
        assert max(one.last_use or 0 for one in answer.consumers) < min(
            one.last_use or 0 for one in told_of(RAW).consumers
        )

    def test_content_that_returned_reaches_both_times_and_not_the_time_between(self, ask) -> None:
        told_of = ask(period(1, "a") + period(2, "b") + period(3, "a"))
        answer = told_of(RAW, version=digest("a"))
        assert (answer.runs, [one.runs for one in answer.consumers]) == (4, [2, 2])
        between = told_of(RAW, version=digest("b"))
        assert (between.runs, [one.runs for one in between.consumers]) == (2, [1, 1])

    def test_equal_bytes_made_of_others_are_no_way_on(self, ask) -> None:
        """What is made is equal on both days; whoever read it on the second day did not read the first day's."""
        answer = ask(period(1, "a", clean="c") + period(2, "b", clean="c"))(RAW, version=digest("a"))
        assert (answer.runs, [one.runs for one in answer.consumers]) == (2, [1, 1])

    def test_bytes_go_only_into_what_a_run_says_that_they_went_into(self, ask) -> None:
        entry = {"type": "DATASET", "namespace": "file", "name": REPORT}
        entry["inputs"] = [{"type": "DATASET", "namespace": "file", "name": RAW}]
        job = {"lineage": {"entries": [entry]}}
        reads = [dataset(RAW, at=1, digest="a"), dataset(CLEAN, at=1, digest="b")]
        told_of = ask(run("both", 0, 9, reads=reads, writes=[REPORT, "/d/other"], job_facets=job))
        assert depths(told_of(RAW, version=digest("a"))) == {REPORT: 1}
        assert depths(told_of(CLEAN, version=digest("b"))) == {"shop/both": 1}

    @pytest.mark.parametrize("target", [digest("a")[7:27], digest("a"), f"raw.csv@{'a' * 8}", f"{RAW}@1"])
    def test_bytes_are_named_in_many_ways(self, ask, target: str) -> None:
        assert depths(ask(period(1, "a") + period(2, "b"))(target)) == {"churn": 2, CLEAN: 1}

    def test_a_version_of_a_model_is_used_by_those_who_read_it(self, ask) -> None:
        score = run("score", 2 * DAY, 2 * DAY + 1, reads=[dataset("/m/churn.pkl", at=2 * DAY, digest="e1")])
        told_of = ask(period(1, "a") + score)
        assert only(told_of("churn@1")).title == "shop/score"
        assert told_of("churn@1").target == "churn@1"
        assert only(told_of("churn", version="1")).title == "shop/score"

    def test_a_pin_is_a_version_too(self, ask) -> None:
        reads = [dataset("t", namespace="delta", version="12")]
        told_of = ask(
            run("w", 0, 1, reads=reads, writes=[REPORT])
            + run("v", 2, 3, reads=[dataset("t", namespace="delta", version="13")])
        )
        answer = told_of("delta:t@v12")
        assert (answer.by, depths(answer)) == ("pin", {REPORT: 1})
        assert only(answer).identity == "pin"
        assert answer.coverage.pin == 1

    def test_what_a_run_made_is_asked_for_by_the_run(self, ask) -> None:
        told_of = ask(period(1, "a") + period(2, "b"))
        answer = told_of(run_id("load", DAY))
        assert (answer.by, answer.runs, depths(answer)) == ("run", 2, {"churn": 2, CLEAN: 1})

    def test_a_reader_without_a_digest_is_bound_by_run_times_and_weak(self, ask) -> None:
        weak = run("peek", DAY + 40, DAY + 41, reads=[RAW], writes=[REPORT])
        answer = ask(period(1, "a") + weak)(RAW, version=digest("a"))
        assert {one.title: one.weak for one in answer.consumers} == {"churn": (), CLEAN: (), REPORT: ("time",)}
        assert answer.coverage.weak == 1

    def test_doubt_goes_on_to_what_is_made_of_the_doubtful_and_not_where_another_way_is_sure(self, ask) -> None:
        events = [
            *period(1, "a"),
            *run(
                "peek", DAY + 40, DAY + 41, reads=[RAW], writes=[dataset("/d/p", "output", at=DAY + 40.5, digest="5")]
            ),
            *run("on", DAY + 42, DAY + 43, reads=[dataset("/d/p", at=DAY + 42, digest="5")], writes=["/d/on"]),
            *run(
                "both",
                DAY + 44,
                DAY + 45,
                reads=[dataset("/d/p", at=DAY + 44, digest="5"), dataset(CLEAN, at=DAY + 44, digest="1")],
                writes=["/d/both"],
            ),
        ]
        weak = {one.title: one.weak for one in ask(events)(RAW, version=digest("a")).consumers}
        assert (weak["/d/p"], weak["/d/on"], weak["/d/both"]) == (("time",), ("time",), ())

    def test_runs_that_read_it_without_a_digest_may_have_read_these_bytes(self, ask) -> None:
        events = run("a", 0, 1, reads=[dataset(RAW, at=0, digest="a")]) + run("b", 2, 3, reads=[RAW])
        answer = ask(events)(RAW, Settings(complete=True), version=digest("a"))
        assert (only(answer).title, answer.unknown_reads) == ("shop/a", 1)

    def test_a_run_that_is_bound_to_another_writer_did_not_read_these_bytes(self, ask) -> None:
        peek = run("peek", 2 * DAY + 40, 2 * DAY + 41, reads=[RAW], writes=[REPORT])
        answer = ask(period(1, "a") + period(2, "b") + peek)(RAW, version=digest("a"))
        assert (answer.unknown_reads, depths(answer)) == (0, {"churn": 2, CLEAN: 1})

    def test_of_a_part_that_was_written_alone_its_readers_are_sure(self, ask) -> None:
        part = {"path": "dt=1/f", "digest": digest("7"), "evidence": "1:1:1:1:1", "bytes": 1000}
        other = {"path": "dt=2/f", "digest": digest("8"), "evidence": "2:1:1:1:1", "bytes": 1000}
        events = [
            *run("w", 0, 5, writes=[dataset("/x", "output", at=4, digest="71", parts=[part])]),
            *run("v", 10, 15, writes=[dataset("/x", "output", at=14, digest="81", parts=[other])]),
            *run("r", 20, 25, reads=[dataset("/x", at=21, digest="72", parts=[part, other])], writes=[REPORT]),
            *run("q", 26, 27, reads=[dataset("/x", at=26, digest="81", parts=[other])], writes=["/d/other"]),
        ]
        answer = ask(events)(digest("7"))
        assert {one.title: one.weak for one in answer.consumers} == {REPORT: ()}

    def test_of_one_of_many_parts_that_were_written_together_it_is_not_sure_who_read_it(self, ask) -> None:
        parts = [
            {"path": f"dt={n}/f", "digest": digest(f"{n}"), "evidence": f"{n}:1:1:1:1", "bytes": 1000} for n in (7, 8)
        ]
        events = [
            *run("w", 0, 5, writes=[dataset("/x", "output", at=4, digest="78", parts=parts)]),
            *run("r", 20, 25, reads=[dataset("/x", at=21, digest="79", parts=parts[1:])], writes=[REPORT]),
        ]
        assert only(ask(events)(digest("7"))).weak == ("parts",)

    def test_since_shows_recent_uses_of_old_bytes(self, ask) -> None:
        late = run("late", 20 * DAY, 20 * DAY + 1, reads=[dataset(CLEAN, at=20 * DAY, digest="1")], writes=[REPORT])
        since = 1_777_593_600_000_000 + 10 * 86_400_000_000
        answer = ask(period(1, "a") + late)(RAW, version=digest("a"), since=since)
        assert (depths(answer), answer.left_out) == ({REPORT: 2}, 2)

    def test_a_version_of_a_version_is_refused(self, ask) -> None:
        with pytest.raises(UsageError, match="expected a dataset or model"):
            ask(period(1, "a"))(f"{RAW}@1", version="aaaaaa")


class TestNobody:
    def test_nobody_is_never_said_of_what_was_not_declared_complete(self, ask) -> None:
        told_of = ask(run("w", 0, 1, writes=[RAW]))
        answer = told_of(RAW)
        assert (answer.consumers, answer.is_nobody, answer.last_read) == ((), False, None)
        assert answer.last_write is not None
        assert answer.coverage.begins is not None
        assert told_of(RAW, Settings(complete=True)).is_nobody

    def test_nobody_is_not_said_of_bytes_that_a_run_without_digests_may_have_read(self, ask) -> None:
        events = run("a", 0, 1, writes=[dataset("/x/f", "output", at=0, digest="7")]) + run("b", 2, 3, reads=["/x"])
        told_of = ask(events + run("c", -9, -8, reads=["/x"]))
        answer = told_of(digest("7"), Settings(complete=True))
        assert (only(answer).title, only(answer).weak) == ("shop/b", ("time",))
        events = run(
            "s", 0, 1, reads=[dataset(RAW, at=0, digest="7")], writes=[dataset(RAW, "output", at=0.5, digest="8")]
        )
        answer = ask(events + run("c", -9, -8, reads=[RAW]))(digest("8"), Settings(complete=True))
        assert (answer.consumers, answer.unknown_reads, answer.is_nobody) == ((), 1, False)

    def test_nobody_is_not_said_of_bytes_in_a_folder_that_was_read_whole(self, ask) -> None:
        events = run(
            "s", 0, 1, reads=[dataset("/x/f", at=0, digest="7")], writes=[dataset("/x/f", "output", at=0.5, digest="8")]
        )
        answer = ask(events + run("c", -9, -8, reads=[dataset("/x", at=-9, digest="9")]))(
            digest("8"), Settings(complete=True)
        )
        assert (answer.consumers, answer.unknown_reads, answer.is_nobody) == ((), 1, False)

    def test_what_was_never_recorded_is_not_found(self, ask) -> None:
        with pytest.raises(NotFoundError):
            ask([])(RAW)
        with pytest.raises(NotFoundError, match=CLEAN):
            ask(run("w", 0, 1, writes=[CLEAN]))("/d/claen.csv")


class TestPeople:
    def test_owners_are_those_of_the_thing_of_its_job_and_of_the_settings(self, ask) -> None:
        owned = dataset(CLEAN, "output", facets={"ownership": {"owners": [{"name": "team:ann"}]}})
        events = run(
            "clean", 0, 1, reads=[RAW], writes=[owned], job_facets={"ownership": {"owners": [{"name": "bob"}]}}
        )
        settings = Settings(owners={"/d/**": "data@x", "shop/*": "shop@x", "**": "all@x"})
        answer = ask(events)(RAW, settings)
        assert only(answer).owners == ("bob", "data@x", "shop@x", "team:ann")
        assert answer.owners == ("data@x",)

    @pytest.mark.parametrize(
        ("pattern", "title", "fits"),
        [
            ("/data/crm/**", "/data/crm/a/b.csv", True),
            ("/data/crm/**", "/data/crm", True),
            ("/data/crm/**", "/data/crmx/a", False),
            ("/data/*", "/data/a/b", False),
            ("*.csv", "a.csv", True),
            ("s3://raw/?", "s3://raw/a", True),
            ("a[b]", "a[b]", True),
            ("**", "any\nthing", True),
        ],
    )
    def test_patterns_of_owners_cover_what_they_say(self, pattern: str, title: str, fits: bool) -> None:
        assert owners_in({pattern: "ann"}, title) == ["ann"] * fits

    def test_a_job_is_active_by_its_own_cadence_at_the_newest_event(self, ask) -> None:
        weekly = [
            event
            for week in range(4)
            for event in run("weekly", week * 7 * DAY, reads=[RAW], end=week * 7 * DAY + 1, writes=["/d/w"])
        ]
        daily = [
            event for day in range(4) for event in run("daily", day * DAY, day * DAY + 1, reads=[RAW], writes=["/d/d"])
        ]
        once = run("once", 0, 1, reads=[RAW], writes=["/d/o"])
        newest = run("other", 30 * DAY, 30 * DAY + 1)
        answer = ask(weekly + daily + once + newest)(RAW)
        assert {one.title: one.active for one in answer.consumers} == {"/d/w": True, "/d/d": False, "/d/o": None}

    def test_two_days_of_silence_end_nothing(self) -> None:
        day = 86_400_000_000
        hourly = Flow(1, 1, 1, False, 0, day, 25)
        assert is_active(hourly, 3 * day) is True
        assert is_active(hourly, 3 * day + 1) is False
        assert is_active(None, day) is None

    @pytest.mark.parametrize(
        ("namespace", "name", "kind", "expected"),
        [
            ("file", "/a", "", "file"),
            ("s3://b", "a", "", "file"),
            ("postgres://h", "a.b", "", "table"),
            ("s3://b", "a", "TABLE", "table"),
            ("x", "a", "FILE", "file"),
            ("file", "/a", "MODEL", "model"),
        ],
    )
    def test_things_are_called_what_people_call_them(self, namespace: str, name: str, kind: str, expected: str) -> None:
        assert kind_of(Dataset(1, namespace, name, kind), False) == expected


class TestShapes:
    def test_the_graph_holds_what_leads_from_the_target_and_nothing_else(self, ask) -> None:
        answer = ask(
            period(1, "a") + run("mail", 99, 100, reads=[CLEAN]) + run("else", 1, 2, reads=["/y"], writes=["/z"])
        )(RAW)
        graph = answer.graph
        assert set(graph.edges) == {(RAW, CLEAN), (CLEAN, "churn"), (CLEAN, "shop/mail")}
        assert graph.nodes["churn"] == {"kind": "model", "depth": 2}
        assert graph.edges[RAW, CLEAN]["job"] == "shop/clean"

    def test_parts_hang_on_their_whole_in_the_graph(self, ask) -> None:
        told_of = ask(run("one", 0, 1, reads=["/x/dt=1"], writes=[REPORT]) + run("w", 2, 3, writes=["/x", "/xx"]))
        assert set(told_of("/x").graph.edges) == {("/x", "/x/dt=1"), ("/x/dt=1", REPORT)}
        assert set(told_of("/x*").graph.edges) == {
            ("/x* (3 datasets)", "/x/dt=1"),
            ("/x/dt=1", REPORT),
        }

    def test_a_job_that_only_changes_the_target_is_in_the_graph(self, ask) -> None:
        answer = ask(run("append", 0, 1, reads=[RAW], writes=[RAW]))(RAW)
        assert set(answer.graph.edges) == {(RAW, "shop/append")}

    def test_of_bytes_the_graph_begins_with_these_and_the_dataset_may_come_again(self, ask) -> None:
        events = run(
            "append", 0, 5, reads=[dataset(RAW, at=1, digest="a")], writes=[dataset(RAW, "output", at=4, digest="b")]
        )
        events += run(
            "append",
            10,
            15,
            reads=[dataset(RAW, at=11, digest="b")],
            writes=[dataset(RAW, "output", at=14, digest="c")],
        )
        answer = ask(events)(RAW, version=digest("a"))
        assert set(answer.graph.edges) == {(f"{RAW}@{digest('a')}", RAW), (RAW, RAW)}

    def test_json_tells_all_of_it(self, ask) -> None:
        told_of = json.loads(json.dumps(ask(period(1, "a"))(RAW).to_json()))
        assert told_of["counts"] == {"model": 1, "file": 1}
        assert told_of["nobody"] is False
        assert told_of["links"] == [[RAW, CLEAN, "shop/clean"], [CLEAN, "churn", "shop/train"]]
        assert told_of["consumers"][0] == {
            "kind": "model",
            "title": "churn",
            "jobs": ["shop/train"],
            "depth": 2,
            "via": CLEAN,
            "last_use": 1_777_681_200_000_000,
            "first_use": 1_777_681_200_000_000,
            "runs": 1,
            "owners": [],
            "active": True,
            "identity": "content",
            "weak": [],
            "versions": [],
        }


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happened_every_question_has_an_answer_with_all_direct_uses(tmp_path: Path, seed: int) -> None:
    with told(tmp_path, World(seed).events(25)) as (_, index):
        db = index.database
        jobs = dict(db.rows("SELECT id, namespace || '/' || name FROM job"))
        for number, one in query.datasets(db, [number for (number,) in db.rows("SELECT class FROM name")]).items():
            answer = impact(db, f"{one.namespace}:{one.name}")
            json.dumps(answer.to_json())
            readers = {jobs[flow.job] for flow in walk.flows_from(db, [number]) if flow.job}
            assert readers <= {job for found in answer.consumers for job in found.jobs}
            assert {found.title for found in answer.consumers} <= set(answer.graph) - {answer.root}
        for snap in query.snapshots(db, [number for (number,) in db.rows("SELECT id FROM snapshot")]).values():
            name = query.datasets(db, [snap.dataset])[snap.dataset]
            answer = impact(db, f"{name.namespace}:{name.name}", scope=Scope(version=snap.text))
            readers = {read.run for read in walk.reads_from(db, snap.dataset) if read.snap == snap.id}
            assert len(readers) <= answer.runs
            assert bool(readers) <= bool(answer.consumers)
        for (key,) in db.rows("SELECT uuid FROM run WHERE state > 0"):
            json.dumps(impact(db, run_text(key)).to_json())
