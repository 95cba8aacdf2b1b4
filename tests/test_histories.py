# SPDX-License-Identifier: Apache-2.0
"""Histories for the graph benchmarks are what a settler would have told, and what is known of them is true."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lineagekit.events.build import build_events
from lineagekit.events.values import exact_moment
from lineagekit.events.wire import clean, read_event
from lineagekit.store.log import entry_of, open_store

MODULES = ("histories", "answers", "telling", "runs", "company")
RUNS, DAYS = 100 * 45, 45  # two domains: with parts, windows of them, and inputs from next door

Event = dict[str, Any]


@pytest.fixture(scope="module")
def histories() -> Iterator[Any]:
    """The benchmarks' own imports, as when one of them is the script."""
    folder = str(Path(__file__).parents[1] / "benchmarks")
    sys.path.insert(0, folder)
    yield import_module("histories")
    sys.path.remove(folder)
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture(scope="module")
def events(histories: Any) -> list[Event]:
    return list(histories.generate(RUNS, days=DAYS))


@pytest.fixture(scope="module")
def ends(events: list[Event]) -> list[Event]:
    return [event for event in events if event["eventType"] != "START"]


def seen(dataset: Event, role: str) -> Event:
    told: Event = dataset[f"{role}Facets"][f"lineagekit_{role}Content"]
    return told


def pieces(dataset: Event, role: str) -> list[tuple[str, str, str]]:
    """Name, digest and evidence of a file, or of each part."""
    told = seen(dataset, role)
    parts = told.get("parts") or [told]
    return [(f"{dataset['name']}/{part.get('path', '')}", part["digest"], part["evidence"]) for part in parts]


def bind(ends: list[Event]) -> dict[str, set[str]]:
    """For each run those whose output it read, found by nothing but evidence."""
    writers = {piece: end["run"]["runId"] for end in ends for out in end["outputs"] for piece in pieces(out, "output")}
    return {
        end["run"]["runId"]: {
            writers[piece] for read in end["inputs"] for piece in pieces(read, "input") if piece in writers
        }
        for end in ends
    }


def test_every_event_is_what_build_events_makes_of_the_run(histories: Any) -> None:
    runs, telling = import_module("runs"), import_module("telling")
    company = histories.company(RUNS, days=DAYS)
    teller = telling.Teller(company)
    some = [run for run in runs.simulate(company) if run.job.index % 7 == run.day % 7 or run.failed or run.job.parts]
    assert {run.job.layer for run in some} == {"clean", "join", "features", "train", "evaluate"}
    for run in some:
        built = build_events(teller.account(run))
        assert [json.loads(told.text) for told in teller.events(run)] == built[not run.heard :]


def test_what_goes_to_the_store_is_known_by_what_the_whole_event_is_known_by(histories: Any) -> None:
    for told in histories.tell(histories.company(200)):
        brief, whole = entry_of(told.brief), entry_of(json.loads(told.text))
        assert (brief.key, brief.run, brief.kind, brief.type) == (whole.key, whole.run, whole.kind, whole.type)
        assert (brief.time, told.time) == (whole.time, whole.time)
        for role in ("inputs", "outputs"):
            assert len(told.brief[role]) == len(whole.body[role])


def test_events_come_in_order_and_any_reader_takes_them(events: list[Event]) -> None:
    times = [event["eventTime"] for event in events]
    assert times == sorted(times)
    for event in events[::97]:
        assert clean(event) == event
        assert read_event(event).kind == "run"


