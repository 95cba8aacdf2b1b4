# SPDX-License-Identifier: Apache-2.0
"""A window that moves every day: all inputs of all builds differ, and one of them as it never did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.cli.blame_text import blame_lines
from lineagekit.store.targets import find_target
from tests.cause.worlds import DAY, EXAM, MODEL, grade, hashed
from tests.store.told import Event, dataset, digest, run, told

FEEDS = ("clicks", "orders", "labels")
WIDTH, DAYS = 7, 24
Digest = Callable[[str, int, int], str | None]
"""Of a feed's part of one day, as a build of another day sees it; None is no part."""


def key(day: int) -> str:
    return str(date(2026, 3, 1) + timedelta(days=day))


def usual(feed: str, part: int, seen: int) -> str | None:
    return f"{feed} {part}"


def folder(feed: str, parts: dict[int, str], at: float) -> Event:
    told_parts = [
        {"path": f"dt={key(p)}/f.parquet", "digest": digest(hashed(d)), "bytes": 1000} for p, d in parts.items()
    ]
    return dataset(f"/data/{feed}", at=at, digest=hashed(sorted(parts.items())), parts=told_parts)


def files(feed: str, parts: dict[int, str], at: float) -> list[Event]:
    return [dataset(f"/data/{feed}/{key(p)}.parquet", at=at, digest=hashed(d)) for p, d in parts.items()]


def story(of: Digest, bad_from: int, *, as_files: bool) -> Iterator[Event]:
    for day in range(WIDTH, DAYS):
        at = day * DAY
        reads: list[Event] = []
        for feed in FEEDS:
            window = {part: of(feed, part, day) for part in range(day - WIDTH + 1, day + 1)}
            parts = {part: found for part, found in window.items() if found is not None}
            reads += files(feed, parts, at + 1) if as_files else [folder(feed, parts, at + 1)]
        model = hashed("model", day)
        yield from run(
            "train.py", at, at + 30, reads=reads, writes=[dataset(MODEL, "output", at=at + 29, digest=model, model="m")]
        )
        value = (0.8 if day >= bad_from else 0.9) + day % 3 / 1000
        exam = dataset(EXAM, at=at + 41, digest="e")
        yield from run(
            "grade.py",
            at + 40,
            at + 45,
            run_facets=grade(value),
            reads=[dataset(MODEL, at=at + 41, digest=model), exam],
        )


def answer(tmp_path: Path, of: Digest, bad_from: int = 20, *, as_files: bool = False, **question: str) -> Blame:
    with told(tmp_path, list(story(of, bad_from, as_files=as_files))) as (store, index):
        return blame(index.database, store, find_target(index.database, "m"), Question(**question))


def accused(found: Blame) -> list[tuple[str, str]]:
    return [(one.change.kind, one.change.key) for one in found.accused]


@pytest.mark.parametrize("as_files", [False, True])
def test_a_window_that_moves_brings_carriers_and_no_suspects(tmp_path: Path, as_files: bool) -> None:
    found = answer(tmp_path, usual, as_files=as_files)
    assert accused(found) == []
    assert {one.change.kind for one in found.suspects} == {"entered", "expired"}


@pytest.mark.parametrize("as_files", [False, True])
def test_an_older_part_that_was_rewritten_is_the_suspect(tmp_path: Path, as_files: bool) -> None:
    def restated(feed: str, part: int, seen: int) -> str | None:
        return "flipped" if (feed, part) == ("labels", 16) and seen >= 20 else usual(feed, part, seen)

    found = answer(tmp_path, restated, as_files=as_files)
    assert accused(found) == [("restated", key(16))]
    assert found.onset == 14
    assert any("never" in reason for reason in found.suspects[0].reasons)


@pytest.mark.parametrize("as_files", [False, True])
def test_a_feed_that_rewrites_its_last_days_by_habit_stands_behind_one_that_never_did(
    tmp_path: Path, as_files: bool
) -> None:
    def restated(feed: str, part: int, seen: int) -> str | None:
        if feed == "orders":
            return f"orders {part} as of {min(seen, part + 2)}"
        return "flipped" if (feed, part) == ("labels", 16) and seen >= 20 else usual(feed, part, seen)

    found = answer(tmp_path, restated, as_files=as_files)
    assert accused(found)[0] == ("restated", key(16))
    assert all(one.score < found.suspects[0].score / 2 for one in found.accused[1:])


