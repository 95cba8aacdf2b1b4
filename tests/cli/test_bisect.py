# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` on a pipeline that runs: what it confirms, what it refuses, and that it touches nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM
from tests.cli.projects import CODE, PIPELINE, Project, project_in

pytestmark = pytest.mark.caged

Lineagekit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_in(tmp_path, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Labels were flipped, when prices and a parameter moved as well, and a comment came into the code."""
    project = project_in(tmp_path_factory.mktemp("flipped"), tmp_path_factory.mktemp("cache"))
    for prices in ("1 2 3", "1 2 4", "1 2 5"):
        project.write(prices=prices)
        project.build()
    project.write(labels="1001011010", prices="2 2 5", helper="WEIGHT = 1.0  # as before\n")
    project.lr = "0.2"
    project.build()
    return project


def test_the_cause_is_confirmed_and_nothing_of_the_users_is_touched(flipped: Project) -> None:
    before = flipped.picture()
    found = flipped.bisect("--reset", "--", *CODE)
    assert found["status"] == "confirmed"
    assert [[cause.partition(" has ")[0] for cause in causes] for causes in found["causes"]] == [
        [str(flipped.folder / "labels.csv")]
    ]
    assert (found["good"], found["bad"]) == (pytest.approx(0.9), pytest.approx(0.5))
    assert flipped.picture() == before
    assert not list((flipped.folder / ".lineagekit" / "bisect").glob("*/workspace"))
    blamed = flipped("blame", "m").stdout
    assert f" 1 CULPRIT  {flipped.folder / 'labels.csv'}" in blamed
    assert "sufficient and necessary, by" in blamed


def test_asked_again_nothing_is_built_twice(flipped: Project) -> None:
    flipped.bisect("--", *CODE)
    again = flipped("bisect", "m", "--", *CODE)
    assert again.returncode == 0
    assert "probe" not in again.stdout
    assert ", 0 now" in again.stdout


def test_a_dry_run_says_what_would_be_tried_and_runs_nothing(flipped: Project) -> None:
    planned = flipped.bisect("--dry-run", "--", "sh", "-c", "touch ran; false")
    assert [planned["good"], planned["bad"], planned["obstacles"]] == [3, 4, []]
    assert any("labels.csv" in change for change in planned["changes"])
    assert list(planned["untestable"].values()) == [
        "the command has no place for it: write {lr} where it belongs, or see --set"
    ]
    assert not (flipped.folder / "ran").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--metric-file", "auc.json:auc", "--", *CODE],
        ["--set", "lr=--lr={value}", "--", sys.executable, "pipeline.py"],
        ["--exit-status", "--", "sh", "-c", f"{sys.executable} pipeline.py --lr {{lr}} && ! grep -q 0.5 auc.json"],
    ],
)
def test_a_file_an_option_or_the_exit_code_can_judge(flipped: Project, words: list[str]) -> None:
    found = flipped.bisect("--reset", *words)
    assert found["status"] == "confirmed", found
    assert "labels.csv" in found["causes"][0][0]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Labels were flipped; it measures more than the number that blame judges by, all in one file."""
    project = project_in(tmp_path_factory.mktemp("measured"), tmp_path_factory.mktemp("cache"))
    more = '{"auc": auc, "loss": 1 - auc, "test": {"auc": auc}, "glow": auc}'
    text = PIPELINE.replace('{"auc": auc}', more)
    text += 'lineagekit.metric("loss", 1 - auc, of="model.json", on="exam.csv", higher_is_better=False)\n'
    (project.folder / "pipeline.py").write_text(text)
    for _ in range(3):
        project.build()
    project.write(labels="1001011010")
    project.build()
    return project


@pytest.mark.parametrize(
    ("words", "threshold"),
    [
        (["--metric-file", "auc.json:loss"], 0.3),
        (["--metric-file", "auc.json:test.auc", "--threshold", "0.6"], 0.6),
        (["--metric-file", "auc.json:glow", "--threshold", "0.6", "--higher"], 0.6),
    ],
)
def test_another_number_in_a_file_is_judged_by_a_border_of_its_own(
    measured: Project, words: list[str], threshold: float
) -> None:
    assert measured.bisect("--dry-run", *words, "--", *CODE)["threshold"] == pytest.approx(threshold)
    found = measured.bisect("--reset", *words, "--", *CODE)
    assert found["status"] == "confirmed", found
    assert "labels.csv" in found["causes"][0][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["auc.json"], "--metric-file: got auc.json, expected FILE:KEY"),
        ([":auc"], "--metric-file: got :auc, expected FILE:KEY"),
        (["auc.json:"], "--metric-file: got auc.json:, expected FILE:KEY"),
        (["auc.json:test.auc"], "no half-way point to judge rebuilds by: got no test.auc of build 1 that"),
        (["auc.json:glow", "--threshold", "0.6"], "nobody said which way glow is better"),
    ],
)
def test_a_number_in_a_file_by_which_nothing_can_be_judged_is_refused_before_anything_runs(
    measured: Project, words: list[str], said: str
) -> None:
    refused = measured("bisect", "m", "--metric-file", *words, "--", "sh", "-c", "touch ran; false")
    assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr + refused.stdout
    assert "probe" not in refused.stdout
    assert not (measured.folder / "ran").exists()


