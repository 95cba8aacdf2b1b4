# SPDX-License-Identifier: Apache-2.0
"""What counts as a change of code, on every Python that this machine has."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.agent.code import code_digests
from lineagekit.errors import NotFoundError, UnreadableError
from lineagekit.identity.digest import Digest

ROOT = Path(__file__).parents[2]
PROGRAM = '''
"""Train."""
import numpy as np

@cached
def fit(x: list, rate=0.1):
    """Fit it."""
    return np.dot(x, rate) + 1  # one more
'''


def tree_digest(source: str | bytes) -> str:
    data = source.encode() if isinstance(source, str) else source
    digests = code_digests("train.py", data)
    return digests[1] if len(digests) > 1 else "no tree"


def notebook(*cells: str | list[str], **extra: object) -> bytes:
    code = [{"cell_type": "code", "source": cell, "outputs": [], "execution_count": None, **extra} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# Title"}, *code], "nbformat": 4}).encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # one more", ""),
        ('"""Train."""', '"""Train a model."""'),
        ('    """Fit it."""\n', ""),
        ("fit(x: list, rate=0.1)", "fit(\n    x: list,\n    rate = 0.1,\n)"),
        ("np.dot(x, rate) + 1", "(np.dot(x, rate)) + 1"),
        ("rate=0.1", "rate=1e-1"),
        ("\n", "\r\n"),
    ],
)
def test_a_comment_a_docstring_or_a_reformat_is_no_change(old: str, new: str) -> None:
    assert tree_digest(PROGRAM.replace(old, new)) == tree_digest(PROGRAM)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate=0.1", "rate=0.2"),
        ("+ 1", "- 1"),
        ("+ 1", "+ True"),
        ("def fit", "def fit2"),
        ("@cached", "@memoised"),
        ("@cached\n", ""),
        ("x: list", "x: tuple"),
        ("import numpy as np", "import cupy as np"),
        ("return", "yield"),
        ("def fit", "async def fit"),
    ],
)
def test_a_constant_name_operator_or_decorator_is_a_change(old: str, new: str) -> None:
    assert tree_digest(PROGRAM.replace(old, new, 1)) not in (tree_digest(PROGRAM), "no tree")


def test_constants_that_compare_equal_stay_distinct() -> None:
    constants = ["1", "True", "1.0", "-0.0", "0.0", "'1'", "b'1'", "1j", "None", "'None'", "...", "'...'", "''", "[]"]
    assert len({tree_digest(f"x = {constant}") for constant in constants}) == len(constants)


def test_a_string_cannot_pass_for_the_tree_around_it() -> None:
    # Spelled without lengths, these lists of two strings and of one would read the same.
    assert tree_digest("x = ['a', 'b']") != tree_digest("x = [\"a', 'b\"]")
    assert tree_digest("x = 'a\\nConstant\\nstr 1 b'") != tree_digest("x = 'a', 'b'")


@pytest.mark.parametrize(
    "source",
    [
        b"def f(:",
        b"x = 1\0",
        b"# coding: nonsense\nx = 1",
        b'x = "\xff"',
        b"-" * 200_000 + b"1",
        b"(" * 500 + b")" * 500,
    ],
    ids=["syntax error", "null byte", "unknown encoding", "not UTF-8", "deep", "many parentheses"],
)
def test_what_does_not_parse_keeps_its_source_digest(source: bytes) -> None:
    assert [d.partition(":")[0] for d in code_digests("train.py", source)] == ["sha256"]


def test_a_chain_of_a_thousand_terms_has_a_tree() -> None:
    assert tree_digest("x = 1" + " + 1" * 900) != tree_digest("x = 1" + " + 1" * 901)


def test_an_encoding_cookie_is_obeyed() -> None:
    assert tree_digest(b'# coding: latin-1\nx = "\xe9"') == tree_digest('x = "é"')


@pytest.mark.filterwarnings("error")
def test_the_warnings_of_the_job_are_neither_raised_nor_silenced() -> None:
    assert tree_digest(r'x = "\d"') == tree_digest(r'x = "\\d"')


def test_a_program_without_a_suffix_is_known_by_its_first_line() -> None:
    assert len(code_digests("bin/train", b"#!/usr/bin/env python3\nx = 1\n")) == 2
    assert len(code_digests("bin/train", b"#!/bin/sh\nx=1\n")) == 1


def test_other_text_is_its_bytes(tmp_path: Path) -> None:
    query = tmp_path / "query.sql"
    query.write_bytes(b"select 1 -- one")
    assert code_digests(str(query)) == (f"sha256:{hashlib.sha256(b'select 1 -- one').hexdigest()}",)


def test_a_notebook_is_its_code_cells() -> None:
    one = code_digests("a.ipynb", notebook("x = 1", "y = 2"))
    assert code_digests("b.ipynb", notebook(["x = ", "1"], "y = 2", execution_count=7, outputs=[{"text": "2"}])) == one
    assert code_digests("a.ipynb", notebook("x = 1", "", "y = 2", " \n")) == one
    assert [d.partition(":")[0] for d in one] == ["cells1", "ast1;python={}.{}".format(*sys.version_info)]


def test_a_comment_in_a_notebook_is_no_change_of_its_trees() -> None:
    plain, commented = (code_digests("a.ipynb", notebook(cell)) for cell in ("x = 1", "x = 1  # one"))
    assert plain[0] != commented[0]
    assert plain[1] == commented[1]


def test_where_a_notebook_is_cut_into_cells_is_a_change() -> None:
    assert code_digests("a.ipynb", notebook("x = 1\ny = 2")) != code_digests("a.ipynb", notebook("x = 1", "y = 2"))


def test_magic_in_a_notebook_counts_as_text() -> None:
    digests = [
        code_digests("a.ipynb", notebook(c))[1] for c in ("%time x = 1", "%time x = 2", "!pip list", "!pip  list")
    ]
    assert len(set(digests)) == 4


@pytest.mark.parametrize("data", [b"", b"not JSON", b"[]", b'{"cells": 1}', b'{"worksheets": []}', b"[" * 100_000])
def test_a_notebook_that_is_none_is_its_bytes(data: bytes) -> None:
    (digest,) = code_digests("a.ipynb", data)
    assert digest.startswith("sha256:")


def test_every_digest_can_be_parsed() -> None:
    for text in (*code_digests("train.py", PROGRAM.encode()), *code_digests("a.ipynb", notebook("x = 1"))):
        assert str(Digest.parse(text)) == text


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.py"):
        code_digests(str(tmp_path / "gone.py"))
    with pytest.raises(UnreadableError, match=tmp_path.name):
        code_digests(str(tmp_path))


@given(st.text(), st.text())
def test_two_strings_have_one_tree_digest_only_when_equal(left: str, right: str) -> None:
    assert (tree_digest(f"x = {left!a}") == tree_digest(f"x = {right!a}")) == (left == right)


def other_pythons() -> list[str]:
    minors = ("3.9", "3.10", "3.12", "3.13")
    managed = [
        path for minor in minors for path in Path("~/.pyenv/versions").expanduser().glob(f"{minor}.*/bin/python")
    ]
    return sorted(map(str, managed)) or [path for minor in minors if (path := shutil.which(f"python{minor}"))]


@pytest.mark.parametrize("python", other_pythons())
def test_it_works_on_the_other_pythons_of_this_machine(python: str) -> None:
    script = """
import sys
before = set(sys.modules)
from lineagekit.agent.code import code_digests
print(sorted({"typing", "dataclasses"} & (set(sys.modules) - before)))
print(code_digests("t.py", b"x = 1 # one")[1] == code_digests("t.py", b"x=1")[1] != code_digests("t.py", b"x=2")[1])
print([len(code_digests("t.py", s)) for s in (b"x = 1\\0", b"-" * 200_000 + b"1", b"def f(:")])
"""
    run = subprocess.run([python, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split("\n") == ["[]", "True", "[1, 1, 1]", ""]
