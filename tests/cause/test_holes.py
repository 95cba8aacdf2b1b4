# SPDX-License-Identifier: Apache-2.0
"""What a record lacks: a read that one run did not tell of is no change, and hides none of those that were told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lineagekit.cause.blame import Blame, Question, blame
from lineagekit.store.targets import find_target
from tests.cause.test_blame import accused
from tests.cause.worlds import CLEAN, LABELS, RAW, Day, good_days, story
from tests.store.told import Event, told

BAD = 6
"""The first bad day, of nine."""


def days() -> list[Day]:
    return [*good_days(6), *(Day(0.8 + day / 1000, labels="flipped") for day in range(3))]


def answer(folder: Path, is_told: Callable[[str, int, str], bool], all_days: list[Day] | None = None) -> Blame:
    """Of a record in which the inputs are told that `is_told` says: by job, day and name."""
    events: list[Event] = list(story(all_days or days()))
    for event in events:
        job, day = event["job"]["name"], int(event["eventTime"][8:10]) - 1
        if "inputs" in event:
            event["inputs"] = [one for one in event["inputs"] if is_told(job, day, one["name"])]
    with told(folder, events) as (store, index):
        return blame(index.database, store, find_target(index.database, "m"), Question())


def test_a_read_that_only_the_bad_run_did_not_tell_of_is_a_hole_and_is_looked_up_in_the_run_after(
    tmp_path: Path,
) -> None:
    found = answer(tmp_path, lambda job, day, name: (job, day, name) != ("train.py", BAD, CLEAN))
    assert accused(found)[0] == ("source", LABELS, "")
    assert "input removed" not in {one.change.kind for one in found.suspects}
    assert "no record" in found.alignment.unknown[CLEAN]


def test_a_read_that_only_the_good_run_did_not_tell_of_is_looked_up_in_the_run_before(tmp_path: Path) -> None:
    found = answer(tmp_path, lambda job, day, name: (job, day, name) != ("train.py", BAD - 1, CLEAN))
    assert accused(found)[0] == ("source", LABELS, "")
    assert "no record" in found.alignment.unknown[CLEAN]


def test_another_output_of_a_run_that_told_less_than_ever_is_not_known_to_be_hidden(tmp_path: Path) -> None:
    """The labels changed, and no run after the good ones tells that it read them."""
    found = answer(tmp_path, lambda job, day, name: not (name == LABELS and day in (BAD - 1, BAD)))
    kinds = {kind for kind, *_ in accused(found)}
    assert "hidden" not in kinds
    assert "no record" in found.alignment.unknown[LABELS]


def test_an_input_that_no_later_run_reads_either_was_removed(tmp_path: Path) -> None:
    all_days = [*good_days(6), *[Day(0.8, clean="without it")] * 3]
    found = answer(tmp_path, lambda job, day, name: not (name == RAW and day >= BAD), all_days)
    assert accused(found)[0] == ("input removed", RAW, "")
    assert not found.alignment.unknown


def test_an_input_that_the_newest_run_alone_does_not_tell_of_is_unknown_if_its_code_is_the_same(tmp_path: Path) -> None:
    all_days = [*good_days(6), Day(0.8, labels="flipped")]
    found = answer(tmp_path, lambda job, day, name: not (name == RAW and day >= BAD), all_days)
    assert accused(found)[0] == ("source", LABELS, "")
    assert "input removed" not in {kind for kind, *_ in accused(found)}
    assert "no record" in found.alignment.unknown[RAW]


def test_an_input_that_went_with_the_code_was_removed(tmp_path: Path) -> None:
    all_days = [*good_days(6), Day(0.8, code="reads nothing")]
    found = answer(tmp_path, lambda job, day, name: (job, day) != ("train.py", BAD), all_days)
    assert {kind for kind, *_ in accused(found)} == {"code", "input removed"}


def test_where_the_newest_run_tells_of_nothing_the_first_bad_build_is_compared(tmp_path: Path) -> None:
    grades = [*good_days(6), Day(0.85, labels="flipped"), Day(0.851, labels="flipped")]
    all_days = [*grades, *(Day(0.8, labels="flipped") for _ in range(2))]
    found = answer(tmp_path, lambda job, day, name: not (job == "train.py" and day >= 8), all_days)
    assert found.chosen.bad.number == 7
    assert "the record of build 9 has holes" in found.chosen.rule
    assert accused(found) == [("source", LABELS, "")]


def test_where_no_bad_run_tells_of_anything_it_cannot_be_told(tmp_path: Path) -> None:
    found = answer(tmp_path, lambda job, day, name: not (job == "train.py" and day >= BAD), [*good_days(6), Day(0.8)])
    assert (found.verdict, found.accused) == ("cannot tell", [])
    assert CLEAN in found.alignment.unknown
