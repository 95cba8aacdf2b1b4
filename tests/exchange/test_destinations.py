# SPDX-License-Identifier: Apache-2.0
"""Where events go: settings of the store, settings of OpenLineage, keys, names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.transport.http import TokenProvider

from lineagekit.errors import NotFoundError, UsageError
from lineagekit.exchange.destinations import Destination, choose, find_destinations
from lineagekit.settings import DestinationSettings, Settings
from tests.exchange.servers import Server, serve

KEY = "k3y-that-nobody-sees"
EVENT = b'{"eventType": "START"}'


def configure(*destinations: Mapping[str, Any], **environ: str) -> list[Destination]:
    """What is found with these `[[destination]]` tables and variables."""
    settings = Settings(destination=[DestinationSettings(**one) for one in destinations])
    return find_destinations(settings, {**os.environ, **environ})


def find_in_environment(monkeypatch: pytest.MonkeyPatch, **environ: str) -> list[Destination]:
    """The same with OpenLineage's variables, which openlineage-python reads from the process's environment."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return configure()


def names(found: list[Destination]) -> list[str]:
    return [one.name for one in found]


def headers_sent(found: list[Destination], server: Server) -> dict[str, str]:
    """Send an event to the only destination; what the server saw."""
    (one,) = found
    with closing(one.open()) as sender:
        assert sender.send(EVENT).verdict == "accepted"
    return server.requests[-1].headers


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"url": "http://localhost:5000"}, "http://localhost:5000"),
        ({"url": "http://localhost:5000/"}, "http://localhost:5000"),
        ({"url": "http://localhost:5000/api/v1/lineage"}, "http://localhost:5000"),
        ({"url": "https://ann:hush@hub.example.com/openlineage?token=hush"}, "https://hub.example.com/openlineage"),
        ({"url": "http://localhost:5000", "endpoint": "v2/lineage"}, "http://localhost:5000/v2/lineage"),
        ({"url": "http://localhost:5000", "name": "marquez"}, "marquez"),
        ({"transport": {"type": "http", "url": "http://localhost:5000"}}, "http://localhost:5000"),
        ({"transport": {"type": "kafka", "topic": "lineage", "config": {}}}, "kafka:lineage"),
        ({"transport": {"type": "file", "log_file_path": "/tmp/x"}}, "file:/tmp/x"),
        ({"transport": {"type": "console"}}, "console"),
        ({"transport": {"type": "console"}, "name": "screen"}, "screen"),
    ],
)
def test_a_destination_is_named_by_where_it_is(settings: dict[str, Any], name: str) -> None:
    assert names(configure(settings)) == [name]


def test_nothing_is_configured_and_openlineage_is_not_even_imported() -> None:
    assert configure() == []
    code = (
        "import sys\nfrom lineagekit.settings import Settings\n"
        "from lineagekit.exchange.destinations import find_destinations\n"
        "find_destinations(Settings(), {})\nassert not {'openlineage', 'requests'} & set(sys.modules)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def test_two_destinations_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two destinations are called http://a"):
        configure({"url": "http://a"}, {"url": "http://a/"})


@pytest.mark.parametrize("value", ["true", "True", " TRUE "])
def test_openlineage_can_be_switched_off(value: str) -> None:
    assert configure({"url": "http://a"}, OPENLINEAGE_DISABLED=value) == []


class TestKeys:
    def test_a_key_comes_from_a_variable(self) -> None:
        with serve() as server:
            found = configure({"url": server.url, "api_key_env": "MY_KEY"}, MY_KEY=KEY)
            assert headers_sent(found, server)["authorization"] == f"Bearer {KEY}"

    def test_a_key_comes_from_a_file_without_its_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(KEY + "\n")
        with serve() as server:
            found = configure({"url": server.url, "api_key_file": str(tmp_path / "key")})
            assert headers_sent(found, server)["authorization"] == f"Bearer {KEY}"

    def test_a_key_that_changes_is_read_again(self, tmp_path: Path) -> None:
        with serve() as server:
            found = configure({"url": server.url, "api_key_file": str(tmp_path / "key")})
            for key in ("first", "second"):
                (tmp_path / "key").write_text(key)
                assert headers_sent(found, server)["authorization"] == f"Bearer {key}"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"api_key_env": "MY_KEY"}, "no API key: the variable MY_KEY is empty"),
            ({"api_key_file": "gone"}, "no API key: cannot read gone: No such file or directory"),
            ({"api_key_file": "empty"}, "no API key: the file empty is empty"),
            ({"api_key_file": "odd"}, "the API key in the file odd has characters that no header can hold"),
            ({"api_key_file": "bytes"}, "no API key: cannot read bytes: it is not text"),
        ],
    )
    def test_a_key_that_is_missing_or_wrong_is_told_without_it(self, settings: dict[str, str], message: str) -> None:
        Path("empty").touch()
        Path("odd").write_text(f"{KEY}\nInjected: header")
        Path("bytes").write_bytes(b"\xff" + KEY.encode())
        (one,) = configure({"url": "http://a", **settings})
        with pytest.raises(UsageError, match=message) as caught:
            one.open()
        assert KEY not in str(caught.value)

    def test_nothing_of_it_is_printed(self) -> None:
        (one,) = configure(
            {"url": f"http://ann:{KEY}@a?x={KEY}", "headers": {"X-Key": KEY}, "api_key_env": "MY_KEY"}, MY_KEY=KEY
        )
        assert KEY not in repr(one)
        transport = {"type": "kafka", "topic": "t", "config": {"sasl.password": KEY}}
        assert KEY not in repr([DestinationSettings(transport=transport), *configure({"transport": transport})])


