# SPDX-License-Identifier: Apache-2.0
"""The stack in `docker/`: read by docker compose where that is installed, and in any case as what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lineagekit.cli.main import COMMANDS

DOCKER = Path(__file__).parents[2] / "docker"


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text())
    return loaded


def has_compose() -> bool:
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


if has_compose():

    def test_docker_compose_reads_it() -> None:
        done = subprocess.run(
            ["docker", "compose", "-f", DOCKER / "compose.yml", "config", "--quiet"], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_all_that_a_service_needs_is_there(stack: dict[str, Any]) -> None:
    assert set(stack) == {"name", "services", "volumes"}
    for name, service in stack["services"].items():
        assert ("image" in service) != ("build" in service), name
        assert set(service.get("depends_on", [])) <= set(stack["services"]), name
        for volume in service.get("volumes", []):
            source = re.sub(r"^\$\{\w+:-(.*?)\}", r"\1", volume).split(":")[0]
            own_file = source.startswith("./") and (DOCKER / source).is_file()
            assert own_file or source in stack["volumes"] or source == "../.lineagekit", volume


def test_versions_are_pinned(stack: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in stack["services"].items() if "image" in service}
    assert images == {
        "db": "postgres:15",
        "api": "marquezproject/marquez:0.50.0",
        "web": "marquezproject/marquez-web:0.50.0",
    }


def test_nothing_listens_beyond_this_machine(stack: dict[str, Any]) -> None:
    ports = [port for service in stack["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_events_go_from_the_store_to_the_api(stack: dict[str, Any]) -> None:
    push = stack["services"]["push"]
    assert push["command"] == ["push", "--watch"]
    assert push["command"][0] in COMMANDS
    assert push["environment"] == {"LINEAGEKIT_STORE": "/store", "OPENLINEAGE_URL": "http://api:5000"}
    assert push["volumes"] == ["${LINEAGEKIT_STORE:-../.lineagekit}:/store"]


def test_the_server_takes_names_with_slashes_and_finds_its_database(stack: dict[str, Any]) -> None:
    settings = yaml.safe_load((DOCKER / "marquez.yml").read_text())
    connectors = settings["server"]["applicationConnectors"]
    assert [(one["port"], one["httpCompliance"]) for one in connectors] == [(5000, "RFC7230_LEGACY")]
    database = stack["services"]["db"]["environment"]
    assert settings["db"]["url"] == f"jdbc:postgresql://db:5432/{database['POSTGRES_DB']}"
    assert settings["db"]["user"] == database["POSTGRES_USER"]
    assert settings["db"]["password"] == database["POSTGRES_PASSWORD"]


def test_the_image_is_built_from_what_is_here(stack: dict[str, Any]) -> None:
    build = stack["services"]["push"]["build"]
    root = (DOCKER / build["context"]).resolve()
    lines = (root / build["dockerfile"]).read_text().splitlines()
    sources = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert all((root / source).exists() for source in sources)
    kept = (root / (build["dockerfile"] + ".dockerignore")).read_text().splitlines()
    assert {f"!{source}" for source in sources} <= set(kept)
