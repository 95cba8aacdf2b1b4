# SPDX-License-Identifier: Apache-2.0
"""`lineagekit impact`: what a data owner reads before deleting, and what a script goes by."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cli.main import main
from lineagekit.store.log import entry_of, open_store
from tests.cli.conftest import Run
from tests.identity.worlds import NOBODY, open_folder
from tests.store.told import Event, dataset, digest, moment, run_id
from tests.store.told import run as told_run

Capture = pytest.CaptureFixture[str]

RAW, CLEAN, MODEL = "/d/raw.csv", "/d/clean.csv", "/m/churn.pkl"
AIRFLOW = "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3"
BASE = 1_777_593_600
NOW = (time.time() - BASE) / 60
"""In the minutes of these histories."""
DAY = 1440


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LINEAGEKIT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("LINEAGEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "store"


def tell(folder: Path, events: Sequence[Event]) -> None:
    with open_store(folder) as store:
        store.append(map(entry_of, events))


def day(at: float, raw: str = "a") -> list[Event]:
    """A day's runs, which began `at`."""
    owned = dataset(CLEAN, "output", at=at + 4, digest="c", facets={"ownership": {"owners": [{"name": "ann"}]}})
    return [
        *told_run("clean", at, at + 5, reads=[dataset(RAW, at=at, digest=raw)], writes=[owned]),
        *told_run(
            "train",
            at + 6,
            at + 9,
            reads=[dataset(CLEAN, at=at + 7, digest="c")],
            writes=[dataset(MODEL, "output", at=at + 8, digest="e", model="churn")],
        ),
    ]


def task(at: float, page: str, namespace: str = "prod") -> list[Event]:
    """A task of Airflow, of which its provider tells."""
    facets = {"airflow": {"taskInstance": {"log_url": f"https://airflow.example.com/{page}"}}}
    events = told_run(
        "shop.load", at, at + 1, reads=[RAW], writes=[f"/d/{namespace}.csv"], namespace=namespace, run_facets=facets
    )
    return [event | {"producer": AIRFLOW} for event in events]


def text(capsys: Capture, *words: str, code: int = 0) -> list[str]:
    assert main(["impact", *words]) == code
    return capsys.readouterr().out.splitlines()


def answer(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["impact", *words, "--json"]) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


