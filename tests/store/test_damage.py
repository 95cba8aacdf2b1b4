# SPDX-License-Identifier: Apache-2.0
"""A bad disk costs what lay on it: no other event, and never one that was not sent."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lineagekit.errors import StoreError
from lineagekit.store.log import Entry, Row, Store, open_store
from tests.store.worlds import MOMENT, entry

PAGE = 4096


@pytest.fixture(scope="module")
def sent() -> list[Entry]:
    return [
        entry(f"run-{n // 2:04}", ("START", "COMPLETE")[n % 2], time=MOMENT + n, filling=os.urandom(400).hex())
        for n in range(300)
    ]


@pytest.fixture
def file(folder: Path, sent: list[Entry]) -> Path:
    with open_store(folder) as store:
        store.append(sent)
    return folder / "lineage.db"


def read(store: Store) -> list[Row]:
    rows: list[Row] = []
    while page := store.events(after=rows[-1].seq if rows else 0, limit=70):
        rows += page
    return rows


def place_of(sent: Entry, file: Path) -> int:
    return file.read_bytes().index(sent.key + b"run-")


def overwrite(file: Path, at: int, with_: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(with_)


def assert_true(rows: list[Row], sent: list[Entry]) -> None:
    """What is given out as an event is one, whole, and once."""
    told = {one.key: (one.run, one.type, one.time, one.body) for one in sent}
    whole = [row for row in rows if not row.damaged]
    assert all(told[row.key] == (row.run, row.type, row.time, row.event) for row in whole)
    assert len({row.key for row in whole}) == len(whole)


def test_a_flipped_byte_in_the_middle_costs_one_event(file: Path, sent: list[Entry]) -> None:
    overwrite(file, place_of(sent[150], file) + 200, os.urandom(3))
    with open_store(file.parent) as store:
        rows = read(store)
        assert [row.seq for row in rows if row.damaged] == store.damaged() == [151]
        assert rows[150].event == {}
        assert [row.damaged for row in store.run_events("run-0075")] == [True, False]
        assert [row.damaged for row in store.events_at([150, 151, 152])] == [False, True, False]
        assert store.append([entry("new")]) == 1
        assert len(store.recent_runs(1000)) == 151
    assert len(rows) == len(sent)
    assert_true(rows, sent)


def test_a_flipped_byte_in_what_names_an_event_is_seen(file: Path, sent: list[Entry]) -> None:
    overwrite(file, place_of(sent[150], file) + 20, b"X")  # in the id of its run
    with open_store(file.parent) as store:
        assert store.damaged() == [151]


def test_a_lost_page_costs_the_events_on_it(file: Path, sent: list[Entry]) -> None:
    overwrite(file, place_of(sent[150], file) // PAGE * PAGE, bytes(PAGE))
    with open_store(file.parent) as store:
        rows = read(store)
        lost = [row.seq for row in rows if row.damaged]
        assert lost == store.damaged()
        assert 151 in lost
        assert len(lost) < 15
        assert [row.seq for row in rows] == list(range(1, 301))
        assert 151 in [row.seq for row in store.run_events("run-0075") if row.damaged]
        assert store.append([entry("new")]) == 1
        store.add_letter("marquez", 151, status="refused", reason="damaged")
        assert [letter.seq for letter in store.letters()] == [151]
    assert_true(rows, sent)


@pytest.mark.parametrize("number", [b"\x80\x05", b"\xff\x7f"], ids=["before", "behind"])
@pytest.mark.parametrize("seq", [151, 299, 300])
def test_an_event_whose_place_is_damaged_is_lost_and_readers_come_to_an_end(
    file: Path, sent: list[Entry], seq: int, number: bytes
) -> None:
    at = place_of(sent[seq - 1], file)
    cell = file.read_bytes()[at - 16 : at]
    overwrite(file, at - 16 + cell.rindex(bytes([0x80 | seq >> 7, seq & 0x7F])), number)
    with open_store(file.parent) as store:
        rows = read(store)
        lost = store.damaged()
    assert seq in lost or (seq, number) == (300, b"\xff\x7f")  # nobody knows what lay between that and the end
    assert len(lost) < 15
    assert [row.seq for row in rows[:299]] == list(range(1, 300))
    assert_true(rows, sent)


def damage(seed: int, bytes_: bytes) -> bytes:
    """A flipped bit, a lost page, a run of noise, or an end that is missing; never on the first page."""
    rng = random.Random(seed)
    at = rng.randrange(PAGE, len(bytes_))
    page = at // PAGE * PAGE
    return {
        0: lambda: bytes_[:at] + bytes([bytes_[at] ^ 1 << rng.randrange(8)]) + bytes_[at + 1 :],
        1: lambda: bytes_[:page] + bytes(PAGE) + bytes_[page + PAGE :],
        2: lambda: bytes_[:at] + rng.randbytes(len(bytes_[at : at + 64])) + bytes_[at + 64 :],
        3: lambda: bytes_[:at],
    }[seed % 4]()


@contextmanager
def only_with_advice() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        if "Move it aside" not in error.advice:
            raise


def assert_harmless(seeds: range, file: Path, sent: list[Entry]) -> None:
    whole = file.read_bytes()
    for seed in seeds:
        file.write_bytes(damage(seed, whole))
        with only_with_advice(), open_store(file.parent) as store:
            assert_true(read(store), sent)
            store.find_runs("run-")


def test_no_damage_anywhere_makes_another_event_of_one(file: Path, sent: list[Entry]) -> None:
    assert_harmless(range(60), file, sent)


@pytest.mark.faults
def test_no_damage_anywhere_makes_another_event_of_one_at_length(file: Path, sent: list[Entry]) -> None:
    assert_harmless(range(60, 1000), file, sent)
