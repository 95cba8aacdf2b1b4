# SPDX-License-Identifier: Apache-2.0
"""Digests of release 0.1 that no later change may alter: `tests/golden/0.1/` grows by releases and is never edited."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lineagekit.agent.code import code_digests
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.options import Options

GOLDEN: dict[str, list[str]] = json.loads((Path(__file__).parent / "golden" / "0.1" / "digests.json").read_text())

CSV = b'\xef\xbb\xbfzip,name,note\r\n00701,"a ""quoted"" name",\r\n701,"two\nlines",""\r\n'
JSONL = (
    b'{"a": 1, "b": [1, {"x": null}], "s": "\\u00e9"}\n\n'
    b'{"s": "{}", "a": 2.5, "n": null, "t": true}\n{"a": 3, "b": {}}\n'
)
SOURCE = (
    b'"""Doc."""\nimport os  # why\n\n\n@cache\ndef f(x: int = 1, *, y=-0.0) -> str:\n'
    b'    return f"{x!r}" + b"\\0".hex()\n'
)


def tree(folder: Path) -> Path:
    for name, data in ((b"a-b", b"1"), (b"a/x", b"2"), (b"new\nline", b"3"), (b"\xff\xfe", b"4"), (b"empty", b"")):
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return folder


def digests_of(target: object, options: Options | None = None) -> list[str]:
    return [str(digest) for digest in fingerprint(target, options).digests]


def written(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


CASES: dict[str, Callable[[Path], list[str]]] = {
    "bytes": lambda folder: digests_of(written(folder, "x", bytes(range(256)) * 9000)),
    "sha256": lambda folder: digests_of(written(folder, "x", b"abc"), Options(algorithm="sha256")),
    "folder": lambda folder: digests_of(tree(folder)),
    "folder of sha256": lambda folder: digests_of(tree(folder), Options(algorithm="sha256")),
    "csv": lambda folder: digests_of(written(folder, "x.csv", CSV), Options(algorithm="lkm1")),
    "csv columns": lambda folder: digests_of(written(folder, "x.csv", CSV), Options(columns=("zip", "note"))),
    "tsv": lambda folder: digests_of(written(folder, "x.tsv", CSV.replace(b",", b"\t"))),
    "json lines": lambda folder: digests_of(written(folder, "x.jsonl", JSONL)),
    "records": lambda folder: digests_of([{"b": [1, 2.5e-7, None], "a": "\x7f\u2028é"}, {"a": float("inf")}]),
}


@pytest.mark.parametrize("name", list(CASES))
def test_digests_of_the_first_release_hold(tmp_path: Path, name: str) -> None:
    assert CASES[name](tmp_path) == GOLDEN[name]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="a tree of code compares within one Python minor only")
def test_code_digests_of_the_first_release_hold(tmp_path: Path) -> None:
    assert list(code_digests(str(written(tmp_path, "m.py", SOURCE)))) == GOLDEN["code"]