class TestOpenLineage:
    def test_the_url_variable_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve() as server:
            found = find_in_environment(monkeypatch, OPENLINEAGE_URL=server.url, OPENLINEAGE_API_KEY=KEY)
            assert [(one.name, one.kind, one.source) for one in found] == [(server.url, "http", "OPENLINEAGE_URL")]
            assert headers_sent(found, server)["authorization"] == f"Bearer {KEY}"
            assert server.requests[0].path == "/api/v1/lineage"

    def test_the_endpoint_variable_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve() as server:
            found = find_in_environment(monkeypatch, OPENLINEAGE_URL=server.url, OPENLINEAGE_ENDPOINT="in/v2")
            headers_sent(found, server)
        assert server.requests[0].path == "/in/v2"

    def test_the_environment_is_left_as_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENLINEAGE_URL", "http://a")
        before = dict(os.environ)
        assert names(configure()) == ["http://a"]
        assert dict(os.environ) == before

    def test_a_transport_can_be_spelled_in_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve() as server:
            found = find_in_environment(
                monkeypatch,
                OPENLINEAGE__TRANSPORT__TYPE="http",
                OPENLINEAGE__TRANSPORT__URL=server.url,
                OPENLINEAGE__TRANSPORT__AUTH=f'{{"type": "api_key", "apiKey": "{KEY}"}}',
                OPENLINEAGE__TRANSPORT__CUSTOM_HEADERS='{"X-Team": "pricing"}',
            )
            headers = headers_sent(found, server)
        assert (headers["authorization"], headers["x-team"]) == (f"Bearer {KEY}", "pricing")
        assert found[0].source == "OPENLINEAGE__TRANSPORT"

    def test_a_key_can_be_spelled_in_variables_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve() as server:
            found = find_in_environment(
                monkeypatch,
                OPENLINEAGE__TRANSPORT__TYPE="async_http",
                OPENLINEAGE__TRANSPORT__URL=server.url,
                OPENLINEAGE__TRANSPORT__AUTH__TYPE="api_key",
                OPENLINEAGE__TRANSPORT__AUTH__APIKEY=KEY,
            )
            assert headers_sent(found, server)["authorization"] == f"Bearer {KEY}"

    def test_a_file_here_counts_and_so_does_one_that_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("openlineage.yml").write_text("transport: {type: http, url: 'http://here', timeout: 2}")
        assert [(one.name, one.source) for one in configure()] == [("http://here", "openlineage.yml")]
        Path("other.yml").write_text("transport: {type: http, url: 'http://there'}")
        assert names(find_in_environment(monkeypatch, OPENLINEAGE_CONFIG="other.yml")) == ["http://there"]

    def test_a_file_at_home_counts(self) -> None:
        folder = Path.home() / ".openlineage"
        folder.mkdir(parents=True)
        (folder / "openlineage.yml").write_text("transport: {type: console}")
        assert names(configure()) == ["console"]

    def test_a_composite_is_several_destinations(self) -> None:
        Path("openlineage.yml").write_text(
            "transport:\n  type: composite\n  transports:\n"
            "    marquez: {type: http, url: 'http://a'}\n    log: {type: file, log_file_path: /tmp/x}\n"
        )
        assert [(one.name, one.kind) for one in configure()] == [("marquez", "http"), ("log", "file")]

    def test_a_chain_of_substitutes_is_one(self) -> None:
        Path("openlineage.yml").write_text(
            "transport:\n  type: composite\n  continue_on_success: false\n"
            "  transports: [{type: http, url: 'http://a'}, {type: console}]\n"
        )
        assert [(one.name, one.kind) for one in configure()] == [("composite", "composite")]

    def test_what_goes_nowhere_is_no_destination(self) -> None:
        Path("openlineage.yml").write_text("transport: {type: noop}")
        assert configure() == []

    def test_settings_of_the_store_come_before_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENLINEAGE_URL", "http://a")
        found = configure({"url": "http://a", "timeout": 1.0}, {"url": "http://b"})
        assert [(one.name, one.source) for one in found] == [("http://a", "config.toml"), ("http://b", "config.toml")]

    @pytest.mark.parametrize("transport", ["{type: http}", "{type: http, url: 'localhost:5000'}"])
    def test_an_http_transport_needs_an_address(self, transport: str) -> None:
        Path("openlineage.yml").write_text(f"transport: {transport}")
        with pytest.raises(UsageError, match="not the URL of a server"):
            configure()

    @pytest.mark.parametrize("auth", ["{type: api_key}", "{type: no.such.Provider}", "{type: jwt}"])
    def test_authorization_that_cannot_work_is_told_when_it_is_needed(self, auth: str) -> None:
        Path("openlineage.yml").write_text(f"transport: {{type: http, url: 'http://a', auth: {auth}}}")
        (one,) = configure()
        with pytest.raises(UsageError, match=r"API key|auth cannot be used"):
            one.open()

    def test_other_ways_to_a_key_are_those_of_openlineage_python(self) -> None:
        with serve() as server:
            Path("openlineage.yml").write_text(
                f"transport: {{type: http, url: '{server.url}', auth: {{type: {Minute.__module__}.Minute}}}}"
            )
            assert headers_sent(configure(), server)["authorization"] == "Bearer of-the-minute"

    def test_certificates_are_those_that_it_names(self) -> None:
        Path("openlineage.yml").write_text(
            "transport: {type: http, url: 'https://localhost:1', sslContext: {caCertPath: gone.pem}}"
        )
        (one,) = configure()
        with closing(one.open()) as sender:
            answer = sender.send(EVENT)
        assert answer.verdict == "astray"
        assert "gone.pem" in answer.reason


