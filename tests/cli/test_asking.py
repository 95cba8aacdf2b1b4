# SPDX-License-Identifier: Apache-2.0
"""Questions to a store that was filled by `lineagekit ingest`: `show`, `alias`, `reindex`, `doctor --lineage`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.store.told import dataset, run_id
from tests.store.told import run as told_run

RAW, CLEAN, MODEL = "/data/raw.csv", "/data/clean.csv", "/models/churn.pkl"


def day(number: int, **raw: str) -> list[dict[str, Any]]:
    at = number * 1440
    grade = {"lineagekit_metrics": {"metrics": [{"name": "auc", "value": 0.9 - number / 100, "of": MODEL}]}}
    clean = str(number)
    return [
        *told_run(
            "clean.py",
            at,
            at + 5,
            reads=[dataset(RAW, at=at, **({"digest": "a"} | raw))],
            writes=[dataset(CLEAN, "output", at=at + 4, digest=clean)],
        ),
        *told_run(
            "train.py",
            at + 10,
            at + 20,
            reads=[dataset(CLEAN, at=at + 11, digest=clean)],
            writes=[dataset(MODEL, "output", at=at + 19, digest=f"c{number}", model="churn")],
            run_facets=grade,
        ),
    ]


@pytest.fixture
def project(tmp_path: Path, environ: dict[str, str], run: Run) -> Path:
    environ["LINEAGEKIT_STORE"] = str(tmp_path / ".lineagekit")
    events = [event for number in range(3) for event in day(number)]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    assert run("ingest", "events.jsonl").returncode == 0
    return tmp_path


def result(answer: subprocess.CompletedProcess[str]) -> Any:
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return json.loads(answer.stdout)["result"]


def test_a_model_shows_its_versions_with_their_metrics_newest_first(project: Path, run: Run) -> None:
    (card,) = result(run("show", "churn", "--json"))["datasets"]
    assert [version["number"] for version in card["versions"]] == [3, 2, 1]
    assert card["versions"][0]["metrics"] == {"auc": 0.88}
    assert card["versions"][0]["run"] == run_id("train.py", 2890)


@pytest.mark.parametrize("target", [CLEAN, "file:/data/clean.csv", "clean.csv", "/data/cl*.csv", f"file://{CLEAN}"])
def test_a_dataset_is_found_by_whatever_name_is_at_hand(project: Path, run: Run, target: str) -> None:
    (card,) = result(run("show", target, "--json"))["datasets"]
    assert card["title"] == CLEAN


def test_a_run_is_found_by_its_id_and_by_its_job(project: Path, run: Run) -> None:
    newest = run_id("train.py", 2890)
    assert result(run("show", newest[:8], "--json"))["run"] == newest
    assert result(run("show", "train.py", "--json"))["run"] == newest


def test_a_name_that_nobody_knows_is_answered_with_the_nearest_ones(project: Path, run: Run) -> None:
    answer = run("show", "clean.cvs")
    assert answer.returncode == 6
    assert "Did you mean" in answer.stderr
    assert CLEAN in answer.stderr


def test_a_name_that_two_have_is_answered_with_both(project: Path, run: Run) -> None:
    more = told_run("other.py", 1, 2, writes=["/elsewhere/clean.csv"])
    run("ingest", "-", stdin="\n".join(map(json.dumps, more)))
    answer = run("show", "clean.csv")
    assert answer.returncode == 2
    assert CLEAN in answer.stderr
    assert "/elsewhere/clean.csv" in answer.stderr


def test_an_alias_joins_two_names_and_is_taken_back(project: Path, run: Run) -> None:
    more = told_run("pod.py", 5000, 5001, reads=["/mnt/pod/clean.csv"])
    run("ingest", "-", stdin="\n".join(map(json.dumps, more)))
    assert run("alias", "/mnt/pod", "/data").returncode == 0
    (card,) = result(run("show", CLEAN, "--json"))["datasets"]
    assert card["others"] == ["/mnt/pod/clean.csv"]
    assert "shop/pod.py" in [use["job"] for use in card["read_by"]]
    assert result(run("alias", "--json")) == [{"name": "/mnt/pod", "called": "/data"}]
    assert run("alias", "--remove", "/mnt/pod").returncode == 0
    (card,) = result(run("show", CLEAN, "--json"))["datasets"]
    assert card["others"] == []


def test_names_in_the_settings_join_too(project: Path, run: Run) -> None:
    more = told_run("pod.py", 5000, 5001, reads=["/mnt/pod/clean.csv"])
    run("ingest", "-", stdin="\n".join(map(json.dumps, more)))
    (project / ".lineagekit" / "config.toml").write_text('[names]\n"/mnt/pod" = "/data"\n')
    (card,) = result(run("show", "/mnt/pod/clean.csv", "--json"))["datasets"]
    assert card["title"] == CLEAN


def test_an_alias_that_was_never_said_cannot_be_taken_back(project: Path, run: Run) -> None:
    answer = run("alias", "--remove", "/nothing")
    assert (answer.returncode, "no alias of this name" in answer.stderr) == (6, True)


def test_the_index_is_made_anew_with_the_same_answers(project: Path, run: Run) -> None:
    before = run("show", "churn", "--json").stdout
    assert result(run("reindex", "--json")) == {"events": 12, "runs": 6, "datasets": 3, "damaged": 0}
    assert run("show", "churn", "--json").stdout == before


def test_a_damaged_index_is_made_anew_without_a_word(project: Path, run: Run) -> None:
    before = run("show", "churn", "--json").stdout
    index = project / ".lineagekit" / "index.db"
    index.write_bytes(b"no database" * 1000)
    assert run("show", "churn", "--json").stdout == before


def test_the_doctor_names_what_is_odd_and_how_it_is_mended(project: Path, run: Run) -> None:
    more = [
        *told_run("spark", 6000, 6001, writes=[dataset("data/clean.csv", "output", namespace="file://")]),
        *told_run("score.py", 6010, 6020, reads=[dataset(CLEAN, at=6011, digest="f")]),
    ]
    run("ingest", "-", stdin="\n".join(map(json.dumps, more)))
    found = {one["kind"]: one for one in result(run("doctor", "--lineage", "--json"))}
    assert found["never written"]["dataset"] == RAW
    assert found["out of band"]["dataset"] == CLEAN
    assert found["no digest"]["times"] == 1
    assert found["two spellings"]["mend"].startswith("lineagekit alias ")
    words = found["two spellings"]["mend"].split()[1:]
    assert run(*words).returncode == 0
    assert "two spellings" not in {one["kind"] for one in result(run("doctor", "--lineage", "--json"))}


def test_a_store_without_events_says_so(tmp_path: Path, run: Run) -> None:
    answer = run("show", "churn", LINEAGEKIT_STORE=str(tmp_path / "none"))
    assert answer.returncode == 6
    assert "no store" in answer.stderr


def test_a_file_of_events_is_a_store_too(project: Path, run: Run) -> None:
    before = run("show", "churn", "--json").stdout
    elsewhere = {"LINEAGEKIT_STORE": str(project / "none")}
    assert run("show", "churn", "--json", "--store", "events.jsonl", **elsewhere).stdout == before
    assert run("show", "churn", "--json", "--store", "events.jsonl", **elsewhere).stdout == before
    (project / "no.jsonl").write_text("nothing\n")
    assert run("show", "churn", "--store", "no.jsonl").returncode == 8