def test_a_seed_makes_one_history(histories: Any) -> None:
    first, again, other = (list(histories.as_lines(200, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_history_has_the_shape_that_was_measured(events: list[Event], ends: list[Event]) -> None:
    jobs = {end["job"]["name"] for end in ends}
    assert len(ends) == RUNS
    assert 0.99 < (len(events) - len(ends)) / RUNS < 1
    assert 3.9 < sum(len(end["inputs"]) + len(end["outputs"]) for end in ends) / RUNS < 4.1
    assert sum("/train/" in job for job in jobs) == 14
    assert 0 < sum(end["eventType"] == "FAIL" for end in ends) < 0.02 * RUNS


def test_a_run_reads_the_newest_bytes_that_were_written_before(ends: list[Event]) -> None:
    newest: dict[str, tuple[str, str]] = {}
    written, parts = 0, 0
    for end in ends:  # in the order of their ends, and no run reads what another one writes meanwhile
        for read in end["inputs"]:
            if read["name"] in newest and "parts" not in seen(read, "input"):
                assert (seen(read, "input")["digest"], seen(read, "input")["evidence"]) == newest[read["name"]]
                written += 1
            parts += len(seen(read, "input").get("parts", ())) == 28
        for out in end["outputs"]:
            if "parts" not in (told := seen(out, "output")):
                newest[out["name"]] = told["digest"], told["evidence"]
    assert written > RUNS
    assert parts == DAYS


def test_bytes_are_there_before_they_are_read_and_within_the_run_that_writes_them(
    ends: list[Event], events: list[Event]
) -> None:
    began = {event["run"]["runId"]: event["eventTime"][:-1] for event in events if event["eventType"] == "START"}
    for end in ends:
        start, until = began.get(end["run"]["runId"], ""), end["eventTime"][:-1]
        for read in end["inputs"]:
            for *_, evidence in pieces(read, "input"):
                changed = exact_moment(int(evidence.split(":")[1]))
                assert changed < seen(read, "input")["at"] < until
            assert start < seen(read, "input")["at"]
        for out in end["outputs"]:
            assert start < seen(out, "output")["at"] < until


def test_bytes_stay_and_return(ends: list[Event]) -> None:
    digests: dict[str, list[str]] = defaultdict(list)
    for end in ends:
        for out in end["outputs"]:
            digests[out["name"]].append(seen(out, "output")["digest"])
    stayed = sum(a == b for held in digests.values() for a, b in pairwise(held))
    assert 0.05 < stayed / RUNS < 0.4
    models = [held for name, held in digests.items() if name.startswith("/data/models/")]
    assert all(len(set(held)) == len(held) for held in models)


def test_the_company_knows_whose_bytes_each_run_read(histories: Any, ends: list[Event]) -> None:
    company, run_id, found = histories.company(RUNS, days=DAYS), import_module("runs").run_id, bind(ends)
    for job in company.jobs:
        for day in range(DAYS):
            sources = {run_id(company, *source) for source in company.sources(job, day)}
            assert found[run_id(company, job, day)] == sources


def test_known_answers_are_what_the_events_say(histories: Any, ends: list[Event]) -> None:
    answers = histories.known_answers(RUNS, days=DAYS)
    sources, by_run = bind(ends), {end["run"]["runId"]: end for end in ends}
    for used in (answers.used, answers.used_widely, answers.returned):
        direct = {
            end["run"]["runId"]
            for end in ends
            for read in end["inputs"]
            if (read["name"], seen(read, "input")["digest"]) == (used.name, f"blake3:{used.digest}")
        }
        runs = set(direct)
        for end in ends:
            if sources[end["run"]["runId"]] & runs:
                runs.add(end["run"]["runId"])
        builds = [run for run in runs if any("lineagekit_model" in out["facets"] for out in by_run[run]["outputs"])]
        assert (len(direct), len(runs), len(builds)) == (used.direct, used.runs, used.builds)
    assert answers.returned.days[-1] - answers.returned.days[0] >= len(answers.returned.days)


@pytest.mark.parametrize("which", ["model", "windowed"])
def test_the_known_model_is_the_one_in_the_events(histories: Any, ends: list[Event], which: str) -> None:
    model = getattr(histories.known_answers(RUNS, days=DAYS), which)
    sources = bind(ends)
    builds = [end for end in ends for out in end["outputs"] if out["name"] == model.path]
    last = builds[-1]["outputs"][0]
    assert last["facets"]["lineagekit_model"]["name"] == model.name
    assert last["facets"]["lineagekit_model"]["version"] == str(model.versions) == str(len(builds))
    assert seen(last, "output")["digest"] == f"blake3:{model.digest}"
    found, todo = {model.run}, [model.run]
    while todo:
        new = sources[todo.pop()] - found
        found |= new
        todo += new
    assert (builds[-1]["run"]["runId"], len(found)) == (model.run, model.upstream)


def test_known_reaches_are_what_hangs_on_the_feeds_by_name(histories: Any, ends: list[Event]) -> None:
    answers = histories.known_answers(RUNS, days=DAYS)
    for reach in (answers.feed, answers.wide, answers.widest):
        names, jobs = {reach.name}, set()
        for end in ends:
            if any(read["name"] in names for read in end["inputs"]):
                jobs.add(end["job"]["name"])
                names.update(out["name"] for out in end["outputs"])
        assert (len(jobs), len(names) - 1) == (reach.jobs, reach.datasets)
        assert sum(name.startswith("/data/models/") for name in names) == reach.models


def test_a_store_is_written_once(histories: Any, tmp_path: Path) -> None:
    folder = histories.write_store(tmp_path / "store", 200)
    stamp = (folder / "lineage.db").stat().st_mtime_ns
    assert histories.write_store(folder, 200) == folder
    assert (folder / "lineage.db").stat().st_mtime_ns == stamp
    with open_store(folder) as store:
        rows = store.events(limit=1000)
        assert [row.body.decode() for row in rows] == list(histories.as_lines(200))
        assert all(row.inputs for row in store.recent_runs())
    with pytest.raises(SystemExit, match="holds something else"):
        histories.write_store(folder, 200, seed=1)


def test_lines_are_the_same_events(histories: Any, tmp_path: Path) -> None:
    count = histories.write_lines(tmp_path / "events.jsonl", 200)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert (len(lines), [json.loads(line) for line in lines]) == (count, list(histories.generate(200)))
