# SPDX-License-Identifier: Apache-2.0
"""`lineagekit pull`: what a person sees, and what a script does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from lineagekit.cli.main import main
from lineagekit.events.wire import event_key
from lineagekit.store.log import open_store
from tests.cli.conftest import PROGRAM
from tests.exchange.fake_marquez import FakeMarquez, serve_marquez
from tests.exchange.servers import Reply, Request, free_port, serve
from tests.exchange.worlds import make_event

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LINEAGEKIT_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "store"


@pytest.fixture
def fake() -> FakeMarquez:
    fake = FakeMarquez()
    for number in range(3):
        for type_ in ("START", "COMPLETE"):
            fake.post(make_event(number, type_))
    return fake


def test_what_came_is_said_and_a_store_is_made(folder: Path, fake: FakeMarquez, capsys: Capture) -> None:
    with serve_marquez(fake) as server:
        assert main(["pull", server.url]) == 0
        said = capsys.readouterr()
        assert said.out.splitlines() == [
            f"store {folder}",
            f"pulled 6 events from {server.url}: 6 new, 0 known, 0 refused (history 2026-11-01 .. 2026-11-01)",
        ]
        assert said.err == ""
        assert main(["pull", server.url]) == 0
        assert ": 0 new, 6 known, 0 refused (history" in capsys.readouterr().out
    with open_store(folder) as store:
        assert [row.key for row in store.events()] == [event_key(event) for event in fake.events()]
        assert [row.type for row in store.events()] == ["START", "COMPLETE"] * 3
        assert {row.origin for row in store.events()} == {f"marquez:{server.url}"}


@pytest.mark.usefixtures("folder")
class TestAsking:
    def test_json_tells_the_same(self, fake: FakeMarquez, capsys: Capture) -> None:
        with serve_marquez(fake) as server:
            assert main(["pull", server.url, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["command"] == "pull"
        assert told["result"] == {
            "source": server.url,
            "events": 6,
            "new": 6,
            "known": 0,
            "refused": 0,
            "others": 0,
            "windows": 1,
            "first": 1_793_491_200_000_000,
            "last": 1_793_491_200_000_002,
            "reasons": [],
        }

    def test_an_empty_server_has_no_history(self, capsys: Capture) -> None:
        with serve_marquez(FakeMarquez()) as server:
            assert main(["pull", server.url]) == 0
        assert capsys.readouterr().out.endswith(": 0 new, 0 known, 0 refused (history empty)\n")

    def test_what_users_of_openlineage_have_set_is_enough(
        self, fake: FakeMarquez, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serve_marquez(fake) as server:
            monkeypatch.setenv("OPENLINEAGE_URL", server.url)
            assert main(["pull"]) == 0
        assert f"pulled 6 events from {server.url}: 6 new" in capsys.readouterr().out

    def test_a_destination_is_read_with_its_key(
        self, folder: Path, fake: FakeMarquez, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir()
        monkeypatch.setenv("KEY", "k3y-that-nobody-sees")
        with serve_marquez(fake) as server:
            text = f'[[destination]]\nname = "marquez"\nurl = "{server.url}"\napi_key_env = "KEY"'
            (folder / "config.toml").write_text(text)
            assert main(["pull", "marquez"]) == 0
            assert {one.headers["authorization"] for one in server.requests} == {"Bearer k3y-that-nobody-sees"}

    def test_only_some_namespaces_are_kept(self, fake: FakeMarquez, capsys: Capture) -> None:
        fake.post(make_event(9, "START", job={"namespace": "others", "name": "score"}))
        with serve_marquez(fake) as server:
            assert main(["pull", server.url, "--namespace", "others", "--namespace", "none"]) == 0
        assert "pulled 7 events from" in (said := capsys.readouterr().out)
        assert ": 1 new, 0 known, 0 refused, 6 of other namespaces (history" in said

    def test_only_a_part_of_history_is_asked_for(self, fake: FakeMarquez, capsys: Capture) -> None:
        fake.post(make_event(9, "START", eventTime="2026-11-03T00:00:00Z"))
        with serve_marquez(fake) as server:
            assert main(["pull", server.url, "--since", "2026-11-02", "--until", "2026-11-04"]) == 0
            assert ": 1 new, 0 known" in capsys.readouterr().out
            assert main(["pull", server.url]) == 0
            assert ": 6 new, 1 known" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
class TestTrouble:
    def test_a_refused_event_is_1_and_is_named(self, fake: FakeMarquez, capsys: Capture) -> None:
        bad = make_event(9, "START")
        fake.keep(bad, {**bad, "run": {"runId": 7}})
        with serve_marquez(fake) as server:
            assert main(["pull", server.url]) == 1
            said = capsys.readouterr()
            assert ": 6 new, 0 known, 1 refused (history" in said.out
            assert said.err.startswith("error: refused: START of run 7 at 2026-11-01T00:00:00.000009Z: ")
            assert main(["pull", server.url]) == 0

    def test_a_server_that_is_not_there_is_7(self, capsys: Capture) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        assert main(["pull", url]) == 7
        assert "stopped answering before the first event: no connection" in capsys.readouterr().err

    def test_a_server_that_is_no_marquez_is_7(self, capsys: Capture) -> None:
        with serve(lambda request: Reply(404, b"<html>Not here</html>")) as server:
            assert main(["pull", server.url]) == 7
        assert "404: there is nothing at this address" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([], "no Marquez is configured. Name it (lineagekit pull URL)"),
            (["http://"], "not the URL of a server"),
            (["http://host", "--since", "soon"], "not a moment"),
            (["http://host", "--since", "1d", "--until", "2d"], "--since is not before --until"),
        ],
    )
    def test_a_wrong_call_is_2(self, words: list[str], said: str, capsys: Capture) -> None:
        assert main(["pull", *words]) == 2
        assert said in capsys.readouterr().err

    def test_an_unknown_name_is_6(self, capsys: Capture) -> None:
        assert main(["pull", "there"]) == 6
        assert "no such server: got there" in capsys.readouterr().err

    def test_help_says_what_marquez_cannot_do(self, capsys: Capture) -> None:
        assert main(["help", "pull"]) == 0
        assert "Marquez cannot look for it" in " ".join(capsys.readouterr().out.split())


def test_a_pull_that_is_killed_goes_on(folder: Path) -> None:
    fake = FakeMarquez()
    for number in range(3000):
        fake.post(make_event(number, "COMPLETE", eventTime=f"2026-11-01T{number // 200:02}:00:00.{number:06}Z"))
    pages: list[Request] = []

    def answer(request: Request) -> Reply:
        if not re.search(r"limit=[01]\b", request.path):
            pages.append(request)
        return Reply(hold=True) if len(pages) == 3 else fake.answer(request)

    with serve(answer) as server:
        with subprocess.Popen([PROGRAM, "pull", server.url]) as process:
            while len(pages) < 3:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
        with open_store(folder) as store:
            before = store.last_seq()
        assert 0 < before < 3000
        pages.append(pages[0])
        assert main(["pull", server.url]) == 0
    with open_store(folder) as store:
        found = [row.key for row in store.events(limit=5000)]
    assert sorted(found) == sorted(event_key(event) for event in fake.events())
