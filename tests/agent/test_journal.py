# SPDX-License-Identifier: Apache-2.0
"""The journal loses no acknowledged fact and accepts no torn one, whatever happens to its process."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.agent.journal import SUFFIX, Journal, boot_id, encode, new_id, process_start, read_facts

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
facts = st.dictionaries(st.text(), json_values, max_size=4)

WRITER = """
import sys
from lineagekit.agent.journal import Journal
journal, number = Journal(sys.argv[1]), 0
while True:
    journal.append({"fact": "input", "number": number, "filling": "x" * (number % 300)})
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def journals(folder: Path) -> list[list[dict[str, Any]]]:
    return [[fact for _, fact in read_facts(path.read_bytes())] for path in sorted(folder.glob("*" + SUFFIX))]


def numbers(journal: list[dict[str, Any]]) -> list[int]:
    return [fact["number"] for fact in journal if "number" in fact]


@given(st.lists(facts, max_size=6))
def test_facts_come_back_as_they_were_written(written: list[dict[str, Any]]) -> None:
    assert [fact for _, fact in read_facts(b"".join(map(encode, written)))] == written


@given(st.lists(facts, min_size=2, max_size=5), st.data())
def test_a_write_torn_at_any_byte_loses_that_fact_and_no_other(
    written: list[dict[str, Any]], data: st.DataObject
) -> None:
    records = list(map(encode, written))
    torn = data.draw(st.integers(0, len(records) - 1))
    keep = data.draw(st.integers(0, len(records[torn]) - 1))
    damaged = [*records[:torn], records[torn][:keep], *records[torn + 1 :]]
    assert [fact for _, fact in read_facts(b"".join(damaged))] == written[:torn] + written[torn + 1 :]


@given(st.lists(facts, min_size=1, max_size=5), st.data())
def test_reading_on_from_an_offset_doubles_and_skips_nothing(
    written: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = b"".join(map(encode, written))
    cut = data.draw(st.integers(0, len(whole)))
    first = list(read_facts(whole[:cut]))
    offset = first[-1][0] if first else 0
    assert [fact for _, fact in [*first, *read_facts(whole[offset:])]] == written


@given(facts, st.data())
def test_a_changed_byte_is_never_accepted(fact: dict[str, Any], data: st.DataObject) -> None:
    record = bytearray(encode(fact))
    at = data.draw(st.integers(1, len(record) - 1))
    record[at] ^= data.draw(st.integers(1, 255))
    assert fact not in [read for _, read in read_facts(bytes(record))]


def test_the_header_says_whose_journal_it_is(tmp_path: Path) -> None:
    Journal(str(tmp_path)).append({"fact": "input"})
    header, fact = journals(tmp_path)[0]
    assert (header["fact"], header["version"], header["n"], fact["n"]) == ("journal", 1, 0, 1)
    assert (header["pid"], header["start"]) == (os.getpid(), process_start(os.getpid()))
    assert (header["host"], header["boot"]) == (os.uname().nodename, boot_id())
    assert header["id"] + SUFFIX == next(tmp_path.iterdir()).name


def test_a_journal_that_is_never_written_to_makes_no_file(tmp_path: Path) -> None:
    Journal(str(tmp_path / "none")).close()
    assert not (tmp_path / "none").exists()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Journal(str(tmp_path / "journal")).append({"fact": "input"})
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert next((tmp_path / "journal").iterdir()).stat().st_mode & 0o777 == 0o600


def test_hostile_names_go_through(tmp_path: Path) -> None:
    names = ["\n", '"', "../..", "\0", "x" * 65_536, "\u202e", "😀", "\udcff", " "]
    journal = Journal(str(tmp_path))
    assert all(journal.append({"fact": "input", "path": name}) for name in names)
    assert [fact["path"] for fact in journals(tmp_path)[0][1:]] == names


def test_what_is_not_json_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises((TypeError, ValueError)):
            journal.append({"fact": "metric", "value": value})
    assert journal.append({"fact": "metric", "value": 1})
    assert [fact.get("value") for fact in journals(tmp_path)[0]] == [None, 1]


def test_facts_keep_their_order_when_the_clock_runs_backwards(tmp_path: Path) -> None:
    ticks = iter([1_000, 500, 400, 2_000, 100, 50, 40])
    journal = Journal(str(tmp_path), clock=lambda: next(ticks))
    for _ in range(5):
        journal.append({"fact": "input"})
    times = [fact["at"] for fact in journals(tmp_path)[0]]
    assert times == sorted(set(times))


def test_threads_share_a_journal_without_a_lost_or_mixed_fact(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))

    def write(thread: int) -> None:
        for number in range(500):
            journal.append({"fact": "input", "number": thread * 1_000 + number})

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (only,) = journals(tmp_path)
    assert sorted(numbers(only)) == sorted(t * 1_000 + n for t in range(8) for n in range(500))
    assert sorted(fact["n"] for fact in only) == list(range(4_001))