class TestText:
    def test_a_person_sees_what_breaks_then_a_table_then_how_well_it_is_known(
        self, folder: Path, capsys: Capture
    ) -> None:
        tell(folder, day(NOW - DAY - 130) + day(NOW - 130))
        first = moment(NOW - DAY - 130)[:10]
        assert text(capsys, RAW) == [
            f"store {folder}: history from {first}, last event 2 h ago",
            "deleting /d/raw.csv breaks 1 model and 1 file; owner: ann; last read 2 h ago",
            "kind   name          step  last use  active  owner, or job",
            "model  churn         2     2 h ago   yes     shop/train",
            "file   /d/clean.csv  1     2 h ago   yes     ann",
            "coverage: 2 inputs: 2 by content, of the last use of each",
        ]

    def test_of_bytes_it_says_what_they_went_into(self, folder: Path, capsys: Capture) -> None:
        tell(folder, day(NOW - DAY - 130) + day(NOW - 130, raw="b"))
        assert text(capsys, RAW, "--version", digest("a"))[1:3] == [
            "these bytes of /d/raw.csv (blake3:aaaaaaaaaaaa) went into 1 model and 1 file, in",
            "  2 runs; owner: ann; last read 1 d ago",
        ]

    def test_a_run_is_asked_for_what_it_made(self, folder: Path, capsys: Capture) -> None:
        tell(folder, day(NOW - 130))
        run = run_id("clean", NOW - 130)
        assert text(capsys, run)[1].startswith(f"what run {run} of clean made went into")
        assert text(capsys, "train")[1].startswith("no use recorded of what run ")

    def test_a_part_is_said_to_be_read_when_the_whole_around_it_was(self, folder: Path, capsys: Capture) -> None:
        tell(folder, told_run("w", NOW - 200, NOW - 190, writes=["/x/1"]) + told_run("r", NOW - 130, NOW, reads=["/x"]))
        told = text(capsys, "/x/1")
        assert told[1] == "deleting /x/1 may break 1 job; last read 2 h ago"
        assert "weak (~): 1 read the whole around it, perhaps not this" in told

    def test_what_is_not_sure_may_break(self, folder: Path, capsys: Capture) -> None:
        design = {"eventTime": moment(NOW), "job": {"namespace": "shop", "name": "plan"}}
        design |= {"inputs": [dataset(RAW)], "outputs": [dataset("/d/planned")]}
        old = told_run("old", 0, 1, reads=[RAW], writes=["/d/old"]) + told_run(
            "old", 9, 10, reads=[RAW], writes=["/d/old"]
        )
        tell(folder, [*day(NOW - 130), *old, design])
        told = text(capsys, RAW)
        assert told[1].startswith("deleting /d/raw.csv breaks 1 model and 1 file; may break 2 files;")
        assert [line.split()[:3] for line in told if line.startswith("file")] == [
            ["file", "/d/clean.csv", "1"],
            ["file", "/d/old", "1"],
            ["file", "/d/planned", "~1"],
        ]
        assert "weak (~): 1 only designed, never seen to run" in told
        assert "not active: 1, not used for three times their usual interval" in told

    def test_a_task_of_airflow_has_the_page_of_its_latest_run(self, folder: Path, capsys: Capture) -> None:
        tell(folder, [*task(NOW - DAY, "old"), *task(NOW - 130, "new"), *task(NOW - 60, "other", namespace="test")])
        told = text(capsys, RAW)
        where = told.index("latest run of prod/shop.load")
        assert told[where + 1] == "  page https://airflow.example.com/new"
        assert told[told.index("latest run of test/shop.load") + 1] == "  page https://airflow.example.com/other"
        assert not any("/old" in line for line in told)

    def test_it_fits_eighty_columns_and_shows_fifty_rows(self, folder: Path, capsys: Capture) -> None:
        writes = [f"/d/{'deep/' * 30}{number}.csv" for number in range(60)]
        facets = {"ownership": {"owners": [{"name": "somebody.with.a.long.name@some.department.example.com"}]}}
        tell(folder, told_run("wide", 0, 1, reads=[RAW], writes=writes, job_facets=facets))
        _, *told = text(capsys, RAW)
        assert max(map(len, told)) <= 80
        assert "... and 10 more: --csv lists all" in told
        assert sum(line.startswith("file ") for line in told) == 50

    def test_names_cannot_harm_a_terminal(self, folder: Path, capsys: Capture) -> None:
        odd = "/d/\x1b[2J\u202e\n.csv"
        facets = {"ownership": {"owners": [{"name": "\x1b[8m" * 20}]}}
        job = told_run("\x1b]0;x\x07", 0, 1, reads=[odd], writes=["/d/\x9b31m.csv"], job_facets=facets)
        tell(folder, job + told_run("w", 2, 3, writes=["/d/\x07"]))
        told = "".join(text(capsys, odd) + text(capsys, "/d/\x07"))
        assert told.isprintable()
        assert "\\x1b[2J\\u202e\\n.csv" in told

    def test_senders_that_fell_silent_are_named_beside_an_answer(self, folder: Path, capsys: Capture) -> None:
        tell(folder, told_run("w", 0, 1, writes=["/d/x"], namespace="crm") + day(NOW - 130))
        told = text(capsys, RAW)
        assert told[-2] == "silent before the newest event, so what they do now is not known:"
        assert told[-1].startswith("    crm: last heard ")