def test_a_build_whose_grade_is_no_number_has_no_half_way_point(project: Project) -> None:
    text = PIPELINE.replace("print(lineagekit", "auc = auc if auc > 0.6 else float('nan')\nprint(lineagekit")
    (project.folder / "pipeline.py").write_text(text)
    project.build()
    project.write(labels="1001011010")
    project.build()
    refused = project("bisect", "m", "--bad", "2", "--", *CODE)
    assert refused.returncode == 2
    assert "no half-way point to judge rebuilds by: got no auc of build 2 that is a number" in refused.stderr
    assert "--exit-status" in refused.stderr
    judged = 'grep -q "0.9" auc.json'
    command = ("--exit-status", "--", "sh", "-c", f"{sys.executable} pipeline.py && {judged}")
    assert project.bisect("--bad", "2", *command)["status"] == "confirmed"
    by_hand = project("bisect", "start", "m", "--bad", "2")
    assert "then say: lineagekit bisect good" in by_hand.stdout, by_hand.stderr


def test_a_feed_that_changes_with_every_build_is_told_as_the_culprit_once_it_is_shown(project: Project) -> None:
    plain = 'float(row[1]) for row in csv.reader(open("prices.csv"))'
    text = PIPELINE.replace(plain, 'float(row["price"]) for row in csv.DictReader(open("prices.csv"))')
    (project.folder / "pipeline.py").write_text(text)
    labels, prices = (project.folder / name for name in ("labels.csv", "prices.csv"))
    alike = ["0110100101", "0110100110", "1010100101", "0101100101"]
    for build, text in enumerate([*alike, *alike[:3], "1001011010"]):
        project.write(labels=text)
        prices.write_text("id,price\n" + "".join(f"{n},{n % 5}\n" for n in range(20 + build)))
        project.build()
    before = project("blame", "m").stdout
    assert "2 changes as with every build; 0 not" in before
    assert f"   of these, look first at {prices} has other bytes: " in before
    assert ": rows 26 -> 27\n" in before
    assert "SUSPECT" not in before
    assert project.bisect("--", *CODE)["status"] == "confirmed"
    after = project("blame", "m").stdout
    assert f" 1 CULPRIT  {labels} has other bytes" in after
    assert "2 changes as with every build, 1 of them shown by rebuilds; 0 not" in after
    assert "nothing that was recorded changed" not in after
    found = json.loads(project("blame", "m", "--json").stdout)["result"]
    first, second = found["suspects"]
    assert (found["verdict"], first["status"], first["where"]) == ("culprit confirmed", "culprit", str(labels))
    assert ("by" in first["confirmed"], second["status"]) == (True, "carrier")


def test_one_suspect_can_be_tried_against_all_others(flipped: Project) -> None:
    found = flipped.bisect("--only", "1", "--", *CODE)
    assert (found["status"], found["probes"]) == ("confirmed", 4)


def test_two_causes_are_both_found(project: Project) -> None:
    for _ in range(3):
        project.build()
    project.write(labels="1001011010", helper="WEIGHT = 1.0  # anew\n", prices="999 2 3")
    project.lr = "0.2"
    project.build()
    found = project.bisect("--threshold", "0.85", "--", *CODE)
    assert found["status"] == "confirmed", found
    assert sorted(Path(causes[0].partition(" has ")[0]).name for causes in found["causes"]) == [
        "labels.csv",
        "prices.csv",
    ]


def test_a_parameter_and_a_module_are_tried_like_data(project: Project) -> None:
    for _ in range(2):
        project.build()
    project.write(helper="WEIGHT = 0.3\n", prices="2 2 2")
    project.build()
    found = project.bisect("--", *CODE)
    assert (found["status"], len(found["causes"])) == ("confirmed", 1)
    assert found["causes"][0][0].startswith(f"code {project.folder / 'helper.py'} of pipeline.py")
    project.write(helper="WEIGHT = 1.0\n")
    project.build()
    project.lr = "5"
    project.build()
    found = project.bisect("--good", "3", "--bad", "4", "--", *CODE)
    assert found["causes"] == [["parameter lr of pipeline.py: 0.1 -> 5.0"]], found


