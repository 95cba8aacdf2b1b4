# SPDX-License-Identifier: Apache-2.0
"""Where bytes are found: at their path, among what was kept, in git; and never other bytes."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.cause.supply import Supply

OLD, NEW = b"x = 1\n", b"x = 2\n"


class Kept:
    """Files by digest, as the store has them."""

    def __init__(self, **files: Path) -> None:
        self.files = {f"blake3:{blake3(path.read_bytes()).hexdigest()}": path for path in files.values()}

    def find(self, digest: str) -> str | None:
        return str(self.files[digest]) if digest in self.files else None


def blake(body: bytes) -> str:
    return f"blake3:{blake3(body).hexdigest()}"


def sha(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "features.py"
    path.write_bytes(NEW)
    return path


@pytest.mark.parametrize("digest", [blake(NEW), sha(NEW)])
def test_a_path_that_has_the_bytes_is_taken(file: Path, digest: str) -> None:
    supply = Supply(Kept())
    assert (supply.find(str(file), digest), supply.is_there(str(file), digest)) == (file, True)


def test_what_was_kept_is_taken_where_the_path_has_other_bytes(file: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(OLD)
    supply = Supply(Kept(old=tmp_path / "kept"))
    assert (supply.find(str(file), blake(OLD)), supply.is_there(str(file), blake(OLD))) == (tmp_path / "kept", False)


def test_sources_are_found_in_git(file: Path, tmp_path: Path) -> None:
    for words in (["init", "-q"], ["config", "user.email", "a@b"], ["config", "user.name", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    for body in (OLD, NEW):
        file.write_bytes(body)
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
        subprocess.run(["git", "commit", "-qm", "x"], cwd=tmp_path, check=True)
    assert Supply(Kept()).find(str(file), sha(OLD)) == OLD
    assert Supply(Kept()).find(str(file), sha(b"never")) is None


@pytest.mark.parametrize("digest", [blake(OLD), sha(OLD), "lkd1:abc", "", "none"])
def test_bytes_that_are_gone_are_not_found(file: Path, digest: str) -> None:
    assert Supply(Kept()).find(str(file), digest) is None