class TestChoosing:
    FOUND = configure({"url": "http://a", "name": "marquez"}, {"url": "http://b:5000"})

    def test_all_are_chosen_if_none_is_named(self) -> None:
        assert names(choose(self.FOUND, [])) == ["marquez", "http://b:5000"]

    @pytest.mark.parametrize("wanted", ["http://b:5000", "http://b:5000/", "http://b:5000/api/v1/lineage"])
    def test_one_is_chosen_by_name_or_by_address(self, wanted: str) -> None:
        assert names(choose(self.FOUND, ["marquez"])) == ["marquez"]
        assert [(one.name, one.source) for one in choose(self.FOUND, [wanted])] == [("http://b:5000", "config.toml")]

    def test_an_address_that_is_not_configured_is_a_destination_too(self) -> None:
        assert [(one.name, one.source) for one in choose(self.FOUND, ["http://c"])] == [("http://c", "--to")]

    @pytest.mark.parametrize("wanted", ["http://[::1", "http://a b", "http://"])
    def test_an_address_that_is_none_is_refused(self, wanted: str) -> None:
        with pytest.raises(UsageError, match="not the URL of a server"):
            choose(self.FOUND, [wanted])

    def test_an_unknown_name_is_not_found(self) -> None:
        with pytest.raises(NotFoundError, match=r"got marqez, expected a URL or a name \(marquez, http://b:5000\)"):
            choose(self.FOUND, ["marqez"])


class Minute(TokenProvider):
    """A way to a key that somebody has written himself."""

    def get_bearer(self) -> str:
        return "Bearer of-the-minute"


def test_our_own_transport_is_no_destination_and_what_it_stands_before_is(tmp_path: Path) -> None:
    import json

    from lineagekit.settings import Settings

    behind = {"type": "http", "url": "http://lineage.example.com"}
    for told, names in (
        ({"type": "lineagekit_python.LineagekitTransport"}, []),
        ({"type": "lineagekit_python.LineagekitTransport", "transport": behind}, ["http://lineage.example.com"]),
        (behind, ["http://lineage.example.com"]),
    ):
        (tmp_path / "forward.json").write_text(json.dumps(told))
        found = find_destinations(Settings(), {}, str(tmp_path))
        assert [(one.name, one.source) for one in found] == [(name, "forward.json") for name in names]


@pytest.mark.parametrize(
    ("settings", "mark"),
    [
        ({"url": "http://localhost:5000/api/v1/lineage", "name": "x"}, "marquez:http://localhost:5000"),
        ({"url": "https://ann:hush@host/marquez/api/v1/lineage"}, "marquez:https://host/marquez"),
        ({"transport": {"type": "http", "url": "http://localhost:5000"}}, "marquez:http://localhost:5000"),
        ({"transport": {"type": "http", "url": "nowhere", "name": "x"}}, ""),
        ({"transport": {"type": "kafka", "topic": "lineage", "config": {}}}, ""),
    ],
)
def test_what_came_from_a_destination_is_known_by_its_address(settings: dict[str, Any], mark: str) -> None:
    (found,) = configure(settings)
    assert found.has == mark
