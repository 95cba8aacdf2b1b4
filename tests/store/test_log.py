# SPDX-License-Identifier: Apache-2.0
"""The log takes every event once, all or nothing, and gives it back as it came."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError, StoreError, UnreadableError
from lineagekit.events.wire import event_key
from lineagekit.store.log import Entry, Mark, Store, entry_of, open_store
from tests.identity.worlds import as_nobody, open_folder
from tests.store.worlds import MOMENT, entries, entry

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_what_was_appended_is_there_for_the_next_process_in_the_order_of_arrival(folder: Path) -> None:
    late, early = entry("b", time=MOMENT + 1), entry("a", time=MOMENT)
    with open_store(folder) as store:
        assert store.append([late, early], origin="emit") == 2
    with open_store(folder, make=False) as store:
        rows = store.events()
    assert [(row.seq, row.run, row.time, row.origin, row.kind, row.type) for row in rows] == [
        (1, "b", MOMENT + 1, "emit", "run", "START"),
        (2, "a", MOMENT, "emit", "run", "START"),
    ]
    assert [row.event for row in rows] == [late.body, early.body]
    assert [row.key for row in rows] == [late.key, early.key]


def test_an_event_is_kept_once_however_often_it_arrives(store: Store) -> None:
    some = entries(5)
    assert store.append([*some, some[0]]) == 5
    assert store.append(some[2:] + entries(7)[5:]) == 2
    assert [row.seq for row in store.events()] == [1, 2, 3, 4, 5, 6, 7]


def test_of_two_ends_of_one_run_the_first_commit_wins(store: Store) -> None:
    key = b"the end of run a"
    assert store.append([entry("a", "COMPLETE", key=key, said="first")]) == 1
    assert store.append([entry("a", "COMPLETE", key=key, said="second")]) == 0
    assert [row.event["said"] for row in store.run_events("a")] == ["first"]


def test_a_place_is_never_left_out_nor_used_again(store: Store) -> None:
    for number in range(4):
        store.append(entries(number))
        store.append(entries(number))
    with pytest.raises(StoreError):
        append_and_fail(store, 10)
    store.append(entries(5))
    assert [row.seq for row in store.events()] == [1, 2, 3, 4, 5]
    assert store.last_seq() == 5


def test_an_empty_log_has_no_last_place(store: Store) -> None:
    assert store.last_seq() == 0
    assert store.events() == []


def test_events_are_read_in_pages_and_by_place(store: Store) -> None:
    store.append(entries(10))
    assert [row.seq for row in store.events(after=3, limit=4)] == [4, 5, 6, 7]
    assert [row.seq for row in store.events_at([9, 2, 2, 77])] == [2, 9]
    assert store.events_at([]) == []


def test_events_of_a_run_are_found_whatever_lies_between(store: Store) -> None:
    store.append([entry("a"), entry("b"), entry("a", "COMPLETE"), entry("")])
    assert [(row.seq, row.type) for row in store.run_events("a")] == [(1, "START"), (3, "COMPLETE")]
    assert store.run_events("c") == []


@given(body=st.dictionaries(st.text(), json_values, max_size=4), run=st.text(st.characters(codec=None), max_size=5))
@settings(max_examples=25)
def test_any_json_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, body: dict, run: str) -> None:
    with open_store(tmp_path_factory.getbasetemp() / "any") as store:
        key = os.urandom(16)
        store.append([Entry(key, run, "run", "START", MOMENT, body)], origin=run)
        (row,) = [row for row in store.run_events(run) if row.key == key]
        assert row.event == body


def test_names_that_utf8_cannot_hold_are_kept(store: Store) -> None:
    store.append([entry("a", job="caf\udce9.py\0")])
    assert store.run_events("a")[0].event["job"]["name"] == "caf\udce9.py\0"
    assert store.recent_runs()[0].job == "caf\\udce9.py\0"
    assert [row.run for row in store.find_runs("caf\udce9.py\0")] == ["a"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {1, 2}])
def test_what_json_cannot_say_is_refused_and_nothing_of_its_batch_is_kept(store: Store, value: object) -> None:
    with pytest.raises(BadDataError, match="no JSON"):
        store.append([entry("a"), entry("b", value=value)], marks=[Mark("j", 7)])
    assert store.events() == []
    assert store.marks() == {}


def test_a_big_event_is_an_event(store: Store) -> None:
    store.append([entry("a", filling=os.urandom(4_000_000).hex()), entry("b")])
    assert len(store.events()[0].event["filling"]) == 8_000_000
    assert store.events()[1].run == "b"


def test_a_mark_is_committed_with_its_events(store: Store) -> None:
    store.append(entries(2), marks=[Mark("one", 100), Mark("two", 5, finished=True)])
    assert store.mark("one") == 100
    assert store.mark("three") == 0
    assert store.marks() == {"one": Mark("one", 100), "two": Mark("two", 5, finished=True)}


def test_a_mark_never_goes_back(store: Store) -> None:
    store.append([], marks=[Mark("one", 100, finished=True)])
    store.append([], marks=[Mark("one", 50)])
    assert store.marks() == {"one": Mark("one", 100, finished=True)}


def append_and_fail(store: Store, count: int) -> None:
    with store.write():
        store.keep_object("manifest", "lkd1:ab", b"body")
        store.append(entries(count), marks=[Mark("one", 100)])
        store.set_cursor("marquez", 2)
        store.set_cursor("kafka", None)  # type: ignore[arg-type]


def test_several_calls_become_one_transaction(store: Store) -> None:
    with pytest.raises(StoreError):
        append_and_fail(store, 2)
    assert (store.last_seq(), store.mark("one"), store.cursor("marquez")) == (0, 0, 0)
    assert store.object("manifest", "lkd1:ab") is None
    with store.write(durable=True):
        store.append(entries(2))
        store.append(entries(3))
    assert store.last_seq() == 3


def test_threads_share_a_store(store: Store) -> None:
    def work(name: int) -> None:
        for number in range(20):
            store.append([entry(f"{name}-{number}"), entry(f"{name}-{number}", "COMPLETE")])
            assert store.settled(f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.events()) == 200


FORK = """
import os, sys
from lineagekit.errors import StoreError
from lineagekit.events.wire import event_key
from lineagekit.store.log import open_store
store = open_store(sys.argv[1])
if os.fork() == 0:
    try:
        store.last_seq()
    except StoreError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