def test_parts_of_one_feed_that_were_rewritten_together_are_one_line(tmp_path: Path) -> None:
    def restated(feed: str, part: int, seen: int) -> str | None:
        return f"flipped {part}" if feed == "labels" and part < 18 and seen >= 20 else usual(feed, part, seen)

    found = answer(tmp_path, restated)
    assert accused(found) == [("restated", key(part)) for part in range(14, 18)]
    lines = list(blame_lines(found, limit=10))
    assert sum("SUSPECT" in line for line in lines) == 1
    assert f"likewise 3 more of its parts: {key(15)} to {key(17)}" in "\n".join(lines)


@pytest.mark.parametrize("as_files", [False, True])
def test_a_part_with_the_content_of_an_older_one_is_stale(tmp_path: Path, as_files: bool) -> None:
    def stale(feed: str, part: int, seen: int) -> str | None:
        return usual(feed, 19, seen) if (feed, part) == ("clicks", 20) else usual(feed, part, seen)

    found = answer(tmp_path, stale, as_files=as_files)
    assert accused(found)[0] == ("stale", key(20))


@pytest.mark.parametrize("as_files", [False, True])
def test_a_part_that_is_no_longer_there_is_missing(tmp_path: Path, as_files: bool) -> None:
    def missing(feed: str, part: int, seen: int) -> str | None:
        return None if (feed, part) == ("clicks", 17) and seen >= 20 else usual(feed, part, seen)

    found = answer(tmp_path, missing, as_files=as_files)
    assert accused(found)[0] == ("missing", key(17))


def test_builds_a_week_apart_are_told_from_the_ones_between(tmp_path: Path) -> None:
    def restated(feed: str, part: int, seen: int) -> str | None:
        return "flipped" if (feed, part) == ("labels", 16) and seen >= 20 else usual(feed, part, seen)

    found = answer(tmp_path, restated, good="10", bad="16")
    assert accused(found)[0] == ("restated", key(16))


def test_a_folder_that_was_single_files_before_is_the_same_feed(tmp_path: Path) -> None:
    events = [
        *run(
            "train.py",
            0,
            30,
            reads=files("labels", {1: "a", 2: "b"}, 1),
            writes=[dataset(MODEL, "output", at=29, digest="1", model="m")],
        ),
        *run(
            "train.py",
            DAY,
            DAY + 30,
            reads=[folder("labels", {1: "a", 2: "flipped"}, DAY + 1)],
            writes=[dataset(MODEL, "output", at=DAY + 29, digest="2", model="m")],
        ),
    ]
    with told(tmp_path, events) as (store, index):
        found = blame(index.database, store, find_target(index.database, "m"))
    assert accused(found) == [("restated", key(2))]


@pytest.mark.parametrize("as_files", [False, True])
def test_a_column_that_a_new_part_calls_otherwise_is_the_suspect(tmp_path: Path, as_files: bool) -> None:
    def columns(part: int) -> tuple[str, ...]:
        return ("row", "val") if part >= 20 else ("row", "value")

    events = []
    for event in story(usual, 20, as_files=as_files):
        for one in event.get("inputs", ()):
            if one["name"].startswith("/data/clicks"):
                dates = [part["path"] for part in one["inputFacets"]["lineagekit_inputContent"].get("parts", ())]
                days = [p for p in range(DAYS) if any(key(p) in name for name in (*dates, one["name"]))]
                names = dict.fromkeys(name for day in days for name in columns(day))
                one["facets"]["schema"] = {"fields": [{"name": name, "type": "double"} for name in names]}
        events.append(event)
    with told(tmp_path, events) as (store, index):
        found = blame(index.database, store, find_target(index.database, "m"), Question())
    assert [(one.change.kind, one.onset) for one in found.accused] == [("schema", 14)]
    assert "new: val" in found.accused[0].reasons
