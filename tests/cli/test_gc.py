# SPDX-License-Identifier: Apache-2.0
"""`lineagekit gc` and what `doctor` says of kept bytes: how much there is, what would go, what to do when full."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from lineagekit.settings import size_of, size_text
from lineagekit.store.kept import Kept
from lineagekit.store.room import kept_files
from tests.cli.conftest import Run

JOB = "data = [open(name).read() for name in ('a.csv', 'b.csv')]\n"


@pytest.fixture
def store(tmp_path: Path, environ: dict[str, str], run: Run) -> Path:
    """A store with what one job read: 1,000 and 2,000 bytes, and the job itself."""
    environ["LINEAGEKIT_STORE"] = str(tmp_path / ".lineagekit")
    (tmp_path / "job.py").write_text(JOB)
    for name, size in (("a.csv", 1000), ("b.csv", 2000)):
        (tmp_path / name).write_text("x" * size)
        os.utime(tmp_path / name, (1, 1))
    assert run("run", "--", sys.executable, "job.py").returncode == 0
    return tmp_path / ".lineagekit"


def size(store: Path) -> int:
    return Kept(store).size()


def result(answer: Any) -> dict[str, Any]:
    assert answer.returncode == 0, answer.stderr
    envelope: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return envelope["result"]


def test_nothing_goes_that_events_speak_of(store: Path, run: Run) -> None:
    before = size(store)
    assert before == 3000 + len(JOB)
    said = run("gc").stdout
    assert said == (
        f"store {store}\nremoved nothing: events speak of all that is kept, and it is within the limit\n"
        f"left 3 KiB of 10 GiB\n"
    )
    assert size(store) == before


def test_what_no_event_speaks_of_goes_after_an_hour(store: Path, run: Run) -> None:
    Kept(store).put_bytes(b"x" * 500)
    assert result(run("gc", "--json"))["removed"] == 0
    for one in kept_files(str(store / "objects")):
        os.utime(one.path, (1, 1))
    assert "would remove 1 file, 500 B: 1 that no event speaks of\n" in run("gc", "--dry-run").stdout
    assert size(store) == 3500 + len(JOB)
    assert "removed 1 file, 500 B: 1 that no event speaks of\n" in run("gc").stdout
    assert size(store) == 3000 + len(JOB)


def test_a_limit_is_held_and_a_dry_run_removes_nothing(store: Path, run: Run) -> None:
    told = result(run("gc", "--keep-limit", "1 kB", "--dry-run", "--json"))
    assert (told["dry_run"], told["limit"], size(store)) == (True, 1000, 3000 + len(JOB))
    assert told["unused"] == told["removed"] > 0
    done = result(run("gc", "--keep-limit", "1 kB", "--json"))
    assert {**done, "dry_run": True} == told
    assert size(store) == done["left"] <= 1000


def test_a_limit_that_is_no_size_is_refused(store: Path, run: Run) -> None:
    answer = run("gc", "--keep-limit", "lots")
    assert answer.returncode == 2
    assert "not a size: got 'lots', expected a number and a unit" in answer.stderr
    (store / "config.toml").write_text('keep_limit = "10 gigs"\n')
    assert 'expected a size, as in "10 GiB"' in run("gc").stderr


def test_where_there_is_no_store_it_says_how_to_get_one(run: Run, tmp_path: Path, environ: dict[str, str]) -> None:
    environ["LINEAGEKIT_STORE"] = str(tmp_path / "none")
    assert run("gc").returncode == 6
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_removed_is_a_clear_error(store: Path, run: Run) -> None:
    (store / "objects" / "lock").unlink()
    (store / "objects" / "lock").mkdir()
    answer = run("gc", "--keep-limit", "0 B")
    assert answer.returncode == 7
    assert "kept bytes cannot be removed" in answer.stderr
    assert size(store) == 3000 + len(JOB)


def test_doctor_says_how_much_is_kept_and_what_to_do_when_it_is_full(store: Path, run: Run, tmp_path: Path) -> None:
    assert "kept bytes   3 KiB of 10 GiB: what jobs read\n" in run("doctor").stdout
    (store / "config.toml").write_text('keep_limit = "3.5 KiB"\n')
    (tmp_path / "a.csv").write_text("y" * 900)
    run("run", "--", sys.executable, "job.py")
    said = run("doctor").stdout
    assert "full: new ones are not kept. Raise keep_limit in config.toml, or\n" in said
    told = result(run("doctor", "--json"))["kept"]
    assert told == {"keep": "changed", "bytes": 3000 + len(JOB), "limit": 3584, "refused": "limit"}
    advised = said.partition('gc --keep-limit "')[2].partition('"')[0]
    assert run("gc", "--keep-limit", advised).returncode == 0
    assert "full" not in run("doctor").stdout
    run("run", "--", sys.executable, "job.py")
    assert Kept(store).is_kept(f"blake3:{blake3(b'y' * 900).hexdigest()}")
    assert size(store) <= 3584


def test_where_nothing_is_to_be_kept_nothing_is(store: Path, run: Run, tmp_path: Path) -> None:
    (store / "config.toml").write_text('keep = "none"\n')
    before = size(store)
    (tmp_path / "a.csv").write_text("y" * 900)
    run("run", "--", sys.executable, "job.py")
    assert size(store) == before
    assert 'no more, for keep = "none"\n' in run("doctor").stdout


@pytest.mark.parametrize(("text", "size"), [("0 B", 0), ("1.5 KiB", 1536), ("10GiB", 10 << 30), ("2 TiB", 2 << 40)])
def test_a_size_is_written_as_it_is_read(text: str, size: int) -> None:
    assert size_of(text) == size
    assert size_of(size_text(size)) == size


def test_a_size_has_one_place_behind_the_point() -> None:
    assert [size_text(size) for size in (1023, 1024, 1_300_000_000)] == ["1023 B", "1 KiB", "1.2 GiB"]