class TestNobody:
    def test_none_recorded_is_not_nobody_and_says_what_was_not_seen(self, folder: Path, capsys: Capture) -> None:
        tell(folder, told_run("load", NOW - DAY - 130, NOW - 130, writes=[RAW]))
        first = moment(NOW - DAY - 130)[:10]
        assert text(capsys, RAW)[1:] == [
            "no use recorded of /d/raw.csv",
            "  only known as written, last 2 h ago: no recorded run ever read it",
            f"  history begins {first}: what was before, or was never sent, is not in it",
            "  heard from:",
            "    shop: last heard 2 h ago (2 events; https://example.com/spark)",
            "  where all that uses your data is recorded, say so: complete = true in the",
            "    store's config.toml",
        ]

    def test_nobody_is_said_where_the_user_vouches_for_it(self, folder: Path, capsys: Capture) -> None:
        tell(folder, told_run("load", NOW - 130, NOW - 129, writes=[RAW]))
        (folder / "config.toml").write_text("complete = true\n")
        told = text(capsys, RAW, "--exit-code")
        assert told[1:3] == [
            "nobody uses /d/raw.csv: none is recorded, and config.toml says that all uses are",
            "  only known as written, last 2 h ago: no recorded run ever read it",
        ]
        assert any("last heard" in line for line in told)
        assert answer(capsys, RAW)["result"]["nobody"] is True

    def test_a_dataset_that_was_read_before_says_when(self, folder: Path, capsys: Capture) -> None:
        tell(folder, day(NOW - 5 * DAY))
        told = text(capsys, RAW, "--since", "2d", "--exit-code", code=5)
        assert "  it was read last 5 d ago" in told
        told = text(capsys, CLEAN, "--models", "--columns", "x", "--depth", "1")
        assert told[1].startswith("deleting column x of /d/clean.csv may break 1 model;")
        told = text(capsys, RAW, "--models", "--depth", "1")
        assert told[1:4] == [
            "no model recorded that uses /d/raw.csv",
            "  it was read last 5 d ago",
            "  within 1 step",
        ]
        assert "  1 consumer left out: not models" in told

    def test_a_name_out_of_a_design_is_only_a_name(self, folder: Path, capsys: Capture) -> None:
        design = {"eventTime": moment(0), "job": {"namespace": "shop", "name": "plan"}, "outputs": [dataset(RAW)]}
        tell(folder, [design])
        told = text(capsys, RAW, "--exit-code", code=5)
        assert told[2] == "  only known by its name: no recorded run ever read or wrote it"
        assert told[3] == "  it is not known who sent what is here, nor since when"

    def test_bytes_that_nobody_read_and_readers_who_may_have(self, folder: Path, capsys: Capture) -> None:
        events = told_run(
            "s", 5, 9, reads=[dataset(RAW, at=5, digest="a")], writes=[dataset(RAW, "output", at=8, digest="b")]
        )
        tell(folder, events + told_run("peek", 0, 1, reads=[RAW]))
        (folder / "config.toml").write_text("complete = true\n")
        told = text(capsys, f"{RAW}@bbbbbb", "--exit-code", code=5)
        assert told[1] == "no use recorded of these bytes of /d/raw.csv (blake3:bbbbbbbbbbbb)"
        assert "  1 run read it without its bytes being known, and may have read these" in told


class TestScripts:
    def test_the_exit_code_answers(self, folder: Path, capsys: Capture) -> None:
        tell(folder, day(NOW - 130))
        assert main(["impact", RAW]) == main(["impact", "churn"]) == 0
        assert main(["impact", RAW, "--exit-code"]) == 1
        assert main(["impact", "churn", "--exit-code"]) == 5
        (folder / "config.toml").write_text("complete = true\n")
        assert main(["impact", RAW, "--exit-code"]) == 1
        assert main(["impact", "churn", "--exit-code"]) == 0
        assert main(["impact", "nothing", "--exit-code"]) == 6

    def test_csv_has_a_row_for_each_consumer_whatever_is_in_its_name(self, folder: Path, capsys: Capture) -> None:
        odd = '/d/a "quoted", name\n.csv'
        tell(folder, told_run("w", 0, 1, reads=[RAW], writes=[odd]) + told_run("v", 2, 3, reads=[odd]))
        assert main(["impact", RAW, "--csv"]) == 0
        told = capsys.readouterr()
        rows = list(csv.DictReader(io.StringIO(told.out)))
        assert [(row["kind"], row["name"], row["depth"], row["jobs"]) for row in rows] == [
            ("file", odd, "1", "shop/w"),
            ("job", "shop/v", "2", "shop/v"),
        ]
        assert rows[0]["last_use"] == "2026-05-01T00:00:00+00:00"
        assert (rows[0]["active"], rows[0]["identity"], rows[0]["weak"]) == ("yes", "name", "")
        assert told.err == ""

    def test_csv_of_none_has_a_header_and_a_warning_beside(self, folder: Path, capsys: Capture) -> None:
        tell(folder, told_run("w", 0, 1, writes=[RAW]))
        assert main(["impact", RAW, "--csv", "--exit-code"]) == 5
        told = capsys.readouterr()
        assert told.out == ("kind,name,depth,jobs,via,last_use,first_use,runs,owners,active,identity,weak,versions\n")
        assert told.err == "warning: no use recorded of /d/raw.csv\n"

    def test_json_has_the_page_of_each_consumer_that_has_one(self, folder: Path, capsys: Capture) -> None:
        tell(folder, [*task(NOW - 130, "new"), *told_run("clean", NOW - 60, NOW, reads=[RAW])])
        pages = {one["jobs"][0]: one["page"] for one in answer(capsys, RAW)["result"]["consumers"]}
        assert pages == {"prod/shop.load": "https://airflow.example.com/new", "shop/clean": None}

    def test_json_is_one_envelope_with_coverage(self, folder: Path, capsys: Capture) -> None:
        tell(
            folder,
            told_run("load", 0, 1, writes=[RAW]) + told_run("mail", 2, 3, reads=[dataset(RAW, at=2.5, digest="a")]),
        )
        at = BASE * 1_000_000
        assert answer(capsys, RAW) == {
            "schema_version": 1,
            "command": "impact",
            "result": {
                "target": RAW,
                "by": "name",
                "versions": [],
                "counts": {"job": 1},
                "nobody": False,
                "consumers": [
                    {
                        "kind": "job",
                        "title": "shop/mail",
                        "jobs": ["shop/mail"],
                        "depth": 1,
                        "via": RAW,
                        "last_use": at + 120_000_000,
                        "first_use": at + 120_000_000,
                        "runs": 1,
                        "owners": [],
                        "active": True,
                        "identity": "content",
                        "weak": [],
                        "versions": [],
                        "page": None,
                    }
                ],
                "owners": [],
                "last_read": at + 150_000_000,
                "last_write": at + 60_000_000,
                "newest_event": at + 180_000_000,
                "unknown_reads": 0,
                "left_out": 0,
                "runs": 0,
                "links": [[RAW, "shop/mail", "shop/mail"]],
            },
            "coverage": {
                "inputs": {"content": 1, "pin": 0, "name": 0},
                "weak": 1,
                "sources": 0,
                "unknown": [],
                "history_begins": at,
                "senders": [
                    {
                        "producer": "https://example.com/spark",
                        "namespace": "shop",
                        "last_heard": at + 180_000_000,
                        "events": 4,
                    }
                ],
                "complete": False,
            },
            "warnings": [],
        }