def test_parameters_in_a_file_and_variables_are_tried_too(project: Project) -> None:
    text = PIPELINE.replace("lr = lineagekit.params(parser.parse_args()).lr", "parser.parse_args()").replace(
        "labels = [",
        "lr = lineagekit.params(json.load(open('params.json')))['lr'] * float(os.environ['X'])\nlabels = [",
    )
    (project.folder / "pipeline.py").write_text(text)
    params = project.folder / "params.json"
    params.write_text('{"lr": 0.1, "depth": 3}')
    project.build(X="1")
    project.build(X="1")
    params.write_text('{"lr": 5.0, "depth": 4}')
    project.build(X="1")
    command = ("--", sys.executable, "pipeline.py")
    found = json.loads(project("bisect", "m", "--json", "--param-file", "params.json", *command, X="1").stdout)
    assert found["result"]["causes"] == [["parameter lr of pipeline.py: 0.1 -> 5.0"]], found
    assert params.read_text() == '{"lr": 5.0, "depth": 4}'
    params.write_text('{"lr": 0.1, "depth": 3}')
    project.build(X="60")
    found = project.bisect("--good", "1", "--bad", "3", "--env", "X=1,60", *command)
    assert found["causes"] == [["X in the environment"]], found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "false"], "exit code 1"),
        (["--timeout", "1", "--", "sleep", "60"], "it took longer than 1 s"),
        (["--", sys.executable, "-c", "open('labels.csv').read()"], "it reported no auc"),
        (["--", "true"], "it read nothing that is recorded"),
        (["--", "/no/such/program"], "No such file"),
    ],
)
def test_a_command_that_does_not_rebuild_is_no_verdict(flipped: Project, words: list[str], said: str) -> None:
    found = flipped.bisect("--reset", *words)
    assert (found["status"], found["causes"]) == ("not reproduced", [])
    assert any(said in note for note in found["notes"]), found


def test_a_rebuild_that_reads_what_neither_build_read_does_not_count(flipped: Project) -> None:
    (flipped.folder / "other.csv").write_text("7,1\n")
    command = f'cat other.csv; exec {sys.executable} -c \'open("other.csv").read(); import runpy, sys; ' + (
        'sys.argv = ["pipeline.py", "--lr", "{lr}"]; runpy.run_path("pipeline.py", run_name="__main__")\''
    )
    found = flipped.bisect("--reset", "--", "sh", "-c", command)
    (flipped.folder / "other.csv").unlink()
    assert found["status"] == "not reproduced"
    assert any("other.csv, which neither build read" in note for note in found["notes"]), found


def test_bytes_that_are_gone_are_named_before_anything_runs(project: Project) -> None:
    (project.folder / ".lineagekit").mkdir()
    (project.folder / ".lineagekit" / "config.toml").write_text('keep = "none"\n')
    for _ in range(2):
        project.build()
    project.write(labels="1001011010")
    project.build()
    refused = project("bisect", "m", "--", *CODE)
    assert refused.returncode == 2
    gone = f"bytes are gone: {project.folder / 'labels.csv'}. It stays as now in each rebuild"
    assert gone in refused.stderr
    project.lr = "5"
    project.build()
    found = project.bisect("--good", "1", "--bad", "3", "--", *CODE)
    assert (found["status"], found["why"]) == ("not reproduced", "the good build is bad when built again")
    assert [what for what in found["untested"] if gone in what]
    planned = project.bisect("--good", "1", "--bad", "3", "--dry-run", "--", *CODE)
    assert planned["changes"] == ["what else differs: lr"]  # this can still be tried
    assert list(planned["untestable"].values()) == [gone]
    project.write(exam="0110100100")
    refused = project("bisect", "m", "--good", "1", "--bad", "3", "--", *CODE)
    assert refused.returncode == 2
    assert f"bytes are gone that every rebuild needs (1 files): {project.folder / 'exam.csv'}" in refused.stderr
    assert "keep" in refused.stderr


