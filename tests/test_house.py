# SPDX-License-Identifier: Apache-2.0
"""The house rules that no linter knows (CONTRIBUTING.md), measured on every module."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(chain(ROOT.glob("lineagekit/**/*.py"), ROOT.glob("integrations/**/*.py")))
SCRIPTS = sorted(chain(ROOT.glob("tests/**/*.py"), ROOT.glob("benchmarks/**/*.py")))
Function = ast.FunctionDef | ast.AsyncFunctionDef

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines without the signature and the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


@every_module
def test_a_module_fits_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@every_module
def test_a_function_fits_the_screen(path: Path) -> None:
    assert not [f.name for f in functions(path) if body_lines(f) > 60 or len(parameters(f)) > 6]


@every_module
def test_a_broad_except_stands_only_at_the_job_border(path: Path) -> None:
    lines = path.read_text().splitlines()
    handlers = (n for n in ast.walk(ast.parse("\n".join(lines))) if isinstance(n, ast.ExceptHandler))
    broad = [h.lineno for h in handlers if h.type is None or ast.unparse(h.type) in ("Exception", "BaseException")]
    assert not [number for number in broad if "# job border" not in lines[number - 1]]


@every_module
def test_a_module_is_named_by_what_it_does(path: Path) -> None:
    assert path.stem not in {"base", "common", "helpers", "manager", "misc", "utils"}


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_opens_with_its_licence(path: Path) -> None:
    assert "# SPDX-License-Identifier: Apache-2.0" in path.read_text().splitlines()[:2]


def test_half_of_all_functions_have_fewer_than_ten_lines() -> None:
    assert statistics.median(body_lines(f) for path in MODULES for f in functions(path)) < 10