print(store.last_seq())
"""


def test_a_child_opens_its_own(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, str(folder)], capture_output=True, text=True, check=True)
    said, seq = done.stdout.splitlines()
    assert "opened before a fork" in said
    assert seq == "0"


def test_the_folder_is_closed_to_others_and_to_git(folder: Path) -> None:
    with open_store(folder / "deeper") as store:
        store.append(entries(1))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "deeper").iterdir()}
    assert stat.S_IMODE((folder / "deeper").stat().st_mode) == 0o700
    assert modes["lineage.db"] == modes["lineage.db-wal"] == modes[".gitignore"] == 0o600
    assert (folder / "deeper" / ".gitignore").read_text() == "*\n"


def test_a_gitignore_that_is_there_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n!config.toml\n")
    open_store(folder).close()
    assert (folder / ".gitignore").read_text() == "*\n!config.toml\n"


def test_no_store_is_made_unasked(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no store in .*Record a run first"):
        open_store(folder, make=False)
    assert not folder.exists()


@pytest.fixture
def at_rest() -> Iterator[Path]:
    """A closed store with one event, in a folder that any user may enter."""
    with open_folder() as folder:
        with open_store(folder) as store:
            store.append(entries(1))
        (folder / "lineage.db").chmod(0o644)
        yield folder


def test_a_store_that_cannot_be_written_is_read(at_rest: Path) -> None:
    at_rest.chmod(0o555)
    with as_nobody(), open_store(at_rest) as store:
        assert [row.run for row in store.events()] == ["run-000000"]
        assert len(store.recent_runs()) == 1
        with pytest.raises(StoreError, match=r"cannot be written.*LINEAGEKIT_STORE"):
            store.append(entries(2))
        with pytest.raises(StoreError, match="cannot be written"):
            store.set_cursor("marquez", 1)


def test_a_store_in_use_by_another_user_is_read(at_rest: Path) -> None:
    with open_store(at_rest) as writer:
        writer.append(entries(2))
        for path in at_rest.iterdir():
            path.chmod(0o644)
        at_rest.chmod(0o555)
        with as_nobody(), open_store(at_rest) as store:
            assert len(store.events()) == 2
            with pytest.raises(StoreError, match="cannot be written"):
                store.append(entries(3))


LEAVE = """
import os, sys
from lineagekit.events.wire import event_key
from lineagekit.store.log import open_store
from tests.store.worlds import entries
open_store(sys.argv[1]).append(entries(2))
os._exit(0)
"""


def test_a_store_that_cannot_be_written_and_was_left_by_a_killed_writer_says_what_to_do(at_rest: Path) -> None:
    subprocess.run([sys.executable, "-c", LEAVE, str(at_rest)], check=True)
    (at_rest / "lineage.db-shm").unlink()
    at_rest.chmod(0o555)
    with as_nobody(), pytest.raises(StoreError, match="Copy the folder"):
        open_store(at_rest)


def test_a_folder_that_cannot_be_entered_is_unreadable(at_rest: Path) -> None:
    at_rest.chmod(0o600)
    with as_nobody(), pytest.raises(UnreadableError):
        open_store(at_rest, make=False)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"no store can be made.*Name a folder"):
        open_store(tmp_path / "file" / "store")


def test_a_closed_store_says_so(folder: Path) -> None:
    store = open_store(folder)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.events()


def openlineage(**more: Any) -> dict[str, Any]:
    named = {"run": {"runId": "0197-a"}, "job": {"namespace": "shop", "name": "train"}}
    return {"eventTime": "2026-11-01T10:00:00.123456+01:00", "eventType": "START"} | named | more


def test_an_event_becomes_an_entry_by_its_own_words() -> None:
    one = entry_of(openlineage())
    assert (one.run, one.kind, one.type, one.time) == ("0197-a", "run", "START", 1_793_523_600_123_456)
    assert one.key == event_key(openlineage())
    assert len(one.key) == 16
    assert entry_of(openlineage(run=None)).kind == "job"
    dataset = entry_of({"eventTime": "2026-11-01T09:00:00.1234567Z", "dataset": {"namespace": "file", "name": "/x"}})
    assert (dataset.run, dataset.kind, dataset.type, dataset.time) == ("", "dataset", "", one.time)


@pytest.mark.parametrize("time", ["yesterday", "", None, 7])
def test_an_event_without_a_time_is_no_entry(time: object) -> None:
    with pytest.raises(BadDataError, match="no time"):
        entry_of(openlineage(eventTime=time))


def test_an_event_that_comes_back_with_nulls_and_other_numbers_is_the_same(store: Store) -> None:
    relayed = openlineage(n=1.0, facets=None, eventTime="2026-11-01T09:00:00.1234560Z")
    assert store.append(map(entry_of, [openlineage(n=1), relayed])) == 1
