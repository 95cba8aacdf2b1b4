# SPDX-License-Identifier: Apache-2.0
"""Copies and their digests: small ones, large ones, those that change meanwhile, those that would take too long."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.batch import SMALL
from lineagekit.store import clone
from lineagekit.store.clone import Wanted, copy_hashed, copy_wanted

SIZES = (0, 1, SMALL, SMALL + 1, 5 * SMALL + 3)


def copied(source: Path, target: Path, *algorithms: str, until: float = float("inf")) -> dict[str, str]:
    with open(source, "rb") as old, open(target, "x+b") as new:
        return copy_hashed(old.fileno(), new.fileno(), algorithms, until=until)


def wanted(source: Path, target: Path, file: Wanted) -> str:
    with open(source, "rb") as old, open(target, "x+b") as new:
        return copy_wanted(old.fileno(), new.fileno(), file, until=float("inf"))


@pytest.fixture(params=["in the kernel", "by hand"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on this machine, and as where the kernel copies nothing itself; in blocks that do not fit the pages."""
    monkeypatch.setattr(clone, "BLOCK", SMALL + 1)
    if request.param == "by hand":

        def refuse(*_: object) -> int:
            raise OSError(errno.EXDEV, "other disks")

        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("size", SIZES)
def test_a_copy_has_the_bytes_and_both_digests(tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    (tmp_path / "a").write_bytes(body)
    digests = copied(tmp_path / "a", tmp_path / "b", "blake3", "sha256")
    assert (tmp_path / "b").read_bytes() == body
    assert digests == {"blake3": blake3(body).hexdigest(), "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("size", SIZES)
def test_writing_to_the_original_does_not_reach_the_copy(tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    (tmp_path / "a").write_bytes(body)
    copied(tmp_path / "a", tmp_path / "b")
    with open(tmp_path / "a", "r+b") as file:
        file.write(b"other")
    assert (tmp_path / "b").read_bytes() == body


def test_a_copy_that_would_take_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(bytes(4 * SMALL))
    monkeypatch.setattr(clone, "BLOCK", SMALL)
    monkeypatch.setattr(clone, "_SURE", 0.0)
    monkeypatch.setattr(clone, "_clone", lambda *_: False)  # sharing blocks takes no time
    with pytest.raises(TimeoutError):
        copied(tmp_path / "a", tmp_path / "b", until=time.monotonic())
    assert (tmp_path / "b").stat().st_size < 4 * SMALL
    assert copied(tmp_path / "a", tmp_path / "c", until=time.monotonic() + 3600) == {}
    assert (tmp_path / "c").stat().st_size == 4 * SMALL


@pytest.mark.parametrize("size", SIZES)
def test_what_is_wanted_is_told_by_its_blake3(tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    (tmp_path / "a").write_bytes(body)
    ours, other = blake3(body).hexdigest(), hashlib.sha256(body).hexdigest()
    evidence = Evidence.of(os.stat(tmp_path / "a"))
    assert wanted(tmp_path / "a", tmp_path / "b", Wanted("a", f"blake3:{ours}", size)) == ours
    assert wanted(tmp_path / "a", tmp_path / "c", Wanted("a", f"blake3:{ours}", size, evidence)) == ours
    assert wanted(tmp_path / "a", tmp_path / "d", Wanted("a", f"sha256:{other}", size)) == ours
    assert {(tmp_path / name).read_bytes() for name in "bcd"} == {body}


@pytest.mark.parametrize("size", SIZES[1:])
def test_what_is_not_what_was_wanted_is_told(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(os.urandom(size))
    digest = f"blake3:{blake3(b'other').hexdigest()}"
    old = Evidence.of(os.stat(tmp_path / "a"))
    assert wanted(tmp_path / "a", tmp_path / "b", Wanted("a", digest, size)) == ""
    assert wanted(tmp_path / "a", tmp_path / "c", Wanted("a", digest, size - 1)) == ""
    os.utime(tmp_path / "a", ns=(1, 1))
    assert wanted(tmp_path / "a", tmp_path / "d", Wanted("a", digest, size, old)) == ""
