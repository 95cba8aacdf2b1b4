# SPDX-License-Identifier: Apache-2.0
"""Roles: what a run did to its paths decides what is an input, an output, both or neither."""

from __future__ import annotations

from typing import Any

import pytest

from lineagekit.errors import BadDataError
from lineagekit.events.account import ModelName
from lineagekit.record import reasons
from lineagekit.record.paths import Paths
from lineagekit.record.story import Story

E1, E2, E3 = [1, 1, 1, 1, 1], [2, 2, 2, 1, 1], [3, 3, 3, 1, 1]
LISTING = {"files": 2, "bytes": 10, "seal": "ab"}


def paths(*facts: dict[str, Any]) -> Paths:
    story = Story("r")
    for at, fact in enumerate(facts, 1):
        story.take(fact, "j", at)
    return story.paths


def read(path: str, evidence: list[int] | None = E1, **more: Any) -> dict[str, Any]:
    return {"fact": "read", "path": path, "evidence": evidence, **more}


def writing(path: str, was: list[int] | None, mode: str = "w") -> dict[str, Any]:
    return {"fact": "writing", "path": path, "was": was, "mode": mode}


def written(path: str, evidence: list[int] | None = E2, **more: Any) -> dict[str, Any]:
    return {"fact": "written", "path": path, "evidence": evidence, **more}


def moved(old: str, new: str, evidence: list[int] | None = E3, **more: Any) -> dict[str, Any]:
    return {"fact": "moved", "from": old, "path": new, "evidence": evidence, **more}


