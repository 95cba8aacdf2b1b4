# SPDX-License-Identifier: Apache-2.0
"""The lock that lets one pass at a time go to each destination."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lineagekit.errors import StoreError
from lineagekit.exchange.claim import claim

HOLD = """
import sys, time
from lineagekit.exchange.claim import claim
with claim(sys.argv[1], "a"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_destination_is_held_by_one(tmp_path: Path) -> None:
    with claim(str(tmp_path), "a") as first, claim(str(tmp_path), "a") as second, claim(str(tmp_path), "b") as other:
        assert (first, second, other) == (True, False, True)
    with claim(str(tmp_path), "a") as mine:
        assert mine


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with claim(str(tmp_path), "a") as mine:
            assert not mine
        process.kill()
    with claim(str(tmp_path), "a") as mine:
        assert mine


def test_who_stands_in_line_gets_it_when_it_is_free(tmp_path: Path) -> None:
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with claim(str(tmp_path), "a"):
            held.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    threading.Timer(0.1, leave.set).start()
    with claim(str(tmp_path), "a", wait=5) as mine:
        assert mine
    thread.join()


def test_standing_in_line_ends_when_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    with claim(str(tmp_path), "a"), claim(str(tmp_path), "a", wait=60, stop=stop) as mine:
        assert not mine
    assert time.monotonic() - began < 5


def test_any_name_can_be_held(tmp_path: Path) -> None:
    with claim(str(tmp_path), "../\u4e2d\n/" + "x" * 5000) as mine:
        assert mine
    assert len(list(tmp_path.glob("*.lock"))) == 1


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match=r"cannot lock .*: No such file or directory"),
        claim(str(tmp_path / "no"), "a"),
    ):
        pass
