# SPDX-License-Identifier: Apache-2.0
"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
    for path in sorted(ROOT.glob("lineagekit/**/*.py"))
    if path.name != "__init__.py"
]


@pytest.mark.parametrize("name", ["lineagekit", *MODULES])
def test_the_examples_of_a_module_run(name: str) -> None:
    module = import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
