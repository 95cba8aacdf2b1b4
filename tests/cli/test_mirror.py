# SPDX-License-Identifier: Apache-2.0
"""Questions to a Marquez: what is missing is pulled into a mirror, and the mirror answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineagekit.cli.asking import asked
from lineagekit.cli.main import main
from lineagekit.cli.output import Output
from lineagekit.events.said import Name
from lineagekit.store.log import open_store
from lineagekit.store.query import find_dataset
from tests.cli.conftest import Run
from tests.exchange.fake_marquez import FakeMarquez, as_json, serve_marquez
from tests.exchange.servers import Reply, Request, free_port, serve
from tests.store.told import dataset
from tests.store.told import run as told_run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LINEAGEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LINEAGEKIT_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fake() -> FakeMarquez:
    fake = FakeMarquez()
    for event in told_run("train.py", 10, 20, reads=["/data/raw.csv"], writes=[dataset("/m.pkl", "output", model="m")]):
        fake.post(event)
    return fake


@pytest.fixture
def url(fake: FakeMarquez) -> Iterator[str]:
    with serve_marquez(fake) as server:
        yield server.url


def show(url: str, *words: str) -> int:
    return main(["show", "/data/raw.csv", "--store", f"marquez+{url}", *words])


def mirrors(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "cache" / "mirrors").iterdir())


def test_what_marquez_knows_is_answered_and_said_to_be_its_own(url: str, capsys: Capture) -> None:
    assert show(url) == 0
    said = capsys.readouterr()
    first, *rest = said.out.splitlines()
    assert first.startswith(
        f"marquez {url} (mirror of 2 events, pulled just now): history from 2026-05-01, last event "
    )
    assert any("train.py" in line for line in rest)
    assert said.err == ""


def test_a_variable_names_it_as_well_and_makes_no_folder(
    url: str, home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGEKIT_STORE", f"marquez+{url}")
    assert main(["show", "/data/raw.csv"]) == 0
    assert capsys.readouterr().out.startswith(f"marquez {url} (mirror of 2 events, pulled just now)")
    assert sorted(path.name for path in home.iterdir()) == ["cache"]


def test_what_was_named_is_asked_whatever_the_variable_says(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGEKIT_STORE", f"marquez+{url}")
    assert main(["show", "/data/raw.csv", "--store", str(home / "none")]) == 6


def test_only_what_is_missing_is_pulled(url: str, fake: FakeMarquez, home: Path, capsys: Capture) -> None:
    show(url)
    (name,) = mirrors(home)
    for event in told_run("score.py", 90_000, 90_001, reads=["/data/raw.csv"]):
        fake.post(event)
    capsys.readouterr()
    assert show(f"{url}/api/v1/") == 0
    said = capsys.readouterr().out
    assert "mirror of 4 events" in said
    assert "score.py" in said
    assert mirrors(home) == [name]
    assert name.startswith("127.0.0.1-")


def test_two_servers_have_two_mirrors(url: str, home: Path) -> None:
    with serve_marquez(FakeMarquez()) as other:
        show(url)
        assert show(other.url) == 6
    assert len(mirrors(home)) == 2


class TestTrouble:
    def test_the_mirror_answers_while_marquez_does_not(self, fake: FakeMarquez, capsys: Capture) -> None:
        with serve_marquez(fake) as server:
            show(server.url)
        capsys.readouterr()
        assert show(server.url) == 0
        said = capsys.readouterr()
        assert said.out.startswith(f"marquez {server.url} (mirror of 2 events, not up to date): history from ")
        assert said.err.startswith(f"warning: {server.url} stopped answering before the first event: no connection")
        assert "this is its mirror, whose newest event is of 2026-05-01 " in said.err

    def test_json_has_the_warning_too(self, fake: FakeMarquez, capsys: Capture) -> None:
        with serve_marquez(fake) as server:
            show(server.url)
        capsys.readouterr()
        assert show(server.url, "--json") == 0
        (warning,) = json.loads(capsys.readouterr().out)["warnings"]
        assert "this is its mirror" in warning

    def test_without_a_mirror_there_is_no_answer(self, capsys: Capture) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        for _ in range(2):
            assert show(url) == 7
            assert f"{url} stopped answering before the first event: no connection" in capsys.readouterr().err

    def test_half_a_mirror_answers_as_far_as_it_goes(self, fake: FakeMarquez, capsys: Capture) -> None:
        for number in range(3000):
            fake.post(told_run(f"job-{number}", 100 + number)[0])
        begin = fake.rows[0][0]
        fake.before_each = lambda _: as_json({"message": "gone"}, 400) if fake.reached > begin else None
        with serve_marquez(fake) as server:
            assert show(server.url) == 0
            said = capsys.readouterr()
            assert "not up to date" in said.out
            assert "stopped answering after " in said.err
            fake.before_each = lambda asked: None
            assert show(server.url) == 0
            assert "mirror of 3,002 events, pulled just now" in capsys.readouterr().out

    def test_what_is_no_lineage_is_told_once(self, url: str, fake: FakeMarquez, capsys: Capture) -> None:
        bad = told_run("bad", 30)[0]
        fake.keep(bad, {**bad, "run": {"runId": ""}})
        assert show(url) == 0
        assert "warning: 1 event of it is no lineage: START of run" in capsys.readouterr().err
        assert show(url) == 0
        assert capsys.readouterr().err == ""

    def test_a_url_without_its_prefix_is_asked_back(self, url: str, home: Path, capsys: Capture) -> None:
        assert main(["show", "x", "--store", url.replace("//", "//ann:hush@")]) == 2
        said = capsys.readouterr().err
        assert f"Say: --store marquez+{url}" in said
        assert "hush" not in said
        assert sorted(path.name for path in home.iterdir()) == []

    @pytest.mark.parametrize(("named", "code"), [("marquez+", 2), ("marquez+nobody", 6), ("marquez+http://", 2)])
    def test_what_is_no_server_is_told_so(self, named: str, code: int, home: Path) -> None:
        assert main(["show", "x", "--store", named]) == code
        assert sorted(path.name for path in home.iterdir()) == []

    def test_a_cache_that_cannot_be_written_is_named(
        self, url: str, home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "file").touch()
        monkeypatch.setenv("LINEAGEKIT_CACHE", str(home / "file"))
        assert show(url) == 7
        assert "Name a folder that can be written (LINEAGEKIT_CACHE)" in capsys.readouterr().err


class TestSettings:
    def test_its_key_is_the_one_in_the_settings(
        self, fake: FakeMarquez, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys: list[str | None] = []

        def answer(request: Request) -> Reply:
            keys.append(request.headers.get("authorization"))
            return fake.answer(request)

        monkeypatch.setenv("KEY", "k3y")
        with serve(answer) as server:
            (home / ".lineagekit").mkdir()
            text = f'[[destination]]\nname = "prod"\nurl = "{server.url}"\napi_key_env = "KEY"\n'
            (home / ".lineagekit" / "config.toml").write_text(text)
            assert show(server.url) == 0
            assert main(["show", "/data/raw.csv", "--store", "marquez+prod"]) == 0
        assert set(keys) == {"Bearer k3y"}
        assert len(mirrors(home)) == 1

    def test_names_of_the_project_count_and_its_completeness_does_not(self, url: str, home: Path) -> None:
        (home / ".lineagekit").mkdir()
        (home / ".lineagekit" / "config.toml").write_text('complete = true\n[names]\n"/data" = "/mnt"\n')
        with asked(Output("show"), f"marquez+{url}") as it:
            assert find_dataset(it.db, Name("file", "/mnt/raw.csv")) == find_dataset(
                it.db, Name("file", "/data/raw.csv")
            )
            assert it.settings.complete is False


def test_a_job_records_into_the_store_of_its_user(tmp_path: Path, run: Run) -> None:
    marquez = f"marquez+http://127.0.0.1:{free_port()}"
    script = "import lineagekit; lineagekit.autolog(); open('out.txt', 'w').write('x')"
    told = {"LINEAGEKIT_STORE": marquez, "XDG_DATA_HOME": str(tmp_path / "data"), "OPENLINEAGE_URL": ""}
    answer = run("run", "--", sys.executable, "-c", script, **told)
    assert answer.returncode == 0, answer.stderr
    with open_store(tmp_path / "data" / "lineagekit", make=False) as store:
        assert store.recent_runs()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("marquez")]
