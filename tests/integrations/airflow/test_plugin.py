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
COMPOSITE = """
transport:
  type: composite
  transports:
    - type: console
    - type: lineagekit_airflow.Transport
      store: /tmp/lineage
      hash_in_task: 5
"""
OTHER = '{"type": "http", "url": "http://localhost:5000"}'


@pytest.mark.parametrize(
    ("option", "file", "expected"),
    [
        ('{"type": "lineagekit_airflow.Transport", "store": "/tmp/lineage"}', "", [1, "/tmp/lineage", 256 << 20]),
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
