# SPDX-License-Identifier: Apache-2.0
"""Code, completed outside of the job: syntax trees, where the repository comes from, whether it had changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from lineagekit.agent.code import code_digests
from lineagekit.events.account import Code
from lineagekit.record.programs import Programs
from tests.record.jobs import World


def module(path: Path) -> tuple[str, str, tuple[str, ...]]:
    return "train", str(path), (f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",)


def git(folder: Path, *words: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | identity)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("rate = 0.1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", "git@github.com:acme/risk.git")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_module_that_is_still_the_same_gets_the_digest_of_its_tree(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("rate = 0.1  # slow\n")
    told = module(path)
    (completed,) = Programs().complete(Code(modules=(told,))).modules
    assert completed == ("train", str(path), code_digests(str(path)))


def test_a_module_that_was_changed_or_is_gone_keeps_what_the_job_said(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("rate = 0.1\n")
    told = module(path)
    path.write_text("rate = 0.2\n")
    assert Programs().complete(Code(modules=(told,))).modules == (told,)
    path.unlink()
    assert Programs().complete(Code(modules=(told,))).modules == (told,)


def test_a_fifo_in_the_place_of_a_module_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.py")
    told = ("train", str(tmp_path / "train.py"), ("sha256:" + "0" * 64,))
    assert Programs().complete(Code(modules=(told,))).modules == (told,)


def test_a_clean_and_a_changed_work_tree_are_told_apart(repository: Path) -> None:
    code = Code(repository=str(repository), commit=git(repository, "rev-parse", "HEAD"))
    clean = Programs().complete(code)
    assert (clean.repository, clean.dirty) == ("git@github.com:acme/risk.git", False)
    (repository / "train.py").write_text("rate = 0.2\n")
    assert Programs().complete(code).dirty is True
    (repository / "notes").write_text("not tracked")
    git(repository, "checkout", "-q", "train.py")
    assert Programs().complete(code).dirty is False


def test_where_another_commit_is_checked_out_by_now_nobody_can_tell(repository: Path) -> None:
    assert Programs().complete(Code(repository=str(repository), commit="ab" * 20)).dirty is None


def test_what_is_no_repository_is_left_as_it_is(tmp_path: Path) -> None:
    code = Code(repository=str(tmp_path), commit="ab" * 20)
    assert Programs().complete(code) == code


def test_where_a_module_asks_what_day_it_is_is_told_by_its_place_in_the_repository(repository: Path) -> None:
    path = repository / "lib" / "features.py"
    path.parent.mkdir()
    path.write_text("import datetime as dt\n\ndef age(born):\n    return dt.date.today().year - born\n")
    programs = Programs()
    told = programs.complete(Code(repository=str(repository), commit="ab" * 20, modules=(module(path),)))
    assert told.clock == ("lib/features.py:4 date.today",)
    assert programs.complete(Code(modules=(module(path),))).clock == ("features.py:4 date.today",)


def test_a_settled_run_tells_the_tree_of_its_code(world: World) -> None:
    path = world.data / "train.py"
    path.write_text("rate = 0.1\n")
    job = world.job()
    job.say("code", entry=str(path), modules=[list(module(path))], repository="", commit="")
    job.end()
    world.settle(silent=0.0)
    (told,) = world.end(job.run)["run"]["facets"]["lineagekit_code"]["modules"]
    assert told["digests"] == list(code_digests(str(path)))
