# SPDX-License-Identifier: Apache-2.0
"""`lineagekit blame` and `mark`, as a person has them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cause.worlds import LABELS, Day, good_days, story
from tests.cli.conftest import Run

Fill = Callable[[Sequence[Day]], None]
WORSE = Day(0.8, labels="flipped")


@pytest.fixture
def fill(tmp_path: Path, environ: dict[str, str], run: Run) -> Fill:
    environ["LINEAGEKIT_STORE"] = str(tmp_path / ".lineagekit")

    def fill(days: Sequence[Day]) -> None:
        (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, story(days))))
        assert run("ingest", "events.jsonl").returncode == 0

    return fill


def result(answer: subprocess.CompletedProcess[str]) -> Any:
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return json.loads(answer.stdout)["result"]


def test_the_verdict_comes_first_then_the_suspect_with_its_reasons_then_what_it_rests_on(fill: Fill, run: Run) -> None:
    fill([*good_days(), WORSE, WORSE])
    lines = run("blame", "m").stdout.splitlines()
    assert re.fullmatch(r"store .*: history from 2026-05-01, last event .*", lines[0])
    assert lines[1:3] == [
        "m  auc 0.902 -> 0.8  REAL (drop 0.101, band 0.00922, 6 builds)",
        "builds 6 -> 7 of 8: the grades step down at build 7",
    ]
    assert lines[3].startswith(f" 1 SUSPECT  {LABELS} has other bytes: blake3:")
    assert lines[4:7] == [
        "            was rewritten; before, never in 6 builds; came with build 7, the first bad one",
        "            path train.py <- clean.py",
        "coverage 6 inputs: 6 by content; 2 runs compared, 1 input equal",
    ]
    assert re.fullmatch(rf"next  lineagekit diff {LABELS}@[0-9a-f]+ {LABELS}@[0-9a-f]+", lines[7])


def test_the_answer_for_programs_has_verdict_evidence_and_coverage(fill: Fill, run: Run) -> None:
    fill([*good_days(), WORSE])
    answer = run("blame", "m", "--json")
    envelope = json.loads(answer.stdout)
    found = envelope["result"]
    assert (found["verdict"], found["metric"], found["gate"]["verdict"], found["onset"]) == (
        "suspects",
        "auc",
        "real",
        7,
    )
    assert (found["good"]["number"], found["bad"]["number"]) == (6, 7)
    first = found["suspects"][0]
    assert (first["status"], first["kind"], first["where"], first["identity"]) == (
        "suspect",
        "source",
        LABELS,
        "content",
    )
    assert envelope["coverage"]["inputs"] == {"content": 6, "pin": 0, "name": 0}


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ([*good_days(), WORSE], 1),
        ([Day(v, raw=f"{n}") for n, v in enumerate([0.90, 0.88, 0.91, 0.87, 0.92, 0.89, 0.90, 0.885])], 3),
        ([*good_days(), Day(0.8, exam="harder")], 4),
        ([*good_days(), Day(0.8)], 5),
    ],
)
def test_exit_codes_tell_scripts_what_was_found(fill: Fill, run: Run, days: list[Day], code: int) -> None:
    fill(days)
    assert run("blame", "m", "--exit-code").returncode == code
    assert run("blame", "m").returncode == 0


def test_markdown_is_one_block(fill: Fill, run: Run) -> None:
    fill([*good_days(), WORSE])
    lines = run("blame", "m", "--md").stdout.splitlines()
    assert (lines[0], lines[-1]) == ("```", "```")


def test_marks_come_before_the_step_in_the_grades_and_can_be_taken_back(fill: Fill, run: Run) -> None:
    fill([*good_days(), WORSE, WORSE])
    assert run("mark", "good", "m@2").returncode == 0
    assert run("mark", "bad", "m@8").returncode == 0
    found = result(run("blame", "m", "--json"))
    assert (found["good"]["number"], found["bad"]["number"], found["rule"]) == (2, 8, "as marked")
    for build in ("m@2", "m@8"):
        assert run("mark", "none", build).returncode == 0
    assert result(run("blame", "m", "--json"))["good"]["number"] == 6


def test_what_is_named_comes_before_all(fill: Fill, run: Run) -> None:
    fill([*good_days(), WORSE, WORSE])
    run("mark", "good", "m@2")
    found = result(run("blame", "m", "--good", "4", "--bad", "7", "--json"))
    assert (found["good"]["number"], found["bad"]["number"], found["rule"]) == (4, 7, "as named")


NAN = Day(float("nan"), labels="flipped")


def test_that_the_newest_builds_scored_no_number_is_a_warning(fill: Fill, run: Run) -> None:
    fill([*good_days(), NAN, NAN])
    said = "builds 7 and 8 report no auc that is a number: compare with --bad 7"
    assert f"warning: {said}" in run("blame", "m").stdout.splitlines()
    found = result(run("blame", "m", "--json"))
    assert (found["warnings"], found["verdict"]) == ([said], "cannot tell")
    assert run("blame", "m", "--exit-code").returncode == 1


def test_a_build_that_scored_no_number_is_compared_where_it_is_named(fill: Fill, run: Run) -> None:
    fill([*good_days(), NAN, NAN])
    answer = run("blame", "m", "--bad", "7")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[1] == "m  auc 0.902 -> no number: what changed is told, not whether it is worse"
    assert lines[3].startswith(f" 1 SUSPECT  {LABELS} has other bytes")
    found = result(run("blame", "m", "--bad", "7", "--json"))
    assert (found["warnings"], found["gate"], found["bad"]["value"]) == ([], None, None)


def test_of_several_metrics_the_one_without_a_number_is_named(fill: Fill, run: Run) -> None:
    days = [Day(day.auc, more={"f1": 0.9}) for day in good_days()]
    fill([*days, Day(0.9, more={"f1": float("inf")})])
    assert result(run("blame", "m", "--json"))["warnings"] == [
        "build 7 reports no f1 that is a number: compare with --bad 7 --metric f1"
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["blame", "nothing"], 6, "nothing of this name"),
        (["blame", LABELS], 6, "no model of this name was built"),
        (["blame", "m", "--metric", "rmse"], 2, "expected one of auc"),
        (["blame", "m", "--good", "99"], 6, "no build of m by this name"),
        (["mark", "fine", "m@1"], 2, "expected one of good, bad, none"),
        (["mark", "good", "m"], 2, "expected MODEL@VERSION"),
        (["mark", "good", "m@99"], 6, "no build of m by this name"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(fill: Fill, run: Run, words: list[str], code: int, said: str) -> None:
    fill([*good_days(), WORSE])
    answer = run(*words)
    assert (answer.returncode, said in answer.stderr) == (code, True), answer.stderr
    assert "Traceback" not in answer.stderr


def test_owners_of_the_settings_are_named(fill: Fill, run: Run, tmp_path: Path) -> None:
    fill([*good_days(), WORSE])
    (tmp_path / ".lineagekit" / "config.toml").write_text('[owners]\n"/data/labels*" = "labeling@example.com"\n')
    assert "owner labeling@example.com" in run("blame", "m").stdout