def fork_and_write(journal: Journal, number: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if journal.append({"fact": "input", "number": number}) else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of threads that fork: it is the point
@pytest.mark.parametrize("children", [20, pytest.param(200, marks=pytest.mark.faults)])
def test_children_forked_while_threads_write_have_journals_of_their_own(tmp_path: Path, children: int) -> None:
    journal, done = Journal(str(tmp_path)), threading.Event()
    journal.append({"fact": "start"})  # a child of a process that has no journal yet knows none

    def write() -> None:
        while not done.is_set():
            journal.append({"fact": "output"})

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    statuses = [fork_and_write(journal, number) for number in range(children)]
    done.set()
    for writer in writers:
        writer.join()
    assert statuses == [0] * children
    mine, *others = sorted(journals(tmp_path), key=len, reverse=True)
    assert sorted(number for other in others for number in numbers(other)) == list(range(children))
    assert {other[0]["parent"] for other in others} == {mine[0]["id"]}
    assert sorted(fact["n"] for fact in mine) == list(range(len(mine)))


@pytest.mark.parametrize("rounds", [15, pytest.param(1_000, marks=pytest.mark.faults)])
def test_no_acknowledged_fact_is_lost_to_kill_9(tmp_path: Path, rounds: int) -> None:
    rng = random.Random(4)
    for turn in range(rounds):
        folder = tmp_path / str(turn)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(rng.random() / 50)
            writer.send_signal(signal.SIGKILL)
            acknowledged = 1 + writer.stdout.read().count(b"\n")
        (only,) = journals(folder)
        found = numbers(only)
        assert found == list(range(len(found)))
        assert len(found) >= acknowledged


def test_a_full_disk_refuses_facts_and_damages_none(tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
from lineagekit.agent.journal import Journal
journal, kept = Journal({str(tmp_path)!r}), []
for number in range(100):
    try:
        kept += [number] * journal.append({{"fact": "input", "number": number}})
    except OSError:
        pass
print(kept)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    (only,) = journals(tmp_path)
    assert numbers(only) == json.loads(out)
    assert 0 < len(numbers(only)) < 100


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no RLIMIT_FSIZE")
def test_a_disk_without_room_for_a_header_gets_no_file(tmp_path: Path) -> None:
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
from lineagekit.agent.journal import Journal
try:
    Journal({str(tmp_path)!r}).append({{"fact": "input"}})
except OSError as error:
    print(error.strerror)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert out == "No space left on device\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.caged
def test_a_disk_that_is_full_leaves_neither_descriptors_nor_files(tmp_path: Path) -> None:
    code = f"""
import os
from lineagekit.agent.journal import Journal
with open({str(tmp_path / "filler")!r}, "wb", buffering=0) as filler:
    try:
        while filler.write(bytes(4096)):
            pass
    except OSError:
        pass
journal, said, before = Journal({str(tmp_path)!r}), set(), len(os.listdir("/proc/self/fd"))
for _ in range(50):
    try:
        journal.append({{"fact": "input"}})
    except OSError as error:
        said.add(error.strerror)
print(said, len(os.listdir("/proc/self/fd")) - before, os.listdir({str(tmp_path)!r}))
"""
    full = f'mount -t tmpfs -o size=64k none {tmp_path} && exec {sys.executable} -c "$1"'
    words = ["unshare", "-Urm", "sh", "-c", full, "sh", code]
    out = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    assert out == "{'No space left on device'} 0 ['filler']\n"


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        Journal(str(tmp_path / "file" / "journal")).append({"fact": "input"})


def test_near_the_limit_only_evidence_is_written_and_at_the_limit_only_ends(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path), limit=4_000)
    others = sum(journal.append({"fact": "metric", "number": number}) for number in range(100))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert 3_000 < size < 3_200
    assert (journal.dropped, journal.lost) == (100 - others, 0)
    reads = sum(journal.append({"fact": "read", "number": number}) for number in range(100))
    assert reads > 0
    assert (journal.dropped, journal.lost) == (100 - others, 100 - reads)
    for kind in ("run", "pause", "end", "trouble"):
        assert journal.append({"fact": kind})
    assert journal.append({"fact": "event", "event": {}})  # what was emitted is never lost


def test_a_closed_journal_begins_a_new_file(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    for number in range(2):
        journal.append({"fact": "input", "number": number})
        journal.sync()
        journal.close()
    assert [numbers(one) for one in journals(tmp_path)] == [[0], [1]]


@given(st.integers(0, 2**62), st.integers(1, 10**9))
def test_ids_are_version_seven_and_sort_by_time(now: int, later: int) -> None:
    first, second = new_id(now), new_id(now + later * 1_000_000)
    assert first < second
    assert (first[14], first[19] in "89ab", len(first)) == ("7", True, 36)


def test_a_process_is_known_by_more_than_its_number() -> None:
    assert process_start(os.getpid()).isdigit()
    assert process_start(2**22 + 1) == ""


def test_a_job_that_closes_every_descriptor_has_nothing_written_into_its_files(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    journal.append({"fact": "first"})
    stolen = journal._descriptor
    os.close(stolen)
    own = os.open(tmp_path / "own", os.O_WRONLY | os.O_CREAT)
    assert own == stolen
    journal.append({"fact": "second"})
    os.close(own)
    journal.close()
    assert (tmp_path / "own").read_bytes() == b""
    journals = [path.read_bytes() for path in sorted((tmp_path / "journal").iterdir())]
    kinds = [fact["fact"] for data in journals for _, fact in read_facts(data)]
    assert kinds == ["journal", "first", "journal", "second"]