class TestBadInput:
    def test_two_shapes_at_once_are_refused(self, capsys: Capture) -> None:
        assert main(["impact", RAW, "--csv", "--json"]) == 2

    @pytest.mark.parametrize(
        "words",
        [["--columns", ","], ["--depth", "0"], ["--since", "soon"], [], ["--version", "aaaaaa", "--depth", "x"]],
    )
    def test_what_makes_no_sense_is_a_usage_error(self, folder: Path, capsys: Capture, words: list[str]) -> None:
        tell(folder, day(0))
        assert main(["impact", *([RAW] if words else []), *words]) == 2
        assert capsys.readouterr().err.startswith("error: ")

    def test_an_empty_store_and_an_unknown_name_are_not_nobody(self, folder: Path, capsys: Capture) -> None:
        assert main(["impact", RAW, "--exit-code"]) == 6
        tell(folder, [])
        assert main(["impact", RAW, "--exit-code"]) == 6
        tell(folder, day(0))
        assert main(["impact", "/d/rwa.csv", "--exit-code"]) == 6
        assert "Did you mean" in capsys.readouterr().err
        for strange in ("", "@", "*", "@1", "/", ":"):
            assert main(["impact", strange]) in (0, 2, 6)

    def test_a_store_that_can_only_be_read_answers_too(
        self, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(folder, day(NOW - 130))
        text(capsys, RAW)  # so that all is imported by whoever may
        with open_folder() as base:
            store, cache = base / "store", base / "cache"
            tell(store, day(NOW - 130))
            for path in store.iterdir():
                path.chmod(0o444)
            store.chmod(0o555)
            cache.mkdir()
            if os.geteuid() == 0:
                os.chown(cache, NOBODY, NOBODY)
            monkeypatch.setenv("LINEAGEKIT_STORE", str(store))
            monkeypatch.setenv("LINEAGEKIT_CACHE", str(cache))
            with as_nobody_at_all():
                told = text(capsys, RAW)
            assert [path.name for path in store.iterdir() if path.name.startswith("index")] == []
        assert told[1].startswith("deleting /d/raw.csv breaks 1 model and 1 file")


@contextmanager
def as_nobody_at_all() -> Iterator[None]:
    """The real user too, by whom `os.access` goes."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_the_command_loads_nothing_that_it_does_not_need(folder: Path, run: Run) -> None:
    tell(folder, day(0))
    done = run("impact", RAW, LINEAGEKIT_STORE=str(folder), PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "lineagekit.graph.impact" in loaded
    assert not loaded & {"networkx", "numpy", "pyarrow", "requests", "rich", "openlineage"}
