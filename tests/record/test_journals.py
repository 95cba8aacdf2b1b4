# SPDX-License-Identifier: Apache-2.0
"""Whose a journal is, whether its owner lives, and that it is read whole and removed only when nobody needs it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from binascii import crc32
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.agent.journal import encode, process_start
from lineagekit.record.journals import (
    Head,
    Here,
    Owner,
    is_alive,
    judge,
    read_head,
    read_journal,
    read_on,
    remove_journal,
)
from tests.record.jobs import NO_PROCESS, write_journal

HERE = Here.now()
LONG_AGO = HERE.booted - 10**12


def remove(path: Path, settled: int) -> bool:
    return remove_journal(str(path), settled=settled)


def test_this_process_is_alive_and_one_with_its_pid_and_another_start_is_not() -> None:
    assert is_alive(os.getpid(), process_start(os.getpid()))
    assert not is_alive(os.getpid(), "1")
    assert not is_alive(NO_PROCESS, "1")


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        start = process_start(child.pid)
        assert is_alive(child.pid, start)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(child.pid) == start
        assert not is_alive(child.pid, start)


@pytest.mark.parametrize(
    ("named", "written", "standing"),
    [
        ({}, LONG_AGO, "dead"),
        ({"pid": os.getpid(), "start": process_start(os.getpid())}, LONG_AGO, "alive"),
        ({"host": "elsewhere"}, LONG_AGO, "foreign"),
        ({"boot": "an earlier one"}, LONG_AGO, "dead"),
        ({"boot": "of a machine with our name"}, time.time_ns() + 10**12, "foreign"),
    ],
    ids=["gone", "this process", "elsewhere", "earlier", "namesake"],
)
def test_the_owner_of_a_journal_is_judged(named: dict[str, Any], written: int, standing: str) -> None:
    owner = Owner("id", HERE.host, HERE.boot, NO_PROCESS, "1")._replace(**named)
    assert judge(owner, HERE, written) == standing


def test_what_says_not_whose_it_is_has_no_owner(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    for data in (b"", b"\n", b"anything", encode({"fact": "read"}), encode({"fact": "journal", "id": 5, "pid": 1})):
        path.write_bytes(data)
        assert read_head(str(path)).owner is None


facts = st.lists(
    st.fixed_dictionaries({"fact": st.just("read"), "path": st.text(max_size=40)}), min_size=1, max_size=12
)


@given(facts, st.integers(1, 200), st.data())
def test_pieces_of_any_size_give_the_same_facts_and_offsets(
    written: list[dict[str, Any]], piece: int, data: st.DataObject
) -> None:
    whole = b"".join(map(encode, written))
    torn = data.draw(st.integers(0, len(whole)))
    with tempfile.NamedTemporaryFile() as file:
        file.write(whole + whole[:torn])
        file.flush()
        found = list(read_journal(file.name, 0, len(whole) + torn, piece=piece))
    assert [dict(fact) for _, _, fact in found][: len(written)] == written
    assert found == list(read_on(Head("", whole + whole[:torn], len(whole) + torn, 0, None), 0))
    assert all(begin < end for begin, end, _ in found)
    assert [begin for begin, _, _ in found[1:]] == [end for _, end, _ in found[:-1]]


def test_a_record_that_is_whole_and_no_json_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    bad = [b"{no json}", b"[" * 100_000 + b"]" * 100_000, b'{"at": ' + b"9" * 10_000 + b"}", b"\xff"]
    records = [encode({"fact": "a"}), *(b"\n%08x %08x %b" % (len(b), crc32(b), b) for b in bad), encode({"fact": "b"})]
    path.write_bytes(b"".join(records))
    found = list(read_journal(str(path), 0, path.stat().st_size))
    assert [fact["fact"] for _, _, fact in found] == ["a", "b"]
    assert found[-1][1] == path.stat().st_size


def test_a_journal_goes_when_all_of_it_is_settled(tmp_path: Path) -> None:
    path = write_journal(tmp_path, [{"fact": "read"}])
    size = path.stat().st_size
    assert not remove(path, size - 1)
    assert remove(path, size)
    assert not path.exists()


def test_a_journal_stays_while_somebody_else_has_its_lock(tmp_path: Path) -> None:
    path = write_journal(tmp_path, [{"fact": "read"}])
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not remove(path, path.stat().st_size)
    assert remove(path, path.stat().st_size)


def test_a_journal_that_somebody_has_removed_is_gone(tmp_path: Path) -> None:
    path = write_journal(tmp_path, [{"fact": "read"}])
    path.unlink()
    assert remove(path, 0)
