# SPDX-License-Identifier: Apache-2.0
"""Which runs and bytes a trace finds, and how sure it says it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.graph.details import Detail
from lineagekit.graph.outline import Branch, More, Outline, Writing
from lineagekit.graph.paths import find_paths
from lineagekit.graph.trace import Trace, trace
from lineagekit.graph.ways import find_ways
from tests.graph.stories import Event, Story, data, digest

RAW, CLEAN, MODEL = "/d/raw.csv", "/d/clean.csv", "/d/model.bin"


def jobs(found: Trace) -> list[str]:
    return [step.run.job for step in found.steps]


def ids(found: Trace) -> set[str]:
    return {step.run.run for step in found.steps}


def items(found: Trace, *, most: int = 20) -> list[Writing | Branch | More]:
    return list(Outline(found, most=most).items(found.root))


def origins(found: Trace, job: str) -> list[tuple[str, str, int]]:
    """Who wrote what a job read: job, how, parts."""
    (step,) = [step for step in found.steps if step.run.job == job]
    return [
        (found.runs[origin.run].job if origin.run else "", origin.how, origin.parts)
        for one in step.inputs
        for origin in one.origins
    ]


def days(count: int) -> Story:
    """Each day raw data are cleaned, and a model is trained."""
    story = Story()
    for day in range(count):
        story.run("clean", [data(RAW, f"raw{day}")], [data(CLEAN, f"clean{day}")])
        story.run("train", [data(CLEAN, f"clean{day}")], [data(MODEL, f"model{day}", model=("churn", str(day + 1)))])
    return story


@contextmanager
def windows(folder: Path) -> Iterator[Trace]:
    """A model of four parts of a set, of which three were written by a run each."""
    story = Story()
    for day in range(5):
        story.run("ingest", [data(RAW, f"raw{day}")], [data("/set", parts={f"dt={day}": f"part{day}"})])
    parts = {f"dt={day}": f"part{day}" for day in (2, 3, 4)} | {"dt=9": "whose?"}
    story.run("train", [data("/set", parts=parts)], [data(MODEL, "m", model=("churn", "1"))])
    with story.told(folder) as (db, store):
        yield trace(db, store, "churn")


@contextmanager
def chain(folder: Path, length: int) -> Iterator[Trace]:
    """A job that adds to what it made the day before."""
    story = Story()
    for day in range(length):
        story.run("clean", [data(RAW, f"raw{day}")], [data(CLEAN, f"clean{day}")])
        own = [data("/d/sum", f"sum{day - 1}")] if day else []
        story.run("rollup", [data(CLEAN, f"clean{day}"), *own], [data("/d/sum", f"sum{day}")])
    with story.told(folder) as (db, store):
        yield trace(db, store, "/d/sum")


def metrics(*told: tuple[str, float, str]) -> Event:
    return {"lineagekit_metrics": {"metrics": [dict(zip(("name", "value", "of"), one, strict=True)) for one in told]}}


@contextmanager
def split(folder: Path, flows: list[tuple[str, str]]) -> Iterator[Trace]:
    """A run of two inputs and two outputs, both of which the next one reads."""
    story = Story()
    outputs = [data("/d/x", "x"), data("/d/y", "y")]
    more = {"flows": flows} if flows else {}
    story.run("split", [data("/d/a", "a"), data("/d/b", "b")], outputs, **more)
    story.run("join", outputs, [data("/d/end", "end")])
    with story.told(folder) as (db, store):
        yield trace(db, store, "/d/end")


class TestWhatIsFound:
    def test_a_model_is_traced_from_its_newest_build_to_the_bytes_that_went_in(self, tmp_path: Path) -> None:
        story = days(3)
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "churn")
        assert ids(found) == {story.runs[4], story.runs[5]}
        assert (found.root.number, found.root.nth, found.root.of) == ("3", 3, 3)
        assert [version.text for version in found.sources] == [digest("raw2")]
        assert found.coverage.summary == "2 inputs: 2 by content"

    def test_an_older_build_is_traced_to_the_runs_of_its_day(self, tmp_path: Path) -> None:
        story = days(3)
        with story.told(tmp_path) as (db, store):
            assert ids(trace(db, store, "churn@1")) == set(story.runs[:2])
            assert ids(trace(db, store, f"{CLEAN}@{digest('clean1')[7:19]}")) == {story.runs[2]}

    def test_a_newer_build_that_failed_is_not_the_newest(self, tmp_path: Path) -> None:
        story = days(2)
        story.run("train", [data(CLEAN, "clean1")], [data(MODEL, "half", model=("churn", "3"))], state="FAIL")
        with story.told(tmp_path) as (db, store):
            assert (trace(db, store, "churn").root.number, trace(db, store, MODEL).root.version) == (
                "2",
                trace(db, store, "churn@2").root.version,
            )

    def test_content_that_came_back_is_traced_to_the_run_that_wrote_it_then(self, tmp_path: Path) -> None:
        story = Story()
        first = story.run("clean", [data(RAW, "a")], [data(CLEAN, "same", evidence="1:1")])
        early = story.run("early", [data(CLEAN, "same", evidence="1:1")], [data("/d/early", "e")])
        story.run("clean", [data(RAW, "b")], [data(CLEAN, "other", evidence="2:2")])
        again = story.run("clean", [data(RAW, "c")], [data(CLEAN, "same", evidence="3:3")])
        late = story.run("late", [data(CLEAN, "same", evidence="3:3")], [data("/d/late", "l")])
        with story.told(tmp_path, shuffled=7) as (db, store):
            assert ids(trace(db, store, "/d/early")) == {first, early}
            assert ids(trace(db, store, "/d/late")) == {again, late}
            assert trace(db, store, f"{CLEAN}@{digest('same')[7:]}").root.of == 2

    def test_only_what_went_into_the_output_is_followed(self, tmp_path: Path) -> None:
        story = Story()
        story.run("a", [], [data("/d/a", "a")])
        story.run("b", [], [data("/d/b", "b")])
        reads, writes = [data("/d/a", "a"), data("/d/b", "b")], [data("/d/x", "x"), data("/d/y", "y")]
        story.run("split", reads, writes, flows=[("/d/a", "/d/x"), ("/d/b", "/d/y")])
        with story.told(tmp_path) as (db, store):
            assert jobs(trace(db, store, "/d/x")) == ["split", "a"]
            assert jobs(trace(db, store, "/d/y")) == ["split", "b"]
            assert jobs(trace(db, store, "split")) == ["split", "b", "a"]
            below = [item.title for item in items(trace(db, store, "/d/x")) if isinstance(item, Branch)]
        assert below == ["/d/a"]

    def test_what_a_link_led_to_is_read_once(self, tmp_path: Path) -> None:
        story = Story()
        story.run("make", [], [data("/real/x", "x")])
        story.run("use", [data("/link/x", "x", realpath="/real/x")], [data("/d/y", "y")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/y")
        assert origins(found, "use") == [("make", "digest", 0)]
        assert found.steps[0].inputs[0].origins[0].via == "/real/x"

    def test_metrics_are_those_of_this_version_whoever_reported_them(self, tmp_path: Path) -> None:
        story = Story()
        for day in (1, 2):
            model = data(MODEL, f"model{day}", model=("churn", str(day)))
            story.run("train", [data(RAW, f"raw{day}")], [model], facets=metrics(("loss", day, "churn")))
            other = data("/d/other.bin", "other", model=("other", "1"))
            grades = metrics(("auc", day / 10, MODEL), ("auc", 0.99, "/d/other.bin"))
            story.run("grade", [data(MODEL, f"model{day}", kind="MODEL"), other], facets=grades)
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "churn@1").root.metrics
        assert [(one.name, one.value) for one in found] == [("loss", 1), ("auc", 0.1)]

    def test_a_run_that_reads_what_it_writes_does_not_go_round(self, tmp_path: Path) -> None:
        story = Story()
        story.run("touch", [data("/d/a", "a")], [data("/d/a", "a")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/a")
            assert origins(found, "touch") == [("", "nobody", 0)]
            assert find_paths(db, store, "/d/a", "/d/a").total == 1

    def test_runs_that_say_they_read_one_another_come_to_an_end(self, tmp_path: Path) -> None:
        story = Story()
        hen, egg = data("/d/hen", pin="v1"), data("/d/egg", pin="v2")
        story.run("hatch", [egg], [hen])
        story.run("lay", [hen], [egg])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/hen")
            assert ids(found) == set(story.runs)
            assert [type(item).__name__ for item in items(found)] == ["Writing", "Branch", "Writing", "Branch"]
            assert find_paths(db, store, "/d/hen", "/d/egg").by == "run"

    def test_the_order_of_arrival_changes_nothing(self, tmp_path: Path) -> None:
        told = []
        for turn in (0, 1, 2):
            with days(4).told(tmp_path / str(turn), shuffled=turn) as (db, store):
                found = trace(db, store, "churn")
                told.append((found.to_json(), list(found.nodes), [edge.source.key for edge in found.edges]))
        assert told[0] == told[1] == told[2]


class TestWhereToBegin:
    def test_of_a_source_its_versions_and_readers_are_told(self, tmp_path: Path) -> None:
        with days(3).told(tmp_path) as (db, store):
            found = trace(db, store, RAW)
            source = found.root.source
            assert found.steps == ()
            assert source is not None
            assert [one.version.text for one in source.versions] == [digest(f"raw{day}") for day in (2, 1, 0)]
            assert [(reader.job, reader.runs) for reader in source.readers] == [("clean", 3)]
            one = trace(db, store, f"{RAW}@{digest('raw1')[7:]}").root.source
        assert one is not None
        assert [(reader.job, reader.runs) for reader in one.readers] == [("clean", 1)]

    def test_of_very_many_versions_of_a_source_the_newest_are_told_and_all_are_counted(self, tmp_path: Path) -> None:
        with days(120).told(tmp_path) as (db, store):
            source = trace(db, store, RAW).root.source
        assert source is not None
        assert (len(source.versions), source.total) == (100, 120)
        assert source.versions[0].version.text == digest("raw119")
        assert source.since is not None
        assert source.since < source.versions[-1].first

    def test_a_copy_is_traced_to_what_it_is_a_copy_of(self, tmp_path: Path) -> None:
        story = days(1)
        story.run("report", [data("/elsewhere/model.bin", "model0")], [data("/d/report", "r")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/elsewhere/model.bin")
            assert (found.root.as_read, jobs(found)) == (True, ["train", "clean"])
            assert origins(trace(db, store, "/d/report"), "report") == [("train", "copy", 0)]

    def test_a_folder_that_nobody_wrote_as_such_is_traced_by_what_is_in_it(self, tmp_path: Path) -> None:
        story = Story()
        for name in "abc":
            story.run(f"make-{name}", [], [data(f"/set/{name}", name)])
        story.run("list", [data("/set")], [data("/d/list", "l")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/set")
            assert sorted(jobs(found)) == ["make-a", "make-b", "make-c"]
            assert {how for _, how, _ in origins(trace(db, store, "/d/list"), "list")} == {"times"}

    def test_a_folder_that_was_read_before_it_was_filled_is_traced_by_what_is_in_it(self, tmp_path: Path) -> None:
        story = Story()
        story.run("early", [data("/set")], [])
        story.run("make-a", [], [data("/set/a", "a")])
        story.run("make-b", [], [data("/set/b", "b")])
        with story.told(tmp_path) as (db, store):
            assert sorted(jobs(trace(db, store, "/set"))) == ["make-a", "make-b"]

    def test_all_that_fits_a_pattern_is_traced(self, tmp_path: Path) -> None:
        with days(2).told(tmp_path) as (db, store):
            titles = [root.version.dataset.title for root in trace(db, store, "/d/*").roots if root.version]
        assert sorted(titles) == [CLEAN, MODEL, RAW]

    def test_what_nobody_recorded_is_not_found(self, tmp_path: Path) -> None:
        with days(1).told(tmp_path) as (db, store), pytest.raises(NotFoundError, match="Did you mean churn"):
            trace(db, store, "chrun")
        with Story().told(tmp_path / "empty") as (db, store), pytest.raises(NotFoundError):
            trace(db, store, "churn")

    def test_a_depth_below_one_is_refused(self, tmp_path: Path) -> None:
        with days(1).told(tmp_path) as (db, store), pytest.raises(UsageError, match="expected 1 or more"):
            trace(db, store, "churn", depth=0)


class TestHowSure:
    def test_evidence_digest_times_and_nobody_are_told_apart(self, tmp_path: Path) -> None:
        story = Story()
        story.run("e", [], [data("/d/e", "e", evidence="1")])
        story.run("d", [], [data("/d/d", "d")])
        story.run("t", [], [data("/d/t")])
        reads = [data("/d/e", "e", evidence="1"), data("/d/d", "d"), data("/d/t"), data("/d/n", "n")]
        story.run("join", reads, [data("/d/x", "x")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/x")
        assert origins(found, "join") == [
            ("d", "digest", 0),
            ("e", "evidence", 0),
            ("", "nobody", 0),
            ("t", "times", 0),
        ]
        assert (found.coverage.weak, found.coverage.name, found.coverage.unknown) == (1, 1, ("/d/t",))

    def test_pins_stand_where_there_is_no_digest_and_beside_one(self, tmp_path: Path) -> None:
        story = Story()
        story.run("load", [], [data("orders", namespace="pg", pin="12")])
        story.run("use", [data("orders", namespace="pg", pin="12"), data(RAW, "raw", pin="7")], [data("/d/x", "x")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/x")
        versions = {one.version.dataset.title: one.version for one in found.steps[0].inputs}
        assert (versions["pg/orders"].identity, versions["pg/orders"].short) == ("pin", "12")
        assert (versions[RAW].identity, versions[RAW].pin) == ("content", "7")

    def test_parts_are_traced_to_the_runs_that_wrote_them(self, tmp_path: Path) -> None:
        with windows(tmp_path) as found:
            assert origins(found, "train") == [("ingest", "digest", 1)] * 3 + [("", "nobody", 1)]
            branch = next(item for item in items(found) if isinstance(item, Branch))
            assert (branch.parts, branch.unwritten, [len(one.runs) for one in branch.writings.values()]) == (4, 1, [3])


class TestDetails:
    @pytest.mark.parametrize(
        ("facets", "job_facets", "expected"),
        [
            ({}, {}, Detail()),
            (
                {"executionParameters": {"parameters": [{"key": "rate", "value": 0.5}, {"value": 1}, "seed"]}},
                {"sourceCodeLocation": {"version": "abc", "repoUrl": "git@x", "path": "a.py"}},
                Detail("abc", repository="git@x", entry="a.py", params={"rate": "0.5"}),
            ),
            (
                {"lineagekit_code": {"modules": [{"name": "__main__", "digests": ["ast1:ab", "sha256:cd"]}]}},
                {},
                Detail(digest="ast1:ab"),
            ),
            (
                {"lineagekit_code": [1], "lineagekit_params": {"params": "no"}, "executionParameters": None},
                {"sourceCodeLocation": "no"},
                Detail(),
            ),
        ],
    )
    def test_code_and_parameters_are_read_from_whoever_sent_them(
        self, tmp_path: Path, facets: Event, job_facets: Event, expected: Detail
    ) -> None:
        story = Story()
        story.run("job", [], [data("/d/x", "x")], facets=facets, job_facets=job_facets)
        with story.told(tmp_path) as (db, store):
            assert trace(db, store, "/d/x").steps[0].detail == expected
            assert trace(db, store, "/d/x", details=False).steps[0].detail is None


class TestDepth:
    def test_runs_behind_the_depth_are_named_and_not_followed(self, tmp_path: Path) -> None:
        story = days(2)
        with story.told(tmp_path) as (db, store):
            one, two = (trace(db, store, "churn", depth=depth) for depth in (1, 2))
        assert (ids(one), [run.run for run in one.beyond]) == ({story.runs[3]}, [story.runs[2]])
        assert (ids(two), two.beyond) == (set(story.runs[2:]), ())
        assert [item.is_beyond for item in items(one) if isinstance(item, Writing)] == [False, True]


class TestTree:
    def test_what_two_branches_share_is_shown_once(self, tmp_path: Path) -> None:
        story = Story()
        story.run("clean", [data(RAW, "r")], [data(CLEAN, "c")])
        for name in "ab":
            story.run(name, [data(CLEAN, "c")], [data(f"/d/{name}", name)])
        story.run("join", [data("/d/a", "a"), data("/d/b", "b")], [data("/d/x", "x")])
        with story.told(tmp_path) as (db, store):
            told = items(trace(db, store, "/d/x"))
        assert [item.job[1] for item in told if isinstance(item, Writing)] == ["join", "a", "clean", "b"]
        assert [item.title for item in told if isinstance(item, Branch) and item.is_above] == [CLEAN]

    def test_a_run_of_several_outputs_is_shown_once(self, tmp_path: Path) -> None:
        with split(tmp_path, []) as found:
            told = [item.title for item in items(found) if isinstance(item, Branch) and not item.is_above]
            above = [item.title for item in items(found) if isinstance(item, Branch) and item.is_above]
        assert (told, above) == (["/d/x", "/d/a", "/d/b"], ["/d/y"])

    def test_below_each_output_stands_what_went_into_it(self, tmp_path: Path) -> None:
        with split(tmp_path, [("/d/a", "/d/x"), ("/d/b", "/d/y")]) as found:
            told = [item.title for item in items(found) if isinstance(item, Branch)]
        assert told == ["/d/x", "/d/a", "/d/y", "/d/b"]

    def test_a_chain_of_a_job_with_itself_is_folded(self, tmp_path: Path) -> None:
        with chain(tmp_path, 300) as found:
            told = [item for item in items(found) if isinstance(item, Writing)]
        assert [(item.job[1], len(item.runs)) for item in told] == [
            ("rollup", 1),
            ("clean", 1),
            ("rollup", 299),
            ("clean", 299),
        ]
        assert told[2].folded == {("shop", "rollup"): 299}

    def test_jobs_that_go_round_by_way_of_one_another_are_folded(self, tmp_path: Path) -> None:
        story = Story()
        for day in range(50):
            story.run("rank", [data("/d/clicks", f"clicks{day - 1}")] if day else [], [data("/d/ranks", f"ranks{day}")])
            story.run("serve", [data("/d/ranks", f"ranks{day}")], [data("/d/clicks", f"clicks{day}")])
        with story.told(tmp_path) as (db, store):
            told = [item for item in items(trace(db, store, "/d/clicks")) if isinstance(item, Writing)]
        assert [(item.job[1], len(item.runs)) for item in told] == [("serve", 1), ("rank", 1), ("serve", 98)]
        assert told[2].folded == {("shop", "serve"): 49, ("shop", "rank"): 49}

    def test_of_very_many_inputs_some_are_shown_and_the_rest_is_counted(self, tmp_path: Path) -> None:
        story = Story()
        story.run("clean", [data(RAW, "r")], [data(CLEAN, "c")])
        reads = [data(f"/in/{number:05}", f"{number}") for number in range(10_000)]
        story.run("pack", [*reads, data(CLEAN, "c")], [data("/d/pack", "p")])
        with story.told(tmp_path) as (db, store):
            told = items(trace(db, store, "/d/pack"))
        titles = [item.title for item in told if isinstance(item, Branch)]
        assert len(titles) == 21
        assert titles[-2:] == [CLEAN, RAW]
        assert [(one.inputs, one.unwritten, one.runs) for one in told if isinstance(one, More)] == [(9981, 9981, 0)]

    def test_a_very_long_way_is_no_trouble(self, tmp_path: Path) -> None:
        story = Story()
        for step in range(1500):
            reads = [data(f"/d/{step - 1}", f"{step - 1}")] if step else []
            story.run(f"job{step}", reads, [data(f"/d/{step}", f"{step}")])
        with story.told(tmp_path) as (db, store):
            found = trace(db, store, "/d/1499", details=False)
            assert len(items(found)) == 2999
            ways = find_paths(db, store, "/d/1499", "/d/0")
        assert (ways.total, len(ways.ways[0])) == (1, 2999)


class TestPaths:
    def test_ways_are_found_whichever_end_is_named_first(self, tmp_path: Path) -> None:
        with days(2).told(tmp_path) as (db, store):
            for pair in (("churn", RAW), (RAW, "churn")):
                found = find_paths(db, store, *pair)
                assert (found.first, found.last, found.by, found.total) == (RAW, "churn", "run", 1)
                assert [place.title for place in found.ways[0]] == [RAW, "clean", CLEAN, "train", MODEL]

    def test_versions_that_are_not_connected_are_connected_by_name_at_most(self, tmp_path: Path) -> None:
        with days(2).told(tmp_path) as (db, store):
            exact = find_paths(db, store, "churn@1", f"{RAW}@{digest('raw0')[7:]}")
            other = find_paths(db, store, "churn@1", f"{RAW}@{digest('raw1')[7:]}")
        assert (exact.by, exact.total) == ("run", 1)
        assert (other.by, other.total) == ("name", 1)
        assert [place.title for place in other.ways[0]] == [RAW, "clean", CLEAN, "train", MODEL]

    def test_who_reads_a_folder_reads_what_is_in_it(self, tmp_path: Path) -> None:
        story = Story()
        story.run("early", [data("/set")], [data("/d/early", "e")])
        story.run("make", [data(RAW, "r")], [data("/set/a", "a")])
        story.run("late", [data("/set")], [data("/d/late", "l")])
        with story.told(tmp_path) as (db, store):
            late, early = find_paths(db, store, "/d/late", "/set/a"), find_paths(db, store, "/d/early", RAW)
        assert (late.by, [place.title for place in late.ways[0]]) == ("run", ["/set", "late", "/d/late"])
        assert (early.by, [place.title for place in early.ways[0]]) == (
            "name",
            [RAW, "make", "/set", "early", "/d/early"],
        )

    def test_where_nothing_leads_none_is_found(self, tmp_path: Path) -> None:
        story = days(1)
        story.run("apart", [], [data("/apart", "a")])
        with story.told(tmp_path) as (db, store):
            found = find_paths(db, store, "churn", "/apart")
        assert (found.by, found.total, found.ways) == ("", 0, ())

    def test_the_shortest_come_first_and_all_are_counted(self) -> None:
        layers = {f"{layer}.{n}": [f"{layer + 1}.{m}" for m in range(3)] for layer in range(1, 9) for n in range(3)}
        graph = {"end": ["1.0", "1.1", "1.2", "raw"], **layers, **{f"9.{n}": ["raw"] for n in range(3)}}
        found = find_ways(graph, ["end"], {"raw"}, most=2)
        assert found.paths[0] == ("raw", "end")
        assert (len(found.paths[1]), found.total, found.is_exact) == (11, 3**9 + 1, True)

    def test_in_a_circle_ways_pass_no_place_twice(self) -> None:
        found = find_ways({"a": ["b", "c"], "b": ["a", "c"], "c": ["b", "raw"]}, ["a"], {"raw"}, most=10)
        assert found.paths == (("raw", "c", "a"), ("raw", "c", "b", "a"))
        assert (found.total, found.is_exact) == (2, True)

    def test_where_there_are_too_many_to_count_it_says_at_least(self) -> None:
        names = [str(number) for number in range(12)]
        graph = {one: [other for other in names if other != one] + ["raw"] for one in names}
        found = find_ways(graph, ["0"], {"raw"}, most=3)
        assert (len(found.paths), found.total, found.is_exact) == (3, 1000, False)


class TestGraph:
    def test_the_graph_holds_runs_and_versions_of_the_answer_only(self, tmp_path: Path) -> None:
        story = days(3)
        with story.told(tmp_path) as (db, store):
            graph = trace(db, store, "churn@2").graph
        train = f"run {story.runs[3]}"
        assert sorted(graph.nodes) == sorted(
            [
                f"run {story.runs[2]}",
                train,
                *(f"{name}@{digest(text)}" for name, text in ((RAW, "raw1"), (CLEAN, "clean1"), (MODEL, "model1"))),
            ]
        )
        assert list(graph.predecessors(train)) == [f"{CLEAN}@{digest('clean1')}"]
        assert graph.nodes[train]["job"] == "train"
        assert graph.edges[f"run {story.runs[2]}", f"{CLEAN}@{digest('clean1')}"]["how"] == "digest"

    def test_a_trace_of_one_place_has_one_node(self, tmp_path: Path) -> None:
        story = days(1)
        story.run("alone")
        with story.told(tmp_path) as (db, store):
            assert list(trace(db, store, RAW).graph) == [f"{RAW}@?"]
            assert list(trace(db, store, "alone").graph) == [f"run {story.runs[2]}"]
