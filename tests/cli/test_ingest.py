# SPDX-License-Identifier: Apache-2.0
"""`lineagekit ingest`: what a person sees, and what a script does."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cli.main import main
from lineagekit.store.log import open_store
from tests.cli.conftest import PROGRAM
from tests.exchange.worlds import make_event
from tests.identity.worlds import as_nobody, open_folder

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LINEAGEKIT_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "store"


def lines(numbers: range) -> str:
    return "".join(json.dumps(make_event(number, "START")) + "\n" for number in numbers)


def log(folder: Path) -> list[dict[str, Any]]:
    with open_store(folder, make=False) as store:
        return [row.event for row in store.events(limit=1_000_000)]


def origins(folder: Path) -> set[str]:
    with open_store(folder, make=False) as store:
        return {row.origin for row in store.events(limit=1_000_000)}


class TestFiles:
    def test_a_file_goes_in_and_a_second_time_it_is_known(self, folder: Path, capsys: Capture) -> None:
        Path("events.jsonl").write_text(lines(range(1000)))
        for counts in ("1,000 new, 0 known", "0 new, 1,000 known"):
            assert main(["ingest", "events.jsonl"]) == 0
            told = capsys.readouterr()
            assert told.out == f"store {folder}\ningested 1,000 events from events.jsonl: {counts}\n"
            assert told.err == ""
        assert log(folder) == [make_event(number, "START") for number in range(1000)]
        assert origins(folder) == {"ingest:events.jsonl"}

    def test_bad_lines_are_told_and_the_rest_goes_in(self, folder: Path, capsys: Capture) -> None:
        Path("events.jsonl").write_text(lines(range(2)) + "hello\n" + lines(range(1, 3)))
        assert main(["ingest", "events.jsonl"]) == 1
        told = capsys.readouterr()
        assert told.out.splitlines()[1:] == ["ingested 4 events from events.jsonl: 3 new, 1 known, 1 line refused"]
        assert told.err == "error: events.jsonl, line 3: not a JSON object: 'hello'\n"
        assert len(log(folder)) == 3

    def test_of_many_bad_lines_the_first_are_told_and_the_others_counted(self, capsys: Capture) -> None:
        Path("events.jsonl").write_text('{"a": 1}\n' * 1500 + lines(range(1)))
        assert main(["ingest", "events.jsonl"]) == 1
        told = capsys.readouterr()
        assert told.out.splitlines()[1:] == ["ingested 1 event from events.jsonl: 1 new, 0 known, 1,500 lines refused"]
        first, *_, last = errors = told.err.splitlines()
        assert len(errors) == 21
        assert first.startswith("error: events.jsonl, line 1: not an OpenLineage event: got a, expected run and job")
        assert last == "error: events.jsonl: 1,480 more are no events; --json lists the first 1,000"
        assert main(["ingest", "events.jsonl", "--json"]) == 1
        (answer,) = json.loads(capsys.readouterr().out)["result"]["files"]
        assert (answer["refused"], len(answer["refusals"])) == (1500, 1000)

    def test_json_tells_the_same(self, capsys: Capture) -> None:
        Path("events.jsonl").write_text(lines(range(2)) + "hello\n")
        assert main(["ingest", "events.jsonl", "--json"]) == 1
        answer = json.loads(capsys.readouterr().out)
        assert answer["command"] == "ingest"
        assert answer["result"] == {
            "files": [
                {
                    "file": "events.jsonl",
                    "events": 2,
                    "new": 2,
                    "known": 0,
                    "refused": 1,
                    "refusals": [{"line": 3, "reason": "not a JSON object: 'hello'"}],
                }
            ]
        }

    def test_several_files_are_several_results(self, folder: Path, capsys: Capture) -> None:
        Path("a.json").write_text(json.dumps([make_event(0, "START")], indent=2))
        Path("b.jsonl.gz").write_bytes(gzip.compress(lines(range(3)).encode()))
        assert main(["ingest", "a.json", "b.jsonl.gz"]) == 0
        assert capsys.readouterr().out.splitlines()[1:] == [
            "ingested 1 event from a.json: 1 new, 0 known",
            "ingested 3 events from b.jsonl.gz: 2 new, 1 known",
        ]
        assert main(["ingest", "a.json", "nosuch", "b.jsonl.gz"]) == 1
        told = capsys.readouterr()
        assert len(told.out.splitlines()) == 3
        assert told.err == "error: no such file: nosuch. Check the path.\n"
        assert main(["ingest", "nosuch", "a.json", "--json"]) == 1
        missing, there = json.loads(capsys.readouterr().out)["result"]["files"]
        assert (missing["error"]["exit_code"], there["known"]) == (6, 1)
        assert origins(folder) == {"ingest:a.json", "ingest:b.jsonl.gz"}

    def test_an_empty_file_has_no_events_and_no_faults(self, capsys: Capture) -> None:
        Path("empty").touch()
        assert main(["ingest", "empty"]) == 0
        assert capsys.readouterr().out.splitlines()[1:] == ["ingested 0 events from empty: 0 new, 0 known"]

    @pytest.mark.parametrize("text", ["hello\n", "a,b\n1,2\n", '{"a": 1}', "{", "[1]", "\0\0"])
    def test_a_file_of_something_else_is_8(self, capsys: Capture, text: str) -> None:
        Path("other").write_text(text)
        assert main(["ingest", "other"]) == 8
        assert "ingested 0 events from other: 0 new, 0 known, " in capsys.readouterr().out

    def test_a_file_that_is_not_there_is_6_and_makes_no_store(self, folder: Path, capsys: Capture) -> None:
        assert main(["ingest", "nosuch"]) == 6
        assert capsys.readouterr().err == "error: no such file: nosuch. Check the path.\n"
        assert not folder.exists()

    def test_a_folder_is_6(self, folder: Path, capsys: Capture) -> None:
        Path("some").mkdir()
        assert main(["ingest", "some"]) == 6
        assert capsys.readouterr().err == "error: some is a folder: expected a file. Name the files in it.\n"
        assert not folder.exists()

    def test_a_file_that_may_not_be_read_is_6(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        with open_folder() as place:
            (place / "events").write_text(lines(range(1)))
            (place / "events").chmod(0)
            (place / "store").mkdir()
            (place / "store").chmod(0o777)
            monkeypatch.setenv("LINEAGEKIT_STORE", str(place / "store"))
            with as_nobody():
                assert main(["ingest", str(place / "events")]) == 6
        assert capsys.readouterr().err == f"error: cannot read {place / 'events'}: Permission denied\n"

    def test_a_store_that_may_only_be_read_is_7(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        with open_folder() as place:
            (place / "events").write_text(lines(range(1)))
            open_store(place / "store").close()
            (place / "store").chmod(0o555)
            (place / "store" / "lineage.db").chmod(0o444)
            monkeypatch.setenv("LINEAGEKIT_STORE", str(place / "store"))
            with as_nobody():
                assert main(["ingest", str(place / "events")]) == 7
        assert "lineage.db cannot be written" in capsys.readouterr().err

    def test_without_a_file_the_usage_is_told(self, capsys: Capture) -> None:
        assert main(["ingest"]) == 2
        assert "Missing argument 'FILE...'" in capsys.readouterr().err

    def test_what_went_in_is_listed(self, capsys: Capture) -> None:
        Path("events.jsonl").write_text(lines(range(2)))
        main(["ingest", "events.jsonl"])
        capsys.readouterr()
        assert main(["log", "--json"]) == 0
        assert [json.loads(line)["job"] for line in capsys.readouterr().out.splitlines()] == ["train", "train"]


class TestStandardInput:
    @pytest.fixture
    def environ(self, environ: dict[str, str], folder: Path) -> dict[str, str]:
        return {**environ, "LINEAGEKIT_STORE": str(folder)}

    def ingest(self, environ: dict[str, str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([PROGRAM, "ingest", "-"], env=environ, input=data, capture_output=True)

    @pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzipped"])
    def test_it_is_read_to_its_end(self, environ: dict[str, str], folder: Path, packed: Any) -> None:
        done = self.ingest(environ, packed(lines(range(50)).encode()))
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode().splitlines()[1:] == ["ingested 50 events from standard input: 50 new, 0 known"]
        assert len(log(folder)) == 50
        assert origins(folder) == {"ingest:stdin"}

    def test_empty_it_is_nothing(self, environ: dict[str, str]) -> None:
        assert self.ingest(environ, b"").returncode == 0

    def test_closed_it_is_6(self, environ: dict[str, str]) -> None:
        done = subprocess.run(["bash", "-c", f"{PROGRAM} ingest - <&-"], env=environ, capture_output=True, text=True)
        assert done.returncode == 6
        assert done.stderr.startswith("error: cannot read standard input: ")

    def test_killed_in_the_middle_it_goes_on_where_it_was(self, environ: dict[str, str], folder: Path) -> None:
        text = lines(range(9000))
        Path("events.jsonl").write_text(text)
        with subprocess.Popen([PROGRAM, "ingest", "-"], env=environ, stdin=subprocess.PIPE) as process:
            assert process.stdin
            process.stdin.write(text[: len(text) * 2 // 3].encode())
            process.stdin.flush()
            before = wait_for_events(folder, process)
            os.kill(process.pid, signal.SIGKILL)
            process.stdin.close()
            assert process.wait() == -signal.SIGKILL
        kept = log(folder)
        assert before <= len(kept) <= 6000
        assert kept == [make_event(number, "START") for number in range(len(kept))]
        done = subprocess.run([PROGRAM, "ingest", "events.jsonl"], env=environ, capture_output=True, text=True)
        counts = f"{9000 - len(kept):,} new, {len(kept):,} known"
        assert done.stdout.splitlines()[1:] == [f"ingested 9,000 events from events.jsonl: {counts}"]
        assert log(folder) == [make_event(number, "START") for number in range(9000)]


def wait_for_events(folder: Path, process: subprocess.Popen[bytes]) -> int:
    """How many there are as soon as there are any."""
    while process.poll() is None:
        if (folder / "lineage.db").exists():
            with open_store(folder) as store:
                if last := store.last_seq():
                    return last
        time.sleep(0.01)
    raise AssertionError("it ended by itself")
