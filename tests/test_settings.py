# SPDX-License-Identifier: Apache-2.0
"""What people write into `config.toml`, and what jobs are told of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lineagekit.agent.journal import LIMIT
from lineagekit.errors import StoreError, UsageError
from lineagekit.settings import (
    TEMPLATE,
    CaptureSettings,
    Settings,
    current_settings,
    load_settings,
    write_agent_json,
)


def load(folder: Path, text: str) -> Settings:
    (folder / "config.toml").write_text(text)
    return load_settings(str(folder))


def test_without_a_file_the_defaults_count(tmp_path: Path) -> None:
    settings = load_settings(str(tmp_path))
    assert settings == Settings()
    assert (settings.namespace, settings.settle, settings.content, settings.budget) == ("", None, True, 300)
    assert (settings.destination, settings.capture) == ([], CaptureSettings())


def test_the_template_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, TEMPLATE) == Settings()


def test_each_line_of_the_template_can_be_used(tmp_path: Path) -> None:
    used = re.sub(r'^# (?=\[|"|[a-z_]+ = )', "", TEMPLATE, flags=re.MULTILINE)
    settings = load(tmp_path, used)
    assert settings.namespace == "pricing"
    assert [one.name for one in settings.destination] == ["marquez", "events"]
    assert settings.owners == {"/data/crm/**": "crm-team@example.com"}
    assert settings.names == {"/mnt/shared": "/data"}
    assert settings.capture == CaptureSettings(
        ignore=["*.tmp", "/scratch/**"], keep=["configs/**"], journal_limit=LIMIT
    )


def test_every_setting_is_in_the_template() -> None:
    keys = [key for section in (Settings, CaptureSettings) for key in section.__dataclass_fields__]
    assert not [key for key in keys if not re.search(rf"^# (\[+{key}\]|{key} = )", TEMPLATE, re.MULTILINE)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('namespac = "x"', "namespac: got an unknown key, expected one of namespace, settle, content"),
        ('settle = "later"', "settle: got 'later', expected 'detached', 'exit' or 'off'"),
        ('budget = "5"', "budget: got '5', expected a number"),
        ("budget = 0", "budget: got 0, expected greater than 0"),
        ("content = 1", "content: got 1, expected a boolean"),
        ('[[destination]]\nname = "a"', "destination[0]: expected one of url, transport"),
        ('[[destination]]\nurl = "http://a"\ntransport = {type = "x"}', "destination[0]: expected one of url"),
        ('[[destination]]\ntransport = {topic = "x"}', "destination[0]: expected a transport with a type"),
        ('[[destination]]\nurl = "http://a"\napi_key_env = "A"\napi_key_file = "B"', "expected one of api_key_env"),
        ('[[destination]]\nurl = "a:5000"', "destination[0].url: got a str, expected http://HOST or https://HOST"),
        ('[[destination]]\nurl = "http://a"\nname = ""', "name: got '', expected a text that is not empty"),
        ('[[destination]]\nurl = "http://a"\nheaders = {A = 1}', "headers.A: got a int, expected a string"),
        ('[[destination]]\nurl = "http://a"\nurll = 1', "urll: got an unknown key, expected one of name, url"),
        ('[destination]\nurl = "http://a"', "got a dict, expected tables, each under [[destination]]"),
        ('[capture]\nignore = "*.tmp"', "capture.ignore: got '*.tmp', expected a list"),
        ("[capture]\nignored = []", "capture.ignored: got an unknown key, expected one of ignore, keep"),
        ("namespace = ", "is not TOML: "),
    ],
)
def test_a_mistake_is_told_with_file_key_and_what_was_expected(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "config.toml") in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"), [("key", "{folder}/key"), ("/run/key", "/run/key"), ("~/key", "/home/ann/key")]
)
def test_a_path_of_a_key_is_seen_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    settings = load(tmp_path, f'[[destination]]\nurl = "http://a"\napi_key_file = "{written}"')
    assert settings.destination[0].api_key_file == meant.format(folder=tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"budget: .*; nonsense: "):
        load(tmp_path, "budget = 0\nnonsense = 1")


@pytest.mark.parametrize(
    "text",
    [
        '[[destination]]\nurl = "http://a"\nheaders = {Authorization = ["hush"]}',
        '[[destination]]\nurl = "ann:hush@a"',
        '[[destination]]\ntransport = "hush"',
    ],
)
def test_a_mistake_in_what_may_be_secret_is_told_without_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert "hush" not in str(caught.value)


def test_text_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'namespace = "\xff"')
    with pytest.raises(UsageError, match="is not TOML"):
        load_settings(str(tmp_path))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*config\.toml: Is a directory"):
        load_settings(str(tmp_path))


class TestWhatJobsAreTold:
    def read(self, folder: Path) -> dict[str, object]:
        told: dict[str, object] = json.loads((folder / "agent.json").read_text())
        return told

    def test_it_is_what_concerns_them(self, tmp_path: Path) -> None:
        settings = Settings(
            namespace="pricing", settle="exit", capture=CaptureSettings(ignore=["*.tmp"], journal_limit=1000)
        )
        write_agent_json(settings, str(tmp_path))
        assert self.read(tmp_path) == {
            "version": 1,
            "namespace": "pricing",
            "settle": "exit",
            "ignore": ["*.tmp"],
            "journal_limit": 1000,
        }
        assert (tmp_path / "agent.json").stat().st_mode & 0o777 == 0o644

    def test_it_follows_the_settings(self, tmp_path: Path) -> None:
        for namespace in ("a", "b"):
            (tmp_path / "config.toml").write_text(f'namespace = "{namespace}"')
            current_settings(str(tmp_path))
            assert self.read(tmp_path)["namespace"] == namespace

    def test_where_nothing_is_set_there_is_none_and_a_job_has_nothing_to_read(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text('namespace = "a"')
        current_settings(str(tmp_path))
        (tmp_path / "config.toml").unlink()
        current_settings(str(tmp_path))
        assert list(tmp_path.iterdir()) == []

    def test_it_is_written_only_when_it_changes(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text('namespace = "a"')
        current_settings(str(tmp_path))
        before = (tmp_path / "agent.json").stat().st_ino
        current_settings(str(tmp_path))
        assert (tmp_path / "agent.json").stat().st_ino == before

    def test_one_that_is_broken_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "agent.json").write_text('{"names')
        (tmp_path / "config.toml").write_text('namespace = "a"')
        current_settings(str(tmp_path))
        assert self.read(tmp_path)["version"] == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.json", "config.toml"]

    def test_a_store_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        assert current_settings(str(tmp_path / "no")) == Settings()
        assert not (tmp_path / "no").exists()

    def test_where_it_cannot_be_written_the_settings_still_count(self, tmp_path: Path) -> None:
        (tmp_path / "agent.json").mkdir()
        assert current_settings(str(tmp_path)) == Settings()
        with pytest.raises(StoreError, match="cannot write"):
            write_agent_json(Settings(namespace="a"), str(tmp_path))
