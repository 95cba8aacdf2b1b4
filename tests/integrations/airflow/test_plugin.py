# SPDX-License-Identifier: Apache-2.0
"""The plugin is there where events go through our transport, however that is said, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integrations.airflow.world import Airflow

pytestmark = pytest.mark.airflow

CODE = """
import json, os
from lineagekit_airflow.plugin import LineagekitPlugin
from lineagekit_airflow import outputs
print(json.dumps([len(LineagekitPlugin.listeners), os.environ.get("LINEAGEKIT_STORE"), outputs.limit]))
"""
LAZY = """
import json, os
from lineagekit_airflow.plugin import LineagekitPlugin, is_chosen
before = os.environ.get("LINEAGEKIT_STORE")
print(json.dumps([len(LineagekitPlugin.listeners), before, is_chosen(), os.environ.get("LINEAGEKIT_STORE")]))
"""
COMPOSITE = """
transport:
  type: composite
  transports:
    - type: console
    - type: lineagekit_airflow.Transport
      store: /tmp/lineage
      hash_in_task: 5
"""
OURS = '{"type": "lineagekit_airflow.Transport", "store": "/tmp/lineage"}'
OTHER = '{"type": "http", "url": "http://localhost:5000"}'


@pytest.mark.parametrize(
    ("option", "file", "expected"),
    [
        (OURS, "", [1, "/tmp/lineage", 256 << 20]),
        ("", COMPOSITE, [1, "/tmp/lineage", 5]),
        (OTHER, COMPOSITE, [1, "/tmp/lineage", 5]),
        (OTHER, "", [0, None, 256 << 20]),
        ("", "", [0, None, 256 << 20]),
    ],
)
def test_one_option_switches_it_on(tmp_path: Path, option: str, file: str, expected: list[object]) -> None:
    airflow = Airflow(tmp_path / "airflow")
    airflow.environ["AIRFLOW__OPENLINEAGE__TRANSPORT"] = option
    if file:
        (tmp_path / "openlineage.yml").write_text(file)
        airflow.environ["AIRFLOW__OPENLINEAGE__CONFIG_PATH"] = str(tmp_path / "openlineage.yml")
    told = airflow.run("python", "-c", CODE).stdout.splitlines()[-1]
    assert json.loads(told) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OPENLINEAGE__TRANSPORT__TYPE": "lineagekit_airflow.Transport"}, [1, None, 256 << 20]),
        (
            {"OPENLINEAGE__TRANSPORT": '{"type": "lineagekit_airflow.Transport", "store": "/tmp/other"}'},
            [1, "/tmp/other", 256 << 20],
        ),
        ({"OPENLINEAGE_CONFIG": "FILE"}, [1, "/tmp/lineage", 5]),
        ({"OPENLINEAGE_CONFIG": "FILE", "OPENLINEAGE_DISABLED": "true"}, [0, None, 256 << 20]),
        ({"OPENLINEAGE_URL": "http://localhost:5000"}, [0, None, 256 << 20]),
    ],
)
def test_what_only_the_client_of_openlineage_is_told_counts_too(
    tmp_path: Path, environ: dict[str, str], expected: list[object]
) -> None:
    airflow = Airflow(tmp_path / "airflow")
    del airflow.environ["AIRFLOW__OPENLINEAGE__TRANSPORT"]
    (tmp_path / "lineage.yml").write_text(COMPOSITE)
    airflow.environ |= {name: value.replace("FILE", str(tmp_path / "lineage.yml")) for name, value in environ.items()}
    assert json.loads(airflow.run("python", "-c", CODE).stdout.splitlines()[-1]) == expected


@pytest.mark.parametrize(
    ("transport", "expected"),
    [(OURS, [1, None, True, "/tmp/lineage"]), (OTHER, [1, None, False, None])],
)
def test_a_connection_is_looked_up_when_the_first_task_begins(
    tmp_path: Path, transport: str, expected: list[object]
) -> None:
    airflow = Airflow(tmp_path / "airflow")
    airflow.environ["AIRFLOW__OPENLINEAGE__CONFIG_CONN_ID"] = "lineage"
    extra = {"transport": json.loads(transport)}
    airflow.environ["AIRFLOW_CONN_LINEAGE"] = json.dumps({"conn_type": "openlineage", "extra": extra})
    assert json.loads(airflow.run("python", "-c", LAZY).stdout.splitlines()[-1]) == expected
