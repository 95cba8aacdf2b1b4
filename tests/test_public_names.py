# SPDX-License-Identifier: Apache-2.0
"""The names that users import: few, sorted, all there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lineagekit


def test_public_names_are_sorted_and_few() -> None:
    assert lineagekit.__all__ == sorted(lineagekit.__all__)
    assert len(lineagekit.__all__) <= 20


@pytest.mark.parametrize("name", lineagekit.__all__)
def test_every_public_name_can_be_imported_and_is_listed(name: str) -> None:
    assert getattr(lineagekit, name) is not None
    assert name in dir(lineagekit)


def test_a_public_name_is_what_its_module_defines() -> None:
    from lineagekit.identity.digest import Digest

    assert lineagekit.Digest is Digest


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'blame_everybody'"):
        lineagekit.blame_everybody  # noqa: B018


def test_the_full_package_asks_for_the_agent_of_this_version() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert f"lineagekit-agent == {lineagekit.__version__}" in project["dependencies"]
