# SPDX-License-Identifier: Apache-2.0
"""A store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineagekit.store.log import Store, open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".lineagekit"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(folder) as store:
        yield store