@pytest.mark.parametrize("words", [["m"], ["m", "--env", "X=1", "--", "true"], ["nobody", "--", "true"], ["good"]])
def test_bad_words_get_a_clear_error(flipped: Project, words: list[str]) -> None:
    refused = flipped("bisect", *words)
    assert refused.returncode in (2, 6)
    assert refused.stderr.startswith("error: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.faults
def test_killed_again_and_again_it_goes_on_where_it_was(flipped: Project) -> None:
    command = [PROGRAM, "bisect", "m", "--json", "--", *CODE, "--lr", "{lr}"]
    kills, told = 0, 0
    while kills < 6:
        process = subprocess.Popen(command, cwd=flipped.folder, env=flipped.environ, stdout=subprocess.DEVNULL)
        time.sleep(2.5 + kills)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        sessions = (flipped.folder / ".lineagekit" / "bisect").glob("*/probes.jsonl")
        lines = max(path.read_text().count("\n") for path in sessions)
        assert lines >= told
        told = lines
    assert kills > 0
    done = subprocess.run(command, cwd=flipped.folder, env=flipped.environ, capture_output=True, text=True)
    found = json.loads(done.stdout)["result"]
    assert (found["status"], "labels.csv" in found["causes"][0][0]) == ("confirmed", True)


def test_by_hand_it_says_what_to_build_and_a_log_can_be_told_again(flipped: Project) -> None:
    begun = flipped("bisect", "start", "m")
    assert begun.returncode == 1
    assert "as build 3; put there, and build:" in begun.stdout
    assert f"{flipped.folder / 'labels.csv'}   the bytes in" in begun.stdout
    flipped("bisect", "good", "0.9")
    flipped("bisect", "bad", "0.5")
    log = flipped("bisect", "log").stdout
    assert log.splitlines()[1] == "good - 0.9"
    told = [line for line in log.splitlines() if not line.startswith("#")]
    (flipped.folder / "told.txt").write_text(log)
    while (said := flipped("bisect", "bad" if _has_labels(flipped) else "good")).returncode == 1:
        assert len(told) < 20
    assert said.stdout.startswith(f"CULPRIT  {flipped.folder / 'labels.csv'}")
    assert "as told by hand" in said.stdout
    again = flipped("bisect", "replay", "told.txt")
    assert again.returncode == 1
    assert flipped("bisect", "log").stdout == log
    (flipped.folder / "told.txt").unlink()
    assert flipped("bisect", "run", "--", *CODE).returncode == 0
    assert flipped("bisect", "reset").returncode == 0
    assert flipped("bisect", "good").returncode == 6


def _has_labels(project: Project) -> bool:
    """Whether the hybrid that is asked for has the new labels: then nothing has to be put in their place."""
    log = project.folder / "log.txt"
    log.write_text(project("bisect", "log").stdout)
    wanted = json.loads(project("bisect", "replay", "log.txt", "--json").stdout)["result"]["build"]
    log.unlink()
    return str(project.folder / "labels.csv") not in wanted["files"]


def test_a_build_that_differs_each_time_is_noticed_and_judged_by_repeats(project: Project) -> None:
    text = PIPELINE.replace("auc = 0.5", "import random\nauc = random.gauss(0, 0.03) + 0.5")
    (project.folder / "pipeline.py").write_text(text)
    for _ in range(4):
        project.build()
    project.write(labels="1001011010", prices="2 2 5")
    project.build()
    done = project("bisect", "m", "--", *CODE)
    assert "note     not deterministic: built again, one scores" in done.stdout
    assert done.stdout.count(" as build 1 ") >= 2
    assert f"CULPRIT  {project.folder / 'labels.csv'}" in done.stdout, done.stdout


def test_nobody_is_told_of_what_is_only_tried_and_what_is_never_recorded_is_not_missed(project: Project) -> None:
    store = project.folder / ".lineagekit"
    store.mkdir()
    (store / "config.toml").write_text(
        '[[destination]]\nname = "file"\ntransport = { type = "file", log_file_path = "events.jsonl", append = true }\n'
        '[capture]\nignore = ["prices.csv"]\n'
    )
    for _ in range(2):
        project.build()
    project.write(labels="1001011010")
    project.build()
    project("push")
    sent = (project.folder / "events.jsonl").read_bytes()
    assert sent
    found = project.bisect("--", *CODE)
    assert (found["status"], len(found["causes"])) == ("confirmed", 1), found
    project("push")
    assert (project.folder / "events.jsonl").read_bytes() == sent


def test_what_is_read_elsewhere_is_refused_unless_a_person_insists(project: Project) -> None:
    text = PIPELINE.replace("labels = [", 'lineagekit.input("s3://bucket/raw.csv")\nlabels = [')
    (project.folder / "pipeline.py").write_text(text)
    for _ in range(2):
        project.build()
    project.write(labels="1001011010")
    project.build()
    refused = project("bisect", "m", "--", *CODE)
    assert refused.returncode == 2
    assert "s3://bucket/raw.csv (pipeline.py)" in refused.stderr
    assert "--unsafe" in refused.stderr
    assert not list((project.folder / ".lineagekit" / "bisect").glob("*/probes.jsonl"))
    assert project.bisect("--unsafe", "--", *CODE)["status"] == "confirmed"


def test_where_the_exam_was_swapped_it_says_that_it_is_not_the_model(project: Project) -> None:
    for _ in range(3):
        project.build()
    project.write(exam="1001011010", prices="1 2 4")
    project.build()
    done = project("bisect", "m", "--", *CODE)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no culprit: evaluation changed. measured like the good build, the bad one is as good" in done.stdout
