# SPDX-License-Identifier: Apache-2.0
"""The world in which jobs run: a store and a folder of data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.record.jobs import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