def roles(*facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    found = paths(*facts)
    return [one.path for one in found.inputs()], [one.path for one in found.outputs()]


def test_what_was_read_first_is_an_input_and_what_was_written_first_is_not() -> None:
    assert roles(read("/a"), writing("/b", None), written("/b"), read("/b", E2)) == (["/a"], ["/b"])


def test_a_library_that_only_says_that_it_has_written_makes_an_output() -> None:
    assert roles(written("/b")) == ([], ["/b"])


def test_a_temporary_file_that_takes_the_final_name_is_one_output() -> None:
    found = paths(writing("/b.tmp", None), written("/b.tmp"), moved("/b.tmp", "/b"))
    (one,) = found.outputs()
    assert (one.path, one.evidence, one.at) == ("/b", tuple(E3), 3)


def test_appending_to_a_file_reads_it_and_changes_it() -> None:
    found = paths(writing("/a", E1, "a"), written("/a"))
    assert [(one.path, one.evidence) for one in found.inputs()] == [("/a", tuple(E1))]
    assert [one.path for one in found.outputs()] == ["/a"]


@pytest.mark.parametrize("mode", ["a", "r+"])
def test_a_file_that_was_opened_to_be_changed_and_was_not_is_an_input_only(mode: str) -> None:
    assert roles(writing("/a", E1, mode), written("/a", E1)) == (["/a"], [])


@pytest.mark.parametrize("mode", ["w", "a", "x"])
def test_a_new_file_is_an_output_only(mode: str) -> None:
    assert roles(writing("/a", None, mode), written("/a")) == ([], ["/a"])


def test_what_was_removed_after_it_was_written_is_nothing() -> None:
    assert roles(writing("/b", None), written("/b"), {"fact": "removed", "path": "/b"}) == ([], [])


def test_an_input_that_was_removed_is_gone() -> None:
    (one,) = paths(read("/a"), {"fact": "removed", "path": "/a"}).inputs()
    assert one.lost == reasons.GONE


@pytest.mark.parametrize("how", [writing("/a", E1), written("/a"), moved("/b", "/a")])
def test_an_input_that_the_run_writes_over_is_overwritten(how: dict[str, Any]) -> None:
    (one,) = paths(read("/a"), how).inputs()
    assert one.lost == reasons.OVERWRITTEN


def test_a_copy_of_what_was_read_stands_for_it() -> None:
    kept = {"fact": "kept", "path": "/a", "evidence": E1, "copy": "c1"}
    found = paths(read("/a"), kept, writing("/a", E1), written("/a"))
    assert ([one.copy for one in found.inputs()], found.copies) == (["c1"], ["c1"])


def test_a_copy_of_something_else_than_what_was_read_proves_nothing() -> None:
    kept = {"fact": "kept", "path": "/a", "evidence": E2, "copy": "c1"}
    (one,) = paths(read("/a"), kept, writing("/a", E2)).inputs()
    assert (one.copy, one.doubt) == ("", reasons.CHANGED_AFTER_READ)


@pytest.mark.parametrize("copy", ["../../etc/passwd", "/etc/passwd", "", ".."])
def test_a_copy_is_a_file_in_the_folder_of_copies(copy: str) -> None:
    found = paths(read("/a"), {"fact": "kept", "path": "/a", "evidence": E1, "copy": copy})
    assert (found.copies, [one.copy for one in found.inputs()]) == ([], [""])


def test_two_processes_that_read_different_bytes_of_one_path_leave_a_doubt() -> None:
    (one,) = paths(read("/a"), read("/a", E2)).inputs()
    assert one.doubt == reasons.CHANGED_AFTER_READ


def test_outputs_move_with_their_folder() -> None:
    facts = (written("/s/a"), written("/s/b"), moved("/s", "/final", None, listing=LISTING))
    assert roles(*facts) == ([], ["/final/a", "/final/b"])


def test_a_moved_folder_with_more_in_it_than_we_have_seen_is_one_output() -> None:
    facts = (written("/s/a"), moved("/s", "/final", None, listing={**LISTING, "files": 3}))
    (one,) = paths(*facts).outputs()
    assert (one.path, one.is_folder) == ("/final", True)


def test_a_folder_that_was_written_as_one_dataset_is_told_once_and_moves_as_one() -> None:
    facts = (written("/s/part", E1), written("/s", None, listing=LISTING), moved("/s", "/t", None, listing=LISTING))
    assert roles(*facts) == ([], ["/t"])


def test_files_of_a_folder_that_was_read_whole_are_part_of_it() -> None:
    assert roles(read("/d", None, listing=LISTING), read("/d/part")) == (["/d"], [])


def test_an_input_keeps_its_name_where_the_run_moves_its_folder() -> None:
    (one,) = paths(read("/in/a"), moved("/in", "/done", None, listing={**LISTING, "files": 1})).inputs()
    assert (one.path, one.place, one.lost) == ("/in/a", "/done/a", "")


def test_an_input_that_was_moved_is_found_again_if_nothing_came_between() -> None:
    (one,) = paths(read("/in"), moved("/in", "/done", E3, was=E1)).inputs()
    assert (one.place, one.seen, one.lost) == ("/done", tuple(E3), "")
    (one,) = paths(read("/in"), moved("/in", "/done", E3, was=E2)).inputs()
    assert one.lost == reasons.GONE


def test_a_file_that_was_linked_has_two_names_and_both_are_outputs() -> None:
    found = paths(written("/t"), moved("/t", "/b", E3, link=True))
    assert [(one.path, one.evidence) for one in found.outputs()] == [("/t", tuple(E3)), ("/b", tuple(E3))]


def test_a_file_that_is_renamed_while_it_is_open_is_closed_under_its_new_name() -> None:
    found = paths(writing("/t", None), moved("/t", "/b", [0, 1, 1, 7, 1]), written("/t", [9, 2, 2, 7, 1]))
    assert [(one.path, one.evidence) for one in found.outputs()] == [("/b", (9, 2, 2, 7, 1))]


def test_a_changed_mode_moves_the_stamp_of_an_output() -> None:
    (one,) = paths(written("/b"), {"fact": "changed", "path": "/b", "evidence": E3}).outputs()
    assert one.evidence == tuple(E3)


def test_an_output_that_somebody_else_overwrote_is_not_claimed_by_looking_at_it() -> None:
    found = paths(writing("/b", None), written("/b", E1), writing("/b", E2, "r+"), written("/b", E2))
    assert [one.evidence for one in found.outputs()] == [tuple(E1)]


def test_a_model_is_one_under_whatever_name_it_ends() -> None:
    named = {"fact": "model", "path": "/t", "name": "m", "version": "1"}
    (one,) = paths(written("/t"), named, moved("/t", "/model.pkl")).outputs()
    assert (one.path, one.model) == ("/model.pkl", ModelName("m", "1"))
    (one,) = paths({**named, "path": "/b"}, written("/b")).outputs()
    assert one.model == ModelName("m", "1")


def test_the_name_of_an_output_is_followed_to_its_end() -> None:
    found = paths(written("/1"), moved("/1", "/2"), moved("/2", "/3"))
    assert (found.name_now("/1"), found.name_now("/x")) == ("/3", "/x")
    found = paths(written("/1"), moved("/1", "/2"), moved("/2", "/1"))
    assert found.name_now("/2") == "/1"


@pytest.mark.parametrize(
    "fact",
    [
        {"fact": "read", "path": 5},
        {"fact": "read", "path": "relative"},
        {"fact": "read", "path": "/a", "evidence": [1, 2]},
        {"fact": "read", "path": "/a", "evidence": [1, 2, 3, 4, 1 << 70]},
        {"fact": "read", "path": "/a", "listing": {"files": -1, "bytes": 0, "seal": ""}},
        {"fact": "moved", "path": "/a", "from": None},
        {"fact": "written", "path": "/a", "rows": "many"},
        {"fact": "writing", "path": "/a", "was": "old"},
        {"fact": "kept", "path": "/a", "evidence": E1, "copy": 7},
        {"fact": "run", "run": "r", "job": ["train"]},
        {"fact": "end", "state": "DONE"},
        {"fact": "metric", "name": "auc", "step": float("inf")},
        {"fact": "params", "params": [1]},
        {"fact": "code", "modules": [["name", 3, []]]},
        {"fact": "dataset", "role": "both", "name": "x"},
        {"fact": "result", "tables": "t"},
    ],
)
def test_a_fact_with_a_value_of_the_wrong_type_is_counted_and_passed_over(fact: dict[str, Any]) -> None:
    story = Story("r")
    story.take(fact, "j", 1)
    assert (story.odd, sum(story.troubles.values())) == (1, 1)


def test_a_fact_that_nobody_knows_is_passed_over() -> None:
    story = Story("r")
    story.take({"fact": "spin", "run": "r"}, "j", 1)
    story.take({"run": "r"}, "j", 1)
    assert story.odd == 0


def test_the_readers_say_what_they_got() -> None:
    with pytest.raises(BadDataError, match="got 5 for 'path', expected an absolute path"):
        Paths().read({"path": 5}, 1)
