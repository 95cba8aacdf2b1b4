# SPDX-License-Identifier: Apache-2.0
"""`lineagekit push`: what a person sees, and what a script does."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lineagekit.cli.main import main
from lineagekit.store.log import Store, open_store
from tests.cli.conftest import PROGRAM
from tests.exchange.servers import Reply, Request, free_port, serve
from tests.exchange.worlds import append_runs, run_id

KEY = "k3y-that-nobody-sees"
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
def store(folder: Path) -> Iterator[Store]:
    with open_store(folder) as opened:
        append_runs(opened, range(3))
        yield opened


def configure(folder: Path, text: str) -> None:
    (folder / "config.toml").write_text(text)


def refuse_starts(request: Request) -> Reply:
    return Reply(422, b'{"errors": ["no producer"]}') if request.event["eventType"] == "START" else Reply()


@pytest.mark.usefixtures("store")
class TestDelivering:
    def test_all_that_waits_is_delivered(self, folder: Path, capsys: Capture) -> None:
        with serve() as server:
            configure(folder, f'[[destination]]\nname = "marquez"\nurl = "{server.url}"')
            assert main(["push"]) == 0
            assert capsys.readouterr().out == "marquez: 6 events delivered\n"
            assert main(["push"]) == 0
            assert capsys.readouterr().out == "marquez: nothing new\n"
        assert len(server.requests) == 6

    def test_json_tells_the_same(self, capsys: Capture) -> None:
        with serve() as server:
            assert main(["push", "--to", server.url, "--json"]) == 0
        (report,) = json.loads(capsys.readouterr().out)["result"]["destinations"]
        assert report == {
            "destination": server.url,
            "state": "done",
            "reason": "",
            "sent": 6,
            "refused": 0,
            "parked": 0,
            "waiting": 0,
            "wait": None,
        }

    def test_what_users_of_openlineage_have_set_is_enough(
        self, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serve() as server:
            monkeypatch.setenv("OPENLINEAGE_URL", server.url)
            assert main(["push"]) == 0
        assert capsys.readouterr().out == f"{server.url}: 6 events delivered\n"

    def test_a_server_in_trouble_is_7_and_says_what_waits(self, capsys: Capture) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        assert main(["push", "--to", url]) == 7
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"error: {url}: 6 events waiting. no connection: Connection refused\n"

    def test_refusals_are_1_and_are_delivered_no_more(self, capsys: Capture) -> None:
        with serve(refuse_starts) as server:
            assert main(["push", "--to", server.url]) == 1
            assert capsys.readouterr().out == f"{server.url}: 3 events delivered, 3 refused (lineagekit push --list)\n"
            assert main(["push", "--to", server.url]) == 0

    def test_everything_goes_again_when_asked_for(self, capsys: Capture) -> None:
        with serve() as server:
            for words in ([], ["--all"]):
                assert main(["push", "--to", server.url, *words]) == 0
        assert len(server.requests) == 12

    def test_several_destinations_are_served_and_one_of_them_can_be_chosen(self, folder: Path, capsys: Capture) -> None:
        with serve() as first, serve() as second:
            text = '[[destination]]\nname = "{}"\nurl = "{}"\n'
            configure(folder, text.format("a", first.url) + text.format("b", second.url))
            assert main(["push", "--to", "b"]) == 0
            assert main(["push"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "b: 6 events delivered",
            "a: 6 events delivered",
            "b: nothing new",
        ]


@pytest.mark.usefixtures("store")
class TestWhatWasNotTaken:
    @pytest.fixture(autouse=True)
    def url(self, folder: Path, store: Store, capsys: Capture) -> str:
        """A destination that refused the start of each run."""
        with serve(refuse_starts) as server:
            configure(folder, f'[[destination]]\nname = "marquez"\nurl = "{server.url}"')
            main(["push"])
        capsys.readouterr()
        return server.url

    def test_it_is_listed_with_the_reason(self, folder: Path, capsys: Capture) -> None:
        assert main(["push", "--list"]) == 0
        where, first, *letters = capsys.readouterr().out.splitlines()
        assert where == f"store {folder}"
        assert first == "marquez (http, config.toml): sent up to event 6 of 6"
        assert [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", line) for line in letters] == [
            f"  event {2 * number + 1} of run {run_id(number)}, refused TIME: 422: no producer" for number in range(3)
        ]

    def test_the_list_comes_as_json_too(self, capsys: Capture) -> None:
        assert main(["push", "--list", "--json"]) == 0
        (state,) = json.loads(capsys.readouterr().out)["result"]["destinations"]
        assert (state["destination"], state["sent_up_to"], state["last"], state["waiting"]) == ("marquez", 6, 6, 0)
        assert [letter["reason"] for letter in state["letters"]] == ["422: no producer"] * 3

    def test_it_can_be_sent_once_more(self, url: str, capsys: Capture) -> None:
        with serve(port=int(url.rpartition(":")[2])) as server:
            assert main(["push", "--retry"]) == 0
        assert capsys.readouterr().out == "marquez: 3 events put back\nmarquez: 3 events delivered\n"
        assert server.events[::2] == [(run_id(number), "START") for number in range(3)]

    def test_it_can_be_given_up(self, capsys: Capture) -> None:
        assert main(["push", "--drop"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert lines[0].startswith(f"dropped from marquez: event 1 of run {run_id(0)}, refused ")
        assert main(["push", "--drop"]) == 0
        assert capsys.readouterr().out == "nothing to drop\n"


class TestMistakes:
    def test_without_a_destination_the_advice_is_how_to_name_one(self, store: Store, capsys: Capture) -> None:
        assert main(["push"]) == 2
        assert capsys.readouterr().err == (
            "error: no destination is configured. Add a [[destination]] with a url to the store's config.toml, "
            "set OPENLINEAGE_URL, or run: lineagekit push --to URL\n"
        )

    def test_without_a_store_there_is_nothing_to_push(self, folder: Path, capsys: Capture) -> None:
        assert main(["push", "--to", "http://127.0.0.1:1"]) == 6
        assert "no store in" in capsys.readouterr().err

    def test_where_openlineage_is_switched_off_nothing_is_sent(
        self, store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
        assert main(["push", "--to", "http://127.0.0.1:1"]) == 2
        assert "OPENLINEAGE_DISABLED is set" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "words", [["--list", "--drop"], ["--retry", "--all"], ["--watch", "--list"], ["--watch", "--drop"]]
    )
    def test_options_that_contradict_each_other_are_refused(
        self, folder: Path, capsys: Capture, words: list[str]
    ) -> None:
        assert main(["push", *words]) == 2
        assert "contradict each other" in capsys.readouterr().err

    def test_a_wrong_setting_is_told(self, store: Store, folder: Path, capsys: Capture) -> None:
        configure(folder, '[[destination]]\nurl = "localhost:5000"')
        assert main(["push"]) == 2
        assert "destination[0].url: got a str, expected http://HOST or https://HOST" in capsys.readouterr().err


def test_a_key_is_nowhere_but_in_the_request(
    store: Store, folder: Path, capsys: Capture, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    for number in (401, 422):

        def quote(request: Request, status: int = number) -> Reply:
            return Reply(status, f"bad key {request.headers['authorization']}".encode())

        with serve(quote) as server:
            configure(folder, f'[[destination]]\nname = "m"\nurl = "{server.url}"\napi_key_env = "MY_KEY"')
            assert main(["push"]) != 0
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert main(["push", "--list", "--json"]) == 0
    said = capsys.readouterr()
    assert "bad key ***" in said.err
    assert "bad key ***" in said.out
    assert "bad key ***" in caplog.text
    assert KEY not in said.out + said.err + caplog.text
    assert all(KEY.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


class TestWatching:
    @contextmanager
    def watching(self, environ: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
        environ = {**environ, "LINEAGEKIT_STORE": os.environ["LINEAGEKIT_STORE"]}
        command = [PROGRAM, "push", "--watch", *words]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def test_it_goes_on_until_it_is_told_to_stop(self, store: Store, environ: dict[str, str]) -> None:
        with serve() as server, self.watching(environ, "--to", server.url) as process:
            assert process.stdout
            assert process.stdout.readline() == f"delivering to {server.url} until stopped\n"
            assert process.stdout.readline() == f"{server.url}: 6 events delivered\n"
            append_runs(store, [3])
            assert process.stdout.readline() == f"{server.url}: 2 events delivered\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        assert len(server.requests) == 8

    def test_under_json_each_line_is_a_report(self, store: Store, environ: dict[str, str]) -> None:
        with serve() as server, self.watching(environ, "--json", "--to", server.url) as process:
            assert process.stdout
            assert json.loads(process.stdout.readline())["sent"] == 6
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
